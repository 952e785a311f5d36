from collections.abc import Mapping

import pytest
from tests.jobs.workshop import PlayedWorker, Workshop, until

from fireside.dispatch.dispatcher import Dispatcher
from fireside.domain.accounts import User
from fireside.domain.ids import UserId
from fireside.domain.jobs import Job, JobState, Lease
from fireside.jobs import assign
from fireside.jobs.cancel import cancel_job
from fireside.jobs.report import start_job


async def look(shop: Workshop, leader: Dispatcher, *workers: PlayedWorker) -> None:
    """Let the leader hear who is there, look once, and everybody answer."""
    for worker in workers:
        await worker.say(leader)
    await leader.tick(shop.clock())
    await leader.settle()


async def pass_time(shop: Workshop, leader: Dispatcher, seconds: float) -> None:
    """Let time pass, in which the leader looks every half second."""
    while seconds > 0:
        shop.clock.go(min(seconds, 0.5))
        seconds -= 0.5
        await look(shop, leader)


async def held_by(shop: Workshop, leader: Dispatcher, worker: PlayedWorker, job: Job) -> Lease:
    """Have the job handed out to the worker and started."""
    await look(shop, leader, worker)
    lease = worker.offers()[-1]
    assert lease.job_id == job.id
    await start_job(shop.desk, worker.id, lease)
    return lease


async def work_off(
    shop: Workshop, leader: Dispatcher, worker: PlayedWorker, lengths: Mapping[UserId, float], *, until_seconds: float
) -> dict[UserId, float]:
    """Let one worker do what it is given, and say how many seconds of it each user has had."""
    had = dict.fromkeys(lengths, 0.0)
    while sum(had.values()) < until_seconds:
        await look(shop, leader, worker)
        lease = worker.offers()[-1]
        user_id = (await start_job(shop.desk, worker.id, lease)).user_id
        shop.clock.go(lengths[user_id])
        await shop.end(lease, worker, run_seconds=lengths[user_id])
        had[user_id] += lengths[user_id]
        worker.leases = ()
    return had


@pytest.mark.parametrize(("weight", "share"), [(1.0, 120.0), (2.0, 160.0)])
async def test_users_get_seconds_by_their_weights_however_long_their_jobs_are(
    shop: Workshop, worker: PlayedWorker, leader: Dispatcher, weight: float, share: float
) -> None:
    ann, bob = await shop.user("ann", weight=weight), await shop.user("bob")
    # Of one kind, so that every estimate is wrong and only what the runs took makes it fair.
    for user in (ann, bob) * 30:
        await shop.submit(user, fingerprint="same")

    had = await work_off(shop, leader, worker, {ann.id: 20.0, bob.id: 5.0}, until_seconds=240.0)

    assert had[ann.id] == pytest.approx(share, abs=25.0)


async def test_a_user_holds_no_more_than_they_may(shop: Workshop, leader: Dispatcher) -> None:
    ann, bob = await shop.user("ann", max_running=1), await shop.user("bob")
    workers = [await shop.worker(f"worker-{n}") for n in range(4)]
    for _ in range(3):
        await shop.submit(ann)
    for _ in range(2):
        await shop.submit(bob)

    await look(shop, leader, *workers)

    held = [one.job.user_id for one in await shop.store.held_jobs()]
    assert sorted(held) == sorted([ann.id, bob.id, bob.id])


