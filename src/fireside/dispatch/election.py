"""Who leads: one server of those that share a database hands out jobs and does what only one has to do.

A server that does not lead is whole in everything else. It takes the lead when nobody has it, and stands down at once
when its hold on it is lost, or the store refuses its term because another server leads, or it has not been on the bus
for so long that somebody else might do better.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from fireside.bus.client import Bus
from fireside.domain.errors import FiresideError
from fireside.store.lead import Lead

_PAUSE_SECONDS = 0.5
_log = structlog.get_logger(__name__)


class Led(Protocol):
    """What runs where the lead is; started and stopped as often as that changes."""

    async def start(self) -> None:
        """Begin."""
        ...

    async def stop(self) -> None:
        """End; idempotent, also when it has not begun."""
        ...


class Election:
    """Has things run here while this server leads."""

    def __init__(
        self,
        lead: Lead,
        bus: Bus,
        *,
        refused: asyncio.Event,
        most_seconds_off_the_bus: float | None = None,
    ) -> None:
        """Without `most_seconds_off_the_bus` nobody else could do better."""
        self._lead = lead
        self._led: Sequence[Led] = ()
        self._bus = bus
        self._refused = refused
        self._most_seconds_off_the_bus = most_seconds_off_the_bus
        self._is_on_bus = asyncio.Event()
        self._is_off_bus = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.led_once = asyncio.Event()
        """Set when this server leads for the first time."""
        self.is_leading = False

    async def start(self, led: Sequence[Led]) -> None:
        """Begin to contend; these things are started one after the other, and stopped in the reverse order."""
        self._led = led
        self._bus.on_change(self._bus_changed)
        self._bus_changed(self._bus.is_connected)
        self._task = asyncio.create_task(self._run(), name="election")

    async def stop(self) -> None:
        """Stand down and contend no more; idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._lead_once()
            except FiresideError as error:
                _log.warning("not leading", code=error.code, reason=error.message)
                await asyncio.sleep(_PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - a server that does not contend any more would be no standby, silently
                _log.exception("election broke")
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _lead_once(self) -> None:
        await self._is_on_bus.wait()
        try:
            await self._lead.take()
            for one in self._led:
                await one.start()
            self.is_leading = True
            self.led_once.set()
            _log.info("this server leads")
            reason = await _first_of(
                {
                    "the lead was lost": self._lead.until_lost,
                    "the term has ended": self._refused.wait,
                    "the bus is away": self._until_long_off_the_bus,
                }
            )
            _log.warning("this server does not lead any more", reason=reason)
        finally:
            self.is_leading = False
            # Nobody has to wait for our last offers to be answered: a term that is over is refused.
            await self._lead.give_back()
            for one in reversed(self._led):
                await one.stop()

    async def _until_long_off_the_bus(self) -> None:
        while True:
            await self._is_off_bus.wait()
            try:
                async with asyncio.timeout(self._most_seconds_off_the_bus):
                    await self._is_on_bus.wait()
            except TimeoutError:
                return

    def _bus_changed(self, connected: bool) -> None:
        now_set, now_clear = (self._is_on_bus, self._is_off_bus) if connected else (self._is_off_bus, self._is_on_bus)
        now_set.set()
        now_clear.clear()


async def _first_of(waits: dict[str, Callable[[], Awaitable[object]]]) -> str:
    """Wait for the first of these, and name it."""
    tasks = {asyncio.ensure_future(wait()): name for name, wait in waits.items()}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[done.pop()]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
