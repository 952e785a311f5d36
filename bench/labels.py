"""What a page of the API v2's list costs as a user's history grows: by status and by labels, on both databases.

    python -m bench.labels [--jobs N ...] [--databases sqlite postgres] [--calls N] [--stores DIR] [--folder DIR]

Stores are filled by `bench.fill`, and every job gets labels: one that all have, one of two, one of three, one of a
thousand; a few jobs are needles. Those in `--stores` stay and are used again. Pages of 50 of the store's call, the
first one and one from the middle of the history on. A figure is the least of three medians.

Ends with 1 when a page of the largest history takes more than 1.5 times that of the smallest and 5 ms more,
which is what the most jobs that a page looks at cost.
"""

import asyncio
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, closing
from pathlib import Path

import psycopg
import uvloop
from bench.fill import DATABASE_FILE, Target, fill
from bench.listing_results import DATABASES
from bench.measuring import middle, ms, parser_of, print_table, seconds_of, work_folder
from bench.postgres import running_postgres

from fireside.accounts.accounts import FIRST_USER
from fireside.domain.ids import UserId
from fireside.domain.jobs import JobState
from fireside.domain.listing import JobWalk
from fireside.store.store import Store

SHORT = ("--jobs", "10000", "100000", "--calls=5")
_ROUNDS = 3
_ALLOWED_TIMES, _ALLOWED_MORE_SECONDS = 1.5, 0.005
_PLACE = 1099511627775
_LABELS = (
    ("'all'", "'x'", "true"),
    ("'half'", "CAST({place} % 2 AS text)", "true"),
    ("'third'", "CAST({place} % 3 AS text)", "true"),
    ("'batch'", "CAST({place} / 1000 AS text)", "true"),
    ("'needle'", "'x'", "{place} % 2003 = 7 AND {place} < 12000"),
)
_FAILED = frozenset({JobState.FAILED, JobState.EXPIRED})
_EXPIRED = frozenset({JobState.EXPIRED})
WALKS: Mapping[str, JobWalk] = {
    "all": JobWalk(),
    "failed": JobWalk(states=_FAILED),
    "all=x": JobWalk(labels={"all": "x"}),
    "batch=3": JobWalk(labels={"batch": "3"}),
    "half=1, third=2": JobWalk(labels={"half": "1", "third": "2"}),
    "all=x, half=1, third=2": JobWalk(labels={"all": "x", "half": "1", "third": "2"}),
    "all=x, half=1, failed": JobWalk(labels={"all": "x", "half": "1"}, states=_FAILED),
    "needle=x, all=x, third=1": JobWalk(labels={"needle": "x", "all": "x", "third": "1"}),
    "all=x, half=1, expired: none": JobWalk(labels={"all": "x", "half": "1"}, states=_EXPIRED),
}


def label(target: Target) -> None:
    """Give all jobs their labels, past the store."""
    statements = [
        f"INSERT INTO job_label (job_pk, key, value) SELECT pk, {key}, {value} FROM job WHERE {condition}".format(
            place=f"(pk & {_PLACE})"
        )
        for key, value, condition in _LABELS
    ]
    if target.data_dir is not None:
        with closing(sqlite3.connect(target.data_dir / DATABASE_FILE, isolation_level=None)) as raw:
            for command in ("PRAGMA cache_size = -524288", "BEGIN", *statements, "COMMIT", "ANALYZE"):
                raw.execute(command)
        return
    with psycopg.connect(target.database_url, autocommit=True) as raw:
        for command in (*statements, "VACUUM ANALYZE job_label"):
            raw.execute(command.encode())


async def measure(targets: Mapping[int, Target], calls: int) -> dict[tuple[str, int], float]:
    """Measure every walk in every store, the stores side by side."""
    async with AsyncExitStack() as stack:
        stores: dict[int, tuple[Store, UserId]] = {}
        for jobs, target in targets.items():
            store = await stack.enter_async_context(target.store())
            user = await store.user_named(FIRST_USER)
            assert user is not None
            stores[jobs] = store, user.id
        taken: dict[tuple[str, int], list[float]] = {}
        for turn in range(_ROUNDS + 1):
            for name, walk in WALKS.items():
                for begin in ("first page", "middle"):
                    for jobs, (store, user_id) in stores.items():
                        wanted = walk if begin == "first page" else _from(walk, jobs // 2)
                        found = [
                            await seconds_of(
                                lambda store=store, user_id=user_id, wanted=wanted: store.walk_jobs(user_id, wanted)
                            )
                            for _ in range(calls)
                        ]
                        if turn:
                            taken.setdefault((f"{name}, {begin}", jobs), []).append(middle(found))
        return {way: min(medians) for way, medians in taken.items()}


def _from(walk: JobWalk, place: int) -> JobWalk:
    return JobWalk(states=walk.states, labels=walk.labels, after=place)


def judge(database: str, sizes: Sequence[int], taken: Mapping[tuple[str, int], float]) -> list[str]:
    """Print the figures of a database, and say which did not hold."""
    names = list(dict.fromkeys(name for name, _ in taken))
    rows = [(name, *(ms(taken[name, jobs]) for jobs in sizes)) for name in names]
    print_table(f"{database}, ms", [f"{jobs:,}" for jobs in sizes], rows)
    small, large = min(sizes), max(sizes)
    return [
        f"{database}: {name} takes {ms(taken[name, large])} ms of {large:,} jobs"
        for name in names
        if taken[name, large] > max(taken[name, small] * _ALLOWED_TIMES, taken[name, small] + _ALLOWED_MORE_SECONDS)
    ]


def measure_all(folder: Path, sizes: Sequence[int], databases: Sequence[str], calls: int) -> list[str]:
    """Fill, measure and judge, one database after the other."""
    broken: list[str] = []
    with ExitStack() as stack:
        for name in databases:
            if name == "sqlite":
                targets = {jobs: Target(data_dir=folder / f"labels-{jobs}") for jobs in sizes}
            else:
                postgres = stack.enter_context(running_postgres(folder / "postgres"))
                targets = {jobs: Target(database_url=postgres.own_url(f"labels_{jobs}")) for jobs in sizes}
            for jobs, target in targets.items():
                if not asyncio.run(_is_labeled(target)):
                    asyncio.run(fill(target, jobs=jobs))
                    label(target)
            if calls:
                broken += judge(name, sizes, uvloop.run(measure(targets, calls)))
    return broken


async def _is_labeled(target: Target) -> bool:
    async with target.store() as store:
        user = await store.user_named(FIRST_USER)
        return user is not None and len((await store.walk_jobs(user.id, WALKS["all=x"])).jobs) == JobWalk().limit


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and judge."""
    parser = parser_of("labels", __doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=list(DATABASES))
    parser.add_argument("--calls", type=int, default=15, help="calls of each page, or 0 to fill the stores only")
    parser.add_argument("--stores", type=Path, help="where stores stay, and are found")
    options = parser.parse_args(arguments)
    with work_folder(options.folder) as folder:
        broken = measure_all(options.stores or folder, options.jobs, options.databases, options.calls)
    if broken:
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    main()
