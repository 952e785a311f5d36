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
from psycopg.pq import ExecStatus, Format

from fireside.domain.errors import BadRequest, FiresideError, Unavailable
from fireside.store.database import DatabaseError, Rows, Transaction, Unexpected, Violated
from fireside.store.group_commit import BatchWatcher, GroupCommit, TransactionLost
from fireside.store.postgres_lead import PostgresLead
from fireside.store.postgres_link import RawConnection, connect, explained, read_url
from fireside.store.postgres_migrations import WRITE_ALONE, migrate
from fireside.store.postgres_pipeline import Answer, Pipeline
from fireside.store.queries import load_migrations, load_queries
from fireside.store.threaded import Readers, ThreadedDatabase
from fireside.store.times import from_time

T = TypeVar("T")
# READ COMMITTED, so that what is read after the lock was taken is what the writer before us has left.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
_BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_COMMIT = "COMMIT"
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
    """A connection that runs named queries, and is opened anew when it was lost.

    A query is sent once somebody looks at its rows or at those of a later one, or when the change is at its end.
    """

    def __init__(self, open_raw: Callable[[], RawConnection], queries: Mapping[str, Prepared]) -> None:
        self._open_raw = open_raw
        self._queries = queries
        self._queue: list[Answer] = []
        self._pipeline: Pipeline | None = None
        self._is_open = False
        self._is_savepoint_kept = False
        self.raw = open_raw()

    def run(self, query: str, params: Mapping[str, Any], *, expect: int | None = None) -> Rows:
        """Run a named query; see `Transaction`."""
        prepared = self._queries[query]
        if not params.keys() >= set(prepared.names):
            raise DatabaseError(f"the query {query} needs {', '.join(prepared.names)}")
        given = [params[name] for name in prepared.names]
        formats = [Format.BINARY if isinstance(value, bytes) else Format.TEXT for value in given]
        values = [_to_sql(value) for value in given]
        answer = Answer(self.settle, prepared.sql, values, formats, query=query, expect=expect)
        self._queue.append(answer)
        return answer

    def settle(self) -> None:
        """Send what was asked for and wait for it; raises what stands against the first that was refused."""
        asked, self._queue = self._queue, []
        if asked:
            self._exchange(asked)
            for one in asked:
                self._check(one)

    def look(self, question: Callable[[Transaction], T], *, is_single: bool = False) -> T:
        """Answer a question over one consistent state; it is asked again when the connection was lost meanwhile.

        A single query has its state by itself, and needs no transaction.
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
        """Begin when no other server writes; the wait for that begins with the first query."""
        self._is_savepoint_kept = False
        self._queue = self._controls(_BEGIN, WRITE_ALONE)

    def commit(self) -> None:
        """Commit; returns when the log is on disk."""
        (commit,) = self._controls(_COMMIT)
        self._queue.append(commit)
        try:
            self.settle()
        except TransactionLost as error:
            if not self.raw.closed:
                raise
            raise TransactionLost(
                Unavailable(
                    "the database was lost while it committed: look whether the change was made, then try again"
                )
            ) from error
        self._is_open = False
        if commit.result is None or commit.result.command_status != _COMMIT.encode():
            raise TransactionLost(DatabaseError("the database undid what followed a statement that had failed"))

    def rollback(self) -> None:
        """End the transaction, if there is one, and wait for nothing."""
        self._queue.clear()
        if self._is_open and self._pipeline is not None and not self.raw.closed:
            try:
                self._pipeline.tell(self._controls("ROLLBACK"))
            except psycopg.Error:
                self.raw.close()
        self._is_open = False

    def save(self) -> None:
        """Set the change's savepoint; the one before is released with it."""
        if self._is_savepoint_kept:
            self._queue += self._controls("RELEASE change")
        self._queue += self._controls("SAVEPOINT change")

    def keep(self) -> None:
        """Keep the change; its savepoint goes with the next one, or with the commit."""
        self._is_savepoint_kept = True

    def undo(self) -> None:
        """Undo the change, and forget what it asked for and was not sent yet."""
        self._queue = [one for one in self._queue if not one.query]
        self._queue += self._controls("ROLLBACK TO change", "RELEASE change")
        self._is_savepoint_kept = False

    def close(self) -> None:
        """Close the connection."""
        self.raw.close()

    def _look(self, question: Callable[[Transaction], T], is_single: bool) -> T:
        try:
            if not is_single:
                self._queue = self._controls(_BEGIN_READ)
            answer = question(self)
            self.settle()
            return answer
        finally:
            self.rollback()

    def _controls(self, *sql: str) -> list[Answer]:
        return [Answer(self.settle, one) for one in sql]

    def _exchange(self, asked: Sequence[Answer]) -> None:
        is_done = self._send(asked)
        if not is_done and not self._is_open:
            # With the old connection nothing is lost: these are the first statements of a transaction, or it has none.
            is_done = self._send(asked)
        if not is_done:
            raise TransactionLost(_lost())
        self._is_open = self._is_open or asked[0].sql in (_BEGIN, _BEGIN_READ)

    def _send(self, asked: Sequence[Answer]) -> bool:
        """Send statements and wait for what comes of them; False when the connection was lost meanwhile."""
        if self.raw.closed:
            if self._is_open:
                return False
            self._renew()
        try:
            if self._pipeline is None:
                self._pipeline = Pipeline(self.raw)
            self._pipeline.exchange(asked)
        except BaseException as error:
            self.raw.close()
            if isinstance(error, psycopg.Error):
                return False
            raise
        return True

    def _renew(self) -> None:
        self._pipeline = None
        try:
            self.raw = self._open_raw()
        except FiresideError as error:
            raise TransactionLost(Unavailable(error.message)) from error

    def _check(self, one: Answer) -> None:
        result = one.result
        if result is None:
            return
        if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
            self._refuse(one, psycopg.errors.error_from_result(result))
        found = len(one) or result.command_tuples or 0
        if one.expect is not None and found != one.expect:
            raise Unexpected(one.query, one.expect, found)

    def _refuse(self, one: Answer, error: psycopg.Error) -> NoReturn:
        if isinstance(error, psycopg.errors.FeatureNotSupported):
            # A newer server has changed a table under our plans of it; they are made anew with the connection.
            self.raw.close()
            raise TransactionLost(_lost()) from error
        if not one.query:
            raise TransactionLost(explained(error)) from error
        if isinstance(error, psycopg.IntegrityError):
            violated = error.diag.constraint_name or f"{error.diag.table_name}.{error.diag.column_name}"
            raise Violated(one.query, violated) from error
        raise explained(error) from error


def _lost() -> Unavailable:
    return Unavailable("the connection to the database was lost, and nothing was changed: try again")


def _to_sql(value: Any) -> bytes | None:
    """Every parameter travels without a type, as text or bytes: what it is, the query says."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str) and "\0" in value:
        raise BadRequest("a text cannot be kept (it contains a NUL character): leave such characters out")
    if isinstance(value, datetime):
        value = from_time(value)
    return value.hex.encode() if isinstance(value, UUID) else str(value).encode()
