"""Five thousand jobs on a fleet that is struck for ten minutes: each has its one right end, and nothing else is left.

    python -m soak.fleet [--jobs N] [--minutes N] [--every SECONDS] [--sqlite] [--seed N] [--folder DIR]

Two servers over one PostgreSQL and one bus, with two workers beside each; with `--sqlite` one server, with four. All
are processes of their own. Four users submit at random moments to whichever server answers. Every few seconds something
is killed, stopped, or made to stand still: a worker, its runtime, a server, the bus, the database, or everything at
once; and a while later it is started again. Faults overlap, and `--seed` draws the same ones again.
"""

import itertools
import random
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from pathlib import Path

import psycopg
from bench.measuring import high, parser_of, print_table, work_folder
from bench.postgres import running_postgres
from rich.progress import Progress
from soak.fleet_ends import Row, count_ended, jobs_of, left_behind, wrong_counters, wrong_ends, wrong_pictures
from soak.fleet_faults import Faults, Fleet, plan_of
from soak.fleet_people import Person, wishes_of
from tests.faults.cluster import Cluster, SharedBus, cluster_over

_USERS = ("ann", "benno", "carla4", "dorothy")
"""Each name has a length of its own, which the picture of its user is drawn by."""
_WORKERS = 4
_LOOK_SECONDS = 0.25
_PATIENCE_SECONDS = 180.0
_MOST_SHOWN = 20


@contextmanager
def running_fleet(folder: Path, *, sqlite: bool) -> Generator[Fleet]:
    """Start everything."""
    if sqlite:
        bus = SharedBus(folder / "fleet" / "bus")
        fleet = Fleet(Cluster(folder / "fleet", "", bus))
        bus.start()
        try:
            _start_servers(fleet, 1)
            yield fleet
        finally:
            fleet.cluster.close()
            bus.close()
        return
    with running_postgres(folder / "postgres") as postgres:
        postgres.add_template()
        with cluster_over(folder / "fleet", postgres) as cluster:
            fleet = Fleet(cluster, postgres)
            _start_servers(fleet, 2)
            yield fleet


