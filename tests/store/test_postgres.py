"""What is PostgreSQL's own: the schema's steps, statements, and servers that share a database."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tests.postgres_server import PostgresServer

from fireside.domain.accounts import Role
from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.errors import BadRequest
from fireside.domain.ids import AssetId, BlobHash, JobId, UserId
from fireside.domain.listing import JobFilter, Window
from fireside.store.database import DatabaseError, Statement, Violated
from fireside.store.postgres import PostgresDatabase, prepare
from fireside.store.postgres_link import RawConnection, connect, read_url
from fireside.store.postgres_migrations import migrate
from fireside.store.queries import load_migrations, load_queries
from fireside.store.records import JobBody, NewJob, QueueCounts
from fireside.store.store import DuplicateJob, Store

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
BODY = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
QUERIES = {dialect: load_queries(dialect) for dialect in ("sqlite", "postgres")}


@pytest.fixture
def empty_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database without a table."""
    with postgres_server.database(template="template0") as url:
        yield url


@pytest.fixture
def raw(url: str) -> Iterator[RawConnection]:
    with connect(read_url(url)) as raw:
        yield raw


@pytest.fixture
async def database(url: str) -> AsyncIterator[PostgresDatabase]:
    database = PostgresDatabase(url)
    await database.start()
    yield database
    await database.close()


def new_job(user_id: UserId) -> NewJob:
    return NewJob(id=JobId(uuid4()), user_id=user_id, body=BODY, workflow_id="w")


# Queries


def test_both_dialects_have_the_same_queries_with_the_same_parameters() -> None:
    parameters = {
        dialect: {name: set(prepare(text).names) for name, text in queries.items()}
        for dialect, queries in QUERIES.items()
    }

    assert parameters["sqlite"] == parameters["postgres"]


@pytest.mark.parametrize("query", sorted(QUERIES["postgres"]))
def test_every_query_says_what_it_is_for(query: str) -> None:
    assert QUERIES["postgres"][query].startswith("-- ")


def test_parameters_are_numbered_as_they_come_and_casts_are_left_alone() -> None:
    prepared = prepare("SELECT :b::text, :a, :b, ':' || x::bigint")

    assert (prepared.sql, prepared.names) == ("SELECT $1::text, $2, $1, ':' || x::bigint", ["b", "a"])


def test_postgres_can_tell_the_type_of_every_parameter(raw: RawConnection) -> None:
    for name, text in QUERIES["postgres"].items():
        raw.execute(f"PREPARE {name} AS {prepare(text).sql}".encode())  # type: ignore[arg-type]

    ((unknown,),) = raw.execute(
        "SELECT count(*) FROM pg_prepared_statements WHERE 'unknown'::regtype = ANY (parameter_types)"
    ).fetchall()
    assert unknown == 0


async def test_a_query_is_prepared_once_whatever_is_null_and_however_large_numbers_are(
    database: PostgresDatabase,
) -> None:
    database._queries["statements"] = prepare(
        "SELECT statement, generic_plans + custom_plans AS runs FROM pg_prepared_statements"
    )
    values = [(None, 1, None), ("w", 1 << 40, b"x"), ("w", 70_000, None)]
    store = Store(database)
    user = await store.add_user("ann", Role.MEMBER, NOW)

    for workflow_id, number, secrets in values:
        body = JobBody(graph=b"{}", extra_data=b"{}", outputs=(), sealed_secrets=secrets)
        new = NewJob(id=JobId(uuid4()), user_id=user.id, body=body, workflow_id=workflow_id, number=float(number))
        await store.add_job(new, NOW, max_queued=None if number == 1 else number)
        with pytest.raises(DuplicateJob):
            await store.add_job(new, NOW, max_queued=None)

    rows = await database.decide(lambda tx: tx.run("statements", {}))
    runs = {row["statement"]: row["runs"] for row in rows}
    assert len(runs) == len(rows)
    assert runs[database._queries["add_job"].sql] == 6


