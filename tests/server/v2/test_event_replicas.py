"""Event streams of another server: one with a connection to the bus and a hub of its own, over the same store."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from starlette.types import ASGIApp
from tests.server.v1.house import House
from tests.server.v2.house import Caller
from tests.server.v2.streams import opened
from tests.server.v2.test_events import Worker, steps
from tests.server.v2.test_jobs import show

from fireside.app import Assembly
from fireside.bus.client import Bus
from fireside.events.announcer import Announcer
from fireside.events.hub import Hub
from fireside.server.edge import build_edge


@pytest.fixture
def house(house: House) -> House:
    """One whose server does not take itself for the only one."""
    services = house.services
    return replace(house, services=replace(services, desk=replace(services.desk, announcer=Announcer(services.bus))))


@pytest.fixture
async def replica(assembly: Assembly) -> AsyncIterator[ASGIApp]:
    """What another server process serves."""
    services, credentials = assembly.services, assembly.authority.server_credentials()
    bus = await Bus.connect([assembly.bus_url], credentials, name="replica", inbox_prefix="_INBOX_server")
    hub = Hub(bus, services.store)
    try:
        yield build_edge(replace(services, bus=bus, hub=hub, desk=replace(services.desk, bus=bus)))
    finally:
        await hub.close()
        await bus.close()


@pytest.mark.statement(154)
async def test_a_stream_goes_on_at_another_server_where_it_stands(house: House, ann: Caller, replica: ASGIApp) -> None:
    job_id = (await ann.submit())["id"]
    async with opened(ann, job_id) as stream:
        worker = Worker(house, await house.start(job_id))
        await stream.until("running")
        await worker.tell(steps(5))
        await stream.until("progress")
        await show(house, job_id)
        await stream.until("output")

    async with opened(replace(ann, app=replica), job_id) as resumed:
        await resumed.until("output")
        assert resumed.words()[0] == "running"
        await worker.tell(steps(15))
        await resumed.until("progress")
        await house.end(job_id, "succeeded")
        events = await resumed.to_the_end()

    assert resumed.words()[-1] == "succeeded"
    assert [name for name, _ in events].count("output") == 1
