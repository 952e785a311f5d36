"""How soon a fleet goes on when a part of it is gone: a worker, the leader, the leader's host, a worker's network.

    python -m bench.faults [--rounds N] [--folder DIR]

Two servers, each with a worker beside it, are processes on four hosts of their own (network namespaces, which need root
and the program ip); their database and their bus are on a fifth. All settings are the defaults. In turns, N times:

- the worker that runs a job is killed, and another one runs the job;
- the leader is killed, or told to stop, and the other server leads and hands out the next job;
- the leading host's cable is pulled out, the database frees the lock, and the other server leads;
- the cable of the host whose worker runs a job is pulled out for 12 seconds: the job has one result.

Times begin right before the signal, or before the cable is pulled out, and end with a look at the database every five
milliseconds. Ends with 1 when the worst of a kind is above its limit, or a job has not exactly one result.
"""

import signal
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from bench.measuring import middle, parser_of, print_table, work_folder
from bench.postgres import running_postgres
from tests.faults.cluster import Cluster, cluster_over
from tests.faults.far import FarWorker, Place, submit
from tests.faults.network import Network, NoNetworks, network_of_hosts

SHORT = ("--rounds=1",)
PARTITION_SECONDS = 12.0
LIMITS = {
    "worker killed: job runs elsewhere": 6.0,
    "leader killed: another leads": 1.0,
    "leader killed: next job handed out": 2.0,
    "leader stopped: another leads": 1.0,
    "leader's host gone: lock free": 5.0,
    "leader's host gone: another leads": None,
    "leader's host gone: next job handed out": None,
    "worker cut off 12 s: job runs elsewhere": 6.0,
    "worker cut off 12 s: free again afterwards": None,
}
"""The most seconds of each kind, where there is a limit."""
_LOOK_SECONDS = 0.005
_PATIENCE_SECONDS = 60.0
_LONG_SECONDS = 600.0
_HOSTS = ("a", "b")
_WORKER_HOSTS = ("near", "router")
_JOB = "SELECT state, worker_id, attempt FROM job WHERE id = %s"
_TERM = "SELECT max(term) FROM leader"
_HOLDER = "SELECT max(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1718186597 AND objid = 3 AND granted"
_RESULTS = """
    SELECT (SELECT count(*) FROM job_attempt WHERE job_pk = job.pk AND outcome = 'succeeded'), job.state
    FROM job WHERE id = %s
"""


