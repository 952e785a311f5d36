"""The one tree of refusals and faults.

    FiresideError
    ├── Refused                  the caller can mend it
    │   ├── BadRequest           400
    │   │   └── InvalidCursor    of a list that has pages
    │   ├── Unauthenticated      401
    │   ├── OverQuota            402
    │   ├── Forbidden            403
    │   ├── NotFound             404
    │   ├── Conflict             409
    │   ├── TooLarge             413
    │   ├── WrongMediaType       415
    │   ├── Unprocessable        422
    │   └── TooMany              429, with when to come back
    ├── StaleLease               a report of a worker that no longer holds the job
    ├── IllegalTransition        a verb that the job's state does not know
    └── Unavailable              503, with when to come back
        ├── StorageFull          the disk is full; nothing accepted is lost
        └── NoDefinitions        no worker has ever told which nodes exist

A `code` is public and never changes. A message is for people and says what to do. Statuses are given by the
edge (`server`), not here.
"""

from collections.abc import Mapping
from typing import ClassVar


class FiresideError(Exception):
    """Anything Fireside itself raises."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(FiresideError):
    """The request cannot be done as it is."""

    code = "refused"


class BadRequest(Refused):
    """The request is malformed."""

    code = "bad_request"


class InvalidCursor(BadRequest):
    """A cursor that this list did not give."""

    code = "invalid_cursor"


class Unauthenticated(Refused):
    """No credential, or one that is not known."""

    code = "unauthenticated"


class OverQuota(Refused):
    """What the user may use in a month, or store, is used up."""

    code = "over_quota"


class Forbidden(Refused):
    """The caller is known and may not do this."""

    code = "forbidden"


class ScopeMissing(Forbidden):
    """The API key that was shown is not for this; `scope` names what it lacks."""

    code = "scope_missing"
    scope = ""

    def __init__(self, scope: str) -> None:
        super().__init__(f"This API key lacks the scope `{scope}`: use one that has it, or make one that does.")
        self.scope = scope


class NotFound(Refused):
    """There is no such thing, or it is somebody else's."""

    code = "not_found"


class Conflict(Refused):
    """Another thing stands where this one should go."""

    code = "conflict"


class TooLarge(Refused):
    """More bytes, nodes or entries than the settings allow."""

    code = "too_large"


class Unprocessable(Refused):
    """The request is well formed, and what it names does not allow it to be done."""

    code = "unprocessable"


class WrongMediaType(Refused):
    """The body is of a type that is not taken here."""

    code = "unsupported_media_type"


class TooMany(Refused):
    """A limit on how many, or how often, is reached; `retry_after` is in whole seconds."""

    code = "too_many"

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(TooMany):
    """More requests came within a span than the operator lets through; `headers` say how the limit stands."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: int = 5, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.headers = dict(headers or {})


class StaleLease(FiresideError):
    """A worker spoke for a job that it does not hold any more; it must drop the work."""

    code = "stale_lease"


class IllegalTransition(FiresideError):
    """The job's state does not know this verb."""

    code = "illegal_transition"


class Unavailable(FiresideError):
    """The request is fine and cannot be served now; `retry_after` is in whole seconds."""

    code = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class InMaintenance(Unavailable):
    """An admin has put the servers into maintenance: they read, and take nothing new."""

    code = "maintenance"


class StorageFull(Unavailable):
    """The disk is full: what was accepted is safe, new things wait."""

    code = "storage_full"


class NoDefinitions(Unavailable):
    """No worker of any kind has ever published its node definitions, so nothing can be validated."""

    code = "no_definitions"
