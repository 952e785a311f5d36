"""The loop that sees to jobs that wait for equal ones: woken when one of those has ended, and looking anyway."""

import asyncio
from datetime import datetime

from fireside.jobs.desk import Desk
from fireside.jobs.equals import see_to_equal_jobs
from fireside.upkeep.loops import Loop

_EVERY_SECONDS = 2.0


def equal_jobs(desk: Desk) -> Loop:
    """Give the loop, not yet started."""
    wake = asyncio.Event()
    desk.store.watch_equals(wake.set)

    async def see_to_them(now: datetime) -> None:  # noqa: ARG001 - duties are told the time
        await see_to_equal_jobs(desk)

    return Loop("equal jobs", see_to_them, every_seconds=_EVERY_SECONDS, clock=desk.clock, wake=wake)
