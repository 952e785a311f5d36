"""What busy workers make ready, before a leader."""

import pytest
from tests.dispatch.test_dispatcher import held_by, look
from tests.jobs.workshop import PlayedWorker, Workshop

from fireside.dispatch.dispatcher import Dispatcher
from fireside.domain.accounts import User
from fireside.domain.jobs import Job, JobState
from fireside.domain.moves import Move
from fireside.domain.pauses import PauseOrigin
from fireside.jobs.queues import move_job, pause_queue
from fireside.jobs.report import start_job
from fireside.jobs.waiting import why_waiting


@pytest.fixture
async def worker(shop: Workshop) -> PlayedWorker:
    worker = await shop.worker()
    worker.ahead = 1
    return worker


async def one_ready(shop: Workshop, leader: Dispatcher, worker: PlayedWorker, user: User) -> tuple[Job, Job]:
    """Have one of the user's jobs run and the next one made ready."""
    running, ready = await shop.submit(user), await shop.submit(user)
    await held_by(shop, leader, worker, running)
    await look(shop, leader, worker)
    assert await shop.state(ready) is JobState.ASSIGNED
    return running, ready


async def test_a_busy_worker_makes_one_job_ready_and_no_more(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    running, ready = await one_ready(shop, leader, worker, ann)
    third = await shop.submit(ann)

    await look(shop, leader, worker)

    assert [one.job_id for one in worker.offers()] == [running.id, ready.id]
    assert await shop.state(third) is JobState.QUEUED


async def test_nothing_is_made_ready_while_a_free_worker_can_run_it(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    await held_by(shop, leader, worker, await shop.submit(ann))
    other, job = await shop.worker("worker-2"), await shop.submit(ann)

    await look(shop, leader, worker, other)

    assert [one.job_id for one in other.offers()] == [job.id]


async def test_a_job_is_given_back_when_something_fairer_turns_up_as_if_it_had_never_been_handed_out(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    _, ready = await one_ready(shop, leader, worker, ann)
    charged = await shop.share(ann)
    job = await shop.submit(await shop.user("bob"))

    await look(shop, leader)

    back = await shop.job(ready)
    assert (back.state, back.attempt, back.worker_id) == (JobState.QUEUED, 0, None)
    assert [one.attempt for one in await shop.store.job_attempts(ready.id)] == []
    assert await shop.share(ann) < charged
    assert [one.job_id for one in worker.stops()] == [ready.id]
    worker.leases = worker.leases[:1]
    await look(shop, leader, worker)
    assert worker.offers()[-1].job_id == job.id


async def test_a_job_goes_to_a_worker_that_becomes_free(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    _, ready = await one_ready(shop, leader, worker, ann)
    other = await shop.worker("worker-2")

    await look(shop, leader, other)

    assert [one.job_id for one in other.offers()] == [ready.id]
    assert (await shop.job(ready)).worker_id == other.id


async def test_a_job_that_has_begun_is_not_taken_back(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    _, ready = await one_ready(shop, leader, worker, ann)
    await shop.submit(await shop.user("bob"))
    await start_job(shop.desk, worker.id, worker.offers()[-1])

    await look(shop, leader, await shop.worker("worker-2"))

    assert await shop.state(ready) is JobState.RUNNING
    assert worker.stops() == []


async def test_a_new_leader_gives_back_what_the_former_one_has_handed_out(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    _, ready = await one_ready(shop, leader, worker, ann)
    await leader.stop()
    heir, other = await shop.leader(), await shop.worker("worker-2")

    await look(shop, heir, worker, other)

    assert [one.job_id for one in other.offers()] == [ready.id]


async def test_what_is_ready_of_a_paused_queue_comes_back(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    _, ready = await one_ready(shop, leader, worker, ann)

    await pause_queue(shop.desk, ann.id, PauseOrigin.OWNER)
    await look(shop, leader)

    assert await shop.state(ready) is JobState.QUEUED


async def test_a_worker_that_leaves_has_nothing_ready(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    _, ready = await one_ready(shop, leader, worker, ann)

    await worker.say(leader, draining=True)
    await look(shop, leader)

    assert await shop.state(ready) is JobState.QUEUED


async def test_who_may_have_one_job_at_a_time_has_none_ready(
    shop: Workshop, worker: PlayedWorker, leader: Dispatcher
) -> None:
    ann = await shop.user("ann", max_running=1)
    await held_by(shop, leader, worker, await shop.submit(ann))
    waiting = await shop.submit(ann)

    await look(shop, leader, worker)

    assert await shop.state(waiting) is JobState.QUEUED


async def test_a_job_in_front_takes_the_place_of_what_is_ready(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    _, ready = await one_ready(shop, leader, worker, ann)
    urgent = await shop.submit(ann, front=True)

    await look(shop, leader)
    worker.leases = worker.leases[:1]
    await look(shop, leader, worker)

    assert worker.offers()[-1].job_id == urgent.id
    assert await shop.state(ready) is JobState.QUEUED


async def test_a_job_that_is_ready_can_still_be_put_at_another_place(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    _, ready = await one_ready(shop, leader, worker, ann)
    other = await shop.submit(ann)

    await move_job(shop.desk, ann.id, ready.id, Move(to="back"))

    worker.leases = worker.leases[:1]
    await look(shop, leader, worker)
    assert worker.offers()[-1].job_id == other.id


async def test_whoever_asks_is_told_which_worker_has_the_job_ready(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    _, ready = await one_ready(shop, leader, worker, ann)
    await worker.say(leader)

    why = await why_waiting(shop.desk, await shop.job(ready), leader._presences.present(shop.clock()))

    assert why is not None
    assert (why.reason, why.position) == ("ready", 1)
    assert why.message == f"The worker {worker.id} has it ready, and begins it after the job that it runs."
