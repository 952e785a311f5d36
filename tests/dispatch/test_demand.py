"""How many workers pools should have, as the leader tells it while jobs come, run and end."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.databases import Databases
from tests.dispatch.test_suitability import join, look, submit
from tests.jobs.workshop import PlayedWorker, Workshop, open_workshop, until

from fireside.dispatch.dispatcher import Dispatcher
from fireside.domain.accounts import User
from fireside.domain.pauses import PauseOrigin
from fireside.jobs.queues import pause_queue
from fireside.jobs.report import start_job


@pytest.fixture
async def shop(databases: Databases, tmp_path: Path) -> AsyncIterator[Workshop]:
    pools = ("small=0..4", "large=1..40 size=large")
    async with open_workshop(databases.config(tmp_path / "data", pools=pools)) as shop:
        figures = shop.assembly.figures
        await figures.start()
        yield shop
        await figures.stop()


async def told(shop: Workshop, leader: Dispatcher, *workers: PlayedWorker) -> dict[str, int]:
    """Have the leader look, and give what it has told of it."""
    figures = shop.assembly.figures
    before = figures._heard
    await look(shop, leader, *workers)
    await until(lambda: figures._heard is not before)
    return {name: one.wanted for name, one in figures.now().items()}


async def test_pools_are_wanted_for_what_their_workers_can_run_also_when_none_is_there(
    shop: Workshop, ann: User, leader: Dispatcher
) -> None:
    assert await told(shop, leader) == {"small": 1, "large": 1}
    await join(shop, "a", "a", pool="small")
    await join(shop, "b", "a", "b", size="large")
    for model in ("b", "b", "a"):
        await submit(shop, ann, model)
    assert await told(shop, leader) == {"small": 1, "large": 2}

    await submit(shop, ann, "a", size="large")
    assert await told(shop, leader) == {"small": 1, "large": 3}


async def test_running_jobs_count_where_they_run_and_ended_ones_do_not(
    shop: Workshop, ann: User, leader: Dispatcher
) -> None:
    worker = await join(shop, "b", "b", size="large")
    jobs = [await submit(shop, ann, "b") for _ in range(3)]
    assert (await told(shop, leader, worker))["large"] == 3
    lease = worker.offers()[-1]
    assert (await told(shop, leader, worker))["large"] == 3

    await start_and_end(shop, worker, lease)
    assert (await told(shop, leader))["large"] == len(jobs) - 1


async def start_and_end(shop: Workshop, worker: PlayedWorker, lease: Any) -> None:
    await start_job(shop.desk, worker.id, lease)
    await shop.end(lease, worker)


async def test_a_user_is_wanted_for_no_more_than_they_may_hold_and_for_nothing_while_paused(
    shop: Workshop, ann: User, leader: Dispatcher
) -> None:
    await join(shop, "b", "b", size="large")
    bob = await shop.user("bob", max_running=2)
    for user in (ann, bob):
        for _ in range(50):
            await submit(shop, user, "b")
    assert (await told(shop, leader))["large"] == 52

    await pause_queue(shop.desk, ann.id, PauseOrigin.OWNER, "")
    assert (await told(shop, leader))["large"] == 2


async def test_what_nobody_has_told_of_late_is_not_told(shop: Workshop, leader: Dispatcher) -> None:
    await told(shop, leader)
    figures = shop.assembly.figures
    now = figures._clock()

    figures._clock = lambda: now.replace(year=now.year + 1)

    assert figures.now() == {}
