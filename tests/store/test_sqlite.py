"""What is SQLite's own: the lock, the file, the schema's steps, and transactions that are shared."""

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fireside.domain.accounts import Role
from fireside.domain.errors import StorageFull
from fireside.store.database import DatabaseError, Rows, Statement, StoreLocked, Transaction
from fireside.store.queries import load_migrations, load_queries
from fireside.store.sqlite import SqliteDatabase, migrate
from fireside.store.store import Store

pytestmark = pytest.mark.sqlite

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(tmp_path / "data" / "fireside.db")
    await database.start()
    yield database
    await database.close()


def add_user(name: str) -> Statement:
    user = {
        "name": name,
        "role": "member",
        "weight": 1.0,
        "max_running": None,
        "max_queued": None,
        "max_run_seconds": None,
        "keep_jobs": None,
        "keep_days": None,
        "reuse": None,
        "now": NOW,
    }
    return Statement("add_user", user, expect=1)


async def names(database: SqliteDatabase) -> list[str]:
    (rows,) = await database.read([Statement("users")])
    return [row["name"] for row in rows]


async def test_only_the_owner_can_read_the_file(database: SqliteDatabase, tmp_path: Path) -> None:
    await database.write([add_user("ann")])

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}

    assert modes == dict.fromkeys(["fireside.db", "fireside.db-wal", "fireside.db-shm", "store.lock"], 0o600)


async def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "fireside.db"
    path.touch(0o644)
    database = SqliteDatabase(path)

    await database.start()
    await database.close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_second_server_on_the_same_file_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    first, second = (SqliteDatabase(tmp_path / "fireside.db") for _ in range(2))
    await first.start()

    with pytest.raises(StoreLocked, match="another Fireside server"):
        await second.start()

    await first.close()
    await second.start()
    await second.close()


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        database = SqliteDatabase(tmp_path / "fireside.db")
        await database.start()
        await Store(database).add_user(name, Role.MEMBER, NOW)
        found = await names(database)
        await database.close()

    assert found == ["ann", "bob"]


async def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "fireside.db"
    path.write_bytes(b"not a database " * 1000)

    with pytest.raises(DatabaseError, match=r"fireside\.db is damaged"):
        await SqliteDatabase(path).start()

    assert path.read_bytes() == b"not a database " * 1000


async def test_a_database_from_the_future_is_refused_and_its_lock_given_back(tmp_path: Path) -> None:
    path = tmp_path / "fireside.db"
    database = SqliteDatabase(path)
    await database.start()
    await database.close()
    raw = sqlite3.connect(path)
    raw.execute("INSERT INTO schema_version VALUES (999)")
    raw.commit()
    raw.close()

    for _ in range(2):
        with pytest.raises(DatabaseError, match="version 999"):
            await SqliteDatabase(path).start()


def schema_of(raw: sqlite3.Connection) -> Sequence[Any]:
    return raw.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").fetchall()


def test_a_migrated_schema_equals_a_fresh_one() -> None:
    known = load_migrations("sqlite")
    later = "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT; CREATE INDEX job_later ON job (number);"
    steps = [*known, (len(known) + 1, later)]
    fresh, migrated = (sqlite3.connect(":memory:", isolation_level=None) for _ in range(2))

    migrate(fresh, steps)
    for count in range(1, len(steps) + 1):
        migrate(migrated, steps[:count])

    assert schema_of(fresh) == schema_of(migrated)
    assert migrated.execute("SELECT max(version) FROM schema_version").fetchone() == (len(steps),)
    fresh.close()
    migrated.close()


def test_run_times_that_a_former_schema_has_counted_are_left_to_upkeep() -> None:
    raw = sqlite3.connect(":memory:", isolation_level=None)
    steps = load_migrations("sqlite")
    migrate(raw, steps[:13])
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("INSERT INTO job_promoted VALUES (1, '')")

    migrate(raw, steps)

    assert raw.execute("SELECT runs_below FROM job_promoted").fetchall() == [(0,)]
    raw.close()


def test_a_migration_that_fails_halfway_leaves_the_step_before() -> None:
    raw = sqlite3.connect(":memory:", isolation_level=None)
    steps = load_migrations("sqlite")
    migrate(raw, steps)
    before = schema_of(raw)

    with pytest.raises(sqlite3.OperationalError):
        migrate(raw, [*steps, (len(steps) + 1, "CREATE TABLE later (id INTEGER) STRICT; CREATE NONSENSE;")])

    assert schema_of(raw) == before
    assert raw.execute("SELECT max(version) FROM schema_version").fetchone() == (len(steps),)
    raw.close()


async def test_a_commit_that_fails_is_heard_by_everybody_in_it(database: SqliteDatabase) -> None:
    # Deferred, so that the missing user is noticed at the commit and not before.
    def break_a_promise(tx: Transaction) -> Rows:
        tx.run("defer", {})
        return tx.run("add_user_share_of_nobody", {})

    database._queries["defer"] = "PRAGMA defer_foreign_keys = ON"
    database._queries["add_user_share_of_nobody"] = "INSERT INTO user_share (user_id) VALUES (77)"

    answers = await asyncio.gather(
        database.decide(break_a_promise), database.write([add_user("ann")]), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [DatabaseError, DatabaseError]
    await database.write([add_user("bob")])
    assert await names(database) == ["bob"]


@pytest.mark.parametrize("query", sorted(load_queries("sqlite")))
def test_every_query_says_what_it_is_for(query: str) -> None:
    assert load_queries("sqlite")[query].startswith("-- ")


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
        "pk = pk + (1 << 40)",
    ],
)
def test_the_schema_is_a_second_lock_on_the_lifecycle(change: str) -> None:
    raw = sqlite3.connect(":memory:", isolation_level=None)
    migrate(raw, load_migrations("sqlite"))
    raw.execute("INSERT INTO user (id, name, role, weight, created_at) VALUES (1, 'ann', 'member', 1, 1)")
    raw.execute(
        "INSERT INTO job (pk, id, user_id, class, state, number, created_at, changed_at)"
        " VALUES ((1 << 40) | 1, zeroblob(16), 1, 0, 'queued', 1, 1, 1)"
    )

    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(f"UPDATE job SET {change}")

    raw.close()


async def test_a_disk_that_fills_in_the_midst_of_a_change_ends_the_whole_transaction(database: SqliteDatabase) -> None:
    # SQLite's own limit on the file is as good as a full disk, and is met at the statement instead of the commit.
    database._queries["limit"] = "PRAGMA max_page_count = 1"
    database._queries["lift"] = "PRAGMA max_page_count = 1000000"
    database._queries["grow"] = "CREATE TABLE large AS SELECT zeroblob(1000000) AS content"
    await database.write([Statement("limit")])

    answers = await asyncio.gather(
        database.write([add_user("ann")]), database.write([Statement("grow")]), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [StorageFull, StorageFull]
    await database.write([Statement("lift")])
    await database.write([add_user("bob")])
    assert await names(database) == ["bob"]