@dataclass
class Rounds:
    """The fleet, and what was measured in it."""

    cluster: Cluster
    network: Network
    database: "psycopg.Connection[tuple[Any, ...]]"
    spans: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in LIMITS})
    wrong: list[str] = field(default_factory=list[str])

    def one_of_each(self) -> None:
        """Do everything once."""
        for lose in (
            self._lose_a_worker,
            lambda: self._lose_the_leader(lambda leader: leader.server.kill(), "killed"),
            lambda: self._lose_the_leader(lambda leader: leader.server.process.send_signal(signal.SIGTERM), "stopped"),
            self._lose_the_leading_host,
            self._cut_a_worker_off,
        ):
            self.cluster.mend()
            self._until("every worker is free", lambda: not self._ask("SELECT 1 FROM job WHERE ended_at IS NULL"))
            lose()

    def _lose_a_worker(self) -> None:
        job_id, worker = self._running(_LONG_SECONDS)
        begun = time.monotonic()
        worker.tell(signal.SIGKILL)
        self._runs_elsewhere("worker killed", job_id, worker, begun)
        worker.wait()
        self._client().post(f"/api/jobs/{job_id}/cancel").raise_for_status()

    def _lose_the_leader(self, end: Callable[[Place], None], how: str) -> None:
        leader, standby = self._roles()
        client = standby.server.client()
        term = self._ask(_TERM)
        begun = time.monotonic()
        end(leader)
        if how == "killed":
            self._next_job("leader killed", client, term, begun)
        else:
            self._until("the other server leads", lambda: self._ask(_TERM) != term)
            self.spans["leader stopped: another leads"].append(time.monotonic() - begun)
        leader.server.process.wait(_PATIENCE_SECONDS)

    def _lose_the_leading_host(self) -> None:
        leader, standby = self._roles()
        client = standby.server.client()
        host = _HOSTS[self.cluster.places.index(leader)]
        term, holder = self._ask(_TERM), self._ask(_HOLDER)
        begun = time.monotonic()
        self.network.cable(host, plugged=False)
        self._until("the lock is free", lambda: self._ask(_HOLDER) != holder)
        self.spans["leader's host gone: lock free"].append(time.monotonic() - begun)
        self._next_job("leader's host gone", client, term, begun)
        self.network.cable(host, plugged=True)

    def _cut_a_worker_off(self) -> None:
        kind = f"worker cut off {PARTITION_SECONDS:.0f} s"
        job_id, worker = self._running(PARTITION_SECONDS * 2 / 3)
        host = _WORKER_HOSTS[next(n for n, place in enumerate(self.cluster.places) if worker in place.workers)]
        dropped = worker.log().count("dropped a job")
        begun = time.monotonic()
        self.network.cable(host, plugged=False)
        self._runs_elsewhere(kind, job_id, worker, begun)
        time.sleep(begun + PARTITION_SECONDS - time.monotonic())
        begun = time.monotonic()
        self.network.cable(host, plugged=True)
        self._until("the late report is refused", lambda: worker.log().count("dropped a job") > dropped)
        name = worker.folder.name
        (place,) = (place for place in self.cluster.places if worker in place.workers)
        self._until("the worker is back", lambda: place.listed(name)["state"] == "ready")
        self.spans[f"{kind}: free again afterwards"].append(time.monotonic() - begun)
        self._until(
            "the job has ended", lambda: self._row(_RESULTS, job_id)[1] not in ("queued", "assigned", "running")
        )
        if (results := self._row(_RESULTS, job_id)) != (1, "succeeded"):
            self.wrong.append(f"a job whose worker was cut off is {results[1]} with {results[0]} results")

    def _next_job(self, kind: str, client: httpx.Client, term: object, begun: float) -> None:
        """Submit to who is left, and wait until it leads and hands out."""
        job_id = submit(client)
        self._until("the other server leads", lambda: self._ask(_TERM) != term)
        self.spans[f"{kind}: another leads"].append(time.monotonic() - begun)
        self._until("a job is handed out", lambda: self._row(_JOB, job_id)[0] != "queued")
        self.spans[f"{kind}: next job handed out"].append(time.monotonic() - begun)

    def _running(self, seconds: float) -> tuple[str, FarWorker]:
        """Have a job run, and say where."""
        job_id = submit(self._client(), seconds=seconds)
        self._until("the job runs", lambda: self._row(_JOB, job_id)[0] == "running")
        name = self._row(_JOB, job_id)[1]
        workers = [worker for place in self.cluster.places for worker in place.workers]
        return job_id, next(worker for worker in workers if worker.folder.name == name)

    def _runs_elsewhere(self, kind: str, job_id: str, worker: FarWorker, begun: float) -> None:
        self._until("the job runs again", lambda: self._row(_JOB, job_id)[::2] == ("running", 2))
        self.spans[f"{kind}: job runs elsewhere"].append(time.monotonic() - begun)
        if self._row(_JOB, job_id)[1] == worker.folder.name:
            self.wrong.append("a job runs again where it was lost")

    def _roles(self) -> tuple[Place, Place]:
        leader = self.cluster.leader()
        (standby,) = (place for place in self.cluster.places if place is not leader)
        return leader, standby

    def _client(self) -> httpx.Client:
        return self.cluster.places[0].server.client()

    def _until(self, what: str, is_so: Callable[[], Any]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not is_so():
            if time.monotonic() > deadline:
                sys.exit(f"not within {_PATIENCE_SECONDS:.0f} s: {what}\n{self.cluster.logs()}")
            time.sleep(_LOOK_SECONDS)

    def _ask(self, sql: str) -> Any:
        row = self.database.execute(sql.encode()).fetchone()
        return row[0] if row else None

    def _row(self, sql: str, job_id: str) -> tuple[Any, ...]:
        row = self.database.execute(sql.encode(), (job_id,)).fetchone()
        assert row is not None
        return row


@contextmanager
def running_fleet(folder: Path) -> Generator[Rounds]:
    """Start everything, each on its host."""
    with network_of_hosts() as network, running_postgres(folder / "postgres") as postgres:
        postgres.let_in(network.ours, network.addresses)
        postgres.stop()
        postgres.start()
        postgres.add_template()
        with cluster_over(folder / "fleet", postgres, network.ours) as cluster:
            for host, worker_host in zip(_HOSTS, _WORKER_HOSTS, strict=True):
                place = cluster.server(f"--host={network.address(host)}", before=network.on(host))
                place.worker(worker_host, before=network.on(worker_host))
            with psycopg.connect(cluster.database_url, autocommit=True) as database:
                yield Rounds(cluster, network, database)


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f}"


def _stop(number: int, frame: object) -> None:  # noqa: ARG001 - a signal handler's shape
    sys.exit("stopped")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and say when a limit was passed."""
    parser = parser_of("faults", __doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    # Whoever stops us leaves neither hosts nor processes behind.
    signal.signal(signal.SIGTERM, _stop)
    try:
        with work_folder(options.folder) as folder, running_fleet(folder) as rounds:
            for _ in range(options.rounds):
                rounds.one_of_each()
    except NoNetworks as why:
        print(f"nothing was measured: {why}")
        return
    rows: list[tuple[str, ...]] = []
    for kind, limit in LIMITS.items():
        taken = rounds.spans[kind]
        rows.append((kind, _seconds(middle(taken)), _seconds(max(taken)), "" if limit is None else _seconds(limit)))
        if limit is not None and max(taken) > limit:
            rounds.wrong.append(f"{kind}: {max(taken):.2f} s, where {limit:.0f} s are the limit")
    print_table(f"faults, {options.rounds} rounds, seconds", ("median", "worst", "limit"), rows)
    if rounds.wrong:
        sys.exit("\n".join(rounds.wrong))


if __name__ == "__main__":
    main()
