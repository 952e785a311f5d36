"""PostgreSQL behind the `Database` seam: one writer at a time over all servers that share it, a few readers each.

The writer of a process commits in groups, and takes a lock for the length of a transaction that all of them take. So
what a change reads stays true until it is committed, as on SQLite, and no two writers can wait for each other in a
circle. Times are whole microseconds; ids of jobs and assets are UUIDs. Knows no query.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, LiteralString, NoReturn, TypeVar, cast
from uuid import UUID

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus

from fireside.domain.errors import FiresideError, Unavailable
from fireside.store.database import DatabaseError, Rows, Transaction, Unexpected, Violated
from fireside.store.group_commit import BatchWatcher, GroupCommit, TransactionLost
from fireside.store.postgres_lead import PostgresLead
from fireside.store.postgres_link import RawConnection, connect, explained, read_url
from fireside.store.postgres_migrations import WRITE_ALONE, migrate
from fireside.store.queries import load_migrations, load_queries
from fireside.store.threaded import Readers, ThreadedDatabase
from fireside.store.times import from_time, is_time, to_time

T = TypeVar("T")
# READ COMMITTED, so that what is read after the lock was taken is what the writer before us has left.
_BEGIN = b"BEGIN ISOLATION LEVEL READ COMMITTED; " + WRITE_ALONE.encode()
_BEGIN_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_PARAMETER = re.compile(r"(?<![:\w]):([a-z]\w*)")


class PostgresDatabase(ThreadedDatabase):
    """One PostgreSQL database that several servers may share."""

    def __init__(self, url: str, *, watcher: BatchWatcher | None = None) -> None:
        super().__init__(watcher)
        self._parameters = read_url(url)
        self._queries = {name: prepare(text) for name, text in load_queries("postgres").items()}

    def _open(self) -> tuple[GroupCommit, Readers]:
        connection = self._connect()
        try:
            migrate(connection.raw, load_migrations("postgres"))
        except BaseException as error:
            connection.close()
            if isinstance(error, psycopg.Error):
                raise explained(error) from error
            raise
        writer = GroupCommit(connection, name="store-writer", watcher=self._watcher)
        return writer, Readers(self._connect_reader)

    def lead(self) -> PostgresLead:
        """Give a hold on the lead of the servers that share the database."""
        return PostgresLead(self._parameters)

    def _connect(self) -> "PostgresConnection":
        return PostgresConnection(lambda: connect(self._parameters), self._queries)

    def _connect_reader(self) -> "PostgresConnection":
        try:
            return self._connect()
        except DatabaseError as error:
            # The database was there when we started, and will be again.
            raise Unavailable(error.message) from error


@dataclass(frozen=True, slots=True)
class Prepared:
    """A query with its parameters by number, as PostgreSQL has them."""

    sql: LiteralString
    names: Sequence[str]


@cache
def prepare(text: str) -> Prepared:
    """Number the parameters of a query that has them by name."""
    names = list(dict.fromkeys(_PARAMETER.findall(text)))
    numbered = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", text)
    return Prepared(cast("LiteralString", numbered), names)


class PostgresConnection:
    """A connection that runs named queries, and is opened anew when it was lost."""

    def __init__(self, open_raw: Callable[[], RawConnection], queries: Mapping[str, Prepared]) -> None:
        self._open_raw = open_raw
        self._queries = queries
        self._columns: dict[str, list[str]] = {}
        self._is_savepoint_kept = False
        self.raw = open_raw()

    def run(self, query: str, params: Mapping[str, Any], *, expect: int | None = None) -> Rows:
        """Run a named query; see `Transaction`."""
        prepared = self._queries[query]
        if not params.keys() >= set(prepared.names):
            raise DatabaseError(f"the query {query} needs {', '.join(prepared.names)}")
        values = [_to_sql(params[name]) for name in prepared.names]
        try:
            cursor = self.raw.execute(prepared.sql, values, prepare=True, binary=True)
        except psycopg.IntegrityError as error:
            raise Violated(
                query, error.diag.constraint_name or f"{error.diag.table_name}.{error.diag.column_name}"
            ) from error
        except psycopg.errors.FeatureNotSupported as error:
            # A newer server has changed a table under our plans of it; they are made anew with the connection.
            self.raw.close()
            self._fail(error)
        except psycopg.Error as error:
            self._fail(error)
        rows = self._rows(query, cursor)
        found = cursor.rowcount if cursor.description is None else len(rows)
        if expect is not None and found != expect:
            raise Unexpected(query, expect, found)
        return rows

    def look(self, question: Callable[[Transaction], T], *, is_single: bool = False) -> T:
        """Answer a question over one consistent state; it is asked again when the connection was lost meanwhile.

        A single query has its state by itself, which saves two ways to the server and back.
        """
        try:
            return self._look(question, is_single)
        except TransactionLost:
            pass
        try:
            return self._look(question, is_single)
        except TransactionLost as lost:
            raise lost.reason from lost

    def begin(self) -> None:
        """Begin when no other server writes."""
        self._is_savepoint_kept = False
        self._begin(_BEGIN)

    def commit(self) -> None:
        """Commit; returns when the log is on disk."""
        try:
            done = _control(self.raw, b"COMMIT")
        except psycopg.Error as error:
            if not self.raw.closed:
                raise TransactionLost(explained(error)) from error
            raise TransactionLost(
                Unavailable(
                    "the database was lost while it committed: look whether the change was made, then try again"
                )
            ) from error
        if done != b"COMMIT":
            raise TransactionLost(DatabaseError("the database undid what followed a statement that had failed"))

    def rollback(self) -> None:
        """End the transaction, if there is one."""
        try:
            if not self.raw.closed and self.raw.info.transaction_status != TransactionStatus.IDLE:
                _control(self.raw, b"ROLLBACK")
        except psycopg.Error:
            self.raw.close()

    def save(self) -> None:
        """Set the change's savepoint; the one before is released with it, which saves a way to the server and back."""
        self._execute(b"RELEASE change; SAVEPOINT change" if self._is_savepoint_kept else b"SAVEPOINT change")

    def keep(self) -> None:
        """Keep the change; its savepoint goes with the next one, or with the commit."""
        self._is_savepoint_kept = True

    def undo(self) -> None:
        """Undo the change."""
        self._execute(b"ROLLBACK TO change; RELEASE change")
        self._is_savepoint_kept = False

    def close(self) -> None:
        """Close the connection."""
        self.raw.close()

    def _look(self, question: Callable[[Transaction], T], is_single: bool) -> T:
        try:
            if not is_single:
                self._begin(_BEGIN_READ)
            elif self.raw.closed:
                self._renew()
            return question(self)
        finally:
            self.rollback()

    def _begin(self, how: bytes) -> None:
        """Begin a transaction, if need be over a new connection: nothing has been asked that could be lost."""
        if not self.raw.closed:
            try:
                self._execute(how)
            except TransactionLost:
                if not self.raw.closed:
                    raise
            else:
                return
        self._renew()
        self._execute(how)

    def _renew(self) -> None:
        self._columns.clear()
        try:
            self.raw = self._open_raw()
        except FiresideError as error:
            raise TransactionLost(Unavailable(error.message)) from error

    def _execute(self, sql: bytes) -> None:
        try:
            _control(self.raw, sql)
        except psycopg.Error as error:
            raise TransactionLost(self._reason(error)) from error

    def _fail(self, error: psycopg.Error) -> NoReturn:
        if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
            self.raw.close()
        if self.raw.closed:
            raise TransactionLost(self._reason(error)) from error
        raise explained(error) from error

    def _reason(self, error: psycopg.Error) -> FiresideError:
        if self.raw.closed:
            return Unavailable("the connection to the database was lost, and nothing was changed: try again")
        return explained(error)

    def _rows(self, query: str, cursor: psycopg.Cursor[tuple[Any, ...]]) -> Rows:
        if cursor.description is None:
            return []
        names = self._columns.get(query)
        if names is None:
            names = self._columns[query] = [column.name for column in cursor.description]
        times = [name for name in names if is_time(name)]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
        for row in rows:
            for name in times:
                if row[name] is not None:
                    row[name] = to_time(row[name])
        return rows


def _control(raw: RawConnection, sql: bytes) -> bytes | None:
    """Begin or end something, past psycopg, which forgets all prepared statements when it sees a ROLLBACK."""
    result = raw.pgconn.exec_(sql)
    if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        if result.error_field(DiagnosticField.SQLSTATE) is None:
            # The words are libpq's own and not the server's, whatever libpq says of the connection itself.
            raw.close()
        raise psycopg.errors.error_from_result(result)
    return result.command_status


def _to_sql(value: Any) -> str | bytes | None:
    """Every parameter travels without a type, as text or bytes: what it is, the query says."""
    if value is None or isinstance(value, str | bytes):
        return value
    if isinstance(value, datetime):
        return str(from_time(value))
    return value.hex if isinstance(value, UUID) else str(value)
