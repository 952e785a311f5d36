from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fireside.bus.authority import BusAuthority, inbox_of
from fireside.bus.client import Bus
from fireside.bus.server import NatsServer
from fireside.domain.ids import WorkerId
from fireside.processes.leftovers import Leftovers

WORKER = WorkerId("worker-1")


@pytest.fixture
def authority() -> BusAuthority:
    return BusAuthority.from_secret(bytes(range(32)))


@pytest.fixture
async def nats_server(tmp_path: Path, authority: BusAuthority) -> AsyncIterator[NatsServer]:
    server = NatsServer(tmp_path / "nats", authority, Leftovers(tmp_path / "children.json"))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def server_bus(nats_server: NatsServer, authority: BusAuthority) -> AsyncIterator[Bus]:
    bus = await Bus.connect(
        [nats_server.url], authority.server_credentials(), name="server", inbox_prefix="_INBOX_server"
    )
    yield bus
    await bus.close()


@pytest.fixture
async def worker_bus(nats_server: NatsServer, authority: BusAuthority) -> AsyncIterator[Bus]:
    credentials = authority.worker_credentials(WORKER)
    bus = await Bus.connect([nats_server.url], credentials, name=WORKER, inbox_prefix=inbox_of(WORKER))
    yield bus
    await bus.close()
