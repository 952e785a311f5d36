import msgspec
import pytest
from tests.jobs.test_report import picture, record
from tests.jobs.workshop import PlayedWorker, Workshop

from fireside.domain.accounts import User
from fireside.domain.jobs import JobState
from fireside.jobs.report import add_output
from fireside.jobs.rescue import rescue_job
from fireside.store.store import Changed


async def test_a_job_comes_back_from_a_lost_worker_without_its_outputs_and_costs_nothing(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    job = await shop.submit(ann)
    lease = await shop.started(job, worker, estimate=30.0)
    await add_output(shop.desk, worker.id, lease, record(), [picture(shop, ann, lease)])

    back = await rescue_job(shop.desk, await shop.held(lease), lost=True)

    assert (back.state, back.losses, back.fence) == (JobState.QUEUED, 1, lease.fence + 1)
    assert await shop.share(ann) == 0
    assert await shop.store.job_outputs(job.id) == []
    assert await shop.store.job_assets(job.id) == []
    assert (await shop.last_entry(job)).kind == "rescued"


async def test_the_third_loss_while_it_runs_fails_the_job_with_the_outputs_it_has(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    job = await shop.submit(ann)
    for _ in range(shop.desk.config.max_losses):
        lease = await shop.started(job, worker)
        await add_output(shop.desk, worker.id, lease, record(), [picture(shop, ann, lease)])
        await rescue_job(shop.desk, await shop.held(lease), lost=True)

    ended = await shop.job(job)
    assert (ended.state, ended.losses, ended.outputs_count) == (JobState.FAILED, 3, 1)
    assert ended.error is not None
    assert msgspec.json.decode(ended.error)["exception_message"].startswith("lost: ")


async def test_losses_before_the_start_and_restarts_of_ours_do_not_count(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    job = await shop.submit(ann)

    for _ in range(4):
        await rescue_job(shop.desk, await shop.held(await shop.assigned(job, worker)), lost=True)
    for _ in range(4):
        await rescue_job(shop.desk, await shop.held(await shop.started(job, worker)), lost=False)

    assert (await shop.job(job)).losses == 0
    assert await shop.state(job) is JobState.QUEUED


async def test_a_job_is_handed_out_ten_times_at_most(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    job = await shop.submit(ann)

    for _ in range(shop.desk.config.max_attempts):
        assert await shop.state(job) is JobState.QUEUED
        await rescue_job(shop.desk, await shop.held(await shop.started(job, worker)), lost=False)

    assert await shop.state(job) is JobState.FAILED


async def test_a_job_that_ended_meanwhile_is_left_alone(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    lease = await shop.started(await shop.submit(ann), worker)
    seen = await shop.held(lease)
    await shop.end(lease, worker)

    with pytest.raises(Changed):
        await rescue_job(shop.desk, seen, lost=True)

    assert await shop.state(lease) is JobState.SUCCEEDED


async def test_a_leader_whose_term_is_over_takes_nothing_back(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    lease = await shop.started(await shop.submit(ann), worker)
    old = await shop.store.take_term("old", shop.clock())
    await shop.store.take_term("new", shop.clock())

    with pytest.raises(Changed):
        await rescue_job(shop.desk, await shop.held(lease), lost=True, term=old)

    assert await shop.state(lease) is JobState.RUNNING
