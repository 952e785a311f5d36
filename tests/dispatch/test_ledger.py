"""What the leader knows of who waits, beside what the store says."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from tests.dispatch.test_dispatcher import look
from tests.jobs.workshop import PlayedWorker, Workshop, until

from fireside.bus.subjects import dispatch_wake
from fireside.dispatch.dispatcher import Dispatcher
from fireside.dispatch.ledger import Ledger
from fireside.domain.accounts import User
from fireside.domain.ids import UserId
from fireside.domain.jobs import JobState
from fireside.jobs.cancel import cancel_job
from fireside.jobs.report import start_job
from fireside.scheduler.costs import DEFAULT_RUN_SECONDS
from fireside.store.store import Store
from fireside.wire.fleet import QueueChanged


def deaf(shop: Workshop) -> Workshop:
    """The same shop as another server sees it, whose changes the leader does not hear."""
    store = Store(shop.store._database)
    return replace(shop, services=replace(shop.services, store=store), desk=replace(shop.desk, store=store))


def known(ledger: Ledger, user: User) -> list[Any]:
    """The user's jobs that the leader knows to wait, in order."""
    queue = ledger.state.users.get(user.id)
    jobs = [] if queue is None else [job for jobs in queue.groups.values() for job in jobs]
    return [job.job_id for job in sorted(jobs, key=lambda job: job.order)]


async def test_it_knows_what_waited_before_its_term_and_what_comes_later(shop: Workshop, ann: User) -> None:
    first = await shop.submit(ann)
    ledger = Ledger(shop.desk)
    await ledger.rebuild()
    second, urgent = await shop.submit(ann), await shop.submit(ann, front=True)

    await ledger.refresh()

    assert known(ledger, ann) == [urgent.id, first.id, second.id]


async def test_it_forgets_what_is_canceled_and_who_has_nothing_in_hand(shop: Workshop, ann: User) -> None:
    ledger = Ledger(shop.desk)
    await ledger.rebuild()
    first, second = await shop.submit(ann), await shop.submit(ann)
    await ledger.refresh()
    await cancel_job(shop.desk, ann.id, first.id)
    await ledger.refresh()
    assert known(ledger, ann) == [second.id]

    await cancel_job(shop.desk, ann.id, second.id)
    await ledger.refresh()

    assert ledger.state.users == {}
    assert ledger.state.lines.sides() == []


async def test_it_finds_by_itself_what_another_server_has_queued(shop: Workshop, ann: User) -> None:
    ledger = Ledger(shop.desk)
    await ledger.rebuild()
    mine = await shop.submit(ann)
    await ledger.refresh()
    theirs = await deaf(shop).submit(ann)
    await ledger.refresh()
    assert known(ledger, ann) == [mine.id]

    await ledger.reconcile()
    await ledger.refresh()

    assert known(ledger, ann) == [mine.id, theirs.id]


async def test_it_finds_an_order_that_changed_behind_its_back_in_turn(shop: Workshop, ann: User) -> None:
    ledger = Ledger(shop.desk)
    await ledger.rebuild()
    first, second = await shop.submit(ann), await shop.submit(ann)
    await ledger.refresh()
    other = deaf(shop)
    await cancel_job(other.desk, ann.id, first.id)
    third = await other.submit(ann, front=True)

    await ledger.reconcile()
    await ledger.refresh()

    assert known(ledger, ann) == [third.id, second.id]


