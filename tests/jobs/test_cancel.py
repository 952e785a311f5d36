import asyncio

import pytest
from tests.jobs.workshop import PlayedWorker, Workshop, until

from fireside.domain.accounts import User
from fireside.domain.errors import NotFound, StaleLease
from fireside.domain.jobs import JobState
from fireside.jobs.cancel import cancel_job, cancel_jobs
from fireside.jobs.report import end_job, start_job
from fireside.jobs.rescue import rescue_job
from fireside.store.records import QueueCounts
from fireside.wire.fleet import EndReport, LeaseBody


async def test_a_job_that_waits_is_over_at_once(shop: Workshop, ann: User) -> None:
    job = await shop.submit(ann)

    assert await cancel_job(shop.desk, ann.id, job.id)

    assert await shop.state(job) is JobState.CANCELED
    assert await shop.kinds(job) == ["canceled"]
    assert await shop.store.queue_counts(ann.id) == QueueCounts(queued=0, held=0)


async def test_a_job_that_has_not_begun_is_over_at_once_costs_nothing_and_its_worker_is_told(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    other = await shop.submit(ann)
    job = await shop.submit(ann)
    lease = await shop.assigned(job, worker, estimate=9.0)

    assert await cancel_job(shop.desk, ann.id, job.id)

    assert await shop.state(job) is JobState.CANCELED
    assert await shop.share(ann) == 0
    assert worker.stops() == [lease]
    with pytest.raises(StaleLease):
        await start_job(shop.desk, worker.id, lease)
    assert await shop.state(other) is JobState.QUEUED


async def test_a_job_that_runs_ends_when_its_worker_says_so(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    job = await shop.submit(ann)
    lease = await shop.started(job, worker)

    assert await cancel_job(shop.desk, ann.id, job.id)
    assert await shop.state(job) is JobState.CANCELING
    assert worker.stops() == [lease]

    ended = await shop.end(lease, worker, "interrupted", executed=("1",), interrupted_at="2")
    assert ended.state is JobState.CANCELED
    assert (await shop.last_entry(job)).data == {"node_id": "2", "executed": ["1"]}
    assert await shop.kinds(job) == ["assigned", "started", "cached", "canceled"]


@pytest.mark.parametrize("outcome", ["succeeded", "failed", "released"])
async def test_whatever_a_canceled_run_ends_with_it_is_canceled(
    shop: Workshop, ann: User, worker: PlayedWorker, outcome: str
) -> None:
    lease = await shop.started(await shop.submit(ann), worker)
    await cancel_job(shop.desk, ann.id, lease.job_id)

    assert (await shop.end(lease, worker, outcome)).state is JobState.CANCELED


async def test_a_canceled_run_whose_worker_is_lost_is_canceled(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    lease = await shop.started(await shop.submit(ann), worker)
    await cancel_job(shop.desk, ann.id, lease.job_id)

    await rescue_job(shop.desk, await shop.held(lease), lost=True)

    assert await shop.state(lease) is JobState.CANCELED


async def test_canceling_twice_says_so_and_changes_nothing(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    job = await shop.submit(ann)
    lease = await shop.started(job, worker)
    assert await cancel_job(shop.desk, ann.id, job.id)

    assert not await cancel_job(shop.desk, ann.id, job.id)
    await shop.end(lease, worker, "interrupted")
    assert not await cancel_job(shop.desk, ann.id, job.id)

    assert (await shop.kinds(job)).count("canceled") == 1


async def test_one_of_a_cancel_and_a_success_wins(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    for _ in range(10):
        lease = await shop.started(await shop.submit(ann), worker)
        report = EndReport(lease=LeaseBody.of(lease), outcome="succeeded", run_seconds=0.0)

        canceled, ended = await asyncio.gather(
            cancel_job(shop.desk, ann.id, lease.job_id), end_job(shop.desk, worker.id, report)
        )

        assert ended.state is (JobState.CANCELED if canceled else JobState.SUCCEEDED)


async def test_one_of_a_cancel_and_a_start_wins(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    for _ in range(10):
        lease = await shop.assigned(await shop.submit(ann), worker)

        canceled, started = await asyncio.gather(
            cancel_job(shop.desk, ann.id, lease.job_id),
            start_job(shop.desk, worker.id, lease),
            return_exceptions=True,
        )

        assert canceled is True
        expected = JobState.CANCELED if isinstance(started, StaleLease) else JobState.CANCELING
        assert await shop.state(lease) is expected


async def test_a_stranger_cancels_nothing(shop: Workshop, ann: User) -> None:
    mine, bob = await shop.submit(ann), await shop.user("bob")
    theirs = await shop.submit(bob)

    with pytest.raises(NotFound):
        await cancel_job(shop.desk, bob.id, mine.id)
    with pytest.raises(NotFound):
        await cancel_jobs(shop.desk, bob.id, [theirs.id, mine.id])

    assert [await shop.state(mine), await shop.state(theirs)] == [JobState.QUEUED, JobState.QUEUED]


async def test_several_are_canceled_once_each(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    waiting = await shop.submit(ann)
    running = await shop.started(await shop.submit(ann), worker)
    over = await shop.submit(ann)
    await cancel_job(shop.desk, ann.id, over.id)

    done = await cancel_jobs(shop.desk, ann.id, [waiting.id, over.id, running.job_id, waiting.id])

    assert done == [waiting.id, running.job_id]
    await until(lambda: worker.stops() == [running])
