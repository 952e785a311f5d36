"""Takes transient workers that were killed out of the fleet, as if they had left by themselves.

Who is silent is not there for jobs within seconds, which is the leader's to judge; here it is only about the list.
"""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

import structlog

from fireside.domain.ids import WorkerId
from fireside.domain.workers import Enrollment
from fireside.store.store import Store
from fireside.upkeep.loops import Loop

# Well below the least span, so that a leader that has just begun and hears nobody yet takes nobody for silent.
_EVERY_SECONDS = 20.0
_log = structlog.get_logger(__name__)


def silent_workers(
    store: Store,
    clock: Callable[[], datetime],
    *,
    present_workers: Callable[[], Collection[WorkerId]],
    silent_for: timedelta,
    see_off: Callable[[Enrollment], Awaitable[None]],
) -> Loop:
    """Give the loop, not yet started; `see_off` does what is to be done about one that was let go."""

    async def let_go(now: datetime) -> None:
        await store.touch_workers(present_workers(), now)
        for one in await store.silent_workers(now - silent_for):
            if await store.let_worker_leave(one.worker_id, now):
                _log.info("a worker that was silent has left", worker_id=one.worker_id)
                await see_off(one)

    return Loop("silent workers", let_go, every_seconds=_EVERY_SECONDS, clock=clock)
