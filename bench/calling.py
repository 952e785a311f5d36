"""Callers that cost as little as can be, so that what is measured is the server: one connection each, no pools.

A `Caller` speaks just enough HTTP/1.1 for our own server's answers; a `Watcher` is a websocket that notes when each
message came.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from bench.servers import Server
from websockets.asyncio.client import ClientConnection, connect

_HEAD_END = b"\r\n\r\n"
_END_SECONDS = 120.0


class Caller:
    """One kept-alive connection, one request at a time; opened again when the server has closed it for being idle."""

    def __init__(self, server: Server) -> None:
        self._address = _address(server)
        self._headers = f"Host: {self._address}\r\nX-API-Key: {server.key}\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> bytes:
        """Ask, and give the answer's body; anything but a 200 ends the bench."""
        return await self._call("GET", path, b"")

    async def post(self, path: str, body: bytes = b"") -> bytes:
        """Send, and give the answer's body; anything but a 200 ends the bench."""
        return await self._call("POST", path, body)

    async def submit(self, body: bytes, path: str = "/api/prompt") -> str:
        """Submit a workflow and give the job's id."""
        return str(msgspec.json.decode(await self.post(path, body))["prompt_id"])

    async def _call(self, method: str, path: str, body: bytes) -> bytes:
        head = f"{method} {path} HTTP/1.1\r\n{self._headers}Content-Length: {len(body)}\r\n\r\n"
        reader, writer = await self._connection()
        writer.write(head.encode() + body)
        answer_head = (await reader.readuntil(_HEAD_END)).lower()
        length = int(answer_head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        answer = await reader.readexactly(length)
        assert answer_head.startswith(b"http/1.1 200"), f"{method} {path}: {answer_head!r} {answer[:500]!r}"
        return answer

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            host, _, port = self._address.partition(":")
            self._streams = await asyncio.open_connection(host, int(port))
        return self._streams

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@asynccontextmanager
async def calling(server: Server, count: int = 1) -> AsyncGenerator[list[Caller]]:
    """Give that many callers."""
    callers = [Caller(server) for _ in range(count)]
    try:
        yield callers
    finally:
        for caller in callers:
            caller.close()


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the websocket, and when it came (`time.perf_counter`)."""

    at: float
    kind: str
    data: dict[str, Any]

    def is_about(self, job_id: str) -> bool:
        """Say whether it names the job."""
        return self.data.get("prompt_id") == job_id


@dataclass(slots=True)
class Watcher:
    """One websocket; frames are noted as they come and understood later."""

    connection: ClientConnection
    frames: list[tuple[float, str | bytes]] = field(default_factory=list[tuple[float, str | bytes]])

    async def next(self) -> Message:
        """Wait for the next message that is text."""
        async with asyncio.timeout(_END_SECONDS):
            while True:
                frame = await self.connection.recv()
                at = time.perf_counter()
                self.frames.append((at, frame))
                if isinstance(frame, str):
                    told = msgspec.json.decode(frame)
                    return Message(at, told["type"], told["data"])

    async def until(self, kind: str, job_id: str) -> Message:
        """Wait for the job's message of this kind; one that ends the job otherwise ends the bench."""
        while True:
            message = await self.next()
            if message.kind == kind and message.is_about(job_id):
                return message
            assert message.kind != "execution_error", f"the job failed: {message.data}"


@asynccontextmanager
async def watching(server: Server, client_id: str = "") -> AsyncGenerator[Watcher]:
    """Open a websocket and hear its first message."""
    url = f"ws://{_address(server)}/ws?clientId={client_id}"
    headers = {"X-API-Key": server.key}
    async with connect(url, additional_headers=headers, compression=None, max_queue=None) as connection:
        watcher = Watcher(connection)
        await watcher.next()
        yield watcher


def _address(server: Server) -> str:
    return server.url.removeprefix("http://")
