"""Transient workers that were killed leave the list, and nobody speaks for them afterwards; all others stay."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.databases import Databases
from tests.publishing import publish

from fireside.app import assemble
from fireside.domain.ids import WorkerId
from fireside.domain.workers import Enrollment, RemovedWorker
from fireside.store.store import Store
from fireside.upkeep.errands import forgetting
from fireside.upkeep.loops import Loop
from fireside.upkeep.silent_workers import silent_workers

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POD, BOX = WorkerId("pod"), WorkerId("box")


@dataclass
class Fleet:
    """A transient worker and one that stays, who are there as long as the test says."""

    store: Store
    present: set[WorkerId] = field(default_factory=lambda: {POD, BOX})
    seen_off: list[WorkerId] = field(default_factory=list[WorkerId])

    def loop(self) -> Loop:
        async def see_off(left: Enrollment) -> None:
            self.seen_off.append(left.worker_id)

        return silent_workers(
            self.store, lambda: NOW, present_workers=lambda: self.present, silent_for=10 * MINUTE, see_off=see_off
        )

    async def listed(self) -> list[WorkerId]:
        return [one.worker_id for one in await self.store.enrollments()]


@pytest.fixture
async def fleet(databases: Databases, tmp_path: Path) -> AsyncIterator[Fleet]:
    async with assemble(databases.config(tmp_path / "data"), public_url="http://fireside.test") as assembly:
        yield await filled(assembly.services.store)


async def filled(store: Store) -> Fleet:
    token = await store.add_join_token(b"t" * 32, "", "", NOW, is_reusable=True, expires_at=None)
    for name in (POD, BOX):
        digest = hashlib.sha256(name.encode()).digest()
        joined = await store.enroll(name, digest, token, NOW, protocol=1, version="")
        await store.boot_worker(
            joined, "boot", NOW, protocol=1, version="", is_transient=name == POD, key_ends_at=NOW + MINUTE
        )
        await publish(store, b"{}", worker=name, now=NOW)
    return Fleet(store)


async def test_a_transient_worker_that_was_silent_for_long_is_let_go_and_others_are_not(fleet: Fleet) -> None:
    loop = fleet.loop()
    await loop.tick(NOW + 5 * MINUTE)
    fleet.present.clear()
    await loop.tick(NOW + 14 * MINUTE)
    assert await fleet.listed() == [BOX, POD]

    await loop.tick(NOW + 16 * MINUTE)

    assert (await fleet.listed(), fleet.seen_off) == ([BOX], [POD])
    # What it could run stays known; its name is not anybody's to speak for.
    assert {worker.id for worker in await fleet.store.workers()} == {POD, BOX}
    assert [one.worker_id for one in await fleet.store.removed_workers()] == [POD]


async def test_one_that_is_there_or_has_just_come_back_stays(fleet: Fleet) -> None:
    loop = fleet.loop()
    await loop.tick(NOW + 60 * MINUTE)
    fleet.present.clear()
    (_, pod) = await fleet.store.enrollments()
    await fleet.store.boot_worker(pod, "again", NOW + 80 * MINUTE, protocol=1, version="", is_transient=True)

    await loop.tick(NOW + 81 * MINUTE)

    assert await fleet.listed() == [BOX, POD]


async def test_a_transient_worker_that_died_before_its_first_start_was_told_is_let_go_too(fleet: Fleet) -> None:
    token = (await fleet.store.join_tokens())[0]
    for name, is_transient in (("half", True), ("half-box", False)):
        digest = hashlib.sha256(name.encode()).digest()
        await fleet.store.enroll(WorkerId(name), digest, token, NOW, protocol=1, version="", is_transient=is_transient)
    loop = fleet.loop()

    await loop.tick(NOW + 9 * MINUTE)
    assert fleet.seen_off == []

    await loop.tick(NOW + 11 * MINUTE)
    assert (await fleet.listed(), fleet.seen_off) == ([BOX, "half-box", POD], ["half"])


async def test_who_was_removed_is_forgotten_some_time_after_its_key_has_ended(fleet: Fleet) -> None:
    forgotten: list[RemovedWorker] = []
    loop = forgetting(
        fleet.store,
        lambda: NOW,
        tasks_remembered_for=MINUTE,
        messages_remembered_for=MINUTE,
        audit_kept_for=None,
        forget_key=forgotten.append,
    )
    await fleet.store.remove_worker(BOX, NOW)

    await loop.tick(NOW + 60 * MINUTE)
    assert forgotten == []

    await loop.tick(NOW + 62 * MINUTE)
    assert [one.worker_id for one in forgotten] == [BOX]
    assert await fleet.store.removed_workers() == []