async def test_our_connections_wait_as_long_as_it_takes_and_say_who_they_are(database: PostgresDatabase) -> None:
    names = ("application_name", "statement_timeout", "lock_timeout", "synchronous_commit", "jit")
    shown = ", ".join(f"current_setting('{name}') AS {name}" for name in names)
    database._queries["settings"] = prepare(f"SELECT {shown}")

    (row,) = await database.decide(lambda tx: tx.run("settings", {}))

    assert list(row.values()) == ["fireside", "0", "0", "on", "off"]


async def test_a_text_too_long_for_an_index_is_the_callers_mistake_and_nobody_elses(
    database: PostgresDatabase,
) -> None:
    text = "".join(f"{n:x}" for n in range(20_000))
    store = Store(database)

    answers = await asyncio.gather(
        store.add_user("ann", Role.MEMBER, NOW),
        store.add_user(text, Role.MEMBER, NOW),
        store.add_user("bob", Role.MEMBER, NOW),
        return_exceptions=True,
    )

    assert isinstance(answers[1], BadRequest)
    assert [user.name for user in await store.users()] == ["ann", "bob"]


async def test_a_missing_value_is_named(database: PostgresDatabase) -> None:
    user = {
        "name": "ann",
        "role": None,
        "weight": 1.0,
        "max_running": None,
        "max_queued": None,
        "max_run_seconds": None,
        "keep_jobs": None,
        "keep_days": None,
        "reuse": None,
        "now": NOW,
    }

    with pytest.raises(Violated) as refused:
        await database.write([Statement("add_user", user)])

    assert refused.value.constraint == "user.role"


# The schema


def schema_of(raw: RawConnection) -> Sequence[Any]:
    return raw.execute(
        b"""
        SELECT 'column' AS what, attrelid::regclass::text AS of, attname::text AS name,
            format_type(atttypid, atttypmod) || ' ' || attnotnull || coalesce(pg_get_expr(adbin, adrelid), '') AS text
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'relation', oid::regclass::text, coalesce(pg_get_indexdef(oid), ''), coalesce(reloptions::text, '')
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i', 'S')
        ORDER BY 1, 2, 3, 4
        """  # type: ignore[arg-type]
    ).fetchall()


LATER = "CREATE TABLE later (id integer PRIMARY KEY);"
ONLINE = "-- online\nCREATE INDEX CONCURRENTLY IF NOT EXISTS job_later ON job (number);"


def test_a_migrated_schema_equals_a_fresh_one(postgres_server: PostgresServer) -> None:
    known = load_migrations("postgres")
    steps = [*known, (len(known) + 1, LATER), (len(known) + 2, ONLINE)]
    with (
        postgres_server.database(template="template0") as first,
        postgres_server.database(template="template0") as second,
        connect(read_url(first)) as fresh,
        connect(read_url(second)) as migrated,
    ):
        migrate(fresh, steps)
        for known in range(1, len(steps) + 1):
            migrate(migrated, steps[:known])

        assert len(schema_of(fresh)) > 200
        assert schema_of(fresh) == schema_of(migrated)
        assert migrated.execute("SELECT max(version) FROM schema_version").fetchone() == (len(steps),)


def test_a_migration_that_fails_halfway_leaves_the_step_before(raw: RawConnection) -> None:
    steps = load_migrations("postgres")
    before = schema_of(raw)

    with pytest.raises(psycopg.errors.SyntaxError):
        migrate(raw, [*steps, (len(steps) + 1, f"{LATER} CREATE NONSENSE;")])

    assert schema_of(raw) == before
    assert raw.execute("SELECT max(version) FROM schema_version").fetchone() == (len(steps),)


async def test_a_database_from_the_future_is_refused(url: str, raw: RawConnection) -> None:
    raw.execute("INSERT INTO schema_version VALUES (999)")

    for _ in range(2):
        with pytest.raises(DatabaseError, match="version 999, this Fireside knows up to"):
            await PostgresDatabase(url).start()


def columns_that_could_be_named_wrongly() -> set[str]:
    text = load_migrations("postgres")[0][1]
    return set(re.findall(r"^    (\w+_at|at) (?!bigint)", text, re.MULTILINE)) | set(re.findall(r"\breal\b", text))


def test_times_are_whole_numbers_and_real_numbers_are_double() -> None:
    assert columns_that_could_be_named_wrongly() == set()


