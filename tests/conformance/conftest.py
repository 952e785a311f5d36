"""What the exams share: each supported database, opened empty, and two users."""

import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.postgres_server import PostgresServer

from fireside.domain.accounts import Role, User
from fireside.store.database import Database
from fireside.store.postgres import PostgresDatabase
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
OpenDatabase = Callable[[], AbstractAsyncContextManager[Database]]


@asynccontextmanager
async def _served(database: Database) -> AsyncGenerator[Database]:
    await database.start()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _sqlite() -> AsyncGenerator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        async with _served(SqliteDatabase(Path(folder) / "fireside.db")) as database:
            yield database


@pytest.fixture(scope="session")
def open_sqlite() -> OpenDatabase:
    return _sqlite


def _in(server: PostgresServer) -> OpenDatabase:
    @asynccontextmanager
    async def postgres() -> AsyncGenerator[Database]:
        with server.database() as url:
            async with _served(PostgresDatabase(url)) as database:
                yield database

    return postgres


@pytest.fixture(scope="session")
def open_postgres(postgres_server: PostgresServer) -> OpenDatabase:
    return _in(postgres_server)


@pytest.fixture(scope="session")
def open_debians_postgres(debians_postgres_server: PostgresServer) -> OpenDatabase:
    return _in(debians_postgres_server)


@pytest.fixture(scope="session", params=["sqlite", "postgres", "debians_postgres"])
def open_database(request: pytest.FixtureRequest) -> OpenDatabase:
    """Open an empty database: `async with open_database() as database`."""
    return request.getfixturevalue(f"open_{request.param}")


@pytest.fixture
async def database(open_database: OpenDatabase) -> AsyncIterator[Database]:
    async with open_database() as database:
        yield database


@pytest.fixture
async def store(database: Database) -> Store:
    return Store(database)


@pytest.fixture
async def ann(store: Store) -> User:
    return await store.add_user("ann", Role.MEMBER, NOW)


@pytest.fixture
async def bob(store: Store) -> User:
    return await store.add_user("bob", Role.MEMBER, NOW, weight=2.0)
