"""Migrations of a large PostgreSQL table while others write: nobody is held up, and what was broken off is repeated."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from tests.postgres_server import PostgresServer

from fireside.domain.accounts import Role
from fireside.domain.ids import JobId, UserId
from fireside.store.postgres import PostgresDatabase
from fireside.store.postgres_link import RawConnection, connect, read_url
from fireside.store.postgres_migrations import is_online, migrate, statements_of
from fireside.store.queries import load_migrations
from fireside.store.records import JobBody, NewJob
from fireside.store.store import Store

NOW = datetime(2026, 1, 2, tzinfo=UTC)
KNOWN = load_migrations("postgres")
ONLINE = """-- online: Jobs by their fingerprint; and by how often they were handed out.
CREATE INDEX CONCURRENTLY IF NOT EXISTS job_fingerprint ON job (fingerprint, pk);
CREATE INDEX CONCURRENTLY IF NOT EXISTS job_attempts ON job (attempt, pk) WHERE attempt > 0;
"""
STEPS = [*KNOWN, (len(KNOWN) + 1, ONLINE), (len(KNOWN) + 2, "CREATE TABLE later (id integer PRIMARY KEY);")]
# Those whose tables nobody has filled yet.
BEFORE_THE_FIRST_RELEASE = 6
DEADLINE_SECONDS = 60.0


@pytest.fixture(params=["postgres_server", "debians_postgres_server"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    server: PostgresServer = request.getfixturevalue(request.param)
    with server.database() as url:
        yield url


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """A server at work, which knows nothing of what is to come."""
    database = PostgresDatabase(url)
    await database.start()
    yield Store(database)
    await database.close()


@pytest.fixture
def watch(url: str) -> Iterator[RawConnection]:
    with connect(read_url(url)) as raw:
        yield raw


@contextmanager
def old_snapshot(url: str) -> Generator[None]:
    """Read as somebody does who began before: an index that is made meanwhile cannot be finished."""
    with psycopg.connect(url) as raw:
        raw.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        raw.execute("SELECT count(*) FROM job")
        yield


class Migrating(threading.Thread):
    """A newer server that starts."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.raw = connect(read_url(url))
        self.pid = self.raw.info.backend_pid
        self.error: psycopg.Error | None = None

    def run(self) -> None:
        try:
            with self.raw:
                migrate(self.raw, STEPS)
        except psycopg.Error as error:
            self.error = error

    async def is_done(self) -> bool:
        await asyncio.to_thread(self.join, DEADLINE_SECONDS)
        return not self.is_alive() and self.error is None


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - what is waited for happens in the database
            await asyncio.sleep(0.01)


async def waits_to_finish_an_index(watch: RawConnection, migrating: Migrating) -> None:
    """Wait until the index is in the making, and held up by who reads an older state."""
    query = "SELECT count(*) FROM pg_stat_progress_create_index WHERE pid = $1 AND phase LIKE 'waiting for old snap%'"
    await until(lambda: watch.execute(query, [str(migrating.pid)]).fetchone() == (1,))


async def submit(store: Store, user_id: UserId) -> JobId:
    body = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
    new = NewJob(id=JobId(uuid4()), user_id=user_id, body=body)
    async with asyncio.timeout(DEADLINE_SECONDS):
        return (await store.add_job(new, NOW, max_queued=None)).id


def indexes(watch: RawConnection) -> dict[str, bool]:
    """The indexes of the migration that are there, and whether they are of use."""
    rows = watch.execute(
        "SELECT relname::text, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
        " WHERE relname IN ('job_fingerprint', 'job_attempts')"
    )
    return dict(rows.fetchall())


def version(watch: RawConnection) -> int:
    ((found,),) = watch.execute("SELECT max(version) FROM schema_version").fetchall()
    return found


def found_by_the_index(watch: RawConnection) -> set[JobId]:
    plan = watch.execute("EXPLAIN SELECT id FROM job WHERE fingerprint = ''").fetchall()
    assert "job_fingerprint" in str(plan)
    return {row[0] for row in watch.execute("SELECT id FROM job WHERE fingerprint = ''")}


async def test_who_writes_goes_on_while_an_index_is_made(url: str, store: Store, watch: RawConnection) -> None:
    user = await store.add_user("ann", Role.MEMBER, NOW)
    before = await submit(store, user.id)
    migrating = Migrating(url)

    with old_snapshot(url):
        migrating.start()
        await waits_to_finish_an_index(watch, migrating)
        meanwhile = [await submit(store, user.id) for _ in range(20)]
        assert migrating.is_alive()

    assert await migrating.is_done()
    after = await submit(store, user.id)
    assert indexes(watch) == {"job_fingerprint": True, "job_attempts": True}
    assert version(watch) == len(STEPS)
    assert found_by_the_index(watch) == {before, *meanwhile, after}