async def test_a_job_stays_in_the_queue_until_a_worker_is_free(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    first, second = await shop.submit(ann), await shop.submit(ann)
    lease = await held_by(shop, leader, worker, first)

    await look(shop, leader, worker)
    assert await shop.state(second) is JobState.QUEUED

    await shop.end(lease, worker)
    worker.leases = ()
    await look(shop, leader, worker)
    assert [offered.job_id for offered in worker.offers()] == [first.id, second.id]


async def test_a_job_that_jumps_the_queue_late_still_goes_first(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    running, _ = await shop.submit(ann), await shop.submit(ann)
    lease = await held_by(shop, leader, worker, running)
    urgent = await shop.submit(ann, front=True)

    await shop.end(lease, worker)
    worker.leases = ()
    await look(shop, leader, worker)

    assert worker.offers()[-1].job_id == urgent.id


async def test_a_worker_that_fell_silent_loses_its_job_and_that_counts(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    lease = await held_by(shop, leader, worker, await shop.submit(ann))
    await look(shop, leader, worker)

    await pass_time(shop, leader, 3.0)
    assert await shop.state(lease) is JobState.RUNNING

    await pass_time(shop, leader, 0.5)
    back = await shop.job(lease)
    assert (back.state, back.losses) == (JobState.QUEUED, 1)
    assert back.fence > lease.fence


async def test_the_first_moments_of_a_term_take_nothing_back_and_what_happened_before_does_not_count(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    lease = await shop.started(await shop.submit(ann), worker)
    shop.clock.go(600)
    leader = await shop.leader()

    await pass_time(shop, leader, 8.0)
    assert await shop.state(lease) is JobState.RUNNING

    await pass_time(shop, leader, 0.5)
    back = await shop.job(lease)
    assert (back.state, back.losses) == (JobState.QUEUED, 0)


async def test_a_leader_that_was_asleep_takes_nothing_back_for_its_own_silence(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    lease = await held_by(shop, leader, worker, await shop.submit(ann))
    await look(shop, leader, worker)

    shop.clock.go(60)
    await look(shop, leader)
    await pass_time(shop, leader, 3.0)
    assert await shop.state(lease) is JobState.RUNNING

    await look(shop, leader, worker)
    await pass_time(shop, leader, 3.0)
    assert await shop.state(lease) is JobState.RUNNING


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_jumps_takes_nothing_from_a_worker_and_makes_no_silence_longer(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher, hours: int
) -> None:
    lease = await held_by(shop, leader, worker, await shop.submit(ann))
    await look(shop, leader, worker)

    shop.clock.go(hours * 3600)
    await pass_time(shop, leader, 3.0)
    assert await shop.state(lease) is JobState.RUNNING

    await pass_time(shop, leader, 6.0)
    assert await shop.state(lease) is JobState.QUEUED


async def test_a_leader_whose_term_is_over_neither_hands_out_nor_takes_back(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    lease = await held_by(shop, leader, worker, await shop.submit(ann))
    waiting, other = await shop.submit(ann), await shop.worker("worker-2")
    await shop.store.take_term("somebody else", shop.clock())

    await look(shop, leader, worker, other)
    await pass_time(shop, leader, 5.0)

    assert other.offers() == []
    assert await shop.state(waiting) is JobState.QUEUED
    assert (await shop.job(lease)).lease == lease


async def test_a_worker_that_did_not_hear_a_cancel_is_told_again(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    lease = await held_by(shop, leader, worker, await shop.submit(ann))
    await cancel_job(shop.desk, ann.id, lease.job_id)
    assert worker.stops() == [lease]

    await look(shop, leader, worker)
    await pass_time(shop, leader, 0.5)
    assert worker.stops() == [lease]

    await pass_time(shop, leader, 0.5)
    assert worker.stops() == [lease, lease]


async def test_a_worker_that_took_an_offer_too_late_is_told_to_drop_it_and_gets_nothing_meanwhile(
    shop: Workshop, ann: User, leader: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assign, "_ANSWER_SECONDS", 1.0)
    job, worker = await shop.submit(ann), await shop.worker(manner="silence")
    await look(shop, leader, worker)
    await until(lambda: worker.offers() != [])
    monkeypatch.undo()
    (late,) = worker.offers()
    assert await shop.state(job) is JobState.QUEUED

    worker.leases, worker.manner = (late,), "take"
    await look(shop, leader, worker)
    await pass_time(shop, leader, 1.0)
    assert (worker.offers(), worker.stops()) == ([late], [late])

    worker.leases = ()
    await look(shop, leader, worker)
    assert [lease.fence > late.fence for lease in worker.offers()[1:]] == [True]


async def test_a_worker_that_died_and_is_back_as_a_new_process_gets_its_job_anew(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    lease = await held_by(shop, leader, worker, await shop.submit(ann))
    await look(shop, leader, worker)
    shop.clock.go(0.5)

    worker.boot_id, worker.leases = "boot-2", ()
    await look(shop, leader, worker)

    assert (await shop.job(lease)).losses == 1
    assert [offered.attempt for offered in worker.offers()] == [1, 2]


async def test_several_workers_get_different_jobs_in_one_look(shop: Workshop, ann: User, leader: Dispatcher) -> None:
    workers = [await shop.worker(f"worker-{n}") for n in range(4)]
    jobs = [await shop.submit(ann) for _ in range(6)]

    await look(shop, leader, *workers)

    offered = [lease.job_id for worker in workers for lease in worker.offers()]
    assert sorted(offered) == sorted(job.id for job in jobs[:4])