async def test_another_server_says_whose_queue_has_changed(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    await look(shop, leader, worker)
    job = await deaf(shop).submit(ann)
    leader._wake.clear()

    change = msgspec.json.encode(QueueChanged(user_id=ann.id, by="another process"))
    await shop.services.bus.publish(dispatch_wake(), change)
    await until(leader._wake.is_set)
    await leader._hand_out(shop.clock())
    await leader.settle()

    assert await shop.state(job) is JobState.ASSIGNED


async def test_what_is_believed_wrongly_is_refused_and_put_right(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    gone, stays = await shop.submit(ann), await shop.submit(ann)
    await leader._ledger.refresh()
    await cancel_job(deaf(shop).desk, ann.id, gone.id)
    await worker.say(leader)

    await leader._hand_out(shop.clock())
    assert await shop.state(gone) is JobState.CANCELED
    assert worker.offers() == []

    await leader._hand_out(shop.clock())
    await leader.settle()
    assert [lease.job_id for lease in worker.offers()] == [stays.id]


async def test_it_reads_on_where_more_wait_than_it_knows_at_a_time(
    shop: Workshop, ann: User, leader: Dispatcher
) -> None:
    jobs = [await shop.submit(ann) for _ in range(70)]
    await leader._ledger.rebuild()
    assert known(leader._ledger, ann) == [job.id for job in jobs[:32]]
    workers = [await shop.worker(f"worker-{n}") for n in range(40)]

    await look(shop, leader, *workers)

    assert len([lease for worker in workers for lease in worker.offers()]) == 40
    assert known(leader._ledger, ann)[0] == jobs[40].id


async def test_of_many_users_it_knows_fewer_jobs_each_and_reads_on_all_the_same(
    shop: Workshop, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fireside.dispatch.ledger._MOST_HEADS", 18)
    bob, cid = await shop.user("bob"), await shop.user("cid")
    jobs = {user.id: [await shop.submit(user) for _ in range(8)] for user in (ann, bob, cid)}
    ledger = Ledger(shop.desk)

    await ledger.rebuild()

    assert all(known(ledger, user) == [job.id for job in jobs[user.id][:6]] for user in (ann, bob, cid))
    (group,) = ledger.state.users[bob.id].groups.values()
    for waiting in list(group):
        ledger.state.hand_out(ledger.state.users[bob.id], waiting, 1.0)
    for job in jobs[bob.id][:6]:
        await cancel_job(deaf(shop).desk, bob.id, job.id)
    await ledger.refresh()
    assert known(ledger, bob) == [job.id for job in jobs[bob.id][6:]]


async def test_who_stands_otherwise_by_a_change_it_has_heard_of_is_not_read_for_that(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    await shop.submit(ann)
    await shop.submit(ann)
    await look(shop, leader, worker)
    ledger = leader._ledger
    await ledger.refresh()
    (lease,) = worker.offers()
    await start_job(shop.desk, worker.id, lease)
    await shop.end(lease, worker)
    (share,) = await shop.store.shares()
    assert not ledger._agrees(ann.id, share)
    # So that it is not her turn to be read anyway.
    ledger._in_turn = [UserId(10_000)]

    await ledger.reconcile()

    assert ann.id not in ledger._changed
    await ledger.refresh()
    assert ledger._agrees(ann.id, share)


async def test_shares_of_some_users_are_those_of_all(shop: Workshop, ann: User) -> None:
    bob = await shop.user("bob", weight=2.0, max_running=3)
    await shop.submit(bob)

    by_user = {share.user_id: share for share in await shop.store.shares_of([ann.id, bob.id])}

    assert [by_user[bob.id]] == list(await shop.store.shares())
    assert (by_user[bob.id].weight, by_user[bob.id].max_running, by_user[bob.id].queued) == (2.0, 3, 1)
    assert (by_user[ann.id].queued, by_user[ann.id].held) == (0, 0)


async def test_it_is_told_what_a_kind_of_work_takes_that_it_has_not_met(shop: Workshop, ann: User) -> None:
    worker, job = await shop.worker(), await shop.submit(ann, fingerprint="slow")
    lease = await shop.started(job, worker)
    shop.clock.go(40)
    await shop.end(lease, worker, run_seconds=40.0)
    await shop.submit(ann)
    ledger = Ledger(shop.desk)
    await ledger.rebuild()
    await shop.submit(ann, fingerprint="slow")
    await shop.submit(ann, fingerprint="new")

    await ledger.refresh()

    assert len(known(ledger, ann)) == 3
    assert ledger.state.costs.run_seconds("slow") == pytest.approx(40.0)
    assert ledger.state.costs.run_seconds("new") == DEFAULT_RUN_SECONDS