def _start_servers(fleet: Fleet, count: int) -> None:
    for server in range(count):
        place = fleet.cluster.server()
        for worker in range(_WORKERS // count):
            place.worker(f"worker-{server}-{worker}")


def people_of(fleet: Fleet, jobs: int, seconds: float, draw: random.Random) -> list[Person]:
    """Make the users, and draw what they want."""
    people: list[Person] = []
    for number, name in enumerate(_USERS):
        key = fleet.servers[0].server.add_user(name)
        clients = [place.server.client(key) for place in fleet.servers]
        count = jobs // len(_USERS) + (number < jobs % len(_USERS))
        people.append(Person(name, clients, wishes_of(name, (number + 1) << 18, count, seconds, draw)))
        people[-1].upload()
    return people


def strike(fleet: Fleet, people: Sequence[Person], faults: Faults, seconds: float) -> None:
    """Let everybody submit and everything be struck, and wait until all has ended."""
    begun, stopped = time.monotonic(), threading.Event()
    threads = [threading.Thread(target=one.run, args=(begun, stopped), daemon=True) for one in people]
    for thread in threads:
        thread.start()
    deadline = begun + seconds + _PATIENCE_SECONDS
    try:
        with Progress() as progress:
            bar = progress.add_task("jobs ended", total=sum(len(one.wishes) for one in people))
            while time.monotonic() < deadline:
                faults.strike_due(time.monotonic() - begun)
                is_over = not any(thread.is_alive() for thread in threads) and time.monotonic() > begun + seconds
                with suppress(psycopg.OperationalError):
                    jobs, ended = count_ended(fleet)
                    said = f"jobs ended; {jobs - ended} wait or run; {faults.struck.total()} faults"
                    progress.update(bar, completed=ended, description=said)
                    if is_over and ended == jobs:
                        break
                time.sleep(_LOOK_SECONDS)
    finally:
        stopped.set()
        faults.wait()


def check(fleet: Fleet, people: Sequence[Person], jobs: Mapping[str, Row]) -> list[str]:
    """Name all that is wrong while the fleet still runs."""
    wrong = wrong_ends(people, jobs)
    wrong += [trouble for person in people for trouble in person.trouble]
    with Progress() as progress:
        bar = progress.add_task("results looked at", total=len(jobs))
        for person in people:
            for wanted in person.wishes:
                if wanted.job_id in jobs:
                    wrong += wrong_pictures(person.clients[0], wanted, jobs[wanted.job_id])
                progress.advance(bar)
    return wrong + wrong_counters(fleet, people, jobs)


def stop(fleet: Fleet) -> list[str]:
    """Stop everything in order, and name what does not."""
    stubborn: list[str] = []
    for worker in fleet.workers:
        worker.tell(signal.SIGTERM)
        stubborn += [f"{worker.folder.name} ended with {code}" for code in [worker.wait()] if code]
    for number, place in enumerate(fleet.servers):
        stubborn += [f"server {number} ended with {code}" for code in [place.server.stop()] if code]
    return stubborn


def show(jobs: Mapping[str, Row], faults: Faults) -> None:
    """Print what happened."""
    print_table("faults", ("struck",), [(name, str(count)) for name, count in sorted(faults.struck.items())])
    waits = [row.ended_at - row.created_at for row in jobs.values() if row.ended_at is not None]
    ends = sorted(row.ended_at for row in jobs.values() if row.ended_at is not None)
    states = Counter(row.state for row in jobs.values())
    rows = [
        *((f"jobs that {state}" if state != "canceled" else "jobs that were canceled", f"{count:,}")
          for state, count in sorted(states.items())),
        ("of these: reused", f"{sum(row.reused for row in jobs.values()):,}"),
        ("of these: given up after three losses", f"{sum(row.is_given_up for row in jobs.values()):,}"),
        ("attempts", f"{sum(row.attempts for row in jobs.values()):,}"),
        ("jobs with more than one attempt", f"{sum(row.attempts > 1 for row in jobs.values()):,}"),
        ("from submit to end, median s", f"{statistics.median(waits):.2f}"),
        ("from submit to end, p95 s", f"{high(waits):.2f}"),
        ("from submit to end, worst s", f"{max(waits):.2f}"),
        ("longest time without an end, s", f"{max(b - a for a, b in itertools.pairwise(ends)):.2f}"),
    ]  # fmt: skip
    print_table(f"{len(jobs):,} jobs", ("",), rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Do it, and end with 1 when anything is wrong."""
    parser = parser_of("fleet", __doc__)
    parser.add_argument("--jobs", type=int, default=5000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two faults, on average")
    parser.add_argument("--sqlite", action="store_true", help="one server on SQLite in the place of two on PostgreSQL")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the folder there afterwards, to look into")
    options = parser.parse_args(arguments)
    seconds, draw = options.minutes * 60, random.Random(options.seed)
    kept = nullcontext(options.folder) if options.keep else work_folder(options.folder)
    with ExitStack() as stack:
        folder = stack.enter_context(kept)
        faults = stack.enter_context(closing(Faults()))
        fleet = stack.enter_context(running_fleet(folder, sqlite=options.sqlite))
        people = people_of(fleet, options.jobs, seconds, draw)
        faults.plan(fleet, plan_of(fleet, seconds, options.every, draw))
        strike(fleet, people, faults, seconds)
        jobs = jobs_of(fleet)
        show(jobs, faults)
        wrong = [*faults.trouble, *check(fleet, people, jobs), *stop(fleet), *left_behind(folder / "fleet")]
    if wrong:
        sys.exit("\n".join([f"{len(wrong)} things are wrong:", *wrong[:_MOST_SHOWN]]))
    print("each job has its one right end, and nothing is left behind")


if __name__ == "__main__":
    main()
