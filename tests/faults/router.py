"""A router that translates addresses: connections from behind it go out under its own address, and none come in.

It runs on the host `router` of a network of hosts, for some ports. Who is behind it calls the very address that all
others call. It knows of connections alone: while its cable is pulled out it still answers who is behind it.
"""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.faults.network import ROUTER, Network
from tests.faults.proxy import join

_READY = b"ready\n"
_carrying: set[asyncio.Task[None]] = set()
"""Kept here, because nobody else keeps them."""


@contextmanager
def router_for(network: Network, ports: Sequence[int]) -> Generator[None]:
    """Carry connections to these ports, whatever host they are for, from behind the router."""
    command = [*network.on(ROUTER), sys.executable, "-m", "tests.faults.router", *map(str, ports)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == _READY
            yield
        finally:
            process.kill()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    task = asyncio.current_task()
    assert task is not None
    _carrying.add(task)
    task.add_done_callback(_carrying.discard)
    try:
        # Where the caller meant to come.
        host, port = writer.get_extra_info("sockname")
        await join((reader, writer), await asyncio.open_connection(host, port))
    except OSError:
        pass
    finally:
        writer.transport.abort()


def _listening(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # To answer under an address that is somebody else's.
    listening.setsockopt(socket.SOL_IP, socket.IP_TRANSPARENT, 1)
    listening.bind(("0.0.0.0", port))
    return listening


async def _run(ports: Sequence[int]) -> None:
    servers = [await asyncio.start_server(_carry, sock=_listening(port)) for port in ports]
    sys.stdout.buffer.write(_READY)
    sys.stdout.buffer.flush()
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(_run([int(word) for word in sys.argv[1:]]))
