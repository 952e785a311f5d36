import asyncio
from datetime import UTC, datetime

from fireside.domain.errors import StorageFull
from fireside.upkeep.loops import Loop

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Duty:
    """Counts how often it was done, and fails the first times as it is told to."""

    def __init__(self, *failures: Exception, enough: int = 1) -> None:
        self.failures = list(failures)
        self.done_at: list[datetime] = []
        self.enough = enough
        self.was_enough = asyncio.Event()

    async def __call__(self, now: datetime) -> None:
        self.done_at.append(now)
        if len(self.done_at) >= self.enough:
            self.was_enough.set()
        if self.failures:
            raise self.failures.pop(0)


def loop_of(duty: Duty, every_seconds: float = 0.001) -> Loop:
    return Loop("test", duty, every_seconds=every_seconds, clock=lambda: NOON)


async def test_a_duty_is_done_at_once_and_told_the_time() -> None:
    duty = Duty()
    loop = loop_of(duty, every_seconds=3600)

    await loop.start()
    await asyncio.wait_for(duty.was_enough.wait(), 60)
    await loop.stop()

    assert duty.done_at == [NOON]


async def test_a_duty_that_was_refused_or_broke_is_done_again() -> None:
    duty = Duty(StorageFull("no room"), RuntimeError("broken"), enough=4)
    loop = loop_of(duty)

    await loop.start()
    await asyncio.wait_for(duty.was_enough.wait(), 60)
    await loop.stop()


async def test_a_loop_that_is_stopped_leaves_its_duty_at_once_and_does_it_no_more() -> None:
    begun, left = asyncio.Event(), asyncio.Event()

    async def endless(now: datetime) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()

    loop = Loop("test", endless, every_seconds=0.001, clock=lambda: NOON)
    await loop.start()
    await asyncio.wait_for(begun.wait(), 60)

    await asyncio.wait_for(loop.stop(), 60)

    assert left.is_set()


async def test_a_loop_can_be_stopped_twice_and_before_it_was_started() -> None:
    loop = loop_of(Duty())
    await loop.stop()
    await loop.start()
    await loop.stop()
    await loop.stop()
