"""A listener's mailbox: what it keeps for a slow one, and when it gives up."""

import asyncio
from contextlib import suppress
from uuid import UUID

import pytest
from tests.events.histories import (
    JOB,
    OTHER_JOB,
    cached,
    ended,
    node,
    output,
    preview,
    progress,
    queued,
    started,
    state,
)

from fireside.domain.ids import JobId
from fireside.events.heard import Heard
from fireside.events.listener import Closing, Listener, ListenerClosed
from fireside.store.records import QueueCounts
from fireside.wire.live import Fact, Frame, TaskProgress


def of_fact(fact: Fact) -> Heard:
    return Heard(job_id=JobId(fact.job_id), fact=fact)


def of_frame(frame: Frame, job_id: JobId = JOB) -> Heard:
    return Heard(job_id=job_id, frame=frame)


async def drained(listener: Listener) -> list[Heard]:
    """Close the listener and take what waited."""
    listener.close(Closing.LEFT)
    heard: list[Heard] = []
    with suppress(ListenerClosed):
        while True:
            heard.append(await listener.next())
    return heard


async def test_what_is_put_in_comes_out_in_order() -> None:
    listener = Listener()
    told = [of_fact(started()), *(of_frame(progress(number)) for number in range(50)), of_fact(ended())]
    for one in told:
        listener.put(one)

    assert await drained(listener) == told


async def test_one_that_waits_is_woken() -> None:
    listener = Listener()
    waiting = asyncio.create_task(listener.next())
    await asyncio.sleep(0)

    listener.put(of_fact(queued()))

    async with asyncio.timeout(60):
        assert await waiting == of_fact(queued())


async def test_a_slow_one_hears_the_latest_progress_and_every_fact() -> None:
    listener = Listener()
    facts = [of_fact(started()), *(of_fact(output(str(number))) for number in range(100)), of_fact(ended())]
    for fact in facts:
        listener.put(fact)
        for number in range(20):
            for frame in (state(number), progress(number), preview(number), node(number)):
                listener.put(of_frame(frame))
                listener.put(of_frame(frame, OTHER_JOB))
        listener.put(Heard(counts=QueueCounts(queued=1, held=1)))
    listener.put(of_frame(cached()))

    heard = await drained(listener)

    assert [one for one in heard if one.fact] == facts
    assert of_frame(cached()) in heard
    # The first 64 wait whole; beyond them there is one of each of four kinds for two jobs, and the counts.
    assert len(heard) <= len(facts) + 64 + 2 * 4 + 2
    assert {one.frame for one in heard[-8:] if one.job_id == OTHER_JOB} >= {progress(19), preview(19), node(19)}


async def test_one_that_caught_up_hears_everything_again() -> None:
    listener = Listener()
    for number in range(500):
        listener.put(of_frame(progress(number)))
    for _ in range(64):
        await listener.next()

    told = [of_frame(progress(number)) for number in range(500, 560)]
    for one in told:
        listener.put(one)

    assert await drained(listener) == told


async def test_one_that_is_hopelessly_behind_is_closed_and_its_mailbox_let_go() -> None:
    listener = Listener()
    for number in range(10_001):
        listener.put(of_fact(output(str(number))))

    with pytest.raises(ListenerClosed) as closed:
        await listener.next()

    assert closed.value.closing is Closing.BEHIND


async def test_one_that_is_closed_hears_what_waited_and_nothing_more() -> None:
    listener = Listener()
    listener.put(of_fact(started()))
    listener.close(Closing.STOPPING)
    listener.put(of_fact(ended()))
    listener.close(Closing.LEFT)

    assert await listener.next() == of_fact(started())
    with pytest.raises(ListenerClosed) as closed:
        await listener.next()
    assert closed.value.closing is Closing.STOPPING


async def test_closing_wakes_one_that_waits() -> None:
    listener = Listener()
    waiting = asyncio.create_task(listener.next())
    await asyncio.sleep(0)

    listener.close(Closing.STOPPING)

    async with asyncio.timeout(60):
        with pytest.raises(ListenerClosed):
            await waiting


async def test_a_slow_one_hears_the_latest_of_each_task() -> None:
    listener = Listener()

    def told(number: int, done: int) -> Heard:
        progress = TaskProgress(
            task_id=UUID(int=number), status="running", asset_name="a", bytes_total=500, bytes_done=done
        )
        return Heard(task=progress)

    for done in range(500):
        listener.put(told(1, done))
        listener.put(told(2, done))

    heard = await drained(listener)
    assert len(heard) < 100
    assert heard[-2:] == [told(1, 499), told(2, 499)]
