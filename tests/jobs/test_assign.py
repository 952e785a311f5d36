import pytest
from tests.jobs.workshop import DEADLINE_SECONDS, PlayedWorker, Workshop, until

from fireside.domain.accounts import User
from fireside.domain.errors import StaleLease
from fireside.domain.ids import WorkerId
from fireside.domain.jobs import JobState
from fireside.jobs import assign
from fireside.jobs.cancel import cancel_job
from fireside.jobs.report import start_job
from fireside.scheduler.values import Placement
from fireside.store.store import Changed


async def test_a_job_is_written_down_before_its_worker_hears_of_it(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    job = await shop.submit(ann)

    lease = await shop.assigned(job, worker, estimate=7.0)

    assert worker.offers() == [lease]
    stored = await shop.job(job)
    assert (stored.state, stored.worker_id, stored.lease, stored.charged_seconds) == ("assigned", worker.id, lease, 7.0)
    assert await shop.kinds(job) == ["assigned"]


@pytest.mark.parametrize("manner", ["decline", "silence"])
async def test_a_job_that_its_worker_does_not_take_is_queued_again_and_costs_nothing(
    shop: Workshop, ann: User, manner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assign, "_ANSWER_SECONDS", 1.0 if manner == "silence" else DEADLINE_SECONDS)
    job, worker = await shop.submit(ann), await shop.worker(manner=manner)

    with pytest.raises(AssertionError):
        await shop.assigned(job, worker, estimate=7.0)

    assert await shop.state(job) is JobState.QUEUED
    assert await shop.share(ann) == 0
    await until(lambda: worker.offers() != [])
    (offered,) = worker.offers()
    with pytest.raises(StaleLease):
        await start_job(shop.desk, worker.id, offered)


async def test_a_job_survives_any_number_of_workers_that_are_not_there(shop: Workshop, ann: User) -> None:
    job = await shop.submit(ann)
    term = await shop.store.take_term("test", shop.clock())

    for number in range(shop.desk.config.max_attempts + 2):
        placement = Placement(job_id=job.id, user_id=ann.id, worker_id=WorkerId(f"gone-{number}"), estimate_seconds=1.0)
        assert await shop.offered(placement, term=term) is None

    assert await shop.state(job) is JobState.QUEUED


async def test_a_leader_whose_term_is_over_assigns_nothing(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    job = await shop.submit(ann)
    old = await shop.store.take_term("old", shop.clock())
    await shop.store.take_term("new", shop.clock())

    with pytest.raises(Changed):
        await shop.assigned(job, worker, term=old)

    assert worker.offers() == []
    assert await shop.state(job) is JobState.QUEUED


async def test_a_job_that_was_canceled_meanwhile_is_offered_to_nobody(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    job = await shop.submit(ann)
    await cancel_job(shop.desk, ann.id, job.id)

    with pytest.raises(Changed):
        await shop.assigned(job, worker)

    assert worker.offers() == []
