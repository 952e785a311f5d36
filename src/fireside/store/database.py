"""The seam between what we remember and what remembers it: named queries in, rows out.

A change is data: statements with the row counts they expect. It happens as a whole or not at all, and its caller
hears of it only when it is on disk. Where Python has to look between two statements, a change is a short
deterministic function over a `Transaction`. What the queries say is the business of `sql/<dialect>/`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from fireside.domain.errors import FiresideError

T = TypeVar("T")
Row = Mapping[str, Any]
Rows = Sequence[Row]


@dataclass(frozen=True, slots=True)
class Statement:
    """A query by its file's name, with its parameters; `expect` is how many rows it must return or change.

    With `only_if` it is run only where the first statement of the change returned a row in which that is true.
    """

    query: str
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    expect: int | None = None
    only_if: str | None = None


class Unexpected(FiresideError):
    """A statement of a change met another number of rows than it was decided on; nothing of it was written."""

    code = "unexpected_rows"

    def __init__(self, query: str, expected: int, found: int) -> None:
        super().__init__(f"query {query} met {found} rows instead of {expected}")
        self.query = query


class Violated(FiresideError):
    """A constraint of the schema stood against a statement; nothing of its change was written."""

    code = "constraint_violated"

    def __init__(self, query: str, constraint: str) -> None:
        super().__init__(f"query {query} violates {constraint}")
        self.query = query
        self.constraint = constraint


class DatabaseError(FiresideError):
    """The database cannot be opened or used; the message says what is wrong and what to do."""

    code = "database_error"


class StoreLocked(DatabaseError):
    """Another running server uses this database."""

    code = "store_locked"


class Transaction(Protocol):
    """What a change may do while it runs."""

    def run(self, query: str, params: Mapping[str, Any], *, expect: int | None = None) -> Rows:
        """Run a query and return its rows; raises `Unexpected` when `expect` is not how many it returned or changed.

        Queries are run in their order, but a database may wait with one until somebody looks at its rows or at those
        of a later one, or until the change is at its end: what stands against it may be raised as late as that.
        """
        ...


def run_all(tx: Transaction, statements: Sequence[Statement]) -> list[Rows]:
    """Run statements one after the other; one that is not run has no rows."""
    results: list[Rows] = []
    for one in statements:
        is_wanted = one.only_if is None or any(row[one.only_if] for row in results[0])
        results.append(tx.run(one.query, one.params, expect=one.expect) if is_wanted else ())
    return results


class Database(Protocol):
    """A database that remembers durably."""

    @property
    def writes_alone(self) -> bool:
        """Whether this process alone writes: no other server can run beside it, nor wait while a change is made."""
        ...

    async def start(self) -> None:
        """Open the database, bring its schema up to date and begin to serve."""
        ...

    async def close(self) -> None:
        """Finish what was asked for and close."""
        ...

    async def write(self, change: Sequence[Statement]) -> list[Rows]:
        """Make a change and return its rows, statement by statement, once it is on disk.

        Changes of several callers share a transaction; one that is refused (`Unexpected`, `Violated`) leaves the
        others intact. A full disk raises `StorageFull`.
        """
        ...

    async def decide(self, change: Callable[[Transaction], T]) -> T:
        """Make a change that must look between its statements, with the promises of `write`.

        The function runs in the writer's thread, so it is short, and whatever it raises undoes it and it alone.
        """
        ...

    async def read(self, queries: Sequence[Statement], *, is_quick: bool = False) -> list[Rows]:
        """Run queries over one consistent state.

        With `is_quick` they look up a few rows by their keys, and are answered on the spot where that takes less than
        to wake a thread.
        """
        ...

    async def look(self, question: Callable[[Transaction], T]) -> T:
        """Answer a question that must look between its queries, over one consistent state; it only reads."""
        ...
