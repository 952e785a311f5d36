"""What probes read."""

import msgspec


class AliveBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /healthz`."""

    status: str = "alive"


class ReadyBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /readyz`: whether the store takes writes, the bus is connected, and the place of files answers.

    In `maintenance` it is ready for who looks, and refuses changes. One that is
    `stopping` wants no more requests, and answers those that come.
    """

    store: bool
    bus: bool
    blobs: bool
    stopping: bool
    maintenance: bool = False
