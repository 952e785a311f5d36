"""A database behind threads of our own: one that writes, a few that read. Knows no dialect.

Both drivers are synchronous: an indexed read costs less than what a loop would add to it, and a writer's thread that
drains what waits is what makes group commit simple.
"""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from fireside.domain.errors import Unavailable
from fireside.store.database import Rows, Statement, Transaction, run_all
from fireside.store.group_commit import BatchWatcher, GroupCommit

T = TypeVar("T")
_READERS = 4


class ReadingConnection(Protocol):
    """A connection that one reader's thread uses."""

    def look(self, question: Callable[[Transaction], T], *, is_single: bool = False) -> T:
        """Answer a question over one consistent state; a single query needs no transaction for that."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class Readers:
    """A few threads that read, each with a connection of its own, opened when it is first needed."""

    def __init__(self, connect: Callable[[], ReadingConnection]) -> None:
        self._connect = connect
        self._own = threading.local()
        self._connections: list[ReadingConnection] = []
        self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")

    async def look(self, question: Callable[[Transaction], T], *, is_single: bool = False) -> T:
        """Answer a question in the next free thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._look, question, is_single)

    def close(self) -> None:
        """Answer what has been asked, and close the connections."""
        self._pool.shutdown()
        for connection in self._connections:
            connection.close()

    def _look(self, question: Callable[[Transaction], T], is_single: bool) -> T:
        connection: ReadingConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._connect()
            self._connections.append(connection)
        return connection.look(question, is_single=is_single)


class QuickReader:
    """A connection for what is looked up where it is asked."""

    def __init__(self, connection: ReadingConnection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def read(self, queries: Sequence[Statement]) -> list[Rows]:
        """Run queries over one consistent state."""
        with self._lock:
            return self._connection.look(lambda tx: run_all(tx, queries), is_single=len(queries) == 1)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class ThreadedDatabase(ABC):
    """What a `Database` does with its threads; a dialect opens them."""

    writes_alone = False

    def __init__(self, watcher: BatchWatcher | None = None) -> None:
        self._watcher = watcher
        self._writer: GroupCommit | None = None
        self._readers: Readers | None = None
        self._quick: QuickReader | None = None

    async def start(self) -> None:
        """Open the database, bring its schema up to date and start the threads."""
        self._writer, self._readers = await asyncio.to_thread(self._open)
        self._writer.start()

    async def close(self) -> None:
        """Write what has been asked for and end the threads."""
        writer, readers, quick = self._writer, self._readers, self._quick
        self._writer = self._readers = self._quick = None
        if quick is not None:
            quick.close()
        if readers is not None:
            await asyncio.to_thread(readers.close)
        if writer is not None:
            await writer.close()

    async def write(self, change: Sequence[Statement]) -> list[Rows]:
        """Make a change of statements."""
        return await self.decide(lambda tx: run_all(tx, change))

    async def decide(self, change: Callable[[Transaction], T]) -> T:
        """Make a change that looks between its statements."""
        if self._writer is None:
            raise Unavailable("the store is not open")
        return await self._writer.write(change)

    async def read(self, queries: Sequence[Statement], *, is_quick: bool = False) -> list[Rows]:
        """Run queries over one consistent state, in a reader's thread, or here where that is quicker."""
        if is_quick and self._quick is not None:
            return self._quick.read(queries)
        return await self._ask(lambda tx: run_all(tx, queries), is_single=len(queries) == 1)

    async def look(self, question: Callable[[Transaction], T]) -> T:
        """Answer a question over one consistent state, in a reader's thread."""
        return await self._ask(question)

    async def _ask(self, question: Callable[[Transaction], T], *, is_single: bool = False) -> T:
        if self._readers is None:
            raise Unavailable("the store is not open")
        return await self._readers.look(question, is_single=is_single)

    @abstractmethod
    def _open(self) -> tuple[GroupCommit, Readers]:
        """Open the database in a thread; raises StoreLocked, DatabaseError."""
