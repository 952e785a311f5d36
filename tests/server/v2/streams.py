"""An event stream as a client has it: the application is called as a server calls it, and what it sends is read."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message
from tests.server.v2.house import Caller

DEADLINE_SECONDS = 60.0
Event = tuple[str, Any]


class Stream:
    """What comes over one connection; `is_reading` false lets the client's window fill up."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.raw = b""
        self.is_whole = False
        self.is_reading = True
        self.ended = asyncio.Event()
        self._events: list[Event] = []
        self._news = asyncio.Event()
        self._gone = asyncio.Event()

    async def run(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        """Be served until either side ends it."""
        try:
            await app(scope, self._receive, self._send)
        finally:
            self.ended.set()
            self._news.set()

    def leave(self) -> None:
        """Let the client go."""
        self._gone.set()

    @property
    def events(self) -> list[Event]:
        """All events so far."""
        frames = [frame for frame in self.raw.decode().split("\n\n")[:-1] if not frame.startswith(":")]
        return [_event(frame) for frame in frames]

    def words(self) -> list[str]:
        """The names of all events so far, statuses by their word."""
        return [data["status"] if name == "status" else name for name, data in self.events]

    async def until(self, word: str, *, times: int = 1) -> list[Event]:
        """Wait until an event has come so many times."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self.words().count(word) < times:
                assert not self.ended.is_set(), self.words()
                self._news.clear()
                await self._news.wait()
        return self.events

    async def until_raw(self, part: bytes) -> None:
        """Wait until these bytes have come."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while part not in self.raw:
                self._news.clear()
                await self._news.wait()

    async def to_the_end(self) -> list[Event]:
        """Wait until the server has ended it, and give all events."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.ended.wait()
        return self.events

    async def _receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if not self.is_reading:
            await asyncio.Event().wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.raw += message["body"]
            self.is_whole = not message.get("more_body", False)
        self._news.set()


@asynccontextmanager
async def opened(caller: Caller, job_id: str, *, app: ASGIApp | None = None) -> AsyncGenerator[Stream]:
    """Open the stream of a job and wait for its first bytes; the client goes at the end of the block."""
    stream = Stream()
    headers = [(name.lower(), value) for name, value in caller.http.headers.raw]
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": f"/api/v2/jobs/{job_id}/events",
        "raw_path": f"/api/v2/jobs/{job_id}/events".encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [*headers, (b"host", b"fireside.test")],
        "server": ("fireside.test", 80),
        "client": ("127.0.0.1", 1),
    }
    task = asyncio.create_task(stream.run(app or caller.app, scope))
    try:
        await stream.until_raw(b"\n\n" if not app else b"")
        yield stream
    finally:
        stream.leave()
        await task


def _event(frame: str) -> Event:
    """Read a frame as strictly as the strictest client does."""
    first, second = frame.split("\n")
    assert first.startswith("event: "), frame
    assert second.startswith("data: "), frame
    return first.removeprefix("event: "), json.loads(second.removeprefix("data: "))
