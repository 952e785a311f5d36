"""What can go wrong on the bus; NATS's own exceptions do not leave this room."""

from fireside.domain.errors import FiresideError


class BusError(FiresideError):
    """The bus could not carry a message."""

    code = "bus_error"


class NobodyListens(BusError):
    """Nobody is subscribed to the subject, known at once."""

    code = "bus_nobody_listens"


class BusTimeout(BusError):
    """Nobody answered in time; whether the message was heard is not known."""

    code = "bus_timeout"


class BusDisconnected(BusError):
    """The bus is away."""

    code = "bus_disconnected"


class BadAccountSeed(FiresideError):
    """The settings do not hold the seed, or the key, of a NATS account."""

    code = "bad_account_seed"
