"""Keys that are worth nothing any more, on a real NATS."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from tests.jobs.workshop import until

from fireside.bus.authority import BusAuthority, inbox_of
from fireside.bus.client import Bus
from fireside.bus.errors import BusDisconnected
from fireside.bus.server import NatsServer
from fireside.bus.subjects import presence, work
from fireside.domain.ids import WorkerId

ONE, OTHER = WorkerId("gpu-1"), WorkerId("gpu-2")
DEADLINE = 60.0
Connect = Callable[..., Awaitable[Bus]]


@pytest.fixture
async def connect(nats_server: NatsServer, authority: BusAuthority) -> AsyncIterator[Connect]:
    """Connect workers with the keys of these numbers; they are closed with the test."""
    async with AsyncExitStack() as doors:

        async def connect(worker_id: WorkerId, number: int, *, within_seconds: float = DEADLINE) -> Bus:
            bus = await Bus.connect(
                [nats_server.url],
                authority.worker_credentials(worker_id, number),
                name=worker_id,
                inbox_prefix=inbox_of(worker_id),
                within_seconds=within_seconds,
            )
            doors.push_async_callback(bus.close)
            return bus

        yield connect


async def lost(bus: Bus) -> None:
    gone = asyncio.Event()
    bus.on_change(lambda connected: None if connected else gone.set())
    async with asyncio.timeout(DEADLINE):
        if bus.is_connected:
            await gone.wait()


@pytest.mark.parametrize("seconds_later", [0, 3600])
async def test_a_revoked_key_is_thrown_out_at_once_and_others_stay(
    nats_server: NatsServer,
    authority: BusAuthority,
    server_bus: Bus,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    seconds_later: int,
) -> None:
    sent_away, stays = await connect(ONE, 1), await connect(OTHER, 2)
    changes: list[bool] = []
    for bus in (server_bus, stays):
        bus.on_change(changes.append)

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + seconds_later)
    nats_server.revoke(authority.worker_key(ONE, 1))
    monkeypatch.undo()

    await lost(sent_away)
    await until(lambda: sent_away.end_reason is not None)
    assert "revoked" in (sent_away.end_reason or "")
    with pytest.raises(BusDisconnected):
        await connect(ONE, 1, within_seconds=2)
    await stays.flush()
    await server_bus.flush()
    assert changes == []
    assert stays.end_reason is None


async def test_whoever_has_the_name_next_is_not_meant(
    nats_server: NatsServer, authority: BusAuthority, server_bus: Bus, connect: Connect
) -> None:
    nats_server.revoke(authority.worker_key(ONE, 1))
    heard: list[bytes] = []

    async def hear(subject: str, payload: bytes) -> None:
        heard.append(payload)

    successor = await connect(ONE, 2)
    await successor.subscribe(work(ONE), hear)
    await server_bus.publish(work(ONE), b"hello")
    await server_bus.flush()
    await successor.flush()

    assert heard == [b"hello"]


async def test_a_revoked_key_stays_so_after_a_crash_of_the_bus(
    nats_server: NatsServer, authority: BusAuthority, server_bus: Bus, connect: Connect
) -> None:
    nats_server.revoke(authority.worker_key(ONE, 1))
    back = asyncio.Event()
    server_bus.on_change(lambda connected: back.set() if connected else None)

    assert nats_server.pid is not None
    os.kill(nats_server.pid, signal.SIGKILL)
    async with asyncio.timeout(DEADLINE):
        await back.wait()

    with pytest.raises(BusDisconnected):
        await connect(ONE, 1, within_seconds=2)


async def test_credentials_are_renewed_when_the_connection_is_made_anew(
    nats_server: NatsServer, authority: BusAuthority, server_bus: Bus, connect: Connect
) -> None:
    bus = await connect(ONE, 1)
    back = asyncio.Event()
    bus.on_change(lambda connected: back.set() if connected else None)
    bus.renew(authority.worker_credentials(ONE, 2))
    assert nats_server.pid is not None

    os.kill(nats_server.pid, signal.SIGKILL)
    async with asyncio.timeout(DEADLINE):
        await back.wait()

    nats_server.revoke(authority.worker_key(ONE, 1))
    await bus.flush()
    await bus.publish(presence(ONE), b"still here")
    await bus.flush()
