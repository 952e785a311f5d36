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
OpenStore = Callable[[], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def _served(database: Database) -> AsyncGenerator[Store]:
    await database.start()
    try:
        yield Store(database)
    finally:
        await database.close()


@asynccontextmanager
async def _sqlite() -> AsyncGenerator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        async with _served(SqliteDatabase(Path(folder) / "fireside.db")) as store:
            yield store


@pytest.fixture(scope="session")
def open_sqlite() -> OpenStore:
    return _sqlite


@pytest.fixture(scope="session")
def open_postgres(postgres_server: PostgresServer) -> OpenStore:
    @asynccontextmanager
    async def postgres() -> AsyncGenerator[Store]:
        with postgres_server.database() as url:
            async with _served(PostgresDatabase(url)) as store:
                yield store

    return postgres


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    """Open an empty store: `async with open_store() as store`."""
    return request.getfixturevalue(f"open_{request.param}")


@pytest.fixture
async def store(open_store: OpenStore) -> AsyncIterator[Store]:
    async with open_store() as store:
        yield store


@pytest.fixture
async def ann(store: Store) -> User:
    return await store.add_user("ann", Role.MEMBER, NOW)


@pytest.fixture
async def bob(store: Store) -> User:
    return await store.add_user("bob", Role.MEMBER, NOW, weight=2.0)
