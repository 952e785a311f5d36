"""What users had long ago, and when they came, gives nobody an advantage; over the real store."""

from tests.dispatch.test_dispatcher import held_by, look, work_off
from tests.jobs.workshop import PlayedWorker, Workshop

from fireside.dispatch.dispatcher import Dispatcher
from fireside.domain.accounts import User


async def test_who_was_idle_for_long_has_no_credit(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    bob = await shop.user("bob")
    for _ in range(40):
        await shop.submit(ann)
    await work_off(shop, leader, worker, {ann.id: 10.0}, until_seconds=100.0)
    for _ in range(20):
        await shop.submit(bob)

    had = await work_off(shop, leader, worker, {ann.id: 10.0, bob.id: 10.0}, until_seconds=200.0)

    assert abs(had[ann.id] - had[bob.id]) <= 20


async def test_who_used_what_nobody_wanted_is_not_punished_for_it(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    bob = await shop.user("bob")
    for _ in range(10):
        await shop.submit(ann)
    await work_off(shop, leader, worker, {ann.id: 10.0}, until_seconds=100.0)
    await look(shop, leader, worker)
    for user in (bob, ann) * 20:
        await shop.submit(user)

    had = await work_off(shop, leader, worker, {ann.id: 10.0, bob.id: 10.0}, until_seconds=200.0)

    assert abs(had[ann.id] - had[bob.id]) <= 20


async def test_a_new_leader_gives_nobody_an_advantage(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    bob = await shop.user("bob")
    for _ in range(40):
        await shop.submit(ann)
    await work_off(shop, leader, worker, {ann.id: 10.0}, until_seconds=100.0)
    for _ in range(20):
        await shop.submit(bob)
    await leader.stop()

    had = await work_off(shop, await shop.leader(), worker, {ann.id: 10.0, bob.id: 10.0}, until_seconds=200.0)

    assert abs(had[ann.id] - had[bob.id]) <= 20


async def test_a_huge_queue_of_one_user_does_not_delay_another(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    first, *_ = [await shop.submit(ann) for _ in range(300)]
    running = await held_by(shop, leader, worker, first)
    job = await shop.submit(await shop.user("bob"))

    shop.clock.go(1)
    await shop.end(running, worker, run_seconds=1.0)
    worker.leases = ()
    await look(shop, leader, worker)

    assert worker.offers()[-1].job_id == job.id
