"""The way to the bus by websocket, where what the bus says may be cut anywhere."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection, serve

from fireside.bus.authority import BusAuthority
from fireside.bus.client import Bus

_INFO = (
    b'INFO {"server_id":"a","version":"2.11.0","proto":1,"max_payload":1048576,"connect_urls":["10.0.0.1:4222"]}\r\n'
)


@pytest.mark.filterwarnings("ignore:parameter 'timeout':DeprecationWarning")
async def test_a_bus_that_tells_of_its_other_servers_right_behind_its_first_answer_is_understood() -> None:
    authority = BusAuthority.from_secret(bytes(range(32)))
    connections: list[ServerConnection] = []

    async def bus_like(connection: ServerConnection) -> None:
        connections.append(connection)
        await connection.send(_INFO)
        first = True
        async for frame in connection:
            assert isinstance(frame, bytes)
            for _ in range(frame.count(b"PING\r\n")):
                await connection.send(b"PONG\r\n" + (_INFO[:20] if first else b""))
                if first:
                    await connection.send(_INFO[20:])
                first = False

    async with serve(bus_like, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        bus = await Bus.connect([url], authority.server_credentials(), name="worker", inbox_prefix="_INBOX_worker")
        try:
            async with asyncio.timeout(60):
                await bus.flush()
            # And nobody has tried to go to the server that it has told of.
            assert not bus.is_cluster
            assert len(connections) == 1
        finally:
            await bus.close()
