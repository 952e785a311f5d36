"""Pruning all users' histories over a real store, with a timer and pauses of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.databases import Databases

from fireside.domain.accounts import Role, User
from fireside.domain.ids import JobId, UserId
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.listing import JobFilter, Window
from fireside.store.records import JobBody, NewJob
from fireside.store.store import Store
from fireside.upkeep.pruner import Pace, Pruner

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BODY = JobBody(graph=b"{}", extra_data=b"{}", outputs=())


class Timer:
    """Every change seems to take as long as the test says; pauses are noted and not made."""

    def __init__(self, seconds: float = 0.001) -> None:
        self.seconds = seconds
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        self.now += self.seconds
        return self.now

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture
async def store(databases: Databases, tmp_path: Path) -> AsyncIterator[Store]:
    async with databases.opened(tmp_path / "data") as database:
        yield Store(database)


async def user(store: Store, name: str, ended: int, **limits: Any) -> User:
    """Make a user with jobs that ended day by day, the last at noon."""
    made = await store.add_user(name, Role.MEMBER, NOON, **limits)
    for age in reversed(range(ended)):
        new = NewJob(id=JobId(uuid4()), user_id=made.id, body=BODY)
        job = await store.add_job(new, NOON - 99 * DAY, max_queued=None)
        await store.change_job(job, advance(job, Verb.CANCEL, NOON - age * DAY))
    return made


async def ended(store: Store) -> dict[UserId, int]:
    return {one.user_id: one.ended for one in await store.ended_histories(UserId(0), limit=99)}


def pruner(store: Store, timer: Timer, *, keep_jobs: int = 0, keep_days: int = 0) -> Pruner:
    return Pruner(store, keep_jobs=keep_jobs, keep_days=keep_days, timer=timer, pause=timer.pause)


async def test_the_servers_limits_are_for_everybody_who_has_none(store: Store) -> None:
    ann = await user(store, "ann", 6)
    bob = await user(store, "bob", 6, keep_jobs=5, keep_days=0)
    cyd = await user(store, "cyd", 6, keep_jobs=0)
    dan = await user(store, "dan", 6, keep_days=1)

    assert await pruner(store, Timer(), keep_jobs=4, keep_days=3).prune(NOON) == 3 + 1 + 3 + 5

    assert await ended(store) == {ann.id: 3, bob.id: 5, cyd.id: 3, dan.id: 1}
    for one in (ann, bob, cyd, dan):
        assert await store.miscounted(one.id) == 0


async def test_without_limits_nothing_is_written(store: Store) -> None:
    ann = await user(store, "ann", 2)
    timer = Timer()

    assert await pruner(store, timer).prune(NOON + 9000 * DAY) == 0

    assert (await ended(store))[ann.id] == 2
    assert timer.pauses == []


async def test_a_long_history_does_not_hold_up_the_short_ones(store: Store) -> None:
    ann = await user(store, "ann", 40)
    bob = await user(store, "bob", 3)
    turns: list[dict[UserId, int]] = []

    async def look(seconds: float) -> None:
        turns.append(await ended(store))

    await Pruner(store, keep_jobs=1, keep_days=0, timer=Timer(), pause=look).prune(NOON)

    assert turns[0][ann.id] > 1
    assert turns[1][bob.id] == 1
    assert turns[1][ann.id] > 1
    assert turns[-1] == {ann.id: 1, bob.id: 1}


async def test_as_long_as_a_change_took_others_are_left_alone(store: Store) -> None:
    await user(store, "ann", 30)
    timer = Timer(seconds=0.5)

    await pruner(store, timer, keep_jobs=1).prune(NOON)

    assert len(timer.pauses) > 2
    assert set(timer.pauses) == {0.5}


async def test_two_servers_that_prune_at_once_leave_what_is_kept(store: Store) -> None:
    ann = await user(store, "ann", 40)

    pruned = await asyncio.gather(*(pruner(store, Timer(), keep_jobs=3).prune(NOON) for _ in range(2)))

    assert sum(pruned) == 37
    assert await store.miscounted(ann.id) == 0
    page = await store.list_jobs(ann.id, JobFilter(), Window())
    assert (page.total, len(page.jobs)) == (3, 3)


def test_a_pace_finds_what_fits_into_its_time() -> None:
    pace = Pace()
    for _ in range(50):
        pace.learn(0.0002 * pace.weight, was_full=True)
        assert pace.weight * 0.0002 < 0.05
    assert 60 < pace.weight < 160

    for _ in range(10):
        pace.learn(0.002 * pace.weight, was_full=True)
    assert pace.weight * 0.002 < 0.05


def test_a_pace_does_not_run_away_while_little_is_to_do_nor_stand_still_when_all_is_slow() -> None:
    pace = Pace()
    for _ in range(100):
        pace.learn(0.0001, was_full=False)
    assert pace.weight == Pace().weight

    pace.learn(60.0, was_full=True)
    assert pace.weight > 0
