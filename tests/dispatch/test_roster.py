"""Who the leader hears: the process that has a worker's place, and nobody who was sent away."""

import asyncio
import hashlib

import msgspec
from tests.jobs.workshop import DEADLINE_SECONDS, PlayedWorker, Workshop, until

from fireside.bus.subjects import presence
from fireside.dispatch.dispatcher import Dispatcher
from fireside.domain.accounts import User
from fireside.domain.jobs import JobState
from fireside.wire.fleet import OLDEST_PROTOCOL, PROTOCOL, Assignment, Dismissal, Presence


async def enroll(shop: Workshop, worker: PlayedWorker, *, boot_id: str = "", protocol: int = PROTOCOL) -> None:
    """Let the worker in, its present process in its place unless told otherwise."""
    digest = hashlib.sha256(worker.id.encode()).digest()
    token = await shop.store.add_join_token(digest, "", "", shop.clock(), is_reusable=True, expires_at=None)
    enrollment = await shop.store.enroll(worker.id, digest, token, shop.clock(), protocol=protocol, version="")
    await shop.store.boot_worker(enrollment, boot_id or worker.boot_id, shop.clock(), protocol=protocol, version="")
    await shop.services.bus.publish("fleet.changed", b"")


def dismissals(worker: PlayedWorker) -> list[Dismissal]:
    return [request for request in worker.asked if isinstance(request, Dismissal)]


async def look(shop: Workshop, leader: Dispatcher) -> None:
    await leader.tick(shop.clock())
    await leader.settle()


async def test_a_worker_that_has_joined_is_heard_and_its_process_is_named_in_offers(
    shop: Workshop, leader: Dispatcher, worker: PlayedWorker, ann: User
) -> None:
    await enroll(shop, worker)
    job = await shop.submit(ann)

    await worker.say(leader)
    await look(shop, leader)

    assert await shop.state(job) is JobState.ASSIGNED
    assert [asked.boot_id for asked in worker.asked if isinstance(asked, Assignment)] == [worker.boot_id]


async def test_a_process_that_has_not_the_place_is_not_heard_and_told_so(
    shop: Workshop, leader: Dispatcher, worker: PlayedWorker, ann: User
) -> None:
    await enroll(shop, worker, boot_id="boot-2")
    job = await shop.submit(ann)

    await worker_is_refused(shop, worker)
    await look(shop, leader)

    assert await shop.state(job) is JobState.QUEUED
    assert dismissals(worker)[0].boot_id == worker.boot_id
    assert "another process" in dismissals(worker)[0].reason


async def test_a_worker_that_was_let_in_by_another_server_a_moment_ago_is_heard_without_being_told_of(
    shop: Workshop, leader: Dispatcher, worker: PlayedWorker
) -> None:
    await enroll(shop, worker, boot_id="boot-2")
    await worker_is_refused(shop, worker)
    (enrollment,) = await shop.store.enrollments()
    await shop.store.boot_worker(enrollment, worker.boot_id, shop.clock(), protocol=PROTOCOL, version="")

    shop.clock.go(1)
    await worker.say(leader)

    assert worker.id in leader._lookout.presences()


async def test_a_worker_that_was_removed_loses_its_job_at_once_and_is_not_heard(
    shop: Workshop, leader: Dispatcher, worker: PlayedWorker, ann: User
) -> None:
    await enroll(shop, worker)
    for _ in range(20):
        await worker.say(leader)
        await look(shop, leader)
        shop.clock.go(0.5)
    job = await shop.submit(ann)
    await look(shop, leader)
    assert await shop.state(job) is JobState.ASSIGNED

    await shop.store.remove_worker(worker.id, shop.clock())
    await shop.services.bus.publish("fleet.changed", b"")
    await until(lambda: worker.id not in leader._lookout.presences())
    await look(shop, leader)

    after = await shop.job(job)
    assert (after.state, after.losses) == (JobState.QUEUED, 0)
    shop.clock.go(1)
    await worker_is_refused(shop, worker)
    assert "removed" in dismissals(worker)[0].reason


async def test_a_worker_that_stayed_connected_over_an_upgrade_it_does_not_understand_is_told_to_upgrade(
    shop: Workshop, leader: Dispatcher, worker: PlayedWorker
) -> None:
    await enroll(shop, worker, protocol=OLDEST_PROTOCOL - 1)

    await worker_is_refused(shop, worker)

    assert "install the server's version" in dismissals(worker)[0].reason
    assert leader._lookout.presences() == {}


async def test_a_drained_worker_is_offered_nothing_until_it_is_resumed_also_if_nobody_tells_the_leader(
    shop: Workshop, leader: Dispatcher, worker: PlayedWorker, ann: User
) -> None:
    job = await shop.submit(ann)
    await shop.store.drain_worker(worker.id, shop.clock())
    await worker.say(leader)
    await look(shop, leader)
    assert await shop.state(job) is JobState.QUEUED

    await shop.store.resume_worker(worker.id)
    for _ in range(4):
        shop.clock.go(3)
        await worker.say(leader)
        await look(shop, leader)

    assert await shop.state(job) is JobState.ASSIGNED


async def worker_is_refused(shop: Workshop, worker: PlayedWorker) -> None:
    """Let the worker speak again and again, as workers do, until it is told to stop."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not dismissals(worker):
            shop.clock.go(0.1)
            await speak(worker)
            await asyncio.sleep(0.02)


async def speak(worker: PlayedWorker) -> None:
    """Say that it is there, whether or not anybody wants to hear it."""
    await worker.bus.publish(
        presence(worker.id), msgspec.json.encode(Presence(boot_id=worker.boot_id, runtime="x", ready=True))
    )
