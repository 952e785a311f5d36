"""How fast the store submits and lists on SQLite, against plain ways of doing the same in the same run.

    python -m bench.store [--submits N] [--jobs N ...] [--rounds N] [--folder DIR]

Submits are durable (`synchronous=FULL`); the plain way is one transaction for each insert of one row. Pages come with
their exact total; the plain way counts and sorts the table without indexes. Rounds of both ways alternate, the best
counts, because other work on the machine only ever adds.
"""

import asyncio
import random
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bench.measuring import Work, best_of, ms, parser_of, print_table, ratio, work_folder
from bench.submit import bare_table

from fireside.domain.accounts import Role, User
from fireside.domain.ids import JobId
from fireside.domain.jobs import JobState
from fireside.domain.listing import JobFilter, JobSort, Window
from fireside.domain.outputs import Media
from fireside.store.records import JobBody, NewJob, StagedInput
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store

SHORT = ("--submits=800", "--jobs", "10000", "--rounds=3")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALLERS = 16
BODY = JobBody(
    graph=b'{"1":' + b" " * 4000 + b"}",
    extra_data=b"{}",
    outputs=("9",),
    inputs=(StagedInput(value="photo.png", hash=("a" * 64), size_bytes=1_000_000),),  # type: ignore[arg-type]
)
ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED)
PAGE_1, DEEP = 0, 0.9


@dataclass(frozen=True, slots=True)
class Case:
    """A listing, and the same question as a plain condition and order."""

    name: str
    wanted: JobFilter
    window: Window
    depth: float
    where: str
    order: str


def cases() -> Iterator[Case]:
    """The listings that are measured."""
    everything, created, run = JobFilter(), Window(), Window(sort=JobSort.RUN_TIME)
    failed = JobFilter(states=frozenset({JobState.FAILED, JobState.EXPIRED}))
    succeeded = JobFilter(states=frozenset({JobState.SUCCEEDED}))
    yield Case("all, newest", everything, created, PAGE_1, "1", "pk DESC")
    yield Case("all, newest, deep", everything, created, DEEP, "1", "pk DESC")
    yield Case("failed, newest", failed, created, PAGE_1, "class = 3", "pk DESC")
    yield Case("succeeded, newest", succeeded, created, PAGE_1, "class >= 16", "pk DESC")
    yield Case("video, newest", JobFilter(media=Media.VIDEO), created, PAGE_1, "class >= 16 AND class & 2", "pk DESC")
    workflow = JobFilter(workflow_id="workflow-1")
    yield Case("workflow, newest", workflow, created, PAGE_1, "workflow_id = 'workflow-1'", "pk DESC")
    yield Case("all, longest", everything, run, PAGE_1, "1", "run_us DESC, pk DESC")
    yield Case("succeeded, longest, deep", succeeded, run, DEEP, "class >= 16", "run_us DESC, pk DESC")


