"""Two thousand jobs of twenty users on three servers and all that stands behind them, each of it struck in turn.

    python -m soak.replicas [--jobs N] [--every SECONDS] [--rounds N] [--seed N] [--folder DIR] [--keep]

Three servers behind a round-robin proxy, over one PostgreSQL, a bucket on a server of the S3 protocol and a cluster of
three NATS servers that speak TLS; six workers, which know the proxy alone, and reach the bucket for large files. Each
worker has a host of its own (a network namespace, which needs root and the program `ip`; without them the workers are
processes on our host, as the first line says), one of them behind a router that translates addresses. Each user submits
to other servers than the one that the user's websocket watches at; three more run the official SDK through the proxy.
All the while one component after the other is killed, stopped, made to stand still or cut off, and started again: every
server, every worker and its host, every server of the bus, the database and the bucket. Every job has to end once and
right, and every client to see its end.
"""

import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
from bench.measuring import parser_of, print_table, work_folder
from bench.postgres import running_postgres
from soak.fleet import check, show, stop, strike
from soak.fleet_ends import Row, jobs_of, left_behind
from soak.fleet_faults import Faults, Fleet, plan_in_turn
from soak.fleet_people import Person, wishes_of
from soak.fleet_watchers import Watcher, wait_until_seen
from soak.graphs import Graph, node
from tests.faults.bus_cluster import BusCluster
from tests.faults.cluster import Cluster, bus_authority
from tests.faults.far import Place
from tests.faults.network import Network, NoNetworks, network_of_hosts
from tests.faults.proxy import RoundRobin
from tests.faults.router import router_for
from tests.object_server import object_server
from tests.postgres_server import PostgresServer

SERVERS, WORKERS, USERS, SDK_USERS = 3, 6, 20, 3
_SDK_PROGRAM = Path(__file__).parents[1] / "tests" / "clients" / "programs" / "sdk_patient.py"
_SDK_SECONDS = 300.0
_MOST_SHOWN = 20
_LOOPBACK = "127.0.0.1"


def network_of_workers(workers: int = WORKERS) -> AbstractContextManager[Network]:
    """Make a host for each worker, the last one behind a router; raises NoNetworks where that is not possible."""
    return network_of_hosts([f"host{number}" for number in range(workers - 1)])


