"""The lead of the servers of one PostgreSQL: one has it, and loses it however its connection ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from tests.postgres_server import PostgresServer

from fireside.domain.errors import Unavailable
from fireside.store.lead import Lead
from fireside.store.postgres import PostgresDatabase
from fireside.store.sqlite import SqliteDatabase

_LOCKS = "SELECT pid, granted FROM pg_locks WHERE locktype = 'advisory' AND classid = 1718186597 AND objid = 3"


@asynccontextmanager
async def candidate(url: str) -> AsyncGenerator[Lead]:
    lead = PostgresDatabase(url).lead()
    yield lead
    await lead.give_back()


@asynccontextmanager
async def waiting_for(lead: Lead) -> AsyncGenerator[asyncio.Task[None]]:
    task = asyncio.create_task(lead.take())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def execute(url: str, sql: str) -> list[tuple[int, bool]]:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as raw:
        cursor = await raw.execute(sql.encode())
        return await cursor.fetchall() if cursor.description else []


async def test_one_has_it_and_the_next_one_when_it_is_given_back(url: str) -> None:
    async with asyncio.timeout(60), candidate(url) as first, candidate(url) as second:
        await first.take()
        async with waiting_for(second) as taking:
            assert len(await execute(url, _LOCKS)) == 1
            assert not taking.done()

            await first.give_back()

            await taking


async def test_who_loses_the_connection_is_told_and_the_next_one_has_it(url: str) -> None:
    async with asyncio.timeout(60), candidate(url) as first, candidate(url) as second:
        await first.take()
        lost = asyncio.create_task(first.until_lost())
        async with waiting_for(second) as taking:
            ((holder, _),) = await execute(url, _LOCKS)

            await execute(url, f"SELECT pg_terminate_backend({holder}), true")

            await lost
            await taking


async def test_an_index_can_be_made_online_while_somebody_waits(url: str) -> None:
    async with asyncio.timeout(60), candidate(url) as first, candidate(url) as second:
        await first.take()
        async with waiting_for(second):
            await execute(url, "CREATE INDEX CONCURRENTLY made_meanwhile ON leader (holder)")


async def test_a_database_that_is_away_is_said_so_and_can_be_asked_again(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url:
        nowhere = url.replace(f"port={postgres_server.port}", "port=1")
        async with candidate(nowhere) as lead:
            for _ in range(2):
                with pytest.raises(Unavailable, match="the database is away"):
                    await lead.take()


async def test_who_is_alone_with_a_file_has_it_at_once_and_for_ever() -> None:
    lead = SqliteDatabase(Path("nowhere")).lead()
    await lead.take()
    lost = asyncio.create_task(lead.until_lost())
    await lead.give_back()
    await lead.take()
    assert not lost.done()
    lost.cancel()
