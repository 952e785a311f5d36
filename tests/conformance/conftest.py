"""What the exams share: each supported database, opened empty or as a copy, and two users."""

import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.databases import migrated_file
from tests.postgres_server import TEMPLATE, PostgresServer

from fireside.domain.accounts import Role, User
from fireside.store.database import Database
from fireside.store.postgres import PostgresDatabase
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
Fill = Callable[[Database], Awaitable[object]]


@asynccontextmanager
async def _served(database: Database) -> AsyncGenerator[Database]:
    await database.start()
    try:
        yield database
    finally:
        await database.close()


@dataclass(frozen=True)
class OpenSqlite:
    """Opens SQLite files that are copies of one."""

    original: Path

    @asynccontextmanager
    async def __call__(self) -> AsyncGenerator[Database]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "fireside.db"
            shutil.copyfile(self.original, path)
            async with _served(SqliteDatabase(path)) as database:
                yield database

    @asynccontextmanager
    async def filled(self, fill: Fill) -> AsyncGenerator["OpenSqlite"]:
        """Fill a database once, and open copies of it."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "fireside.db"
            shutil.copyfile(self.original, path)
            async with _served(SqliteDatabase(path)) as database:
                await fill(database)
            yield OpenSqlite(path)


@dataclass(frozen=True)
class OpenPostgres:
    """Opens databases of a PostgreSQL, empty or as copies of one."""

    server: PostgresServer
    template: str = TEMPLATE

    @asynccontextmanager
    async def __call__(self) -> AsyncGenerator[Database]:
        with self.server.database(template=self.template) as url:
            async with _served(PostgresDatabase(url)) as database:
                yield database

    @asynccontextmanager
    async def filled(self, fill: Fill) -> AsyncGenerator["OpenPostgres"]:
        """Fill a database once, and open copies of it."""
        with self.server.database() as url:
            async with _served(PostgresDatabase(url)) as database:
                await fill(database)
            yield replace(self, template=self.server.name_of(url))


OpenDatabase = OpenSqlite | OpenPostgres


@pytest.fixture(scope="session")
def open_sqlite(tmp_path_factory: pytest.TempPathFactory) -> OpenDatabase:
    path = tmp_path_factory.mktemp("migrated") / "fireside.db"
    path.write_bytes(migrated_file())
    return OpenSqlite(path)


@pytest.fixture(scope="session")
def open_postgres(postgres_server: PostgresServer) -> OpenDatabase:
    return OpenPostgres(postgres_server)


@pytest.fixture(scope="session")
def open_debians_postgres(debians_postgres_server: PostgresServer) -> OpenDatabase:
    return OpenPostgres(debians_postgres_server)


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
