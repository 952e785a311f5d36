"""What one, two and three servers do, and what a job costs each component behind them.

    python -m bench.replicas [--jobs N] [--servers N ...] [--folder DIR]

Each time everything is started anew: so many servers over a PostgreSQL, a bucket on a SeaweedFS and a cluster of three
NATS servers with TLS, and six workers with the builtin runtime. Twenty users, spread over the servers, submit small
jobs as fast as they are answered; the clock stops when the last one has ended. The processor time is the kernel's, of
each component's processes together (Linux only).
"""

import asyncio
import itertools
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import uvloop
from bench.calling import Caller, calling
from bench.measuring import parser_of, print_table, work_folder
from bench.postgres import running_postgres
from bench.servers import Server
from bench.workflows import small, submit_body
from soak.fleet_ends import count_ended
from soak.fleet_faults import Fleet
from soak.processes import descendants
from soak.replicas import direct, running_replicas
from tests.faults.cluster import leads

SHORT = ("--jobs=120", "--servers", "1", "3")
_USERS = 20
_LOOK_SECONDS = 0.2
_TICKS = os.sysconf("SC_CLK_TCK")
_NO_LIMITS = {"FIRESIDE_MAX_QUEUED": "10000000", "FIRESIDE_REUSE": "false", "FIRESIDE_LOG_LEVEL": "error"}
_OURS = "the proxy, and who submits"
_COMPONENTS = ("leader", "other servers", "workers", "database", "bus", "bucket", _OURS)


@dataclass(frozen=True, slots=True)
class Result:
    """What one round has shown."""

    submitted_seconds: float
    seconds: float
    cpu_seconds: Mapping[str, float]


def cpu_seconds(pid: int) -> float:
    """Give the processor time that a process has used so far, and everything below it."""
    used = 0.0
    for one in (pid, *descendants(pid)):
        with suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            # With that of children which have ended meanwhile.
            used += sum(map(int, fields[11:15])) / _TICKS
    return used


def components_of(fleet: Fleet) -> Mapping[str, Sequence[int]]:
    """Name the processes of each component."""
    leaders = [place.server.process.pid for place in fleet.servers if leads(place)]
    servers = [place.server.process.pid for place in fleet.servers]
    assert fleet.postgres is not None
    assert fleet.cluster.objects is not None
    return {
        "leader": leaders,
        "other servers": [pid for pid in servers if pid not in leaders],
        "workers": [worker.process.pid for worker in fleet.workers if worker.process is not None],
        "database": [fleet.postgres.pid],
        "bus": [node.process.pid for node in fleet.cluster.bus.nodes if node.process is not None],
        "bucket": [fleet.cluster.objects.pid],
    }


def used_by(components: Mapping[str, Sequence[int]]) -> Mapping[str, float]:
    """Give what each component has used so far."""
    return {name: sum(map(cpu_seconds, pids)) for name, pids in components.items()} | {_OURS: time.process_time()}


async def callers_of(fleet: Fleet, keys: Sequence[str], stack: AsyncExitStack) -> Sequence[Caller]:
    """Open connections of the users to the servers in turn."""
    found: list[Caller] = []
    for number, key in enumerate(keys):
        place = fleet.servers[number % len(fleet.servers)]
        server = Server(url=direct(fleet, number), pid=place.server.process.pid, key=key)
        found += await stack.enter_async_context(calling(server))
    return found


async def do_jobs(fleet: Fleet, keys: Sequence[str], jobs: int) -> Result:
    """Submit so many jobs to all servers, and wait until all have ended."""
    fleet.cluster.leader()
    components = components_of(fleet)
    _, ended_before = count_ended(fleet)
    async with AsyncExitStack() as stack:
        callers = await callers_of(fleet, keys, stack)
        before, begun = used_by(components), time.perf_counter()
        left = itertools.count()

        async def submit_some(caller: Caller) -> None:
            while next(left) < jobs:
                await caller.submit(submit_body(small()))

        await asyncio.gather(*(submit_some(caller) for caller in callers))
        submitted = time.perf_counter() - begun
        await asyncio.to_thread(wait_until_ended, fleet, ended_before + jobs)
        seconds, after = time.perf_counter() - begun, used_by(components)
    return Result(submitted, seconds, {name: after[name] - before[name] for name in after})


def wait_until_ended(fleet: Fleet, jobs: int) -> None:
    """Look into the database, which costs it little, until so many have ended."""
    while count_ended(fleet)[1] < jobs:
        time.sleep(_LOOK_SECONDS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = parser_of("replicas", __doc__)
    parser.add_argument("--jobs", type=int, default=600)
    parser.add_argument("--servers", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args(arguments)
    results: dict[int, Result] = {}
    with work_folder(options.folder) as folder, running_postgres(folder / "postgres") as postgres:
        postgres.add_template()
        for count in options.servers:
            with running_replicas(folder / f"with-{count}", postgres, servers=count, environment=_NO_LIMITS) as fleet:
                keys = [fleet.servers[0].server.add_user(f"user{number}") for number in range(_USERS)]
                # What is done for the first time is not what a job costs.
                uvloop.run(do_jobs(fleet, keys, _USERS))
                results[count] = uvloop.run(do_jobs(fleet, keys, options.jobs))
    show(results, options.jobs)


def show(results: Mapping[int, Result], jobs: int) -> None:
    """Print what came of it, by the number of servers."""
    columns = [f"{count} server{'s' * (count > 1)}" for count in results]
    cores = os.cpu_count() or 1
    rows = [
        ("jobs submitted a second", *(f"{jobs / one.submitted_seconds:,.0f}" for one in results.values())),
        ("jobs from submit to end a second", *(f"{jobs / one.seconds:,.0f}" for one in results.values())),
        (
            f"of {cores} cores in use",
            *(f"{sum(one.cpu_seconds.values()) / one.seconds:.2f}" for one in results.values()),
        ),
    ]
    print_table(f"{jobs} jobs, six workers", columns, rows)
    costs = [
        (name, *(f"{one.cpu_seconds[name] / jobs * 1000:.2f}" for one in results.values())) for name in _COMPONENTS
    ]
    total = ("all", *(f"{sum(one.cpu_seconds.values()) / jobs * 1000:.2f}" for one in results.values()))
    print_table("processor time of a job, ms", columns, [*costs, total])


if __name__ == "__main__":
    main()