@contextmanager
def running_replicas(
    folder: Path,
    postgres: PostgresServer,
    network: Network | None = None,
    *,
    servers: int = SERVERS,
    workers: int = WORKERS,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Generator[Fleet]:
    """Start everything; the database has its template already. Without a network the workers are on our host."""
    with ExitStack() as stack:
        database_url = stack.enter_context(postgres.database())
        (folder / "objects").mkdir(parents=True)
        address = network.ours if network else _LOOPBACK
        objects = stack.enter_context(object_server(folder / "objects", address))
        bus = BusCluster(folder / "bus", bus_authority(folder / "bus"))
        stack.callback(bus.close)
        bus.start()
        proxy = RoundRobin(address)
        stack.callback(proxy.close)
        if network:
            stack.enter_context(router_for(network, [proxy.port, objects.port]))
        cluster = Cluster(folder / "fleet", database_url, bus, objects, proxy, network)
        stack.callback(cluster.close)
        places = [cluster.add(*options, **environment or {}) for _ in range(servers)]
        with ThreadPoolExecutor(max(servers, workers)) as pool:
            list(pool.map(_start, places))
            list(pool.map(partial(_start_worker, cluster), range(workers)))
        yield Fleet(cluster, postgres)


def _start(place: Place) -> None:
    place.server.start()


def _start_worker(cluster: Cluster, number: int) -> None:
    network = cluster.network
    before = network.on(network.hosts[number]) if network else ()
    cluster.places[0].worker(f"worker-{number}", f"--label=number={number}", before=before)


def direct(fleet: Fleet, number: int) -> str:
    """Give the address of one of the servers itself."""
    return f"http://127.0.0.1:{fleet.servers[number % len(fleet.servers)].server.port.number}"


@dataclass
class Crowd:
    """All who use it: who submits, who watches, and who does both with the SDK."""

    people: Sequence[Person]
    watchers: Sequence[Watcher]

    def trouble(self) -> list[str]:
        """Name what watchers did not see."""
        found: list[str] = []
        for watcher in self.watchers:
            watcher.settle()
            found += watcher.trouble
            found += [
                f"{job}: was told {count} ends" for job, count in watcher.heard.items() if count > watcher.openings
            ]
        return found


def crowd_of(fleet: Fleet, stack: ExitStack, jobs: int, users: int, seconds: float, draw: random.Random) -> Crowd:
    """Make the users, and draw what they want; each submits to other servers than its socket is at."""
    people: list[Person] = []
    watchers: list[Watcher] = []
    assert fleet.cluster.proxy is not None
    for number in range(users):
        name = f"person{number:02}"
        key = fleet.servers[0].server.add_user(name)
        headers = {"X-API-Key": key}
        proxied = stack.enter_context(httpx.Client(base_url=fleet.cluster.proxy.url, headers=headers, timeout=30))
        others = [direct(fleet, number + more) for more in range(1, len(fleet.servers))]
        clients = [stack.enter_context(httpx.Client(base_url=url, headers=headers, timeout=30)) for url in others]
        count = jobs // users + (number < jobs % users)
        sockets = [direct(fleet, number + more).replace("http", "ws") for more in range(len(fleet.servers))]
        watcher = Watcher(key, [f"{url}/ws?clientId={name}&token={key}" for url in sockets], proxied)
        wishes = wishes_of(name, (number + 1) << 18, count, seconds, draw)
        people.append(Person(name, [*clients, proxied], wishes, accepted_by=watcher.expect))
        people[-1].upload()
        watchers.append(watcher)
    return Crowd(people, watchers)


def sdk_graphs(number: int, count: int) -> Mapping[str, Graph]:
    """Write the jobs of one who uses the SDK."""
    return {
        f"sdk{number}-{place}": {
            "1": node("EmptyImage", width=16, height=16, batch_size=1, color=(number + 1) * 1000 + place),
            "2": node("FiresideSleep", image=["1", 0], seconds=0.5, steps=10),
            "3": node("SaveImage", images=["2", 0], filename_prefix="sdk"),
        }
        for place in range(count)
    }


def start_sdk(fleet: Fleet, python: Path, name: str, graphs: Mapping[str, Graph]) -> "subprocess.Popen[str]":
    """Let the official SDK do these jobs one after the other, through the proxy, as a new user."""
    assert fleet.cluster.proxy is not None
    key = fleet.servers[0].server.add_user(name)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("COMFY", "PYTHON"))}
    return subprocess.Popen(
        [str(python), str(_SDK_PROGRAM), json.dumps(graphs)],
        env={**clean, "COMFY_BASE_URL": fleet.cluster.proxy.url, "COMFY_API_KEY": key},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sdk_ends(program: "subprocess.Popen[str]") -> tuple[Sequence[str], list[str]]:
    """Wait until the SDK has done its jobs; gives these, and what was wrong."""
    said, complaints = program.communicate(timeout=_SDK_SECONDS)
    if program.returncode:
        return [], [f"the SDK ended with {program.returncode}: {complaints[-2000:]}"]
    ends = json.loads(said)
    wrong = [
        f"{name} ended as {end['status']} for the SDK" for name, end in ends.items() if end["status"] != "succeeded"
    ]
    return [end["id"] for end in ends.values()], wrong


@contextmanager
def watched(watchers: Sequence[Watcher]) -> Generator[None]:
    """Let them watch as long as the block lasts."""
    stopped = threading.Event()
    threads = [threading.Thread(target=one.run, args=(stopped,), daemon=True) for one in watchers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join(60)


def show_watchers(watchers: Sequence[Watcher]) -> None:
    """Print what was seen where."""
    heard = {job for one in watchers for job in one.heard}
    rows = [
        ("ends told by the websocket", f"{len(heard):,}"),
        ("ends asked for after coming again", f"{sum(len(one.asked) for one in watchers):,}"),
        ("websockets opened", f"{sum(one.openings for one in watchers):,}"),
        ("previews", f"{sum(one.pictures for one in watchers):,}"),
    ]
    print_table(f"{len(watchers)} watchers", ("",), rows)


def run(fleet: Fleet, crowd: Crowd, faults: Faults, seconds: float, sdk_python: Path | None,
        sdk_jobs: int) -> tuple[Mapping[str, Row], list[str]]:  # fmt: skip
    """Let all of it happen; gives the jobs of the people, and what is wrong."""
    programs = [
        start_sdk(fleet, sdk_python, f"sdkuser{number}", sdk_graphs(number, sdk_jobs // SDK_USERS))
        for number in range(SDK_USERS)
        if sdk_python
    ]
    with watched(crowd.watchers):
        strike(fleet, crowd.people, faults, seconds)
        seen = [sdk_ends(program) for program in programs]
        wait_until_seen(crowd.watchers)
    jobs = jobs_of(fleet)
    by_sdk = {job_id for ids, _ in seen for job_id in ids}
    wrong = [*faults.trouble, *(one for _, found in seen for one in found), *crowd.trouble()]
    wrong += [
        f"{job_id}, of the SDK, is not there or has not one result" for job_id in by_sdk if not _is_done(jobs, job_id)
    ]
    return {job_id: row for job_id, row in jobs.items() if job_id not in by_sdk}, wrong


def _is_done(jobs: Mapping[str, Row], job_id: str) -> bool:
    row = jobs.get(job_id)
    return row is not None and row.state == "succeeded" and row.succeeded + row.reused == 1 and not row.open_ended


def sdk_python() -> Path | None:
    """Find the Python that `make clients` has installed the SDK for."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = Path(os.environ.get("CLIENTS_FOR_TESTS") or cache / "fireside" / "clients")
    return home / "venv" / "bin" / "python" if (home / "made").exists() else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Do it, and end with 1 when anything is wrong."""
    parser = parser_of("replicas", __doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--every", type=float, default=8.0, help="seconds between two faults")
    parser.add_argument("--rounds", type=int, default=1, help="how often each thing is struck in each way")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the folder there afterwards, to look into")
    options = parser.parse_args(arguments)
    draw = random.Random(options.seed)
    kept = nullcontext(options.folder) if options.keep else work_folder(options.folder)
    with ExitStack() as stack:
        folder = stack.enter_context(kept)
        faults = stack.enter_context(closing(Faults()))
        postgres = stack.enter_context(running_postgres(folder / "postgres"))
        postgres.add_template()
        network = _network(stack)
        fleet = stack.enter_context(
            running_replicas(folder / "replicas", postgres, network, options=["--drain-seconds=1"])
        )
        plan = plan_in_turn(fleet, options.every, begin=options.every, rounds=options.rounds)
        seconds = plan[-1].at + options.every
        sdk_jobs = options.jobs // (USERS + SDK_USERS) * SDK_USERS
        crowd = crowd_of(fleet, stack, options.jobs - sdk_jobs, USERS, seconds, draw)
        faults.plan(fleet, plan)
        jobs, wrong = run(fleet, crowd, faults, seconds, sdk_python(), sdk_jobs)
        show(jobs, faults)
        show_watchers(crowd.watchers)
        wrong += [*check(fleet, crowd.people, jobs), *stop(fleet), *left_behind(folder / "replicas" / "fleet")]
    if wrong:
        sys.exit("\n".join([f"{len(wrong)} things are wrong:", *wrong[:_MOST_SHOWN]]))
    print("each job has its one right end, every client saw it, and nothing is left behind")


def _network(stack: ExitStack) -> Network | None:
    """Make the workers' hosts, and say what there is."""
    try:
        network = stack.enter_context(network_of_workers())
    except NoNetworks as why:
        print(f"the {WORKERS} workers are processes on loopback, and no host can be cut off: {why}", flush=True)
        return None
    print(f"the {WORKERS} workers are on hosts of their own, one of them behind a router", flush=True)
    return network


if __name__ == "__main__":
    main()
