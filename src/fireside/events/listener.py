"""One listener's bounded mailbox.

A slow listener loses superseded progress and previews first and facts never; one that is hopelessly behind is closed,
so that it comes back and reads the store. It knows nothing of the bus.
"""

import asyncio
from collections import OrderedDict
from enum import Enum
from typing import Any
from uuid import UUID

from fireside.events.heard import Heard
from fireside.store.records import QueueCounts
from fireside.wire.live import NodeFrame, PreviewFrame, ProgressFrame, StateFrame, TaskProgress, TextFrame

_KEPT_WHOLE = 64
_HEARD_WAITING = 10_000
_SUPERSEDED_BY_THEIR_LIKE = (NodeFrame, StateFrame, ProgressFrame, TextFrame, PreviewFrame)

_Kind = tuple[UUID | None, type[Any]]


class Closing(Enum):
    """Why a listener hears no more."""

    LEFT = "left"
    """Its owner does not want to."""
    STOPPING = "stopping"
    """The server stops."""
    BEHIND = "behind"
    """It did not keep up; what it has not heard is forgotten."""


class ListenerClosed(Exception):
    """No more will be heard."""

    def __init__(self, closing: Closing) -> None:
        super().__init__(closing.value)
        self.closing = closing


class Listener:
    """What one websocket or stream hears, in order."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[int, Heard] = OrderedDict()
        self._latest: dict[_Kind, int] = {}
        self._number = 0
        self._wake = asyncio.Event()
        self._closing: Closing | None = None

    def put(self, heard: Heard) -> None:
        """Add to the mailbox; where much waits already, in place of what this makes obsolete."""
        if self._closing is not None:
            return
        kind = _kind_of(heard)
        if kind is not None and len(self._waiting) >= _KEPT_WHOLE:
            self._waiting.pop(self._latest.get(kind, -1), None)
        if len(self._waiting) >= _HEARD_WAITING:
            self.close(Closing.BEHIND)
            return
        self._number += 1
        self._waiting[self._number] = heard
        if kind is not None:
            self._latest[kind] = self._number
        self._wake.set()

    async def next(self) -> Heard:
        """Wait for the next thing; raises `ListenerClosed` when no more will come."""
        while not self._waiting:
            if self._closing is not None:
                raise ListenerClosed(self._closing)
            self._wake.clear()
            await self._wake.wait()
        number, heard = self._waiting.popitem(last=False)
        kind = _kind_of(heard)
        if kind is not None and self._latest.get(kind) == number:
            del self._latest[kind]
        return heard

    def close(self, closing: Closing) -> None:
        """Add nothing more; what waits can still be heard, unless it is too much."""
        if self._closing is None:
            self._closing = closing
        if closing is Closing.BEHIND:
            self._waiting.clear()
            self._latest.clear()
        self._wake.set()


def _kind_of(heard: Heard) -> _Kind | None:
    """Name what is obsolete once another of its kind comes; None for what always counts."""
    if isinstance(heard.frame, _SUPERSEDED_BY_THEIR_LIKE):
        return heard.job_id, type(heard.frame)
    if heard.task is not None:
        return heard.task.task_id, TaskProgress
    return (None, QueueCounts) if heard.counts is not None else None
