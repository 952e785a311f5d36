"""A whole store from SQLite to PostgreSQL: every row of every table, in one transaction, or nothing.

Both schemas have the same tables and columns, which is looked at here and not assumed. Statements are made from the
catalog of the target, as nothing else knows all tables; what rows mean is no business of this module.
"""

import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier

from fireside.store.database import DatabaseError
from fireside.store.postgres_link import RawConnection, connect, explained, read_url

Progress = Callable[[str, int, int], None]
"""Hears the table that is being copied, and how many rows of how many of all are done."""
_AT_ONCE = 2000
_VERSION = "schema_version"
# What only SQLite has: an index of titles that it keeps itself, and constants.
_OF_SQLITE_ALONE = ("sqlite_", "asset_title", "run_octave")
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
_COLUMNS = """SELECT table_name, column_name, data_type, is_identity = 'YES' FROM information_schema.columns
WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"""
_FOREIGN_KEYS = """SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY oid"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the target."""

    name: str
    type: str
    is_numbered: bool
    """Whether the database gives the next number itself."""


def require_unused_postgres(url: str) -> None:
    """Raise `DatabaseError` where a database holds anything but, at most, tables of ours in which nobody is yet."""
    with closing(connect(read_url(url))) as target, _faults_in_words():
        tables = {str(row[0]) for row in target.execute(_TABLES).fetchall()}
        if tables and (_VERSION not in tables or _is_used(target)):
            raise DatabaseError("the database of database_url has tables already; give an empty one")


def copy_to_postgres(source: Path, url: str, on_progress: Progress) -> dict[str, int]:
    """Copy all rows into a database whose schema is there and new; say how many of each table.

    The source must be of the newest schema, and nobody may write to it. Raises `DatabaseError`, and then the target is
    as it was before.
    """
    uri = f"file:{quote(str(source))}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as original, closing(connect(read_url(url))) as target:
        try:
            with _faults_in_words(), target.transaction():
                return _copy_all(original, target, on_progress)
        except sqlite3.Error as error:
            raise DatabaseError(f"{source} cannot be read: {error}") from error


def _copy_all(original: sqlite3.Connection, target: RawConnection, on_progress: Progress) -> dict[str, int]:
    # Nobody begins to use it meanwhile: whoever does first adds a user.
    target.execute('LOCK TABLE "user" IN ACCESS EXCLUSIVE MODE')
    if _is_used(target):
        raise DatabaseError("somebody has begun to use the database of database_url; give an empty one")
    columns = _columns(target)
    _require_same(original, columns)
    counts = {table: _count(original, table) for table in columns}
    total, done = sum(counts.values()), 0
    keys = [tuple(map(str, row)) for row in target.execute(_FOREIGN_KEYS).fetchall()]
    # Put back below, where each is held against all rows at once: assets refer to each other in any order.
    for table, name, _ in keys:
        _run(target, f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for table, of_table in columns.items():
        target.execute(SQL("DELETE FROM {}").format(Identifier(table)))
        for copied in _copy_table(original, target, table, of_table):
            done += copied
            on_progress(table, done, total)
    for table, name, definition in keys:
        _run(target, f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for table, of_table in columns.items():
        _go_on_numbering(original, target, table, of_table)
        found = target.execute(SQL("SELECT count(*) FROM {}").format(Identifier(table))).fetchall()[0][0]
        if found != counts[table]:
            raise DatabaseError(f"{found} of {counts[table]} rows of {table} have arrived; nothing was kept")
    target.execute("ANALYZE")
    return counts


def _copy_table(
    original: sqlite3.Connection, target: RawConnection, table: str, columns: Sequence[Column]
) -> Iterator[int]:
    """Copy a table, and say after each lot of rows how many it had."""
    names = SQL(", ").join(Identifier(column.name) for column in columns)
    into = SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(Identifier(table), names)
    readers = [_READERS.get(column.type) for column in columns]
    rows = original.execute(f"SELECT {_quoted(*(column.name for column in columns))} FROM {_quoted(table)}")  # noqa: S608 - names of our own schema
    with target.cursor() as cursor, cursor.copy(into) as copy:
        copy.set_types([column.type for column in columns])
        while lot := rows.fetchmany(_AT_ONCE):
            for row in lot:
                copy.write_row(
                    [
                        value if value is None or read is None else read(value)
                        for read, value in zip(readers, row, strict=True)
                    ]
                )
            yield len(lot)


def _to_uuid(value: bytes) -> UUID:
    return UUID(bytes=value)


_READERS: Mapping[str, Callable[[Any], Any]] = {"uuid": _to_uuid, "boolean": bool, "double precision": float}


def _go_on_numbering(
    original: sqlite3.Connection, target: RawConnection, table: str, columns: Sequence[Column]
) -> None:
    """Have the next row get a number that none had before, removed ones included."""
    for column in columns:
        if not column.is_numbered:
            continue
        name, of_table = _quoted(column.name), _quoted(table)
        highest = original.execute(f"SELECT coalesce(max({name}), 0) FROM {of_table}").fetchone()[0]  # noqa: S608 - as above
        given = original.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        last = max(highest, 0 if given is None else given[0])
        if last:
            _run(target, f"SELECT setval(pg_get_serial_sequence('\"{table}\"', '{column.name}'), {int(last)})")


def _require_same(original: sqlite3.Connection, columns: Mapping[str, Sequence[Column]]) -> None:
    """Raise `DatabaseError` where one has a table or a column that the other has not."""
    here = {
        str(name): {str(row[1]) for row in original.execute(f'PRAGMA table_info("{name}")')}
        for (name,) in original.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not str(name).startswith((*_OF_SQLITE_ALONE, _VERSION))
    }
    there = {table: {column.name for column in of_table} for table, of_table in columns.items()}
    if here != there:
        odd = sorted(table for table in here.keys() | there.keys() if here.get(table) != there.get(table))
        raise DatabaseError(f"SQLite and PostgreSQL differ in {', '.join(odd)}: use one version of Fireside for both")


def _columns(target: RawConnection) -> dict[str, list[Column]]:
    columns: dict[str, list[Column]] = {}
    for table, name, kind, is_numbered in target.execute(_COLUMNS).fetchall():
        if table != _VERSION:
            columns.setdefault(str(table), []).append(Column(str(name), str(kind), bool(is_numbered)))
    return columns


def _count(original: sqlite3.Connection, table: str) -> int:
    return int(original.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()[0])  # noqa: S608 - as above


def _quoted(*names: str) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _is_used(target: RawConnection) -> bool:
    return bool(target.execute('SELECT EXISTS (SELECT FROM "user")').fetchall()[0][0])


def _run(target: RawConnection, statement: str) -> None:
    """Run what was made of names that the catalog has quoted."""
    target.execute(statement.encode())


@contextmanager
def _faults_in_words() -> Generator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise explained(error) from error
