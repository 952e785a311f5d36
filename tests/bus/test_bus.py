import asyncio
import contextlib
import os
import signal
import stat
from pathlib import Path
from uuid import UUID

import pytest
from nats.aio.client import Client
from structlog.testing import capture_logs

from fireside.bus.authority import BusAuthority, BusCredentials, inbox_of
from fireside.bus.client import Bus
from fireside.bus.errors import BusDisconnected, BusError, BusTimeout, NobodyListens
from fireside.bus.server import NatsServer
from fireside.bus.subjects import job_of_live, live, presence, reports, work, worker_of
from fireside.domain.ids import JobId, UserId, WorkerId

WORKER = WorkerId("worker-1")
OTHER = WorkerId("worker-2")


async def echo(subject: str, payload: bytes) -> bytes:
    return subject.encode() + b" " + payload


async def test_a_request_is_answered(server_bus: Bus, worker_bus: Bus) -> None:
    await worker_bus.subscribe(work(WORKER), echo)
    assert await server_bus.request(work(WORKER), b"hello", timeout=60) == b"work.worker-1 hello"


async def test_a_worker_may_report_and_hear_the_answer(server_bus: Bus, worker_bus: Bus) -> None:
    await server_bus.subscribe("reports.*", echo, queue="reports", concurrent=True)
    assert await worker_bus.request(reports(WORKER), b"done", timeout=60) == b"reports.worker-1 done"


async def test_that_nobody_listens_is_known_at_once(server_bus: Bus) -> None:
    with pytest.raises(NobodyListens):
        await server_bus.request(work(OTHER), b"", timeout=60)


async def test_a_listener_that_does_not_answer_times_out(server_bus: Bus) -> None:
    async def silent(subject: str, payload: bytes) -> None:
        return None

    await server_bus.subscribe("work.x", silent)
    with pytest.raises(BusTimeout):
        await server_bus.request("work.x", b"", timeout=0.1)


async def test_messages_of_one_subscription_are_handled_in_order(server_bus: Bus, worker_bus: Bus) -> None:
    heard: list[bytes] = []
    done = asyncio.Event()

    async def slow(subject: str, payload: bytes) -> None:
        await asyncio.sleep(0)
        heard.append(payload)
        if len(heard) == 100:
            done.set()

    await server_bus.subscribe("live.1.>", slow)
    job_id = JobId(UUID(int=1))
    for number in range(100):
        await worker_bus.publish(live(UserId(1), job_id, WORKER), str(number).encode())
    async with asyncio.timeout(60):
        await done.wait()
    assert heard == [str(number).encode() for number in range(100)]


@pytest.mark.parametrize(
    "subject", [presence(OTHER), reports(OTHER), work(OTHER), "live.1.2.worker-2", "dispatch.wake"]
)
async def test_a_worker_cannot_speak_for_anybody_else(server_bus: Bus, worker_bus: Bus, subject: str) -> None:
    heard: list[str] = []
    honest = asyncio.Event()

    async def hear(subject: str, payload: bytes) -> None:
        heard.append(subject)
        if subject == presence(WORKER):
            honest.set()

    await server_bus.subscribe(">", hear)
    await worker_bus.publish(subject, b"forged")
    await worker_bus.publish(presence(WORKER), b"honest")
    async with asyncio.timeout(60):
        await honest.wait()
    assert [subject for subject in heard if not subject.startswith("_INBOX")] == [presence(WORKER)]


@pytest.mark.parametrize("subject", ["live.>", work(OTHER), "reports.*", ">", inbox_of("server") + ".>"])
async def test_a_worker_cannot_hear_what_is_not_for_it(server_bus: Bus, worker_bus: Bus, subject: str) -> None:
    heard: list[str] = []

    async def hear(subject: str, payload: bytes) -> None:
        heard.append(subject)

    await worker_bus.subscribe(subject, hear)
    for said in ("live.1.2.worker-2", work(OTHER), reports(OTHER), inbox_of("server") + ".a"):
        await server_bus.publish(said, b"secret")
    await server_bus.flush()
    await worker_bus.flush()
    assert heard == []


async def test_a_wrong_seed_is_refused(nats_server: NatsServer, authority: BusAuthority) -> None:
    good, other = authority.worker_credentials(WORKER), authority.worker_credentials(OTHER)
    forged = BusCredentials(jwt=good.jwt, seed=other.seed)
    with pytest.raises(BusDisconnected):
        await Bus.connect([nats_server.url], forged, name="x", inbox_prefix="_INBOX_x", within_seconds=1)


