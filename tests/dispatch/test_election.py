"""Who leads among servers on one PostgreSQL, each with its own connection, over a real bus."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.jobs.workshop import Workshop, until
from tests.postgres_server import PostgresServer

from fireside.dispatch.dispatcher import Dispatcher
from fireside.dispatch.election import Election
from fireside.domain.accounts import User
from fireside.domain.errors import Unavailable
from fireside.domain.jobs import JobState
from fireside.store.postgres import PostgresDatabase

pytestmark = pytest.mark.fault


@dataclass
class Duty:
    """What a leader does, in the words that tell of it."""

    told: list[str] = field(default_factory=list[str])
    name: str = "duty"
    trouble: int = 0

    async def start(self) -> None:
        if self.trouble:
            self.trouble -= 1
            raise Unavailable("not now")
        self.told.append(f"{self.name} began")

    async def stop(self) -> None:
        self.told.append(f"{self.name} ended")


@dataclass
class Candidate:
    election: Election
    refused: asyncio.Event
    duty: Duty


Contend = Callable[..., Any]


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.database() as url:
        yield url


@pytest.fixture
async def contend(shop: Workshop, url: str) -> AsyncIterator[Contend]:
    async with AsyncExitStack() as stack:

        async def begin(*more: Duty, trouble: int = 0, off_the_bus: float | None = None) -> Candidate:
            refused, duty = asyncio.Event(), Duty(trouble=trouble)
            election = Election(
                PostgresDatabase(url).lead(),
                shop.services.bus,
                refused=refused,
                most_seconds_off_the_bus=off_the_bus,
            )
            stack.push_async_callback(election.stop)
            await election.start([duty, *more])
            return Candidate(election, refused, duty)

        yield begin


async def test_one_leads_and_the_other_takes_over_when_it_stops(contend: Contend) -> None:
    first = await contend()
    await until(lambda: first.election.is_leading)
    second = await contend()
    assert second.duty.told == []

    await first.election.stop()

    await until(lambda: second.election.is_leading)
    assert not first.election.is_leading
    assert (first.duty.told, second.duty.told) == (["duty began", "duty ended"], ["duty began"])


async def test_what_was_started_last_is_stopped_first(contend: Contend) -> None:
    told: list[str] = []
    one = await contend(Duty(told, "loop"), Duty(told, "other loop"))
    await until(lambda: one.election.is_leading)

    await one.election.stop()

    assert told == ["loop began", "other loop began", "other loop ended", "loop ended"]


async def test_who_is_refused_stands_down_and_contends_again(contend: Contend) -> None:
    one = await contend()
    await until(lambda: one.election.is_leading)

    one.refused.set()
    await until(lambda: "duty ended" in one.duty.told)
    one.refused.clear()

    await until(lambda: one.duty.told[-1] == "duty began" and one.election.is_leading)


async def test_who_cannot_begin_lets_go_and_tries_again(contend: Contend) -> None:
    one = await contend(trouble=1)

    await until(lambda: one.election.is_leading)
    assert one.duty.told == ["duty ended", "duty began"]


async def test_who_is_off_the_bus_for_long_leads_no_more_until_it_is_back(contend: Contend, shop: Workshop) -> None:
    one = await contend(off_the_bus=0.001)
    await until(lambda: one.election.is_leading)
    (bus,) = shop.assembly.leftovers._recorded

    os.kill(bus, signal.SIGKILL)
    await until(lambda: "duty ended" in one.duty.told)

    await until(lambda: one.election.is_leading)
    assert shop.services.bus.is_connected


async def test_a_leader_that_is_refused_says_so_and_hands_out_nothing_more(shop: Workshop, ann: User) -> None:
    worker, leader = await shop.worker(), await shop.leader()
    await worker.say(leader)
    job = await shop.submit(ann)
    await shop.store.take_term("somebody else", shop.clock())

    await leader.tick(shop.clock())

    assert leader.refused.is_set()
    assert await shop.state(job) is JobState.QUEUED


async def test_a_leader_that_has_stopped_may_lead_again(shop: Workshop, ann: User) -> None:
    worker, leader = await shop.worker(), await shop.leader()
    await leader.stop()
    job = await shop.submit(ann)

    await leader.take_lead()
    await worker.say(leader)
    await leader.tick(shop.clock())
    await leader.settle()

    assert await shop.state(job) is JobState.ASSIGNED


async def test_who_stood_by_knows_the_workers_when_it_takes_the_lead(shop: Workshop, ann: User) -> None:
    lookout = await shop.lookout()
    standby = Dispatcher(shop.desk, shop.services.bus, lookout, name="standby")
    worker, job = await shop.worker(), await shop.submit(ann)
    await worker.say(standby)
    assert set(lookout.presences()) == {worker.id}

    shop.clock.go(1)
    shop.doors.push_async_callback(standby.stop)
    await standby.take_lead()
    await standby.tick(shop.clock())
    await standby.settle()

    assert worker.offers() == [(await shop.job(job)).lease]


async def test_a_word_from_before_the_term_takes_no_job_from_a_worker(shop: Workshop, ann: User) -> None:
    lookout = await shop.lookout()
    standby = Dispatcher(shop.desk, shop.services.bus, lookout, name="standby")
    shop.doors.push_async_callback(standby.stop)
    worker = await shop.worker()
    lease = await shop.started(await shop.submit(ann), worker)
    held, worker.leases = worker.leases, ()
    shop.clock.go(1)
    await worker.say(standby)

    shop.clock.go(0.1)
    await standby.take_lead()
    await standby.tick(shop.clock())
    assert await shop.state(lease) is JobState.RUNNING

    worker.leases = held
    await worker.say(standby)
    await standby.tick(shop.clock.go(1))
    assert await shop.state(lease) is JobState.RUNNING
