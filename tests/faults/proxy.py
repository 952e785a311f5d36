"""A proxy as operators have one before several servers: each connection goes to the next one that says it is ready.

It knows nothing of HTTP but the probe, and carries bytes. It lives in a thread of its own.
"""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Sequence

_HOST = "127.0.0.1"
"""Where the servers are."""
_PROBE_SECONDS = 0.25
_ANSWER_SECONDS = 2.0
_CHUNK_BYTES = 64 * 1024
_PROBE = b"GET /readyz HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n"
_READY = b"HTTP/1.1 200"


class RoundRobin:
    """The proxy; `url` is where it listens, at an address of this machine, from the moment it is made."""

    def __init__(self, address: str = _HOST) -> None:
        self.carried: Counter[int] = Counter()
        """How many connections each port got."""
        self.sent_bytes = 0
        """How much callers sent."""
        self._ports: list[int] = []
        self._ready: set[int] = set()
        self._turn = 0
        self._loop = asyncio.new_event_loop()
        self._carrying: set[asyncio.Task[None]] = set()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._carry, address, 0, backlog=1024))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://{address}:{self.port}"
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()

    def add(self, port: int) -> None:
        """Have one more server behind it."""
        self._loop.call_soon_threadsafe(self._add, port)

    def close(self) -> None:
        """Hang up everything."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _add(self, port: int) -> None:
        self._ports.append(port)
        self._keep(asyncio.ensure_future(self._probe(port)))

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _end(self) -> None:
        self._server.close()
        for task in list(self._carrying):
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _probe(self, port: int) -> None:
        while True:
            is_ready = False
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_ANSWER_SECONDS):
                    is_ready = await _says_ready(port)
            (self._ready.add if is_ready else self._ready.discard)(port)
            await asyncio.sleep(_PROBE_SECONDS)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._keep(task)
        try:
            for port in self._next_ports():
                try:
                    there = await asyncio.open_connection(_HOST, port)
                except OSError:
                    continue
                self.carried[port] += 1
                await join((reader, writer), there, self._count)
                return
        except asyncio.CancelledError:
            pass
        finally:
            writer.transport.abort()

    def _count(self, sent_bytes: int) -> None:
        self.sent_bytes += sent_bytes

    def _next_ports(self) -> Sequence[int]:
        """Give the next port, and those to try when it takes nobody; all of them when none is ready."""
        ports = [port for port in self._ports if port in self._ready] or self._ports
        self._turn += 1
        first = self._turn % len(ports) if ports else 0
        return [*ports[first:], *ports[:first]]


async def _says_ready(port: int) -> bool:
    reader, writer = await asyncio.open_connection(_HOST, port)
    try:
        writer.write(_PROBE)
        return (await reader.read(len(_READY))) == _READY
    finally:
        writer.transport.abort()


_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def join(one: _Ends, other: _Ends, count: Callable[[int], None] = lambda _: None) -> None:
    """Carry both ways, and count what the first sends; what one side ends is ended on the other afterwards."""
    try:
        await asyncio.gather(_pump(one[0], other[1], count), _pump(other[0], one[1], lambda _: None))
    except OSError:
        pass
    finally:
        other[1].transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Callable[[int], None]) -> None:
    while data := await reader.read(_CHUNK_BYTES):
        count(len(data))
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