async def test_credentials_of_another_authority_are_refused(nats_server: NatsServer) -> None:
    stranger = BusAuthority.from_secret(bytes(32)).server_credentials()
    with pytest.raises(BusDisconnected):
        await Bus.connect([nats_server.url], stranger, name="x", inbox_prefix="_INBOX_x", within_seconds=1)


def test_replicas_with_one_secret_agree_on_the_keys() -> None:
    first, second = (BusAuthority.from_secret(bytes(32)).worker_credentials(WORKER) for _ in range(2))
    assert first.seed == second.seed


async def test_after_a_crash_the_bus_is_back_on_its_port_with_its_subscriptions(
    nats_server: NatsServer, server_bus: Bus, worker_bus: Bus
) -> None:
    back = [asyncio.Event(), asyncio.Event()]
    server_bus.on_change(lambda connected: back[0].set() if connected else None)
    worker_bus.on_change(lambda connected: back[1].set() if connected else None)
    await worker_bus.subscribe(work(WORKER), echo)
    assert nats_server.pid is not None
    os.kill(nats_server.pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        await asyncio.gather(*(event.wait() for event in back))
        while True:
            try:
                answer = await server_bus.request(work(WORKER), b"again", timeout=1)
                break
            except BusError:
                continue
    assert answer == b"work.worker-1 again"


async def test_while_the_bus_is_away_a_request_says_so_and_lossy_messages_are_dropped(
    nats_server: NatsServer, server_bus: Bus
) -> None:
    gone = asyncio.Event()
    server_bus.on_change(lambda connected: None if connected else gone.set())
    await nats_server.stop()
    async with asyncio.timeout(60):
        await gone.wait()
    with pytest.raises(BusDisconnected):
        await server_bus.request(work(WORKER), b"", timeout=1)
    await server_bus.publish_lossy(presence(WORKER), b"")


async def test_a_lossy_message_that_the_bus_will_never_carry_is_dropped_with_a_word(server_bus: Bus) -> None:
    with capture_logs() as logs:
        await server_bus.publish_lossy(presence(WORKER), bytes(2 * 1024 * 1024))

    assert [(line["log_level"], line["size_bytes"]) for line in logs] == [("warning", 2 * 1024 * 1024)]
    assert server_bus.is_connected


async def test_the_configuration_is_for_our_eyes_only(nats_server: NatsServer, tmp_path: Path) -> None:
    mode = (tmp_path / "nats" / "nats.conf").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_subjects_name_their_worker_and_job() -> None:
    job_id = JobId(UUID(int=7))
    subject = live(UserId(3), job_id, WORKER)
    assert (worker_of(subject), job_of_live(subject)) == (WORKER, job_id)


@pytest.mark.parametrize("name", ["", "a.b", "a b", "*", ">", "a" * 65, "ä"])
def test_a_name_that_could_reach_other_subjects_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="token"):
        work(WorkerId(name))


@pytest.fixture
def deaf_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tries to connect fail, and miss that they are canceled, as `wait_for` lets them before Python 3.12."""

    async def fail_for_ever(client: Client) -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)
            await client._error_cb(ConnectionRefusedError())

    monkeypatch.setattr(Client, "_select_next_server", fail_for_ever)


@pytest.mark.usefixtures("deaf_tries")
async def test_whoever_cannot_connect_in_time_is_told_so_though_the_library_tries_on(authority: BusAuthority) -> None:
    async with asyncio.timeout(60):
        with pytest.raises(BusDisconnected):
            await Bus.connect(
                ["nats://127.0.0.1:1"], authority.server_credentials(), name="x", inbox_prefix="_X", within_seconds=0.05
            )


async def test_nobody_tries_to_reconnect_for_a_bus_that_was_closed(
    nats_server: NatsServer, server_bus: Bus, request: pytest.FixtureRequest
) -> None:
    gone = asyncio.Event()
    server_bus.on_change(lambda connected: None if connected else gone.set())
    before = asyncio.all_tasks()
    request.getfixturevalue("deaf_tries")
    await nats_server.stop()
    async with asyncio.timeout(60):
        await gone.wait()
        trying = asyncio.all_tasks() - before
        assert trying

        await server_bus.close()

        await asyncio.wait(trying)
