"""Outputs on their way: what comes right before the end travels with it, and nothing is lost or told twice."""

import asyncio
from uuid import UUID

import pytest

from fireside.domain.errors import StaleLease
from fireside.runtimes.base import NodeOutput
from fireside.wire.fleet import LeaseBody, OutputBody
from fireside.worker.showing import Showing

LEASE = LeaseBody(job_id=UUID(int=1), attempt=1, fence=1)


class Server:
    """What was delivered."""

    def __init__(self) -> None:
        self.has: list[str] = []
        self.heard = asyncio.Event()
        self.is_stale = False

    async def prepare(self, event: NodeOutput) -> OutputBody:
        return OutputBody(lease=LEASE, node_id=event.node_id, display_node_id=event.node_id, output={})

    async def take(self, body: OutputBody) -> None:
        if self.is_stale:
            self.heard.set()
            raise StaleLease("somebody else has the job")
        self.has.append(body.node_id)
        self.heard.set()


@pytest.fixture
async def server() -> Server:
    return Server()


def shown(node_id: str) -> NodeOutput:
    return NodeOutput(node_id=node_id, display_node_id=node_id, output={})


async def test_what_is_shown_right_before_the_end_goes_with_it(server: Server) -> None:
    showing = Showing(server.prepare, server.take)
    await showing.show(shown("1"))

    assert [body.node_id for body in await showing.rest()] == ["1"]
    assert server.has == []


async def test_what_is_shown_while_the_run_goes_on_is_sent_soon_and_once(server: Server) -> None:
    showing = Showing(server.prepare, server.take)
    await showing.show(shown("1"))

    async with asyncio.timeout(60):
        await server.heard.wait()

    assert await showing.rest() == ()
    assert server.has == ["1"]


async def test_outputs_are_sent_in_their_order(server: Server) -> None:
    showing = Showing(server.prepare, server.take)
    for node_id in ("1", "2", "3"):
        await showing.show(shown(node_id))

    assert [body.node_id for body in await showing.rest()] == ["3"]
    assert server.has == ["1", "2"]


async def test_a_refusal_of_what_was_sent_alone_is_raised_at_the_end(server: Server) -> None:
    server.is_stale = True
    showing = Showing(server.prepare, server.take)
    await showing.show(shown("1"))
    async with asyncio.timeout(60):
        await server.heard.wait()

    with pytest.raises(StaleLease):
        await showing.rest()


async def test_what_was_dropped_is_not_sent(server: Server) -> None:
    showing = Showing(server.prepare, server.take)
    await showing.show(shown("1"))

    await showing.drop()

    assert await showing.rest() == ()
    assert server.has == []
