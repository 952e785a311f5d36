"""A bare broadcaster, the plain way beside our websocket: what comes in at `/send` goes to all other connections.

A process of its own, so that its processor time can be told apart. It does with the `websockets` library what our
server does besides all else: one frame in, the same frame out to everybody. It knows neither users nor keys.
"""

import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager

import uvloop
from bench.servers import Server
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, broadcast, serve

_SEND_PATH = "/send"
_FIRST = '{"type":"status","data":{}}'


@contextmanager
def running_broadcaster() -> Generator[Server]:
    """Start one, and end it at the end."""
    process = subprocess.Popen([sys.executable, "-m", "bench.broadcast"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Server(url=f"http://127.0.0.1:{int(process.stdout.readline())}", pid=process.pid, key="none")
    finally:
        process.terminate()
        process.communicate()


@asynccontextmanager
async def sending(broadcaster: Server) -> AsyncGenerator[ClientConnection]:
    """Open the connection whose frames it spreads."""
    url = broadcaster.url.replace("http:", "ws:") + _SEND_PATH
    async with connect(url, compression=None) as connection:
        yield connection


async def _broadcast_all() -> None:
    listening: set[ServerConnection] = set()

    async def attend(connection: ServerConnection) -> None:
        if connection.request is not None and connection.request.path == _SEND_PATH:
            async for frame in connection:
                broadcast(listening, frame)
            return
        await connection.send(_FIRST)
        listening.add(connection)
        await connection.wait_closed()
        listening.discard(connection)

    async with serve(attend, "127.0.0.1", 0, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


def main(_: Sequence[str] | None = None) -> None:
    """Say the port, and broadcast until somebody ends it."""
    uvloop.run(_broadcast_all())


if __name__ == "__main__":
    main()
