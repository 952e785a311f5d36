"""`/bus`: the way to the bus for workers that reach nothing but this server's port.

A worker shows its token before anything of it reaches the bus; there it shows its key once more. Here nothing of what
the two say is understood. Whoever is sent away is thrown out of here at once.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from fireside.bus.errors import BusDisconnected, BusError
from fireside.bus.gateway import Passage, open_passage
from fireside.domain.errors import Unavailable
from fireside.domain.ids import WorkerId

# One that works, and what is left of a former one whose end nobody has noticed yet.
_MOST_OF_A_WORKER = 4
_GOING_AWAY = 1001
_SENT_AWAY = 4401
_log = structlog.get_logger(__name__)


class Passages:
    """All that go through this server now."""

    def __init__(self, urls: Sequence[str], tls: ssl.SSLContext | None = None) -> None:
        self._urls = urls
        self._tls = tls
        self._open: dict[WorkerId, list[asyncio.Event]] = {}

    def count(self, worker_id: WorkerId) -> int:
        """Say how many of a worker's go through here."""
        return len(self._open.get(worker_id, ()))

    async def carry(
        self, socket: WebSocket, worker_id: WorkerId, *, is_still_welcome: Callable[[], Awaitable[None]]
    ) -> None:
        """Carry bytes between the worker and the bus until one of them hangs up or the worker is sent away.

        `is_still_welcome` raises when it was sent away a moment ago, while nobody could know that it is here.
        """
        sent_away = asyncio.Event()
        mine = self._open.setdefault(worker_id, [])
        mine.append(sent_away)
        if len(mine) > _MOST_OF_A_WORKER:
            mine[0].set()
        try:
            await is_still_welcome()
            try:
                passage = await open_passage(self._urls, self._tls)
            except BusDisconnected as error:
                _log.warning("no way to the bus", worker_id=worker_id, reason=error.message)
                raise Unavailable("the bus is away; try again", retry_after=1) from error
            try:
                await socket.accept()
                await _carry(socket, passage, sent_away)
            finally:
                await passage.close()
        finally:
            mine.remove(sent_away)
            if not mine:
                del self._open[worker_id]

    def send_away(self, worker_id: WorkerId) -> None:
        """End what a worker has open here."""
        for one in self._open.get(worker_id, ()):
            one.set()

    def send_away_all_but(self, welcome: Callable[[WorkerId], bool]) -> None:
        """End what workers have open here that are not welcome any more."""
        for worker_id in [one for one in self._open if not welcome(one)]:
            self.send_away(worker_id)


async def _carry(socket: WebSocket, passage: Passage, sent_away: asyncio.Event) -> None:
    ends: list[asyncio.Task[Any]] = [
        asyncio.create_task(_to_the_bus(socket, passage), name="to the bus"),
        asyncio.create_task(_from_the_bus(socket, passage), name="from the bus"),
        asyncio.create_task(sent_away.wait(), name="sent away"),
    ]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # the other side has closed it already
        await socket.close(_SENT_AWAY if sent_away.is_set() else _GOING_AWAY)


async def _to_the_bus(socket: WebSocket, passage: Passage) -> None:
    with contextlib.suppress(WebSocketDisconnect, BusError, KeyError):
        while True:
            # A text, which nobody who speaks with the bus sends, has no bytes and ends it.
            await passage.send(await socket.receive_bytes())


async def _from_the_bus(socket: WebSocket, passage: Passage) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while data := await passage.receive():
            await socket.send_bytes(data)
