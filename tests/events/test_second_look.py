"""What is told at another server of a cluster before that has heard who listens, with the way between the two held."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from tests.databases import Databases
from tests.events.stage import DEADLINE_SECONDS, Player, Stage, heard_until
from tests.faults.bus_cluster import BusCluster
from tests.faults.cluster import SECRET_KEY, bus_authority
from tests.jobs.workshop import until

from fireside.app import assemble
from fireside.bus.client import Bus
from fireside.bus.subjects import presence
from fireside.bus.tls import tls_of
from fireside.config import Config
from fireside.domain.ids import WorkerId
from fireside.domain.jobs import Job
from fireside.events import channel
from fireside.events.announcer import Announcer
from fireside.events.listener import Listener
from fireside.jobs.desk import Desk
from fireside.jobs.report import end_job
from fireside.wire.fleet import EndReport, LeaseBody
from fireside.wire.live import JobEnded

pytestmark = pytest.mark.once
WORKER = WorkerId("worker-1")


class Gate:
    """The way from the first server of the cluster to the second; what goes there can be held."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._carrying: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Listen; gives the port."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    def hold(self) -> None:
        self._is_open.clear()

    def open(self) -> None:
        self._is_open.set()

    async def close(self) -> None:
        self._server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", self._port)
        for one, other in (((reader, there[1])), ((there[0], writer))):
            task = asyncio.create_task(self._pump(one, other, holds=one is reader))
            self._carrying.add(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, holds: bool) -> None:
        try:
            while data := await reader.read(65536):
                if holds:
                    await self._is_open.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.transport.abort()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[BusCluster]:
    cluster = BusCluster(tmp_path / "bus", bus_authority(tmp_path), size=2)
    yield cluster
    cluster.close()


@pytest.fixture
async def gate(cluster: BusCluster) -> AsyncIterator[Gate]:
    """Start the servers so that only the first one calls the second, through the gate."""
    first, second = cluster.nodes
    gate = Gate(second.route.number)
    for node, routes in ((first, f'"tls://127.0.0.1:{await gate.start()}"'), (second, "")):
        config = node.folder / "nats.conf"
        config.write_text(re.sub(r"routes: \[.*\]", f"routes: [{routes}]", config.read_text()))
    await asyncio.to_thread(cluster.start)
    yield gate
    await gate.close()


@pytest.fixture
async def stage(databases: Databases, tmp_path: Path, cluster: BusCluster, gate: Gate) -> AsyncIterator[Stage]:
    """A server at the first server of the cluster."""
    where = {"nats_url": cluster.nodes[0].url, "nats_ca": str(cluster.ca), "secret_key": SECRET_KEY}
    config = databases.config(tmp_path / "data", **where)
    async with assemble(config, public_url="http://fireside.test") as assembly, AsyncExitStack() as doors:
        yield Stage(assembly=assembly, doors=doors)


@pytest.fixture
async def elsewhere(stage: Stage, cluster: BusCluster) -> AsyncIterator[Desk]:
    """What another server reports with, at the second server of the cluster."""
    url = cluster.nodes[1].url
    tls = tls_of(Config(nats_url=url, nats_ca=str(cluster.ca)))
    credentials = stage.assembly.authority.server_credentials()
    bus = await Bus.connect([url], credentials, name="server", inbox_prefix="_INBOX_other", tls=tls)
    await _meet(bus, stage.services.bus)
    yield replace(stage.services.desk, bus=bus, announcer=Announcer(bus))
    await bus.close()


async def test_an_end_that_was_told_before_the_subscription_was_known_there_is_heard(
    stage: Stage, elsewhere: Desk, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The look that comes now and then is not what finds it.
    monkeypatch.setattr(channel, "_LOOK_SECONDS", 3600.0)
    job, listener = await _ended_while_nobody_there_knew(stage, elsewhere, gate)

    heard = await heard_until(listener, lambda one: isinstance(one.fact, JobEnded))

    assert [one.job_id for one in heard if isinstance(one.fact, JobEnded)] == [job.id]


async def _ended_while_nobody_there_knew(stage: Stage, elsewhere: Desk, gate: Gate) -> tuple[Job, Listener]:
    """Listen, and have a job end there before that server hears of it; again where the second look was sooner."""
    worker = Player(worker_id=WORKER, bus=stage.services.bus, services=stage.services)
    for number in itertools.count():
        ann = await stage.user(f"ann{number}")
        job = await stage.submit(ann)
        lease = await worker.start(job)
        gate.hold()
        listener = await stage.hear(ann)
        look = next(task for task in asyncio.all_tasks() if task.get_name() == f"second look at user {ann.id}")
        await end_job(elsewhere, WORKER, EndReport(lease=LeaseBody.of(lease), outcome="succeeded", run_seconds=0.1))
        await elsewhere.bus.flush()
        is_before = not look.done()
        gate.open()
        if is_before:
            return job, listener
    raise AssertionError


async def _meet(speaker: Bus, hearer: Bus) -> None:
    """Wait until what is said at one server is heard at the other, and is known to be a cluster."""
    heard = asyncio.Event()

    async def hear(_subject: str, _payload: bytes) -> None:
        heard.set()

    subscription = await hearer.subscribe(presence(WORKER), hear)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not heard.is_set():
            await speaker.publish(presence(WORKER), b"")
            await speaker.flush()
            await asyncio.sleep(0)
    await until(lambda: hearer.is_cluster)
    await subscription.unsubscribe()
