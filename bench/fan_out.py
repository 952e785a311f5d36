"""What it costs to tell many: one job's live messages, to 1, 10 and 100 websockets of one user.

    python -m bench.fan_out [--sockets N ...] [--rounds N] [--folder DIR]

A job of sixty steps of 50 ms tells each with its number. A step's spread is the time from the first socket that has it
to the last; processor time for each frame is what the frames beyond the fewest sockets' cost the server. Beside it
stands a bare broadcaster, which sends the frames that one socket of ours has heard, as far apart as they came. All
sockets are read by this one process, which is a part of both spreads.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import msgspec
import uvloop
from bench.broadcast import running_broadcaster, sending
from bench.calling import Caller, Watcher, calling, watching
from bench.measuring import high, middle, ms, parser_of, print_table, ratio, work_folder
from bench.servers import Server, running_server
from bench.workflows import sleep, submit_body

SHORT = ("--rounds=1",)
STEPS = 60
STEP_SECONDS = 0.05

Frames = Sequence[tuple[float, str | bytes]]


@dataclass(slots=True)
class Told:
    """What all rounds with one number of sockets came to; processor time is the telling process's own."""

    sockets: int
    spreads: list[float] = field(default_factory=list[float])
    frames: int = 0
    lost: int = 0
    cpu_seconds: float = 0.0


async def tell(server: Server, told: Told, job_id: str, start: Callable[[], Awaitable[object]]) -> Frames:
    """Listen with all sockets to what `start` begins, add it up, and give what one of them heard."""
    async with AsyncExitStack() as stack:
        watchers = [await stack.enter_async_context(watching(server)) for _ in range(told.sockets)]
        for watcher in watchers:
            watcher.frames.clear()
        used = server.cpu_seconds()
        async with asyncio.TaskGroup() as group:
            for watcher in watchers:
                group.create_task(watcher.until("execution_success", job_id))
            group.create_task(_await(start))
        told.cpu_seconds += server.cpu_seconds() - used
    _add_up(told, watchers)
    return watchers[0].frames


async def _await(start: Callable[[], Awaitable[object]]) -> None:
    await start()


def _add_up(told: Told, watchers: Sequence[Watcher]) -> None:
    arrivals: defaultdict[int, list[float]] = defaultdict(list)
    for watcher in watchers:
        told.frames += len(watcher.frames)
        for at, frame in watcher.frames:
            if isinstance(frame, str) and '"progress"' in frame[:30]:
                data = msgspec.json.decode(frame)["data"]
                if data["max"] == STEPS:
                    arrivals[data["value"]].append(at)
    told.lost += STEPS * len(watchers) - sum(map(len, arrivals.values()))
    told.spreads.extend(max(times) - min(times) for times in arrivals.values())


async def run_job(server: Server, caller: Caller, told: Told) -> Frames:
    """Run the job with all sockets open."""
    job_id = str(uuid4())
    body = submit_body(sleep(STEPS * STEP_SECONDS, STEPS), prompt_id=job_id)
    return await tell(server, told, job_id, lambda: caller.submit(body))


async def replay(broadcaster: Server, frames: Frames, told: Told) -> None:
    """Have the broadcaster send the same frames, as far apart as they came."""
    job_id = msgspec.json.decode(frames[-1][1])["data"]["prompt_id"]

    async def play() -> None:
        async with sending(broadcaster) as connection:
            late = time.perf_counter() - frames[0][0]
            for at, frame in frames:
                await asyncio.sleep(max(0.0, at + late - time.perf_counter()))
                await connection.send(frame)

    await tell(broadcaster, told, job_id, play)


async def measure(server: Server, broadcaster: Server, sockets: Sequence[int], rounds: int) -> None:
    """Do both ways in turns with each number of sockets, and print them."""
    ours, plain = [Told(count) for count in sockets], [Told(count) for count in sockets]
    async with calling(server) as (caller,):
        for _ in range(rounds):
            for told, beside in zip(ours, plain, strict=True):
                frames = await run_job(server, caller, told)
                await replay(broadcaster, frames, beside)
    _print(ours, plain)


def _print(ours: Sequence[Told], plain: Sequence[Told]) -> None:
    rows = [
        (
            f"{way}, sockets: {told.sockets:,}",
            ms(middle(told.spreads)),
            ms(high(told.spreads)),
            f"{told.frames:,}",
            f"{told.lost:,}",
            cost,
        )
        for way, all_told in (("server", ours), ("broadcaster", plain))
        for told, cost in zip(all_told, _costs(all_told), strict=True)
    ]
    print_table("fan-out", ("spread ms", "95 % ms", "frames", "lost steps", "CPU us each"), rows)
    pairs = [
        (f"sockets: {told.sockets:,}", ratio(middle(told.spreads), middle(beside.spreads)), _cost_ratio(cost, other))
        for told, beside, cost, other in zip(ours, plain, _costs(ours), _costs(plain), strict=True)
        if told.sockets > 1
    ]
    print_table("fan-out, x broadcaster", ("spread", "CPU"), pairs)


def _costs(all_told: Sequence[Told]) -> list[str]:
    """Give the processor time of a frame beyond the first of the list, in microseconds."""
    least = all_told[0]
    return [
        f"{(told.cpu_seconds - least.cpu_seconds) / (told.frames - least.frames) * 1e6:.1f}"
        if told.frames > least.frames
        else ""
        for told in all_told
    ]


def _cost_ratio(cost: str, other: str) -> str:
    return ratio(float(cost), float(other)) if cost and other and float(other) else ""


async def measure_all(folder: Path, sockets: Sequence[int], rounds: int) -> None:
    """Start both sides and measure."""
    with running_server(folder / "data") as server, running_broadcaster() as broadcaster:
        await measure(server, broadcaster, sockets, rounds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = parser_of("fan_out", __doc__)
    parser.add_argument("--sockets", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with work_folder(options.folder) as folder:
        uvloop.run(measure_all(folder, sorted(options.sockets), options.rounds))


if __name__ == "__main__":
    main()
