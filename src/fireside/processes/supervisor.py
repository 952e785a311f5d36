"""Keeps a child running: starts it again after it dies, more patiently the more often it does."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from fireside.processes.children import Child
from fireside.processes.leftovers import Leftovers

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_STEADY_SECONDS = 10.0
_log = structlog.get_logger(__name__)


class Supervisor:
    """Owns one child from `start` to `stop`."""

    def __init__(
        self,
        child: Child,
        leftovers: Leftovers,
        *,
        on_start: Callable[[], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.child = child
        self._leftovers = leftovers
        self._on_start = on_start
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the child and watch it from now on."""
        await self._start_child()
        self._task = asyncio.create_task(self._watch(), name=f"supervisor of {self.child.name}")

    async def stop(self, grace_seconds: float) -> None:
        """Stop watching and end the child; idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.child.stop(grace_seconds)

    async def _start_child(self) -> None:
        await self.child.start()
        if self.child.pid is not None:
            self._leftovers.add(self.child.pid)
        if self._on_start is not None:
            await self._on_start()

    async def _watch(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            started = self._clock()
            code = await self.child.wait()
            if self._clock() - started > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            _log.warning("child died", child=self.child.name, code=code, again_in=pause, log=self.child.log_tail(5))
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            await self._start_child()
