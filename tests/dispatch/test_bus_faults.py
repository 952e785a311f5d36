"""What the leader does while the bus is away or hangs: nothing that somebody else would pay for."""

import os
import signal
from pathlib import Path

import pytest
from tests.jobs.workshop import PlayedWorker, Workshop, until

from fireside.dispatch import dispatcher
from fireside.dispatch.dispatcher import Dispatcher
from fireside.domain.accounts import User
from fireside.domain.jobs import JobState

pytestmark = pytest.mark.fault


def bus_pid(shop: Workshop) -> int:
    (pid,) = shop.assembly.leftovers._recorded
    return pid


def is_stopped(pid: int) -> bool:
    """Say whether no thread runs any more: the signal goes to one of them, which stops the others when it runs."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in threads)


async def look_for(shop: Workshop, leader: Dispatcher, seconds: float) -> None:
    while seconds > 0:
        await leader.tick(shop.clock.go(0.5))
        seconds -= 0.5


async def test_nothing_is_taken_back_while_the_bus_is_away_nor_in_the_first_moments_after(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher
) -> None:
    lease = await shop.started(await shop.submit(ann), worker, term=leader._term)
    await worker.say(leader)

    os.kill(bus_pid(shop), signal.SIGKILL)
    await until(lambda: not shop.services.bus.is_connected)
    await look_for(shop, leader, 10.0)
    assert await shop.state(lease) is JobState.RUNNING

    await until(lambda: shop.services.bus.is_connected and leader._wake.is_set())
    await look_for(shop, leader, 8.0)
    assert await shop.state(lease) is JobState.RUNNING

    await look_for(shop, leader, 1.0)
    back = await shop.job(lease)
    assert (back.state, back.losses) == (JobState.QUEUED, 0)


async def test_a_bus_that_hangs_makes_nobody_lost(
    shop: Workshop, ann: User, worker: PlayedWorker, leader: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "_ECHO_SECONDS", 0.2)
    lease = await shop.started(await shop.submit(ann), worker, term=leader._term)
    await worker.say(leader)

    os.kill(bus_pid(shop), signal.SIGSTOP)
    await until(lambda: is_stopped(bus_pid(shop)))
    try:
        await look_for(shop, leader, 4.0)
    finally:
        os.kill(bus_pid(shop), signal.SIGCONT)
        monkeypatch.undo()
    assert await shop.state(lease) is JobState.RUNNING

    await worker.say(leader)
    await look_for(shop, leader, 3.0)
    assert await shop.state(lease) is JobState.RUNNING
