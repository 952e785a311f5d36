"""When a full queue will have room: as jobs end, so is told."""

from datetime import timedelta

import pytest
from tests.jobs.workshop import NOON, PlayedWorker, Workshop

from fireside.domain.accounts import User
from fireside.jobs.draining import pause_of, seconds_until_room
from fireside.store.records import Drain

SECOND = timedelta(seconds=1)


async def run_for(shop: Workshop, user: User, worker: PlayedWorker, seconds: float) -> None:
    lease = await shop.started(await shop.submit(user), worker)
    shop.clock.go(seconds)
    await shop.end(lease, worker, run_seconds=seconds)


@pytest.mark.parametrize(("seconds", "jobs", "told"), [(0.2, 9, 1), (2, 5, 2), (7, 4, 7), (7, 40, 7), (45, 3, 30)])
async def test_a_full_queue_tells_the_time_that_a_job_takes_to_end(
    shop: Workshop, ann: User, worker: PlayedWorker, seconds: float, jobs: int, told: int
) -> None:
    for _ in range(jobs):
        await run_for(shop, ann, worker, seconds)

    assert await seconds_until_room(shop.desk, ann.id) == told
    assert await seconds_until_room(shop.desk, None) == told


async def test_each_user_is_told_of_their_own_jobs(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    bob = await shop.user("bob")
    await run_for(shop, ann, worker, 2)
    await run_for(shop, bob, worker, 8)

    assert await seconds_until_room(shop.desk, bob.id) == 8
    assert await seconds_until_room(shop.desk, None) == 5


async def test_while_nothing_has_ended_the_time_told_grows_with_what_stands(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    async def tell(times: int) -> list[int]:
        told: list[int] = []
        for _ in range(times):
            told.append(await seconds_until_room(shop.desk, ann.id))
            shop.clock.go(told[-1])
        return told

    assert await tell(1) == [30]
    job = await shop.submit(ann)
    assert await tell(4) == [1, 1, 2, 4]
    await shop.started(job, worker)
    assert await tell(7) == [1, 1, 2, 4, 8, 16, 30]


def test_idle_times_before_the_first_start_are_no_part_of_the_rate() -> None:
    drain = Drain(ended=4, begun_at=NOON, stands_since=None)

    assert pause_of(drain, NOON + 12 * SECOND) == 3 * SECOND