async def measure_submits(folder: Path, submits: int, rounds: int) -> None:
    """Print submits per second, one by one and from sixteen callers, and the plain way's."""
    database = SqliteDatabase(folder / "submits.db")
    await database.start()
    store = Store(database)
    user = await store.add_user("ann", Role.MEMBER, NOW)

    async def submit(count: int) -> None:
        for _ in range(count):
            await store.add_job(NewJob(id=JobId(uuid4()), user_id=user.id, body=BODY), NOW, max_queued=None)

    async def together() -> None:
        await asyncio.gather(*(submit(submits // CALLERS) for _ in range(CALLERS)))

    plain = bare_table(folder / "plain.db")
    ways: dict[str, Work] = {
        "plain insert, one transaction each": lambda: _insert_plainly(plain, submits),
        "store, 1 caller": lambda: submit(submits),
        f"store, {CALLERS} callers": together,
    }
    best = await best_of(rounds, ways)
    baseline = next(iter(best.values()))
    rows = [(name, f"{submits / seconds:,.0f}", ratio(seconds, baseline)) for name, seconds in best.items()]
    print_table("store: submits, durable", ("per second", "x plain"), rows)
    plain.close()
    await database.close()


async def _insert_plainly(raw: sqlite3.Connection, submits: int) -> None:
    for _ in range(submits):
        raw.execute(
            "INSERT INTO job (id, user_id, state, body) VALUES (?, 1, 'queued', ?)", (uuid4().bytes, BODY.graph)
        )


async def measure_pages(folder: Path, jobs: int, rounds: int) -> None:
    """Print what a page of 100 with its total costs among so many jobs."""
    path = folder / f"pages-{jobs}.db"
    database = SqliteDatabase(path)
    await database.start()
    store = Store(database)
    user = await store.add_user("ann", Role.MEMBER, NOW)
    fill(path, user, jobs)
    await count_up(store, user)
    raw = sqlite3.connect(path, isolation_level=None)
    rows: list[tuple[str, ...]] = []
    for case in cases():
        best = await best_of(rounds, await _ways(store, raw, user, case))
        rows.append((case.name, ms(best["store"]), ms(best["plain"]), ratio(best["store"], best["plain"])))
    print_table(f"store: page of 100 and total, {jobs:,} jobs", ("store ms", "plain ms", "x plain"), rows)
    raw.close()
    await database.close()


async def _ways(store: Store, raw: sqlite3.Connection, user: User, case: Case) -> dict[str, Work]:
    offset = int((await store.list_jobs(user.id, case.wanted, case.window)).total * case.depth)
    window = Window(sort=case.window.sort, offset=offset)
    return {
        "store": lambda: store.list_jobs(user.id, case.wanted, window),
        "plain": lambda: _list_plainly(raw, case, user, offset),
    }


async def _list_plainly(raw: sqlite3.Connection, case: Case, user: User, offset: int) -> None:
    where = f"FROM job NOT INDEXED WHERE user_id = ? AND {case.where}"
    raw.execute(f"SELECT count(*) {where}", (user.id,)).fetchall()
    raw.execute(f"SELECT * {where} ORDER BY +{case.order} LIMIT 100 OFFSET ?", (user.id, offset)).fetchall()


def fill(path: Path, user: User, jobs: int) -> None:
    """Put ended jobs into the production schema, in one transaction."""
    chance = random.Random(1)
    raw = sqlite3.connect(path, isolation_level=None)
    preview = b'{"filename":"ComfyUI_00001_.png","subfolder":"","type":"output","nodeId":"9","mediaType":"images"}'

    def row(sequence: int) -> tuple[Any, ...]:
        state = chance.choices(ENDED, (95, 3, 2))[0]
        number = {"failed": 3, "canceled": 4}.get(state, 16 | chance.choice((1, 1, 1, 1, 2, 4, 3)))
        created = sequence * 1_000_000
        run_us = int(chance.lognormvariate(16, 1))
        workflow = f"workflow-{int(500 * chance.random() ** 2)}"
        pk = user.id << 40 | sequence
        return (
            pk, UUID(int=pk).bytes, user.id, number, run_us, state.value, sequence, created, created + run_us,
            created, created + run_us, workflow, preview,
        )  # fmt: skip

    raw.execute("BEGIN")
    raw.executemany(
        "INSERT INTO job (pk, id, user_id, class, run_us, state, number, created_at, changed_at, started_at, ended_at,"
        " workflow_id, preview) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (row(sequence) for sequence in range(1, jobs + 1)),
    )
    raw.execute("UPDATE user_share SET sequence = ?", (jobs,))
    raw.execute("COMMIT")
    raw.close()


async def count_up(store: Store, user: User) -> None:
    """Set the counters of a history that was put in beside the store's verbs."""
    await store.recount(user.id)
    await store.promote_large_histories()


async def measure(folder: Path, submits: int, sizes: Sequence[int], rounds: int) -> None:
    """Measure both, one after the other."""
    await measure_submits(folder, submits, rounds)
    for jobs in sizes:
        await measure_pages(folder, jobs, rounds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = parser_of("store", __doc__)
    parser.add_argument("--submits", type=int, default=1600, help="submits of each round")
    parser.add_argument("--jobs", type=int, nargs="*", default=[1_000, 10_000, 100_000], help="sizes of the history")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with work_folder(options.folder) as folder:
        asyncio.run(measure(folder, options.submits, options.jobs, options.rounds))


if __name__ == "__main__":
    main()
