"""How the fleet is, noted for later."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from tests.databases import Databases

from fireside.domain.ids import WorkerId
from fireside.store.store import Store
from fireside.upkeep.sampler import fleet_sampling
from fireside.wire.fleet import LeaseBody, Presence

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def _said(*leases: int) -> Presence:
    held = tuple(LeaseBody(job_id=UUID(int=job), attempt=1, fence=1) for job in leases)
    return Presence(boot_id="b", runtime="builtin", ready=True, leases=held)


async def test_workers_and_busy_ones_are_noted_and_what_is_old_is_forgotten(
    databases: Databases, tmp_path: Path
) -> None:
    async with databases.opened(tmp_path / "data") as database:
        store = Store(database)
        present = {WorkerId("a"): _said(1, 2), WorkerId("b"): _said(), WorkerId("c"): _said(3)}
        loop = fleet_sampling(store, lambda: present, lambda: NOON, remembered_for=DAY)

        await loop.tick(NOON)
        assert [(one.workers, one.busy) for one in await store.fleet_samples(NOON - DAY)] == [(3, 2)]

        present.clear()
        await loop.tick(NOON + 2 * DAY)
        assert [(one.at, one.workers) for one in await store.fleet_samples(NOON - DAY)] == [(NOON + 2 * DAY, 0)]
