"""Statements to a PostgreSQL in one go: what nobody waits for yet goes along with what somebody does.

A way to the database and back costs more than most statements, so they are sent together, by libpq's pipeline mode, and
are done in their order; after one that failed nothing is done until the SYNC that ends what was sent. There is no other
wait than behind a SYNC: only then does the server take us for idle inside of a transaction, and ends us if we stay so
for too long. Knows no query, and of transactions nothing. A connection in this mode can be used in no other way.
"""

import select
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import overload

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult

from fireside.store.database import Row, Rows
from fireside.store.postgres_link import RawConnection
from fireside.store.times import is_time, to_time


class Answer(Sequence[Row]):
    """A statement that was asked for, and the rows that it returns; who looks at them waits for them.

    One with the name of a query is prepared once for each connection. `result` stays None behind one that failed.
    """

    __slots__ = ("_fetch", "_rows", "expect", "formats", "query", "result", "sql", "values")

    def __init__(
        self,
        fetch: Callable[[], None],
        sql: str,
        values: Sequence[bytes | None] = (),
        formats: Sequence[int] = (),
        *,
        query: str = "",
        expect: int | None = None,
    ) -> None:
        self._fetch = fetch
        self._rows: Rows | None = None
        self.sql = sql
        self.values = values
        self.formats = formats
        self.query = query
        self.expect = expect
        self.result: PGresult | None = None

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> Row | Rows:
        """Give a row, or some."""
        return self._known()[index]

    def __len__(self) -> int:
        """Say how many rows there are."""
        return len(self._known())

    def __iter__(self) -> Iterator[Row]:
        """Give the rows in order."""
        return iter(self._known())

    def __eq__(self, other: object) -> bool:
        """Compare as the list of its rows."""
        return self._known() == (list(other) if isinstance(other, Answer) else other)

    __hash__ = None  # type: ignore[assignment]  as a list has none

    def take(self, result: PGresult, rows: Rows) -> None:
        """Note what came of it."""
        self.result = result
        self._rows = rows

    def _known(self) -> Rows:
        if self._rows is None:
            self._fetch()
        return self._rows or ()


class Pipeline:
    """A connection that is sent several statements at once."""

    def __init__(self, raw: RawConnection) -> None:
        self._link = raw.pgconn
        self._link.enter_pipeline_mode()
        self._poll = select.poll()
        self._transformer = Transformer(raw)
        self._columns: dict[str, Sequence[str]] = {}
        self._prepared: set[str] = set()
        self._unheard = 0

    def exchange(self, asked: Sequence[Answer]) -> None:
        """Send statements and wait for what comes of each; raises OperationalError when the connection is lost."""
        steps = self._send(asked)
        for _ in range(self._unheard):
            self._skip()
        self._unheard = 0
        while (result := self._next()) is None or result.status != ExecStatus.PIPELINE_SYNC:
            if result is None:
                # Ends what comes of one step.
                steps.popleft()
            elif isinstance(step := steps[0], Answer):
                self._take(step, result)
            elif result.status == ExecStatus.COMMAND_OK:
                self._prepared.add(step)
            elif isinstance(prepared_for := steps[1], Answer):
                # What it was prepared for is done no more: this is what came of it.
                self._take(prepared_for, result)

    def tell(self, asked: Sequence[Answer]) -> None:
        """Send statements and do not wait: what comes of them is nobody's business."""
        self._send(asked)
        self._link.flush()
        self._unheard += 1

    def _send(self, asked: Sequence[Answer]) -> deque[Answer | str]:
        """Send statements; gives what is answered one after the other, a name where one is prepared."""
        link = self._link
        steps: deque[Answer | str] = deque()
        for one in asked:
            query = one.query
            if not query:
                link.send_query_params(one.sql.encode(), None)
            else:
                if query not in self._prepared and query not in steps:
                    link.send_prepare(query.encode(), one.sql.encode())
                    steps.append(query)
                link.send_query_prepared(query.encode(), one.values, one.formats, Format.BINARY)
            steps.append(one)
        link.pipeline_sync()
        return steps

    def _skip(self) -> None:
        while (result := self._next()) is None or result.status != ExecStatus.PIPELINE_SYNC:
            pass

    def _next(self) -> PGresult | None:
        link = self._link
        while link.is_busy():
            # Room may be missing on both sides: what cannot be sent yet must not keep us from reading.
            self._poll.register(link.socket, select.POLLIN | select.POLLOUT if link.flush() else select.POLLIN)
            self._poll.poll()
            link.consume_input()
        result = link.get_result()
        if link.status == ConnStatus.BAD:
            raise psycopg.OperationalError("the connection is lost")
        return result

    def _take(self, one: Answer, result: PGresult) -> None:
        if result.status == ExecStatus.TUPLES_OK:
            one.take(result, self._read(one.query, result))
        elif result.status != ExecStatus.PIPELINE_ABORTED:
            one.take(result, ())

    def _read(self, query: str, result: PGresult) -> Rows:
        names = self._columns.get(query)
        if names is None:
            names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
            self._columns[query] = names
        self._transformer.set_pgresult(result)
        values = self._transformer.load_rows(0, result.ntuples, tuple)
        rows = [dict(zip(names, row, strict=True)) for row in values]
        times = [name for name in names if is_time(name)]
        for row in rows:
            for name in times:
                if row[name] is not None:
                    row[name] = to_time(row[name])
        return rows