async def test_an_index_that_was_broken_off_is_made_anew(url: str, store: Store, watch: RawConnection) -> None:
    user = await store.add_user("ann", Role.MEMBER, NOW)
    jobs = {await submit(store, user.id)}
    broken = Migrating(url)
    with old_snapshot(url):
        broken.start()
        await waits_to_finish_an_index(watch, broken)
        watch.execute("SELECT pg_terminate_backend($1::integer)", [str(broken.pid)])
        await asyncio.to_thread(broken.join, DEADLINE_SECONDS)
    assert broken.error is not None
    assert indexes(watch) == {"job_fingerprint": False}
    assert version(watch) == len(KNOWN)
    jobs.add(await submit(store, user.id))

    again = Migrating(url)
    again.start()

    assert await again.is_done()
    assert indexes(watch) == {"job_fingerprint": True, "job_attempts": True}
    assert version(watch) == len(STEPS)
    assert found_by_the_index(watch) == jobs


async def test_what_was_made_and_not_recorded_is_not_made_twice(url: str, watch: RawConnection) -> None:
    for statement in statements_of(ONLINE):
        watch.execute(statement.encode())  # type: ignore[arg-type]
    made = watch.execute("SELECT 'job_fingerprint'::regclass::oid").fetchone()

    migrate(watch, STEPS)

    assert watch.execute("SELECT 'job_fingerprint'::regclass::oid").fetchone() == made
    assert version(watch) == len(STEPS)


async def test_a_second_server_that_starts_waits_without_holding_up_the_first(url: str, watch: RawConnection) -> None:
    first, second = Migrating(url), Migrating(url)
    with old_snapshot(url):
        first.start()
        await waits_to_finish_an_index(watch, first)
        second.start()
        asked = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND query LIKE '%pg_try_advisory_lock%'"
        await until(lambda: watch.execute(asked, [str(second.pid)]).fetchone() == (1,))
        assert version(watch) == len(KNOWN)

    assert await first.is_done()
    assert await second.is_done()
    assert watch.execute("SELECT count(*) FROM schema_version").fetchone() == (len(STEPS),)


def test_rows_are_filled_a_few_at_a_time_until_none_is_left(url: str, watch: RawConnection) -> None:
    few = 'UPDATE "user" SET weight = 2 WHERE id IN (SELECT id FROM "user" WHERE weight = 1 ORDER BY id LIMIT 2);'
    for name in "abcde":
        watch.execute("INSERT INTO \"user\" (name, role, weight, created_at) VALUES ($1, 'member', 1, 1)", [name])

    migrate(watch, [*KNOWN, (len(KNOWN) + 1, f"-- online: Weights.\n{few}")])

    assert watch.execute('SELECT weight, count(*) FROM "user" GROUP BY weight').fetchall() == [(2, 5)]


@pytest.mark.parametrize(("number", "script"), STEPS[BEFORE_THE_FIRST_RELEASE:])
def test_indexes_of_tables_that_are_there_are_made_online_and_so_that_it_can_be_repeated(
    number: int, script: str
) -> None:
    assert misplaced_indexes(script) == []


def misplaced_indexes(script: str) -> Sequence[str]:
    made = set(re.findall(r"CREATE TABLE (\S+)", script))
    found: list[str] = []
    for statement in statements_of(script):
        index = re.match(r"(CREATE|DROP) (?:UNIQUE )?INDEX\b(?:.*?\bON (\S+))?", statement, re.DOTALL)
        if index is None or index[2] in made:
            continue
        can_be_repeated = re.match(r"\w+ (UNIQUE )?INDEX CONCURRENTLY IF (NOT )?EXISTS \w+", statement)
        if not is_online(script) or not can_be_repeated:
            found.append(statement)
    return found


def test_an_index_that_would_hold_up_writers_is_noticed() -> None:
    table = "CREATE TABLE small (id integer); CREATE INDEX small_id ON small (id);"

    assert misplaced_indexes(table) == []
    assert len(misplaced_indexes("CREATE INDEX job_x ON job (x);")) == 1
    assert len(misplaced_indexes("-- online\nCREATE UNIQUE INDEX CONCURRENTLY job_x ON job (x);")) == 1
    assert len(misplaced_indexes("DROP INDEX job_active;")) == 1
