"""One thread that writes: it takes all changes that wait and commits them together.

A commit costs one wait for the disk however many changes it holds, so sixteen callers write several times as fast as
one by one, and a single caller waits for nobody. Each change has a savepoint of its own, unless it is alone. Knows no
dialect: that is the `Connection`'s business.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from fireside.domain.errors import Unavailable
from fireside.store.database import Transaction

T = TypeVar("T")
_MOST_AT_ONCE = 256
_Future = asyncio.Future[Any]
BatchWatcher = Callable[[int, float, bool], None]
"""Hears, in the writer's thread, how many changes a transaction had, its seconds, and whether it was lost."""


class TransactionLost(Exception):
    """The whole transaction is gone, not just one change; `reason` is what every caller in it hears."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Connection(Transaction, Protocol):
    """The one connection that writes. Every method may raise `TransactionLost`."""

    def begin(self) -> None:
        """Begin a transaction that no other writer can disturb."""
        ...

    def settle(self) -> None:
        """Wait for what was asked for; raises what stands against it, if that was not raised yet."""
        ...

    def commit(self) -> None:
        """Commit durably."""
        ...

    def rollback(self) -> None:
        """End the transaction, if there is one, without a trace; never raises."""
        ...

    def save(self) -> None:
        """Set the savepoint of the next change."""
        ...

    def keep(self) -> None:
        """Release the savepoint, keeping what was done since."""
        ...

    def undo(self) -> None:
        """Undo what was done since the savepoint, and release it."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    change: Callable[[Transaction], Any]
    future: _Future
    loop: asyncio.AbstractEventLoop


@dataclass(slots=True)
class _Answered:
    future: _Future
    result: Any = None
    error: BaseException | None = None


class GroupCommit:
    """The writer's thread over a connection that only this thread uses."""

    def __init__(self, connection: Connection, *, name: str, watcher: BatchWatcher | None = None) -> None:
        self._connection = connection
        self._watcher = watcher
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._closed = False
        # A lock, so that nothing can be asked for behind the closing mark and wait for ever.
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    async def write(self, change: Callable[[Transaction], T]) -> T:
        """Run the change in the writer's thread and return its result after the commit."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._gate:
            if self._closed:
                raise Unavailable("the store is closed")
            self._asked.put(_Asked(change, future, loop))
        return await future

    async def close(self) -> None:
        """Write what has been asked for, then end the thread and close the connection."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._asked.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        is_open = True
        while is_open:
            batch, is_open = self._take()
            if batch:
                _tell(batch, self._write_together(batch))
        self._connection.close()

    def _take(self) -> tuple[list[_Asked], bool]:
        batch: list[_Asked] = []
        while len(batch) < _MOST_AT_ONCE and (not batch or not self._asked.empty()):
            asked = self._asked.get()
            if asked is None:
                return batch, False
            # A caller that has gone before its turn is not written for; one that goes later is.
            if not asked.future.cancelled():
                batch.append(asked)
        return batch, True

    def _write_together(self, batch: list[_Asked]) -> list[_Answered]:
        began, is_lost = time.perf_counter(), True
        try:
            self._connection.begin()
            write = self._write_alone if len(batch) == 1 else self._write_one
            answers = [write(asked) for asked in batch]
            if any(answer.error is None for answer in answers):
                self._connection.commit()
            else:
                self._connection.rollback()
            is_lost = False
        except TransactionLost as lost:
            self._connection.rollback()
            answers = [_Answered(asked.future, error=lost.reason) for asked in batch]
        except BaseException as error:  # noqa: BLE001  the thread must outlive whatever happens to one batch
            self._connection.rollback()
            answers = [_Answered(asked.future, error=error) for asked in batch]
        if self._watcher is not None:
            self._watcher(len(batch), time.perf_counter() - began, is_lost)
        return answers

    def _write_alone(self, asked: _Asked) -> _Answered:
        """Make the only change of a transaction; one that is refused is undone with it."""
        try:
            result = asked.change(self._connection)
            self._connection.settle()
            return _Answered(asked.future, result=result)
        except TransactionLost:
            raise
        except Exception as error:  # noqa: BLE001  a refusal goes to its caller, whatever it is
            return _Answered(asked.future, error=error)

    def _write_one(self, asked: _Asked) -> _Answered:
        self._connection.save()
        answer = self._write_alone(asked)
        if answer.error is None:
            self._connection.keep()
        else:
            self._connection.undo()
        return answer


def _tell(batch: list[_Asked], answers: list[_Answered]) -> None:
    for loop in {asked.loop for asked in batch}:
        mine = [answer for asked, answer in zip(batch, answers, strict=True) if asked.loop is loop]
        try:
            loop.call_soon_threadsafe(_settle, mine)
        except RuntimeError:
            # The loop was closed while we wrote: nobody is left to hear it.
            continue


def _settle(answers: list[_Answered]) -> None:
    for answer in answers:
        if answer.future.done():
            continue
        if answer.error is None:
            answer.future.set_result(answer.result)
        else:
            answer.future.set_exception(answer.error)
