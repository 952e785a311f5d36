"""The events of one run between the process that runs it and whoever reads them, in order.

What the process says is taken at once, however slow the reader is, so that a slow upload never stops the graph. Under a
backlog what is soon outdated is left out: previews, steps, and a state that the next one replaces.
"""

import asyncio
from collections import deque

from fireside.runtimes.base import (
    CachedNodes,
    Failed,
    Finished,
    Interrupted,
    NodeStarted,
    Preview,
    Progress,
    ProgressState,
    ProgressText,
    RunEvent,
    Task,
)

_BACKLOG = 64
END = (Finished, Failed, Interrupted)


class Mailbox:
    """One run's events, and what they say about where it is."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.interrupted = False
        self.sent = False
        self.begun = False
        self.tries = 0
        self.ended = asyncio.Event()
        self._events: deque[RunEvent] = deque()
        self._filled = asyncio.Event()
        self._started: list[NodeStarted] = []

    def put(self, event: RunEvent) -> None:
        """Take an event; none after the end."""
        if self.ended.is_set():
            return
        if isinstance(event, NodeStarted):
            self._started.append(event)
        self.begun = self.begun or isinstance(event, CachedNodes)
        if len(self._events) >= _BACKLOG and self._is_outdated(event):
            return
        self._events.append(event)
        self._filled.set()
        if isinstance(event, END):
            self.ended.set()
            if self.task.when_ended is not None:
                self.task.when_ended(event)

    async def get(self) -> RunEvent:
        """Wait for the next event."""
        while not self._events:
            self._filled.clear()
            await self._filled.wait()
        return self._events.popleft()

    def end(self, event: RunEvent) -> None:
        """Take the last event, also of a run that has not begun."""
        if not self.begun:
            self.put(CachedNodes(nodes=()))
        self.put(event)

    def break_off(self, reason: str, details: str = "", *, is_breakdown: bool = True) -> None:
        """End a run that cannot go on: interrupted if that was asked for, failed otherwise; `details` come last."""
        executed = tuple(started.node_id for started in self._started[:-1])
        at = self._started[-1].node_id if self._started else None
        if self.interrupted:
            node_type = self.task.graph.get(at, {}).get("class_type") if at is not None else None
            self.end(Interrupted(node_id=at, node_type=node_type, executed=executed))
            return
        message = reason if at is None else f"{reason} It happened while node {at} ran."
        self.end(
            Failed(
                node_id="",
                node_type="",
                exception_type="PanicError",
                exception_message=f"{message}\n{details}" if details else message,
                executed=executed,
                is_breakdown=is_breakdown,
            )
        )

    def _is_outdated(self, event: RunEvent) -> bool:
        if isinstance(event, Preview | Progress | ProgressText):
            return True
        if isinstance(event, ProgressState) and isinstance(self._events[-1], ProgressState):
            self._events[-1] = event
            return True
        return False
