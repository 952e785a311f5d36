"""A duty that is done again and again, by the clock."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from fireside.domain.errors import FiresideError

_log = structlog.get_logger(__name__)


class Loop:
    """Does its duty every `every_seconds`, and when it is woken; one that fails is logged, and done again later."""

    def __init__(
        self,
        name: str,
        duty: Callable[[datetime], Awaitable[None]],
        *,
        every_seconds: float,
        clock: Callable[[], datetime],
        wake: asyncio.Event | None = None,
    ) -> None:
        self.name = name
        self.every_seconds = every_seconds
        self.done_at: datetime | None = None
        """When it was through with its duty last, well or not."""
        self.trouble = ""
        """What kept it from its duty the last time; empty when nothing did."""
        self._duty = duty
        self._clock = clock
        self._wake = wake or asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has been started and not stopped."""
        return self._task is not None and not self._task.done()

    async def start(self) -> None:
        """Begin; the first time is now."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """End, in the middle of the duty if need be."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def tick(self, now: datetime) -> None:
        """Do the duty once."""
        try:
            await self._duty(now)
            self.trouble = ""
        except FiresideError as error:
            self.trouble = error.message
            _log.warning("upkeep failed", duty=self.name, code=error.code, reason=error.message)
        except Exception as error:  # noqa: BLE001 - a duty that broke once must not be left undone for ever
            self.trouble = f"it broke ({type(error).__name__}); the log says where"
            _log.exception("upkeep broke", duty=self.name)
        self.done_at = self._clock()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            await self.tick(self._clock())
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with the wake.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.every_seconds):
                    await self._wake.wait()