@pytest.mark.parametrize(
    "change",
    [
        "state = 'running'",
        "state = 'unknown'",
        "state = 'assigned', worker_id = 'w'",
        "state = 'canceled', class = 4",
        "state = 'succeeded', ended_at = 2, class = 4",
        "ended_at = 2",
        "worker_id = 'w'",
        "started_at = 2",
        "fence = -1",
        "attempt = 1",
        "losses = 1",
        "pk = pk + (1::bigint << 40)",
    ],
)
def test_the_schema_is_a_second_lock_on_the_lifecycle(raw: RawConnection, change: str) -> None:
    raw.execute("INSERT INTO \"user\" VALUES (1, 'ann', 'member', 1, NULL, NULL, 1)")
    raw.execute(
        "INSERT INTO job (pk, id, user_id, class, state, number, created_at, changed_at)"
        " VALUES ((1::bigint << 40) | 1, gen_random_uuid(), 1, 0, 'queued', 1, 1, 1)"
    )

    with pytest.raises(psycopg.errors.CheckViolation):
        raw.execute(f"UPDATE job SET {change}".encode())  # type: ignore[arg-type]


# Several servers


async def test_servers_that_start_at_once_make_the_tables_once(empty_url: str) -> None:
    servers = [PostgresDatabase(empty_url) for _ in range(4)]

    await asyncio.gather(*(server.start() for server in servers))

    await Store(servers[0]).add_user("ann", Role.MEMBER, NOW)
    assert [user.name for user in await Store(servers[3]).users()] == ["ann"]
    await asyncio.gather(*(server.close() for server in servers))


async def test_places_and_create_times_rise_within_a_user_though_several_servers_write(
    url: str, database: PostgresDatabase
) -> None:
    other = PostgresDatabase(url)
    await other.start()
    stores = [Store(database), Store(other)]
    users = [await stores[0].add_user(name, Role.MEMBER, NOW) for name in ("ann", "bob")]

    # Each server begins with the other's last user, so that writers side by side would wait in a circle.
    work = [
        store.add_job(new_job(user.id), NOW, max_queued=None)
        for store, order in zip(stores, (users, users[::-1]), strict=True)
        for user in order * 25
    ]
    jobs = await asyncio.gather(*work)

    for user in users:
        mine = sorted((job for job in jobs if job.user_id == user.id), key=lambda job: job.number)
        assert [job.number for job in mine] == list(range(1, 51))
        assert [job.created_at for job in mine] == sorted({job.created_at for job in mine})
        assert (await stores[1].list_jobs(user.id, JobFilter(), Window(limit=100))).jobs == mine[::-1]
        assert await stores[0].queue_counts(user.id) == QueueCounts(queued=50, held=0)
        assert await stores[0].miscounted(user.id) == 0
    await other.close()


async def test_files_of_one_name_from_several_servers_get_names_of_their_own(
    url: str, database: PostgresDatabase
) -> None:
    other = PostgresDatabase(url)
    await other.start()
    stores = [Store(database), Store(other)]
    user = await stores[0].add_user("ann", Role.MEMBER, NOW)

    def file(content: str) -> Asset:
        name = FileName(folder=Folder.INPUT, subfolder="", name="a.png")
        return Asset(
            id=AssetId(uuid4()), user_id=user.id, file=name, hash=BlobHash(content * 64), size_bytes=1,
            content_type="image/png", created_at=NOW,
        )  # fmt: skip

    added = await asyncio.gather(*(stores[n % 2].add_asset(file(f"{n:x}")) for n in range(12)))

    assert len({asset.file.name for asset in added}) == 12
    await other.close()


async def test_a_table_that_a_newer_server_has_changed_is_planned_for_anew(
    database: PostgresDatabase, raw: RawConnection
) -> None:
    store = Store(database)
    user = await store.add_user("ann", Role.MEMBER, NOW)
    assert await asyncio.gather(*(store.user(user.id) for _ in range(8))) == [user] * 8

    raw.execute('ALTER TABLE "user" ADD COLUMN later integer')

    assert await asyncio.gather(*(store.user(user.id) for _ in range(8))) == [user] * 8
