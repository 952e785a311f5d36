"""What listeners hear when the bus dies, and when the store cannot be read for a while."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import msgspec
import pytest
from tests.events.stage import DEADLINE_SECONDS, Player, Stage, heard_until
from tests.jobs.workshop import until

from fireside.bus.errors import BusDisconnected
from fireside.domain.accounts import User
from fireside.domain.errors import Unavailable
from fireside.domain.jobs import Job, Lease
from fireside.domain.lifecycle import Verb, advance
from fireside.runtimes.base import CachedNodes, NodeStarted
from fireside.wire.live import CachedFrame, JobEnded, JobStarted

pytestmark = pytest.mark.fault


@pytest.fixture
async def ann(stage: Stage) -> User:
    return await stage.user("ann")


@pytest.fixture
async def worker(stage: Stage) -> Player:
    return await stage.worker()


def kill_bus(stage: Stage) -> asyncio.Event:
    """Kill the NATS server; the event is set when the server is connected to the next one."""
    back = asyncio.Event()
    stage.services.bus.on_change(lambda connected: back.set() if connected else None)
    record = Path(stage.services.config.data_dir) / "run" / "children.json"
    for pid in msgspec.json.decode(record.read_bytes(), type=dict[int, int]):
        os.kill(pid, signal.SIGKILL)
    return back


async def end_silently(stage: Stage, job: Job, lease: Lease) -> None:
    """End a job as another server would whose word was lost."""
    held = await stage.services.store.job(job.id)
    assert held is not None
    await stage.services.store.change_job(held, advance(held, Verb.SUCCEED, stage.services.clock(), lease=lease))


async def test_what_happened_while_the_bus_was_away_is_heard_when_it_is_back(
    stage: Stage, ann: User, worker: Player
) -> None:
    listener = await stage.hear(ann)
    jobs = [await stage.submit(ann) for _ in range(2)]
    second = await stage.worker("worker-2")
    ending, going_on = await worker.start(jobs[0]), await second.start(jobs[1])
    await heard_until(listener, lambda heard: heard.job_id == jobs[1].id and isinstance(heard.fact, JobStarted))
    gone = asyncio.Event()
    second.bus.on_change(lambda connected: None if connected else gone.set())
    await end_silently(stage, jobs[0], ending)
    kill_bus(stage)
    async with asyncio.timeout(DEADLINE_SECONDS):
        await gone.wait()
    # What may be lost is dropped while the bus is away; the server asks for it again.
    await second.tellings[going_on].tell(CachedNodes(nodes=("1",)))

    heard = await heard_until(listener, lambda one: isinstance(one.frame, CachedFrame))

    assert [(one.job_id, type(one.fact or one.frame)) for one in heard] == [
        (jobs[0].id, JobEnded),
        (jobs[1].id, CachedFrame),
    ]


async def test_while_the_bus_is_away_nobody_new_listens_and_then_they_do(
    stage: Stage, ann: User, worker: Player
) -> None:
    gone = asyncio.Event()
    stage.services.bus.on_change(lambda connected: None if connected else gone.set())
    back = kill_bus(stage)
    async with asyncio.timeout(DEADLINE_SECONDS):
        await gone.wait()

        with pytest.raises(Unavailable) as refused:
            await stage.hear(ann)

        assert refused.value.retry_after > 0
        assert not stage.services.hub._channels
        await back.wait()
    await until(lambda: worker.bus.is_connected)
    listener = await stage.hear(ann)
    job = await stage.submit(ann)
    lease = await worker.start(job)
    await worker.tell(lease, NodeStarted(node_id="2", display_node_id="2"))
    await worker.end(lease)

    heard = await heard_until(listener, lambda one: isinstance(one.fact, JobEnded))
    assert heard[-1].job_id == job.id


async def test_the_end_of_a_job_is_told_once_although_its_announcement_comes_late(
    stage: Stage, ann: User, worker: Player
) -> None:
    listener = await stage.hear(ann)
    job, last = await stage.submit(ann), await stage.submit(ann)
    lease = await worker.start(job)
    await heard_until(listener, lambda heard: isinstance(heard.fact, JobStarted))
    back = kill_bus(stage)
    ending = asyncio.create_task(worker.end(lease))
    async with asyncio.timeout(DEADLINE_SECONDS):
        await back.wait()
        # The job has ended; what asks whether its announcement has gone out may have gone down with the bus.
        with contextlib.suppress(BusDisconnected):
            await ending
    await stage.services.hub.catch_up()
    await worker.end(await worker.start(last))

    heard = await heard_until(listener, lambda one: one.job_id == last.id and isinstance(one.fact, JobEnded))

    assert [one.job_id for one in heard if isinstance(one.fact, JobEnded)] == [job.id, last.id]
