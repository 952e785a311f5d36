"""What probes read."""

import msgspec


class AliveBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /healthz`."""

    status: str = "alive"


class ReadyBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /readyz`: whether the store takes writes, the bus is connected, and the place of files answers."""

    store: bool
    bus: bool
    blobs: bool
