"""Keys that end by themselves, on a real NATS, and coming again with another before that."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from tests.jobs.workshop import until

from fireside.bus.authority import BusAuthority, inbox_of
from fireside.bus.client import Bus
from fireside.bus.errors import BusDisconnected
from fireside.bus.server import NatsServer
from fireside.bus.subjects import presence, reports, work
from fireside.domain.ids import WorkerId

ONE = WorkerId("gpu-1")
DEADLINE = 60.0
HOUR = timedelta(hours=1)
Connect = Callable[[float], Awaitable[Bus]]


@pytest.fixture
async def connect(nats_server: NatsServer, authority: BusAuthority) -> AsyncIterator[Connect]:
    """Connect the worker with a key that ends in so many seconds; closed with the test."""
    async with AsyncExitStack() as doors:

        async def connect(seconds: float) -> Bus:
            bus = await Bus.connect(
                [nats_server.url],
                authority.worker_credentials(ONE, 1, good_for=timedelta(seconds=seconds)),
                name=ONE,
                inbox_prefix=inbox_of(ONE),
                within_seconds=2,
            )
            doors.push_async_callback(bus.close)
            return bus

        yield connect


def changes_of(bus: Bus) -> list[bool]:
    changes: list[bool] = []
    bus.on_change(changes.append)
    return changes


async def test_a_connection_ends_with_its_key_and_is_made_anew_by_the_next(
    server_bus: Bus, authority: BusAuthority, connect: Connect
) -> None:
    bus = await connect(2)
    changes = changes_of(bus)

    await until(lambda: False in changes)
    with pytest.raises(BusDisconnected):
        await connect(-60)
    assert bus.end_reason is None
    bus.renew(authority.worker_credentials(ONE, 1, good_for=HOUR))

    await until(lambda: bus.is_connected)
    assert server_bus.is_connected


async def test_who_comes_again_in_time_stays_and_goes_on_hearing(
    server_bus: Bus, authority: BusAuthority, connect: Connect
) -> None:
    bus, ending = await connect(2), await connect(2)
    changes, of_the_ending = changes_of(bus), changes_of(ending)

    async def echo(subject: str, payload: bytes) -> bytes:
        return payload

    await bus.subscribe(work(ONE), echo)
    bus.renew(authority.worker_credentials(ONE, 1, good_for=HOUR))
    await bus.come_again()
    assert changes == [False, True]
    await bus.flush()

    await until(lambda: False in of_the_ending)
    assert await server_bus.request(work(ONE), b"still here", timeout=DEADLINE) == b"still here"
    assert changes == [False, True]


async def test_nobody_loses_an_answer_by_coming_again(server_bus: Bus, connect: Connect) -> None:
    bus = await connect(3600)
    changes = changes_of(bus)
    asked, may_answer = asyncio.Event(), asyncio.Event()
    heard: list[bytes] = []

    async def answer_late(subject: str, payload: bytes) -> bytes:
        asked.set()
        await may_answer.wait()
        return b"recorded"

    async def hear(subject: str, payload: bytes) -> None:
        heard.append(payload)

    await server_bus.subscribe(reports(ONE), answer_late)
    await server_bus.subscribe(presence(ONE), hear)
    asking = asyncio.create_task(bus.request(reports(ONE), b"done", timeout=DEADLINE))
    await asked.wait()
    coming = asyncio.create_task(bus.come_again())
    await bus.publish(presence(ONE), b"meanwhile")
    await until(lambda: heard == [b"meanwhile"])
    assert changes == []

    may_answer.set()

    assert await asking == b"recorded"
    await coming
    assert changes == [False, True]
