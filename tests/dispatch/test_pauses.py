"""Queues that are paused, before a leader."""

from pathlib import Path

from tests.databases import Databases
from tests.dispatch.test_dispatcher import look
from tests.jobs.workshop import PlayedWorker, Workshop, open_workshop

from fireside.dispatch.dispatcher import Dispatcher
from fireside.domain.accounts import User
from fireside.domain.jobs import JobState
from fireside.domain.moves import Move
from fireside.domain.pauses import PauseOrigin
from fireside.jobs.queues import move_job, pause_queue, resume_queue
from fireside.jobs.report import start_job


async def test_nothing_of_a_paused_queue_is_handed_out_and_what_runs_goes_on(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    running, waiting = await shop.submit(ann), await shop.submit(ann)
    await look(shop, leader, worker)
    (lease,) = worker.offers()
    await start_job(shop.desk, worker.id, lease)

    await pause_queue(shop.desk, ann.id, PauseOrigin.OWNER)
    await shop.end(lease, worker)
    worker.leases = ()
    await look(shop, leader, worker)

    assert (await shop.state(running), await shop.state(waiting)) == (JobState.SUCCEEDED, JobState.QUEUED)
    await resume_queue(shop.desk, ann.id, PauseOrigin.OWNER)
    await look(shop, leader, worker)
    assert [one.job_id for one in worker.offers()] == [running.id, waiting.id]


async def test_others_go_on_while_one_is_paused_and_nobody_while_the_fleet_is(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    bob = await shop.user("bob")
    await shop.submit(ann)
    other = await shop.submit(bob)
    await pause_queue(shop.desk, None, PauseOrigin.ADMIN)
    await look(shop, leader, worker)
    assert worker.offers() == []

    await pause_queue(shop.desk, ann.id, PauseOrigin.ADMIN)
    await resume_queue(shop.desk, None, PauseOrigin.ADMIN)
    await look(shop, leader, worker)

    assert [one.job_id for one in worker.offers()] == [other.id]


async def test_a_pause_outlives_the_server(databases: Databases, tmp_path: Path) -> None:
    config = databases.config(tmp_path / "data")
    async with open_workshop(config) as shop:
        ann = await shop.user("ann")
        job = await shop.submit(ann)
        await pause_queue(shop.desk, ann.id, PauseOrigin.OWNER)

    async with open_workshop(config) as shop:
        worker, leader = await shop.worker(), await shop.leader()
        await look(shop, leader, worker)

        assert worker.offers() == []
        assert await shop.state(job) is JobState.QUEUED


async def test_another_order_is_the_order_of_hand_outs(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    await shop.submit(ann)
    late = await shop.submit(ann)

    await move_job(shop.desk, ann.id, late.id, Move(to="front"))
    await look(shop, leader, worker)

    assert [one.job_id for one in worker.offers()] == [late.id]
