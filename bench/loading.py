"""Putting very many jobs into a store at once: their rows first, in one transaction, and the indexes after them.

What is taken away for that time is what the database itself says there is, so a filled store has the schema of any
other. Counters are not put in: the store's own verbs count afterwards.
"""

import os
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, LiteralString, Protocol, cast

import psycopg
from bench.histories import COLUMNS, Columns, History, Made

from fireside.domain.ids import UserId
from fireside.store.folder_lock import lock_folder

_GRAPH = (
    b'{"1":{"class_type":"EmptyImage","inputs":{"width":64,"height":64,"batch_size":1,"color":0}},'
    b'"2":{"class_type":"SaveImage","inputs":{"filename_prefix":"ComfyUI","images":["1",0]}}}'
)
_OUTPUTS = b'["2"]'
_EXTRA_DATA = b"{}"
_FILLING = (
    "PRAGMA busy_timeout = 5000",
    # New pages need no undoing, so in this mode a transaction of any size writes each of them once.
    "PRAGMA journal_mode = DELETE",
    "PRAGMA synchronous = OFF",
    "PRAGMA cache_size = -1048576",
    "PRAGMA threads = 2",
    "BEGIN IMMEDIATE",
)


class Loader(Protocol):
    """A store that is being filled, inside of a transaction that its context commits."""

    def latest(self, user_id: UserId) -> tuple[int, int]:
        """Give the user's latest place in create order, and when that job was created."""
        ...

    def add(self, columns: Columns) -> None:
        """Put in rows of `job`."""
        ...

    def complete(self, history: History, made: Made) -> None:
        """Give the jobs of a history their bodies, and the user what they have in hand."""
        ...

    def rebuild(self) -> Iterator[str]:
        """Make what was taken away, and say before each part what it is."""
        ...


@contextmanager
def sqlite_loader(path: Path) -> Generator[Loader]:
    """Fill a SQLite file that no server uses; raises StoreLocked."""
    lock = lock_folder(path.parent)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            for command in _FILLING:
                raw.execute(command)
            yield _SqliteLoader(raw)
            raw.execute("COMMIT")
        with path.open("rb") as file:
            os.fsync(file.fileno())
    finally:
        os.close(lock)


class _SqliteLoader:
    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw
        found = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'job'").fetchall()
        self._indexes = [(name, sql) for name, sql in found if sql is not None]
        for name, _ in self._indexes:
            raw.execute(f'DROP INDEX "{name}"')
        holes = ", ".join("?" * len(COLUMNS))
        self._insert = f"INSERT INTO job ({', '.join(COLUMNS)}) VALUES ({holes})"

    def latest(self, user_id: UserId) -> tuple[int, int]:
        query = "SELECT sequence, last_created_at FROM user_share WHERE user_id = ?"
        return self._raw.execute(query, (user_id,)).fetchone()

    def add(self, columns: Columns) -> None:
        self._raw.executemany(self._insert, zip(*(columns[name] for name in COLUMNS), strict=True))

    def complete(self, history: History, made: Made) -> None:
        first, last = history.pks
        self._raw.execute(
            "INSERT INTO job_body (job_pk, graph, extra_data, outputs)"
            " SELECT pk, ?, ?, ? FROM job WHERE pk BETWEEN ? AND ?",
            (_GRAPH, _EXTRA_DATA, _OUTPUTS, first, last),
        )
        self._raw.execute(
            "INSERT INTO job_attempt (job_pk, attempt, fence, worker_id, assigned_at, started_at)"
            " SELECT pk, attempt, fence, worker_id, started_at, started_at FROM job"
            " WHERE pk BETWEEN ? AND ? AND worker_id IS NOT NULL",
            (first, last),
        )
        sequence = history.first + history.jobs - 1
        self._raw.execute(
            "UPDATE user_share SET sequence = ?, next_number = ?, last_created_at = ?, queued = queued + ?,"
            " held = held + ? WHERE user_id = ?",
            (sequence, sequence + 1, made.last_created_at, made.queued, made.held, history.user_id),
        )

    def rebuild(self) -> Iterator[str]:
        for name, sql in self._indexes:
            yield name
            self._raw.execute(sql)


@contextmanager
def postgres_loader(url: str) -> Generator[Loader]:
    """Fill a PostgreSQL database; servers that use it wait meanwhile."""
    with psycopg.connect(url) as raw:
        yield _PostgresLoader(raw)
    with psycopg.connect(url, autocommit=True) as raw:
        # As autovacuum would some time later: the index alone answers only for pages that were vacuumed.
        raw.execute("VACUUM (ANALYZE)")


_TAKEN_AWAY: LiteralString = """
SELECT conname::text AS name,
    format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS take,
    format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS make
FROM pg_constraint
WHERE (contype = 'f' AND (conrelid IN ('job'::regclass, 'job_body'::regclass) OR confrelid = 'job'::regclass))
    OR (contype = 'u' AND conrelid = 'job'::regclass)
-- What refers to a constraint goes before it and comes back after it.
ORDER BY contype
"""
_INDEXES: LiteralString = """
SELECT relname::text AS name, format('DROP INDEX %s', indexrelid::regclass) AS take, pg_get_indexdef(indexrelid) AS make
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = 'job'::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
"""


class _PostgresLoader:
    def __init__(self, raw: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._raw = raw
        raw.execute("SET LOCAL maintenance_work_mem = '512MB'")
        self._constraints = raw.execute(_TAKEN_AWAY).fetchall()
        self._indexes = raw.execute(_INDEXES).fetchall()
        for _, take, _ in (*self._constraints, *self._indexes):
            raw.execute(cast("LiteralString", take))

    def latest(self, user_id: UserId) -> tuple[int, int]:
        query = "SELECT sequence, last_created_at FROM user_share WHERE user_id = %s"
        sequence, created_at = self._raw.execute(query, (user_id,)).fetchall()[0]
        return sequence, created_at

    def add(self, columns: Columns) -> None:
        names = ", ".join(COLUMNS)
        given = columns | {"id": [one.hex() for one in columns["id"]]}
        with self._raw.cursor() as cursor, cursor.copy(f"COPY job ({names}) FROM STDIN".encode()) as copy:
            for row in zip(*(given[name] for name in COLUMNS), strict=True):
                copy.write_row(row)

    def complete(self, history: History, made: Made) -> None:
        first, last = history.pks
        self._raw.execute(
            "INSERT INTO job_body (job_pk, graph, extra_data, outputs)"
            " SELECT pk, %s, %s, %s FROM job WHERE pk BETWEEN %s AND %s",
            (_GRAPH, _EXTRA_DATA, _OUTPUTS, first, last),
        )
        self._raw.execute(
            "INSERT INTO job_attempt (job_pk, attempt, fence, worker_id, assigned_at, started_at)"
            " SELECT pk, attempt, fence, worker_id, started_at, started_at FROM job"
            " WHERE pk BETWEEN %s AND %s AND worker_id IS NOT NULL",
            (first, last),
        )
        sequence = history.first + history.jobs - 1
        self._raw.execute(
            "UPDATE user_share SET sequence = %s, next_number = %s, last_created_at = %s, queued = queued + %s,"
            " held = held + %s WHERE user_id = %s",
            (sequence, sequence + 1, made.last_created_at, made.queued, made.held, history.user_id),
        )

    def rebuild(self) -> Iterator[str]:
        for name, _, make in (*self._indexes, *reversed(self._constraints)):
            yield name
            self._raw.execute(cast("LiteralString", make))
