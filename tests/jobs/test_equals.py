"""Equal jobs in flight: one of them goes, the others end with what it has made."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.databases import Databases
from tests.jobs.test_reuse import SNAPSHOT, make, submit
from tests.jobs.workshop import PlayedWorker, Workshop, open_workshop, until
from tests.publishing import publish

from fireside.domain.accounts import User
from fireside.domain.jobs import Job, JobState
from fireside.domain.moves import Move
from fireside.domain.waiting import WaitReason
from fireside.jobs.cancel import cancel_job
from fireside.jobs.equals import see_to_equal_jobs
from fireside.jobs.queues import move_job
from fireside.jobs.rescue import rescue_job
from fireside.jobs.waiting import why_waiting
from fireside.store.records import QueueCounts
from fireside.upkeep.equals import equal_jobs

QUEUED, SUCCEEDED, CANCELED = JobState.QUEUED, JobState.SUCCEEDED, JobState.CANCELED


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


@pytest.fixture
async def shop(databases: Databases, tmp_path: Path, settings: dict[str, Any]) -> AsyncIterator[Workshop]:
    async with open_workshop(databases.config(tmp_path / "data", reuse=True, **settings)) as shop:
        await publish(shop.store, snapshot=SNAPSHOT)
        await shop.desk.definitions.refresh()
        yield shop


async def equals(shop: Workshop, user: User, count: int = 3, **fields: Any) -> list[Job]:
    """Submit jobs that make the same."""
    return [(await submit(shop, user, **fields)).job for _ in range(count)]


async def states(shop: Workshop, jobs: Sequence[Job]) -> list[JobState]:
    return [await shop.state(job) for job in jobs]


async def reason(shop: Workshop, job: Job) -> WaitReason | None:
    waiting = await why_waiting(shop.desk, await shop.job(job), {})
    return waiting and waiting.reason


async def awaiting(shop: Workshop, jobs: Sequence[Job]) -> list[bool]:
    return [await reason(shop, job) is WaitReason.EQUAL_JOB for job in jobs]


async def test_equal_jobs_run_once_and_all_get_the_result(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    first, *others = jobs = await equals(shop, ann)
    assert await awaiting(shop, jobs) == [False, True, True]
    assert await shop.store.queue_counts(ann.id) == QueueCounts(queued=3, held=0)

    await make(shop, worker, first)
    await see_to_equal_jobs(shop.desk)

    assert await states(shop, jobs) == [SUCCEEDED] * 3
    assert [await shop.store.reused_job(job.id) for job in others] == [first.id] * 2
    hashes = [[asset.hash for asset in await shop.store.job_assets(job.id)] for job in jobs]
    assert hashes[0]
    assert hashes == [hashes[0]] * 3
    assert [(await shop.job(job)).attempt for job in jobs] == [1, 0, 0]
    assert await shop.store.queue_counts(ann.id) == QueueCounts(queued=0, held=0)
    assert await shop.store.miscounted(ann.id) == 0
    assert not await shop.store.ended_equal_jobs()


async def test_the_leader_hands_out_the_first_alone(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    other_worker = await shop.worker("worker-2")
    leader = await shop.leader()
    first, other = await equals(shop, ann, 2)
    for player in (worker, other_worker):
        await player.say(leader)

    await leader.tick(shop.clock())
    await leader.settle()

    assert await states(shop, [first, other]) == [JobState.ASSIGNED, QUEUED]


async def test_a_new_leader_goes_on_with_those_that_wait(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    first, other = await equals(shop, ann, 2)
    await cancel_job(shop.desk, ann.id, first.id)
    leader = await shop.leader()
    await worker.say(leader)
    await leader.tick(shop.clock())
    await leader.settle()
    assert await shop.state(other) is QUEUED

    await see_to_equal_jobs(shop.desk)
    await worker.say(leader)
    await until(lambda: ann.id in leader._ledger._changed)
    await leader.tick(shop.clock())
    await leader.settle()

    assert await shop.state(other) is JobState.ASSIGNED


async def test_after_a_failure_the_next_one_goes(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    first, second, third = await equals(shop, ann)
    lease = await shop.started(first, worker)
    await shop.end(lease, worker, "failed", models={})

    await see_to_equal_jobs(shop.desk)

    assert await awaiting(shop, [second, third]) == [False, True]
    await make(shop, worker, second)
    await see_to_equal_jobs(shop.desk)
    assert await states(shop, [first, second, third]) == [JobState.FAILED, SUCCEEDED, SUCCEEDED]
    assert await shop.store.reused_job(third.id) == second.id


async def test_canceling_one_cancels_no_other(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    first, second, third, fourth = await equals(shop, ann, 4)

    await cancel_job(shop.desk, ann.id, third.id)
    await cancel_job(shop.desk, ann.id, first.id)
    await see_to_equal_jobs(shop.desk)

    assert await states(shop, [first, second, third, fourth]) == [CANCELED, QUEUED, CANCELED, QUEUED]
    assert await awaiting(shop, [second, fourth]) == [False, True]


async def test_one_that_comes_back_from_its_worker_is_waited_for_as_before(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    first, other = await equals(shop, ann, 2)
    lease = await shop.started(first, worker)

    await rescue_job(shop.desk, await shop.held(lease), lost=True)
    await see_to_equal_jobs(shop.desk)

    assert await awaiting(shop, [first, other]) == [False, True]


async def test_all_go_where_nobody_vouches_for_what_was_made(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    first, *others = await equals(shop, ann)

    await make(shop, worker, first, models=None)
    await see_to_equal_jobs(shop.desk)

    assert await states(shop, others) == [QUEUED, QUEUED]
    assert await awaiting(shop, others) == [False, False]


async def test_those_that_wait_go_on_when_the_first_was_deleted(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    first, other = await equals(shop, ann, 2)
    await make(shop, worker, first)
    await shop.store.delete_jobs(ann.id, [first.id])

    await see_to_equal_jobs(shop.desk)

    assert await awaiting(shop, [other]) == [False]


async def test_whoever_wants_a_run_waits_for_nobody(shop: Workshop, ann: User) -> None:
    await submit(shop, ann)
    wished = (await submit(shop, ann, reuse=False)).job
    unwilling = (await submit(shop, replace(ann, reuse=False))).job

    assert await awaiting(shop, [wished, unwilling]) == [False, False]


@pytest.mark.parametrize("settings", [{"reuse_across_users": False}, {"reuse_across_users": True}], ids=["no", "yes"])
async def test_nobody_waits_for_another_users_job(
    shop: Workshop, ann: User, worker: PlayedWorker, settings: dict[str, Any]
) -> None:
    bob = await shop.user("bob")
    mine = await equals(shop, ann, 2)
    theirs = await equals(shop, bob, 2)
    assert await awaiting(shop, theirs) == [False, True]

    await make(shop, worker, mine[0])
    await see_to_equal_jobs(shop.desk)

    end = SUCCEEDED if settings["reuse_across_users"] else QUEUED
    assert await states(shop, [*mine, *theirs]) == [SUCCEEDED, SUCCEEDED, end, end]


async def test_a_job_that_is_wanted_sooner_takes_the_one_it_waits_for_with_it(shop: Workshop, ann: User) -> None:
    before = (
        await submit(shop, ann, {"1": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}}, "2": EMPTY})
    ).job
    first = (await submit(shop, ann)).job

    await submit(shop, ann, front=True)
    assert (await shop.job(first)).number < before.number
    await move_job(shop.desk, ann.id, first.id, Move(to="back"))
    other = (await submit(shop, ann)).job
    await move_job(shop.desk, ann.id, other.id, Move(to="front"))

    assert (await shop.job(first)).number < before.number


EMPTY = {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 1}}


async def test_the_loop_is_woken_by_an_end(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    first, other = await equals(shop, ann, 2)
    ended: list[Job] = []
    shop.store.watch(lambda before, after, new, _share: ended.append(after) if after.is_terminal else None)
    loop = equal_jobs(shop.desk)
    await loop.start()
    try:
        await make(shop, worker, first)
        await until(lambda: any(job.id == other.id for job in ended))
    finally:
        await loop.stop()

    assert await shop.state(other) is SUCCEEDED
