"""A history of many blocks: every window and every total equals what sorting all of its rows in Python gives.

Rows are written straight into the table, because a hundred thousand lives would take minutes; their counters are then
counted anew, and kept from there on by the verbs that are examined.
"""

import asyncio
import random
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from tests.conformance.conftest import OpenDatabase

from fireside.domain.accounts import Role, User
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.listing import JobFilter, JobSort, Window
from fireside.domain.outputs import Media, OutputSummary
from fireside.domain.retention import Retention
from fireside.store.blocks import next_coarse_edge, run_block
from fireside.store.classes import classes_of
from fireside.store.database import Database
from fireside.store.postgres import PostgresDatabase
from fireside.store.postgres_link import connect
from fireside.store.records import Ending, JobBody, NewJob
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ROWS = 100_000
LIMIT = 50
BODY = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
STATES = {0: "queued", 1: "running", 3: "failed", 4: "canceled"}
ACTIVE = (0, 1)
FILTERS = {
    "everything": JobFilter(),
    "completed": JobFilter(states=frozenset({JobState.SUCCEEDED})),
    "failed": JobFilter(states=frozenset({JobState.FAILED, JobState.EXPIRED})),
    "canceled": JobFilter(states=frozenset({JobState.CANCELED})),
    "pending": JobFilter(states=frozenset({JobState.QUEUED, JobState.ASSIGNED})),
    "in progress": JobFilter(states=frozenset({JobState.RUNNING, JobState.CANCELING})),
    "pending and completed": JobFilter(states=frozenset({JobState.QUEUED, JobState.ASSIGNED, JobState.SUCCEEDED})),
    "in progress and failed": JobFilter(
        states=frozenset({JobState.RUNNING, JobState.CANCELING, JobState.FAILED, JobState.EXPIRED})
    ),
    "video": JobFilter(media=Media.VIDEO),
    "of a workflow": JobFilter(workflow_id="a"),
    "pending of a workflow": JobFilter(
        workflow_id="a", states=frozenset({JobState.QUEUED, JobState.ASSIGNED, JobState.CANCELED})
    ),
    "of a small workflow": JobFilter(workflow_id="small"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """What a listing knows of a job."""

    pk: int
    number: int
    run_us: int
    workflow_id: str | None

    @property
    def id(self) -> UUID:
        return UUID(int=self.pk)


def _rows(user_id: UserId) -> list[Row]:
    """A user's rows with holes where jobs were deleted, many that never ran, and run times from 1 µs to hours."""
    chance = random.Random(7)
    rows: list[Row] = []
    for place in range(1, ROWS + 1):
        if chance.random() < 0.1 or 20_000 < place < 23_000:
            continue
        number = chance.choices([0, 1, 3, 4, *range(16, 32)], [10, 0.05, 5, 15, *[4] * 16])[0]
        ran = number >= 16 or (number == 3 and chance.random() < 0.5)
        run_us = int(chance.lognormvariate(12, 4)) if ran and chance.random() < 0.9 else 0
        workflow = chance.choices([None, "a", "small"], [50, 40, 0.5])[0]
        rows.append(Row((user_id << 40) + place, number, run_us, workflow))
    return rows


def _insert(database: Database, user_id: UserId, rows: Sequence[Row]) -> None:
    counts = (ROWS, sum(row.number == 0 for row in rows), sum(row.number == 1 for row in rows), user_id)
    share = "UPDATE user_share SET sequence = {}, queued = {}, held = {} WHERE user_id = {}".format(*counts)
    columns = (
        "pk, id, user_id, class, run_us, state, number, attempt, fence, worker_id, created_at, changed_at, started_at,"
        " ended_at, workflow_id"
    )
    values = (_columns(user_id, row) for row in rows)
    if isinstance(database, PostgresDatabase):
        with connect(database._parameters) as raw, raw.transaction(), raw.cursor() as cursor:
            with cursor.copy(f"COPY job ({columns}) FROM STDIN".encode()) as copy:
                for one in values:
                    copy.write_row(one)
            raw.execute(share.encode())
        return
    assert isinstance(database, SqliteDatabase)
    with closing(sqlite3.connect(database._path, isolation_level=None)) as raw:
        raw.execute("BEGIN")
        holes = ", ".join("?" * len(columns.split(",")))
        rows_of_bytes = ((pk, job_id.bytes, *more) for pk, job_id, *more in values)
        raw.executemany(f"INSERT INTO job ({columns}) VALUES ({holes})", rows_of_bytes)
        raw.execute(share)
        raw.execute("COMMIT")


def _execute(database: Database, *commands: str) -> None:
    if isinstance(database, PostgresDatabase):
        with connect(database._parameters) as raw:
            for command in commands:
                raw.execute(command.encode())
        return
    assert isinstance(database, SqliteDatabase)
    with closing(sqlite3.connect(database._path, isolation_level=None)) as raw:
        for command in commands:
            raw.execute(command)


def _columns(user_id: UserId, row: Row) -> tuple[Any, ...]:
    has_ended = row.number not in ACTIVE
    held = int(row.number == 1)
    began = 10 if held or row.run_us else None
    ended = (10 + row.run_us) if has_ended else None
    state = STATES.get(row.number, "succeeded")
    return (
        row.pk, row.id, user_id, row.number, row.run_us, state, 0, held, held, "w" if held else None, 1, 1,
        began, ended, row.workflow_id,
    )  # fmt: skip


@dataclass
class Library:
    database: Database
    user_id: UserId
    rows: Sequence[Row]

    @property
    def store(self) -> Store:
        return Store(self.database)


OpenLibrary = Callable[[], AbstractAsyncContextManager[Library]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_library(open_database: OpenDatabase) -> AsyncIterator[OpenLibrary]:
    """Open copies of one large history."""
    users: list[User] = []
    rows: list[Row] = []

    async def fill(database: Database) -> None:
        store = Store(database)
        users.append(await store.add_user("ann", Role.MEMBER, NOW))
        rows.extend(_rows(users[0].id))
        await asyncio.to_thread(_insert, database, users[0].id, rows)
        await store.recount(users[0].id)
        assert await store.promote_large_histories() == 2
        if isinstance(database, PostgresDatabase):
            # As every PostgreSQL does by itself before long.
            _execute(database, "VACUUM ANALYZE")

    @asynccontextmanager
    async def open_copy() -> AsyncGenerator[Library]:
        async with open_copied() as database:
            yield Library(database, users[0].id, rows)

    async with open_database.filled(fill) as open_copied:
        yield open_copy


@pytest.fixture
async def library(open_library: OpenLibrary) -> AsyncIterator[Library]:
    async with open_library() as library:
        yield library


def _wanted(rows: Sequence[Row], wanted: JobFilter, window: Window) -> list[Row]:
    classes = set(classes_of(wanted.states, wanted.media))
    kept = [row for row in rows if row.number in classes and wanted.workflow_id in (None, row.workflow_id)]
    by_run: Callable[[Row], Any] = lambda row: (row.run_us, row.pk)  # noqa: E731 - one of two keys
    by_age: Callable[[Row], Any] = lambda row: row.pk  # noqa: E731 - the other one
    kept.sort(key=by_run if window.sort is JobSort.RUN_TIME else by_age, reverse=window.descending)
    return kept


def _offsets(total: int) -> list[int]:
    chance = random.Random(total)
    ends = [0, 1, 1023, 1024, 1025, total - LIMIT - 1, total - LIMIT, total - 1, total, total + 5]
    return sorted({max(0, offset) for offset in [*ends, *(chance.randrange(total + 1) for _ in range(25))]})


async def test_every_window_of_a_large_history_is_the_one_that_sorting_gives(library: Library) -> None:
    for name, wanted in FILTERS.items():
        for sort in JobSort:
            for descending in (False, True):
                window = Window(sort=sort, descending=descending)
                sorted_rows = _wanted(library.rows, wanted, window)
                for offset in _offsets(len(sorted_rows)):
                    window = Window(sort=sort, descending=descending, offset=offset, limit=LIMIT)
                    page = await library.store.list_jobs(library.user_id, wanted, window)

                    where = f"{name}, {sort}, {'descending' if descending else 'ascending'}, {offset}"
                    assert page.total == len(sorted_rows), where
                    expected = [row.id for row in sorted_rows[offset : offset + LIMIT]]
                    assert [job.id for job in page.jobs] == expected, where


async def test_the_counters_of_a_large_history_stay_true_through_every_verb(library: Library) -> None:
    store = library.store
    for number in range(40):
        job = await _submit(library, workflow_id=[None, "a", "new"][number % 3])
        if number % 4 == 0:
            await _step(store, job, Verb.CANCEL)
        elif number % 4 == 1:
            await _run(store, job, Verb.SUCCEED, run_us=number * 1000)
        elif number % 4 == 2:
            await _run(store, job, Verb.FAIL, run_us=0)
    ended = [row for row in library.rows if row.number not in ACTIVE]
    await store.delete_jobs(library.user_id, [JobId(row.id) for row in random.Random(3).sample(ended, 300)])
    assert await store.miscounted(library.user_id) == 0

    for weight in (1, 40, 2000):
        assert await store.prune_history(library.user_id, Retention(jobs=9), NOW, weight=weight) == weight
        assert await store.miscounted(library.user_id) == 0

    await store.delete_jobs(library.user_id, None)
    assert await store.miscounted(library.user_id) == 0
    page = await store.list_jobs(library.user_id, JobFilter(), Window())
    assert page.total == sum(row.number in ACTIVE for row in library.rows) + 10


async def test_counters_that_were_damaged_are_found_and_put_right(library: Library) -> None:
    _execute(
        library.database,
        "UPDATE job_total SET n = n + 1 WHERE class = 3 AND workflow = ''",
        "DELETE FROM job_block WHERE axis = 1 AND block = 3",
    )
    assert await library.store.miscounted(library.user_id) > 1

    await library.store.recount(library.user_id)

    assert await library.store.miscounted(library.user_id) == 0


async def _submit(library: Library, workflow_id: str | None) -> Job:
    new = NewJob(id=JobId(uuid4()), user_id=library.user_id, body=BODY, workflow_id=workflow_id)
    return await library.store.add_job(new, NOW, max_queued=None)


async def _step(store: Store, job: Job, verb: Verb, **more: Any) -> Job:
    return await store.change_job(job, advance(job, verb, job.changed_at, **more))


async def _run(store: Store, job: Job, verb: Verb, *, run_us: int) -> Job:
    job = await _step(store, job, Verb.ASSIGN, worker_id=WorkerId("w"))
    job = await _step(store, job, Verb.START, lease=job.lease)
    after = advance(job, verb, job.changed_at + timedelta(microseconds=run_us), lease=job.lease)
    summary = OutputSummary(preview=None, outputs_count=1, previewable_count=1, media=Media.IMAGE)
    return await store.change_job(job, after, ending=Ending(summary=summary))


def _forget_runs(library: Library, *, counted: int) -> None:
    """Leave no blocks of run times but those below an edge."""
    block = run_block(counted)
    _execute(
        library.database,
        f"DELETE FROM job_block WHERE axis = 3 AND block >= {block}",
        f"DELETE FROM job_block WHERE axis = 4 AND block >= {block >> 6}",
        f"UPDATE job_promoted SET runs_below = {counted}",
    )


async def _deep_pages(library: Library) -> list[tuple[list[JobId], list[UUID]]]:
    """Pages of the longest runs, and what sorting all rows gives."""
    found: list[tuple[list[JobId], list[UUID]]] = []
    for name in ("everything", "completed", "of a workflow"):
        sorted_rows = _wanted(library.rows, FILTERS[name], Window(sort=JobSort.RUN_TIME))
        for offset in (5_000, 10_000):
            window = Window(sort=JobSort.RUN_TIME, offset=offset, limit=LIMIT)
            page = await library.store.list_jobs(library.user_id, FILTERS[name], window)
            found.append(([job.id for job in page.jobs], [row.id for row in sorted_rows[offset : offset + LIMIT]]))
    return found


@pytest.mark.parametrize("at_once", [1, 1_000_000])
async def test_run_times_that_were_counted_by_another_cut_are_counted_anew(library: Library, at_once: int) -> None:
    _forget_runs(library, counted=0)
    another = "({}, '', 3, 16, 12345678, 9), ({}, '', 4, 16, 0, 9)".format(*[library.user_id] * 2)
    _execute(library.database, f"INSERT INTO job_block VALUES {another}")
    assert await library.store.miscounted(library.user_id) == 0
    assert all(page == expected for page, expected in await _deep_pages(library))

    assert await library.store.count_runs(at_once=at_once) == 2

    assert await library.store.miscounted(library.user_id) == 0
    assert await library.store.count_runs() == 0
    assert all(page == expected for page, expected in await _deep_pages(library))


async def test_jobs_end_and_go_while_run_times_are_being_counted(library: Library) -> None:
    store, counted = library.store, next_coarse_edge(150_000)
    _forget_runs(library, counted=counted)
    for run_us in (0, counted - 1, counted, 3_600_000_000):
        await _run(store, await _submit(library, "a"), Verb.SUCCEED, run_us=run_us)
    ended = [row for row in library.rows if row.number not in ACTIVE]
    await store.delete_jobs(library.user_id, [JobId(row.id) for row in random.Random(5).sample(ended, 300)])
    assert await store.miscounted(library.user_id) == 0

    assert await store.count_runs(at_once=1) == 2

    assert await store.miscounted(library.user_id) == 0


async def test_a_recount_counts_all_run_times(library: Library) -> None:
    _forget_runs(library, counted=next_coarse_edge(150_000))

    await library.store.recount(library.user_id)

    assert await library.store.miscounted(library.user_id) == 0
    assert await library.store.count_runs() == 0


async def test_a_history_is_counted_in_blocks_once_it_is_large(library: Library) -> None:
    assert await library.store.promote_large_histories() == 0
    assert await library.store.promote_large_histories(at_least=100) == 1
    assert await library.store.miscounted(library.user_id) == 0


@pytest.mark.parametrize("descending", [True, False])
async def test_pages_after_a_place_visit_each_job_once_while_others_come_and_go(
    library: Library, descending: bool
) -> None:
    wanted = FILTERS["canceled"]
    expected = [row.id for row in _wanted(library.rows, wanted, Window(descending=descending))]
    visited: list[UUID] = []
    window = Window(descending=descending, limit=700)
    while True:
        page = await library.store.list_jobs(library.user_id, wanted, window)
        visited += [job.id for job in page.jobs]
        await library.store.delete_jobs(library.user_id, [page.jobs[0].id])
        if page.next_after is None:
            break
        if descending:
            await _step(library.store, await _submit(library, None), Verb.CANCEL)
        window = replace(window, after=page.next_after)

    assert visited == expected
