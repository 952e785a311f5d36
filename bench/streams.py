"""How late progress reaches event streams of the API v2: many streams, each with a running job of its own.

    python -m bench.streams [--streams N] [--each-second N] [--seconds N] [--deaf N] [--folder DIR]

The server is a process of its own with a job running for each stream; the jobs' worker is played by this process, which
tells so many steps of each job a second over the bus and reads all streams. Lateness is from before a step is told to
when its event is read; both ends of it are this process's work as well. `--deaf` streams beside them are opened and
never read. The server sends each step here, where it would send two a second by default.

Ends with 1 when 1 of 100 events is later than 50 ms, an event is lost, or anything comes after a final status.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import uvloop
from bench.measuring import hide_logs, high, middle, ms, parser_of, print_table, work_folder
from bench.servers import Server

from fireside.accounts.accounts import NewUser
from fireside.app import assemble, utc_now
from fireside.bus.authority import BusCredentials, inbox_of
from fireside.bus.client import Bus
from fireside.config import Config
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Lease
from fireside.domain.lifecycle import Verb, advance
from fireside.jobs.cancel import cancel_job
from fireside.jobs.report import end_job
from fireside.runtimes.base import NodeState, ProgressState
from fireside.server.listening import Doors
from fireside.store.records import JobBody, NewJob
from fireside.store.store import Store
from fireside.wire.fleet import EndReport, LeaseBody
from fireside.worker.telling import Telling

SHORT = ("--streams=50", "--seconds=3")
MOST_LATE_SECONDS = 0.05
_WORKER = WorkerId("bench")
_GRAPH: dict[str, Any] = {
    "1": {"class_type": "Sleep", "inputs": {}},
    "2": {"class_type": "Save", "inputs": {"images": ["1", 0]}},
}
_MOST_STEPS = 1_000_000
_PATIENCE_SECONDS = 30.0
_TAKEN_UNREAD = 4096
_LAST_CHUNK = b"0\r\n"


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What the server's process says of itself when all jobs run."""

    url: str
    key: str
    user_id: int
    bus_url: str
    credentials: BusCredentials
    leases: list[LeaseBody]


