"""A database of which tests see what is asked."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fireside.store.database import Database, Rows, Statement, Transaction, run_all

T = TypeVar("T")
Log = list[tuple[str, int]]


class WatchedDatabase:
    """Passes everything on, and notes each query with how many rows it gave."""

    def __init__(self, database: Database, log: Log) -> None:
        self._database = database
        self._log = log

    async def start(self) -> None:
        await self._database.start()

    async def close(self) -> None:
        await self._database.close()

    @property
    def writes_alone(self) -> bool:
        return self._database.writes_alone

    async def decide(self, change: Callable[[Transaction], T]) -> T:
        return await self._database.decide(lambda tx: change(_Watched(tx, self._log)))

    async def look(self, question: Callable[[Transaction], T]) -> T:
        return await self._database.look(lambda tx: question(_Watched(tx, self._log)))

    async def write(self, change: Sequence[Statement]) -> list[Rows]:
        return await self.decide(lambda tx: run_all(tx, change))

    async def read(self, queries: Sequence[Statement], *, is_quick: bool = False) -> list[Rows]:
        return await self.look(lambda tx: run_all(tx, queries))


class _Watched:
    def __init__(self, tx: Transaction, log: Log) -> None:
        self._tx = tx
        self._log = log

    def run(self, query: str, params: Any, *, expect: int | None = None) -> Rows:
        rows = self._tx.run(query, params, expect=expect)
        self._log.append((query, len(rows)))
        return rows
