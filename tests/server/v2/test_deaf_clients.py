"""A client that stops reading its event stream, over a real socket: its connection ends, and the others hear on."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import uvicorn
from tests.jobs.workshop import until
from tests.server.v1.house import House
from tests.server.v2.house import Caller
from tests.server.v2.streams import opened
from tests.server.v2.test_events import Worker, app_with, steps

from fireside.runtimes.base import NodeStarted, Preview
from fireside.server.connections import Connection

# More than the kernel keeps for anybody.
PREVIEWS = 30
PREVIEW = Preview(node_id="1", display_node_id="1", mime="image/jpeg", data=b"\xff\xd8\xff" + b"x" * 700_000)


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"stream_updates_per_second": 1000.0}


@contextlib.asynccontextmanager
async def serving(app: Any) -> AsyncGenerator[uvicorn.Server]:
    config = uvicorn.Config(app, http=Connection, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    await until(lambda: server.started)
    try:
        yield server
    finally:
        server.should_exit = server.force_exit = True
        await task


@contextlib.asynccontextmanager
async def deaf(server: uvicorn.Server, caller: Caller, job_id: str) -> AsyncGenerator[None]:
    """Open a stream, and read no more of it than its first bytes."""
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(0)
        await loop.sock_connect(client, server.servers[0].sockets[0].getsockname())
        request = f"GET /api/v2/jobs/{job_id}/events HTTP/1.1\r\nHost: fireside.test\r\n"
        request += f"Authorization: {caller.http.headers['Authorization']}\r\n\r\n"
        await loop.sock_sendall(client, request.encode())
        assert await loop.sock_recv(client, 12) == b"HTTP/1.1 200"
        yield


async def test_the_connection_of_a_client_that_stops_reading_ends_and_nobody_waits_for_it(
    house: House, ann: Caller
) -> None:
    job_id = (await ann.submit())["id"]
    worker = Worker(house, await house.start(job_id))
    async with (
        serving(app_with(house, send_seconds=0.3)) as server,
        opened(ann, job_id) as other,
        deaf(server, ann, job_id),
    ):
        assert len(server.server_state.connections) == 1
        await worker.tell(NodeStarted(node_id="1", display_node_id="1"))
        for number in range(1, PREVIEWS):
            await worker.tell(PREVIEW, steps(number, of=100))
            await other.until_raw(b'"step":%d,' % number)

        await until(lambda: not server.server_state.connections)
