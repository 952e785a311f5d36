"""What it costs to tell one job's events to many sockets, and how far the last socket is behind the first.

    python -m bench.fan_out [--sockets N ...] [--rounds N] [--folder DIR]

Beside it, in turns, stands a bare server: the same web stack with nothing behind it, which sends the very frames that
one socket was told, at the same pace. Processor time is the server process's own; the bus and the worker have theirs.
"""

import asyncio
import multiprocessing
import socket
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import uvicorn
import uvloop
from bench.calling import Caller, Watcher, calling, watching
from bench.measuring import ms, parser_of, print_table, ratio, work_folder
from bench.servers import Server, running_server
from bench.workflows import sleep, submit_body
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

SHORT = ("--rounds=1",)
_SECONDS, _STEPS = 2.0, 200
_GREETING = '{"type":"status","data":{}}'
_END = '"execution_success"'
_READY_SECONDS = 60.0
_END_SECONDS = 60.0

Frames = list[tuple[float, str | bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What telling so many sockets took; `behind_seconds` is from the first socket's last frame to the last one's."""

    frames: int
    cpu_seconds: float
    behind_seconds: float

    @property
    def cpu_of_frame(self) -> float:
        """Processor time of one frame to one socket, in seconds."""
        return self.cpu_seconds / self.frames


def bare_app(frames: Frames) -> Starlette:
    """Build the smallest app that sends these frames to everybody at their pace."""
    sockets: set[WebSocket] = set()

    async def watch(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(_GREETING)
        sockets.add(websocket)
        try:
            while True:
                await websocket.receive()
        except (RuntimeError, WebSocketDisconnect):
            sockets.discard(websocket)

    async def send(_: Request) -> Response:
        begun = asyncio.get_running_loop().time()
        for after, frame in frames:
            await asyncio.sleep(begun + after - asyncio.get_running_loop().time())
            for one in sockets:
                await (one.send_text(frame) if isinstance(frame, str) else one.send_bytes(frame))
        return PlainTextResponse("sent")

    return Starlette(routes=[WebSocketRoute("/ws", watch), Route("/send", send)])


def serve_barely(frames: Frames, listening: socket.socket, ready: Connection) -> None:
    """Serve the bare app until this process is ended."""
    config = uvicorn.Config(
        bare_app(frames), ws="websockets-sansio", ws_per_message_deflate=False, log_level="error", lifespan="off"
    )
    ready.send("ready")
    uvloop.run(uvicorn.Server(config).serve(sockets=[listening]))


@contextmanager
def bare_server(frames: Frames) -> Generator[Server]:
    """Run the bare server as a process of its own."""
    context = multiprocessing.get_context("spawn")
    heard, ready = context.Pipe(duplex=False)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        child = context.Process(target=serve_barely, args=(frames, listening, ready))
        child.start()
        try:
            if not heard.poll(_READY_SECONDS) or child.pid is None:
                sys.exit("the bare server did not start")
            yield Server(url=f"http://127.0.0.1:{listening.getsockname()[1]}", pid=child.pid, key="")
        finally:
            child.terminate()
            child.join()


async def record(server: Server) -> Frames:
    """Run a job for one socket, and give its frames with the seconds since the first."""
    async with calling(server) as (caller,), watching(server) as watcher:
        watcher.frames.clear()
        await _run_job(caller, [watcher])
        begun = watcher.frames[0][0]
        return [(at - begun, frame) for at, frame in watcher.frames]


async def tell(server: Server, sockets: int, *, barely: bool) -> Told:
    """Open the sockets, have everything told to them, and see what that took."""
    async with AsyncExitStack() as stack:
        (caller,) = await stack.enter_async_context(calling(server))
        watchers = [await stack.enter_async_context(watching(server)) for _ in range(sockets)]
        used = server.cpu_seconds()
        for watcher in watchers:
            watcher.frames.clear()
        await (_send_barely(caller, watchers) if barely else _run_job(caller, watchers))
        ends = [watcher.frames[-1][0] for watcher in watchers]
        return Told(
            frames=sum(len(watcher.frames) for watcher in watchers),
            cpu_seconds=server.cpu_seconds() - used,
            behind_seconds=max(ends) - min(ends),
        )


async def _run_job(caller: Caller, watchers: Sequence[Watcher]) -> None:
    heard = [asyncio.create_task(_hear_all(watcher)) for watcher in watchers]
    await caller.submit(submit_body(sleep(_SECONDS, _STEPS)))
    await asyncio.gather(*heard)


async def _send_barely(caller: Caller, watchers: Sequence[Watcher]) -> None:
    heard = [asyncio.create_task(_hear_all(watcher)) for watcher in watchers]
    await caller.get("/send")
    await asyncio.gather(*heard)


async def _hear_all(watcher: Watcher) -> None:
    async with asyncio.timeout(_END_SECONDS):
        while True:
            frame = await watcher.connection.recv()
            watcher.frames.append((time.perf_counter(), frame))
            if isinstance(frame, str) and _END in frame:
                return


async def measure(server: Server, sizes: Sequence[int], rounds: int) -> None:
    """Tell both ways in turns to ever more sockets, and print the best of each."""
    rows: list[tuple[str, ...]] = []
    frames = await record(server)
    with bare_server(frames) as bare:
        for sockets in sizes:
            ours: list[Told] = []
            plain: list[Told] = []
            for _ in range(rounds):
                ours.append(await tell(server, sockets, barely=False))
                plain.append(await tell(bare, sockets, barely=True))
            rows += _rows(sockets, len(frames), ours, plain)
    columns = ("frames", "of them", "CPU us/frame", "last behind", "x bare CPU")
    print_table(f"fan-out, a job of {_SECONDS:.0f} s and {_STEPS} steps", columns, rows)


def _rows(sockets: int, frames: int, ours: Sequence[Told], plain: Sequence[Told]) -> list[tuple[str, ...]]:
    base = min(told.cpu_of_frame for told in plain)
    return [
        (
            f"{sockets} sockets, {name}",
            f"{ways[0].frames:,}",
            f"{min(told.frames for told in ways) / sockets / frames:.0%}",
            f"{min(told.cpu_of_frame for told in ways) * 1e6:,.0f}",
            f"{ms(min(told.behind_seconds for told in ways))} ms",
            ratio(min(told.cpu_of_frame for told in ways), base),
        )
        for name, ways in (("bare server", plain), ("Fireside", ours))
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = parser_of("fan_out", __doc__)
    parser.add_argument("--sockets", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with work_folder(options.folder) as folder, running_server(folder / "data") as server:
        uvloop.run(measure(server, options.sockets, options.rounds))


if __name__ == "__main__":
    main()
