"""Why something could not be fetched, or was not even tried.

`Forbidden` comes in three: the operator has not allowed it, the address is none of the public ones, or the source says
no. The messages never tell which address a name has: that would be a way to look into the operator's network.
"""

from fireside.domain.errors import BadRequest, Forbidden, NotFound, Unprocessable


class BadUrl(BadRequest):
    """This is no URL that anything could be fetched from."""

    code = "bad_url"


class OutboundOff(Forbidden):
    """The operator lets nothing out; the message names the setting that would."""

    code = "outbound_off"


class HostNotAllowed(Forbidden):
    """The operator's list does not have this host and port."""

    code = "host_not_allowed"


class AddressNotAllowed(Forbidden):
    """The host has an address that is not public, and the operator has not named it as one that may be reached."""

    code = "address_not_allowed"


class SourceRefuses(Forbidden):
    """The source wants a credential, or says no."""

    code = "source_refuses"


class SourceMissing(NotFound):
    """The source has no such thing."""

    code = "source_missing"


class FetchFailed(Unprocessable):
    """The source did not answer in time, or not as it should."""

    code = "fetch_failed"
