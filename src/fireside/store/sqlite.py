"""SQLite behind the `Database` seam: one file, one writer at a time, a few readers.

Names of columns tell how values travel: `…_at` (and `at`) is a time, kept as microseconds since 1970 UTC; bytes in `id`
or `…_id` are a UUID. Knows no query.
"""

import errno
import functools
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from fireside.domain.errors import BadRequest, StorageFull
from fireside.store.database import DatabaseError, Rows, Transaction, Unexpected, Violated
from fireside.store.folder_lock import lock_folder
from fireside.store.group_commit import BatchWatcher, GroupCommit, TransactionLost
from fireside.store.lead import SoleLead
from fireside.store.queries import load_migrations, load_queries, missing_migrations
from fireside.store.threaded import QuickReader, Readers, ThreadedDatabase
from fireside.store.times import from_time, is_time, to_time

T = TypeVar("T")
_OLDEST = (3, 37)  # of STRICT tables
_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR")
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")

_AS_THEY_ARE = frozenset({int, float, bool, bytes, type(None)})

_SETTINGS = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    # What a caller was told is on disk, also when the power fails: one fsync of the log per commit.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # A checkpoint that had to wait for a long reader leaves a large log; give its room back.
    "PRAGMA journal_size_limit = 67108864",
    # 1 MiB a connection: what else is read again the system keeps, once for all connections and not as our memory.
    "PRAGMA cache_size = -1024",
    # No memory mapping: a failing disk would then be a fatal signal instead of an error we can answer.
    "PRAGMA mmap_size = 0",
    "PRAGMA temp_store = MEMORY",
)


class SqliteDatabase(ThreadedDatabase):
    """One SQLite file that this process alone may write, from `start` until `close` or death."""

    writes_alone = True

    def __init__(self, path: Path, *, holder: str = "", watcher: BatchWatcher | None = None) -> None:
        """Open nothing yet; `holder` is told to whoever is refused because of us."""
        super().__init__(watcher)
        self._path = path
        self._holder = holder
        self._queries = dict(load_queries("sqlite"))
        self._lock: int | None = None

    def lead(self) -> SoleLead:
        """Give the lead, which nobody else can have."""
        return SoleLead()

    async def close(self) -> None:
        """Write what has been asked for, end the threads and give the lock back."""
        lock, self._lock = self._lock, None
        await super().close()
        if lock is not None:
            os.close(lock)

    def _open(self) -> tuple[GroupCommit, Readers]:
        if sqlite3.sqlite_version_info < _OLDEST:
            raise DatabaseError(f"this Python has SQLite {sqlite3.sqlite_version}, Fireside needs 3.37 or newer")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = lock_folder(self._path.parent, self._holder)
        try:
            # Made by us, so that nobody else can read it even for a moment; SQLite gives its log the same mode.
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            self._path.chmod(0o600)
            raw = _connect(self._path)
            _migrate_or_close(raw)
        except BaseException as error:
            os.close(self._lock)
            self._lock = None
            if isinstance(error, sqlite3.Error | OSError):
                raise _explained(error, self._path) from error
            raise
        writer = GroupCommit(SqliteConnection(raw, self._queries), name="store-writer", watcher=self._watcher)
        self._quick = QuickReader(self._connect_reader())
        return writer, Readers(self._connect_reader)

    def _connect_reader(self) -> "SqliteConnection":
        return SqliteConnection(_connect(self._path), self._queries)


