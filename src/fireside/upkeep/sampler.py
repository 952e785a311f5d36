"""Notes once a minute how the fleet is, so that one can see later how it was."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from fireside.domain.ids import WorkerId
from fireside.store.store import Store
from fireside.upkeep.loops import Loop
from fireside.wire.fleet import Presence

_EVERY_SECONDS = 60.0


def fleet_sampling(
    store: Store,
    presences: Callable[[], Mapping[WorkerId, Presence]],
    clock: Callable[[], datetime],
    *,
    remembered_for: timedelta,
) -> Loop:
    """Give the loop that notes how many workers there are and have something to do; what is old is forgotten."""

    async def sample(now: datetime) -> None:
        present = presences().values()
        busy = sum(1 for said in present if said.leases)
        await store.sample_fleet(now, workers=len(present), busy=busy, forget_before=now - remembered_for)

    return Loop("fleet history", sample, every_seconds=_EVERY_SECONDS, clock=clock)
