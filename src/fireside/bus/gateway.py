"""A way to the bus for those who cannot reach it themselves: bytes carried both ways, understood by nobody here.

What the bus says first is changed where it would lead its hearer astray: other servers of the cluster cannot be reached
from where the hearer is, and the encryption of the way from here to there is none of its business.
"""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from fireside.bus.errors import BusDisconnected
from fireside.bus.tls import TLS_SCHEME

_CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 1.0
_CHUNK_BYTES = 64 * 1024
_PORT = 4222
_INFO = b"INFO "
_NOT_FOR_GUESTS = ("connect_urls", "ws_connect_urls", "tls_required", "tls_available", "tls_verify")


class Passage:
    """One connection to the bus on behalf of somebody else."""

    def __init__(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._first = first
        self._reader = reader
        self._writer = writer

    async def receive(self) -> bytes:
        """Give the next bytes that the bus says, its greeting first and alone; nothing when it has hung up."""
        first, self._first = self._first, b""
        if first:
            return first
        try:
            return await self._reader.read(_CHUNK_BYTES)
        except OSError:
            return b""

    async def send(self, data: bytes) -> None:
        """Say these bytes to the bus; raises `BusDisconnected`."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise BusDisconnected(f"the bus has hung up: {error}") from error

    async def close(self) -> None:
        """Hang up; idempotent."""
        self._writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._writer.wait_closed()
            except TimeoutError:
                # What stands still over there takes no part in it.
                self._writer.transport.abort()


async def open_passage(urls: Sequence[str], tls: ssl.SSLContext | None = None) -> Passage:
    """Connect to one of the servers of the bus; raises `BusDisconnected` when none answers.

    `tls` says whom to trust there; None: the machine's own authorities.
    """
    reasons: list[str] = []
    for url in random.sample(urls, len(urls)):
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                return await _connect(url, tls)
        except (OSError, TimeoutError, ValueError) as error:
            reasons.append(str(error) or type(error).__name__)
    raise BusDisconnected(f"cannot connect to the bus: {'; '.join(reasons)}")


async def _connect(url: str, tls: ssl.SSLContext | None) -> Passage:
    address = urlsplit(url if "://" in url else f"nats://{url}")
    host = address.hostname or ""
    reader, writer = await asyncio.open_connection(host, address.port or _PORT)
    try:
        info = _info_of(await reader.readline())
        is_private = address.scheme == TLS_SCHEME
        if is_private and not info.get("tls_required") and not info.get("tls_available"):
            raise ValueError(f"{host} does not offer TLS, which its address asks for")
        if is_private or info.get("tls_required"):
            await writer.start_tls(tls or ssl.create_default_context(), server_hostname=host)
    except BaseException:
        writer.close()
        raise
    told = {name: value for name, value in info.items() if name not in _NOT_FOR_GUESTS}
    return Passage(_INFO + msgspec.json.encode(told) + b"\r\n", reader, writer)


def _info_of(line: bytes) -> dict[str, Any]:
    if not line.startswith(_INFO):
        raise ValueError("what answers is no NATS server")
    try:
        return msgspec.json.decode(line.removeprefix(_INFO), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise ValueError("what answers is no NATS server") from error