class SqliteConnection:
    """A connection that runs named queries, and the writer's view of a transaction."""

    def __init__(self, raw: sqlite3.Connection, queries: Mapping[str, str]) -> None:
        self._raw = raw
        self._queries = queries

    def run(self, query: str, params: Mapping[str, Any], *, expect: int | None = None) -> Rows:
        """Run a named query; see `Transaction`."""
        try:
            cursor = self._raw.execute(
                self._queries[query],
                {name: value if value.__class__ in _AS_THEY_ARE else _to_sql(value) for name, value in params.items()},
            )
            rows = _rows(cursor)
        except sqlite3.IntegrityError as error:
            raise Violated(query, str(error).partition(": ")[2]) from error
        except sqlite3.Error as error:
            raise _lost(error) if _is_grave(error) else _explained(error, None) from error
        found = len(rows) if cursor.description else cursor.rowcount
        if expect is not None and found != expect:
            raise Unexpected(query, expect, found)
        return rows

    def settle(self) -> None:
        """Wait for nothing: what was asked for is done."""

    def begin(self) -> None:
        """Take the write lock at once, so that what a change reads cannot change before it writes."""
        self._execute("BEGIN IMMEDIATE")

    def look(self, question: Callable[[Transaction], T], *, is_single: bool = False) -> T:
        """Answer a question over one consistent state; a single query has that by itself."""
        try:
            if not is_single:
                self._execute("BEGIN DEFERRED")
            return question(self)
        except TransactionLost as lost:
            raise lost.reason from lost
        finally:
            self.rollback()

    def commit(self) -> None:
        """Commit; returns when the log is on disk."""
        self._execute("COMMIT")

    def rollback(self) -> None:
        """Roll back what is left; after a full disk SQLite has often done so itself."""
        if self._raw.in_transaction:
            self._raw.rollback()

    def save(self) -> None:
        """Set the change's savepoint."""
        self._execute("SAVEPOINT change")

    def keep(self) -> None:
        """Release the savepoint."""
        self._execute("RELEASE change")

    def undo(self) -> None:
        """Undo the change."""
        self._execute("ROLLBACK TO change")
        self._execute("RELEASE change")

    def close(self) -> None:
        """Close the connection; the last one folds the log into the file."""
        self._raw.close()

    def _execute(self, sql: str) -> None:
        try:
            self._raw.execute(sql)
        except sqlite3.Error as error:
            raise _lost(error) from error


def migrate(raw: sqlite3.Connection, migrations: Sequence[tuple[int, str]]) -> None:
    """Apply the migrations that the database has not seen, each in a transaction; refuse a database newer than them."""
    raw.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY) STRICT")
    (present,) = raw.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    for version, script in missing_migrations(migrations, present):
        try:
            raw.executescript(f"BEGIN IMMEDIATE;\n{script}\nINSERT INTO schema_version VALUES ({version:d});\nCOMMIT;")
        except sqlite3.Error:
            if raw.in_transaction:
                raw.rollback()
            raise


def _migrate_or_close(raw: sqlite3.Connection) -> None:
    try:
        migrate(raw, load_migrations("sqlite"))
    except BaseException:
        raw.close()
        raise


def _connect(path: Path) -> sqlite3.Connection:
    raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        for setting in _SETTINGS:
            raw.execute(setting)
    except BaseException:
        raw.close()
        raise
    # SQLite has it of its own only since 3.41.
    raw.create_function("unhex", 1, bytes.fromhex, deterministic=True)
    return raw


def _rows(cursor: sqlite3.Cursor) -> Rows:
    if cursor.description is None:
        return []
    found = cursor.fetchall()
    if not found:
        return found
    names = [column[0] for column in cursor.description]
    readers = [(name, reader) for name in names if (reader := _reader_of(name)) is not None]
    rows = [dict(zip(names, row, strict=True)) for row in found]
    for row in rows:
        for name, reader in readers:
            if row[name] is not None:
                row[name] = reader(row[name])
    return rows


@functools.cache
def _reader_of(name: str) -> Callable[[Any], Any] | None:
    if is_time(name):
        return to_time
    return _to_id if name == "id" or name.endswith("_id") else None


def _to_id(value: Any) -> Any:
    return UUID(bytes=value) if isinstance(value, bytes) else value


def _to_sql(value: Any) -> Any:
    if isinstance(value, datetime):
        return from_time(value)
    if isinstance(value, str) and "\0" in value:
        # PostgreSQL cannot keep it, and what is refused there is refused here.
        raise BadRequest("a text cannot be kept (it contains a NUL character): leave such characters out")
    return value.bytes if isinstance(value, UUID) else value


def _is_grave(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith(_NO_ROOM + _DAMAGED)


def _lost(error: sqlite3.Error) -> TransactionLost:
    return TransactionLost(_explained(error, None))


def _explained(error: sqlite3.Error | OSError, path: Path | None) -> Exception:
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StorageFull("the disk is full: make room and try again")
        return DatabaseError(f"cannot use the database {path}: {error.strerror}")
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(_NO_ROOM):
        return StorageFull(f"the disk is full or refuses writes ({error}): make room and try again")
    where = f" {path}" if path else ""
    if name.startswith(_DAMAGED):
        return DatabaseError(f"the database{where} is damaged ({error}): restore it from a backup")
    return DatabaseError(f"the database{where} failed: {error}")
