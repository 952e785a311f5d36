"""The websocket as a client hears it: decoded text messages, for as long as it can be had."""

import asyncio
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import WebSocketException

from fireside.client.connection import Address

_OPEN_SECONDS = 10.0


class LiveMessages:
    """Opens the websocket if it can. A socket that is closed, or never opened, simply has no more messages."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._socket: ClientConnection | None = None

    @property
    def is_open(self) -> bool:
        """Whether messages may still come."""
        return self._socket is not None

    async def __aenter__(self) -> Self:
        if self._address.app is None:
            try:
                self._socket = await self._connect()
            except (OSError, WebSocketException, TimeoutError):
                self._socket = None  # the job can be watched without it
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def next(self) -> Any:
        """Wait for the next text message; forever when there is no socket, so give this a deadline."""
        while self._socket is not None:
            try:
                message = await self._socket.recv()
            except (OSError, WebSocketException):
                self._socket = None
                break
            if isinstance(message, str):
                try:
                    return msgspec.json.decode(message)
                except msgspec.DecodeError:
                    continue
        return await asyncio.get_running_loop().create_future()

    async def _connect(self) -> ClientConnection:
        scheme, host, path, _, _ = urlsplit(self._address.url.rstrip("/"))
        url = urlunsplit(("wss" if scheme == "https" else "ws", host, f"{path}/ws", "", ""))
        headers, open_seconds = self._address.headers, _OPEN_SECONDS
        if self._address.socket_path is not None:
            return await unix_connect(
                self._address.socket_path, url, additional_headers=headers, open_timeout=open_seconds, max_size=None
            )
        return await connect(url, additional_headers=headers, open_timeout=open_seconds, max_size=None)
