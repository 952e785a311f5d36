"""The lead among the servers of one PostgreSQL: an advisory lock on a connection that does nothing else.

The database frees the lock when the connection ends, which it notices at once when the holder's process dies, and by
the network's own probes, on both sides, within five seconds when the holder's host vanishes. Who waits asks again and
again instead of waiting inside a statement: that would be a snapshot for all this time, and an online migration waits
for everybody who has one.
"""

import asyncio
from typing import Any, LiteralString

import psycopg

from fireside.domain.errors import Unavailable
from fireside.store.postgres_link import WATCHED_BY_THE_SERVER, explained

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

_TRY: LiteralString = "SELECT pg_try_advisory_lock(1718186597, 3)"
_LOOK_SECONDS = 0.2
# Seconds, and milliseconds for the last one: a peer that answers nothing is given up within four seconds.
_VIGILANCE = {
    "application_name": "fireside lead",
    "connect_timeout": "5",
    "keepalives": "1",
    "keepalives_idle": "1",
    "keepalives_interval": "1",
    "keepalives_count": "3",
    "tcp_user_timeout": "3000",
}
_SETTINGS: LiteralString = WATCHED_BY_THE_SERVER + "SET idle_session_timeout = 0; SET statement_timeout = 0;"


class PostgresLead:
    """The lock, and the connection that it hangs on."""

    def __init__(self, parameters: dict[str, str]) -> None:
        self._parameters = parameters | _VIGILANCE
        self._connection: Connection | None = None

    async def take(self) -> None:
        """Wait until nobody else has it, and take it; raises Unavailable, or what the database refuses."""
        await self.give_back()
        try:
            self._connection = connection = await _connect(self._parameters)
            while not await _has_got_it(connection):  # noqa: ASYNC110 - its end tells nobody
                await asyncio.sleep(_LOOK_SECONDS)
        except psycopg.Error as error:
            await self.give_back()
            raise _reason(error) from error

    async def until_lost(self) -> None:
        """Wait for the end of the connection: nothing else is ever said on it."""
        connection = self._connection
        if connection is None:
            return
        said_something = asyncio.Event()
        loop, socket = asyncio.get_running_loop(), connection.fileno()
        loop.add_reader(socket, said_something.set)
        try:
            while _is_open(connection):
                await said_something.wait()
                said_something.clear()
        finally:
            loop.remove_reader(socket)

    async def give_back(self) -> None:
        """End the connection, and with it the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


async def _connect(parameters: dict[str, str]) -> Connection:
    connection: Connection = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)  # type: ignore[arg-type]
    try:
        await connection.execute(_SETTINGS)
    except BaseException:
        await connection.close()
        raise
    return connection


async def _has_got_it(connection: Connection) -> bool:
    row = await (await connection.execute(_TRY)).fetchone()
    return row is not None and bool(row[0])


def _is_open(connection: Connection) -> bool:
    try:
        connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return False
    return not connection.closed


def _reason(error: psycopg.Error) -> Exception:
    if isinstance(error, psycopg.OperationalError):
        return Unavailable("the database is away, so nobody can be chosen to hand out jobs")
    return explained(error)