async def serve(data_dir: str, jobs: int) -> None:
    """Be the server: queue and start the jobs, say so, and end them all when told."""
    config = Config(
        data_dir=data_dir, port=0, stream_updates_per_second=1000.0, max_streams_per_user=10_000, log_level="error"
    )
    doors = Doors(config)
    async with assemble(config, public_url=doors.own_url) as assembly:
        services = assembly.services
        user = await services.accounts.create_user(NewUser(name="bench"))
        _, key = await services.accounts.create_key(user)
        leases = [await _start_job(services.store, user.id) for _ in range(jobs)]
        await doors.open(services)
        stage = Stage(
            url=doors.own_url,
            key=key,
            user_id=user.id,
            bus_url=assembly.bus_url,
            credentials=assembly.authority.worker_credentials(_WORKER),
            leases=[LeaseBody.of(lease) for lease in leases],
        )
        print(msgspec.json.encode(stage).decode(), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for lease in leases:
            await cancel_job(services.desk, user.id, lease.job_id)
            await end_job(
                services.desk, _WORKER, EndReport(lease=LeaseBody.of(lease), outcome="interrupted", run_seconds=0.0)
            )
        await asyncio.to_thread(sys.stdin.readline)
        await doors.close()


async def _start_job(store: Store, user_id: UserId) -> Lease:
    body = JobBody(graph=msgspec.json.encode(_GRAPH), extra_data=b"{}", outputs=("2",))
    job = await store.add_job(NewJob(id=JobId(uuid4()), user_id=user_id, body=body), utc_now(), max_queued=None)
    job = await store.change_job(job, advance(job, Verb.ASSIGN, utc_now(), worker_id=_WORKER))
    return (await store.change_job(job, advance(job, Verb.START, utc_now(), lease=job.lease))).lease


@contextmanager
def running_stage(folder: Path, jobs: int) -> Generator[tuple[Stage, Server, "subprocess.Popen[str]"]]:
    """Start the server's process."""
    command = [sys.executable, "-m", "bench.streams", "--serve", str(jobs), "--folder", str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        stage = msgspec.json.decode(process.stdout.readline(), type=Stage)
        yield stage, Server(url=stage.url, pid=process.pid, key=stage.key), process
    finally:
        process.communicate()


class _Event(msgspec.Struct, frozen=True):
    status: str = ""
    step: int | None = None


@dataclass(slots=True)
class Heard:
    """What one stream has brought."""

    late: list[float] = field(default_factory=list[float])
    is_over: bool = False
    after_the_end: int = 0


@asynccontextmanager
async def listening(stage: Stage, job_id: UUID) -> AsyncGenerator[asyncio.StreamReader]:
    """Open a stream and read its head; who does not read on takes a few kilobytes and then nothing."""
    host, _, port = stage.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=_TAKEN_UNREAD)
    path = f"/api/v2/jobs/{job_id}/events"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {stage.key}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    try:
        yield reader
    finally:
        writer.close()


async def hear(reader: asyncio.StreamReader, told_at: list[float], heard: Heard) -> None:
    """Read a stream to its end; the number of each step says when it was told."""
    async for line in reader:
        if line == _LAST_CHUNK:
            return
        if not line.startswith(b"data: "):
            continue
        heard.after_the_end += heard.is_over
        now = time.perf_counter()
        event = msgspec.json.decode(line[6:], type=_Event)
        heard.is_over |= event.status == "canceled"
        if event.step is not None:
            heard.late.append(now - told_at[event.step])


async def tell(bus: Bus, stage: Stage, told_at: Sequence[list[float]], each_second: int, seconds: float) -> None:
    """Tell the steps of all jobs, evenly spread over the time."""
    tellings = [Telling(bus, UserId(stage.user_id), _WORKER, lease.lease()) for lease in stage.leases]
    pause = 1.0 / each_second / len(tellings)
    begun = time.perf_counter()
    count = 0
    for step in range(int(each_second * seconds)):
        for telling, at in zip(tellings, told_at, strict=True):
            count += 1
            wait = begun + count * pause - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            at.append(time.perf_counter())
            await telling.tell(_state(step))
    await bus.flush()


def _state(step: int) -> ProgressState:
    node = NodeState(
        node_id="1",
        display_node_id="1",
        parent_node_id=None,
        real_node_id="1",
        class_type="Sleep",
        state="running",
        value=step,
        max=_MOST_STEPS,
    )
    return ProgressState(nodes=(node,))


async def measure(folder: Path, streams: int, each_second: int, seconds: float, deaf: int) -> Sequence[str]:
    """Measure, print, and say what did not hold."""
    with running_stage(folder, streams) as (stage, server, process):
        heard = [Heard() for _ in range(streams)]
        told_at: list[list[float]] = [[] for _ in range(streams)]
        async with AsyncExitStack() as stack:
            bus = await Bus.connect([stage.bus_url], stage.credentials, name=_WORKER, inbox_prefix=inbox_of(_WORKER))
            stack.push_async_callback(bus.close)
            readers = [await stack.enter_async_context(listening(stage, one.job_id)) for one in stage.leases]
            for one in stage.leases[:deaf]:
                await stack.enter_async_context(listening(stage, one.job_id))
            tasks = [asyncio.create_task(hear(*one)) for one in zip(readers, told_at, heard, strict=True)]
            await asyncio.sleep(2.0)
            used = server.cpu_seconds()
            await tell(bus, stage, told_at, each_second, seconds)
            await asyncio.sleep(0.5)
            used = server.cpu_seconds() - used
            await _say(process)
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await asyncio.gather(*tasks)
        await _say(process)
    return _judge(heard, sum(map(len, told_at)), used, streams, deaf)


async def _say(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _judge(heard: Sequence[Heard], told: int, used: float, streams: int, deaf: int) -> list[str]:
    late = sorted(second for one in heard for second in one.late)
    worst = late[len(late) * 99 // 100]
    after = sum(one.after_the_end for one in heard)
    row = (
        f"streams: {streams}, deaf: {deaf}",
        *(ms(middle(late)), ms(high(late)), ms(worst), f"{len(late):,}", f"{told - len(late):,}", str(after)),
        f"{used / max(1, len(late)) * 1e6:.0f}",
    )
    columns = ("median ms", "95 % ms", "99 % ms", "events", "lost", "after end", "CPU us each")
    print_table("event streams", columns, [row])
    broken: list[str] = []
    if worst > MOST_LATE_SECONDS:
        broken.append(f"1 of 100 events was {ms(worst)} ms late")
    if after:
        broken.append(f"{after} events came after the end")
    if len(late) < told:
        broken.append(f"{told - len(late)} events were lost")
    return broken


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and judge."""
    parser = parser_of("streams", __doc__)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--each-second", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--deaf", type=int, default=0)
    parser.add_argument("--serve", type=int, default=0, help="be the server of so many jobs, for this bench itself")
    options = parser.parse_args(arguments)
    hide_logs()
    if options.serve:
        uvloop.run(serve(str(options.folder), options.serve))
        return
    with work_folder(options.folder) as folder:
        broken = uvloop.run(
            measure(folder / "data", options.streams, options.each_second, options.seconds, options.deaf)
        )
    if broken:
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    main()
