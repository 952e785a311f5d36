"""Which database the stores of tests are on: SQLite, or with `pytest --database=postgres` a PostgreSQL.

A test does not know. It asks here for the settings, the environment or the store of a data folder, and gets a database
that is that folder's own for as long as the test needs it. What has to look past the store, or write past it, does so
here too, in SQL that both databases understand.

Tests that are about SQLite's own file do not ask and are marked `sqlite`; whoever else has such a file is told.
"""

import re
import sqlite3
import tempfile
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from tests.postgres_server import PostgresServer

from fireside.config import Config
from fireside.store.database import Database
from fireside.store.postgres import PostgresDatabase
from fireside.store.queries import load_migrations
from fireside.store.sqlite import SqliteDatabase, migrate

SQLITE_FILE = "fireside.db"
_ID_BYTES = 16
Execute = Callable[[str], Sequence[Sequence[Any]]]


class Databases(ABC):
    """A database for each data folder."""

    def config(self, data_dir: Path, **settings: Any) -> Config:
        """Give the settings of a server with this data folder, where equal jobs run unless a test wants else."""
        chosen: dict[str, Any] = {"reuse": False, **settings}
        return Config(data_dir=str(data_dir), database_url=self._migrated(data_dir), **chosen)

    def environment(self, data_dir: Path) -> dict[str, str]:
        """Give what a program that uses this data folder has in its environment."""
        url = self._url(data_dir)
        return {"FIRESIDE_REUSE": "false"} | ({"FIRESIDE_DATABASE_URL": url} if url else {})

    @asynccontextmanager
    async def opened(self, data_dir: Path) -> AsyncGenerator[Database]:
        """Open the database of the folder, as a server does."""
        url = self._migrated(data_dir)
        database = PostgresDatabase(url) if url else SqliteDatabase(data_dir / SQLITE_FILE)
        await database.start()
        try:
            yield database
        finally:
            await database.close()

    @abstractmethod
    def raw(self, data_dir: Path) -> AbstractContextManager[Execute]:
        """Run SQL past the store, each statement committed: `with databases.raw(folder) as execute`; ids are UUIDs."""

    @abstractmethod
    def bytes_kept(self, data_dir: Path) -> bytes:
        """Give all that the database of the folder remembers, as it lies there."""

    @abstractmethod
    def strangers(self, folder: Path) -> Sequence[Path]:
        """Give the SQLite files below the folder that nobody asked for here."""

    @abstractmethod
    def forget(self, folder: Path) -> None:
        """Drop the databases of data folders below this one."""

    @abstractmethod
    def _url(self, data_dir: Path) -> str:
        """Give the setting `database_url`."""

    @abstractmethod
    def _migrated(self, data_dir: Path) -> str:
        """Give it for a database that has its tables already: to make them takes longer than most tests."""


class SqliteDatabases(Databases):
    """A file in each data folder; servers in processes of their own make theirs, as with people."""

    def __init__(self) -> None:
        self._asked: set[Path] = set()
        self._template = b""

    @contextmanager
    def raw(self, data_dir: Path) -> Generator[Execute]:
        with closing(sqlite3.connect(data_dir / SQLITE_FILE, isolation_level=None)) as raw:
            yield lambda sql: [tuple(map(_id_or_value, row)) for row in raw.execute(sql)]

    def bytes_kept(self, data_dir: Path) -> bytes:
        return b"".join(path.read_bytes() for path in data_dir.glob(f"{SQLITE_FILE}*"))

    def strangers(self, folder: Path) -> Sequence[Path]:
        return [path for path in folder.rglob(SQLITE_FILE) if path.parent.resolve() not in self._asked]

    def forget(self, folder: Path) -> None:
        pass

    def _url(self, data_dir: Path) -> str:
        self._asked.add(data_dir.resolve())
        return ""

    def _migrated(self, data_dir: Path) -> str:
        path = data_dir / SQLITE_FILE
        if not path.exists():
            self._template = self._template or migrated_file()
            data_dir.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._template)
        return self._url(data_dir)


class PostgresDatabases(Databases):
    """A database for each data folder, in a server that all tests share."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._urls: dict[Path, str] = {}

    @contextmanager
    def raw(self, data_dir: Path) -> Generator[Execute]:
        with psycopg.connect(self._url(data_dir), autocommit=True) as raw:

            def execute(sql: str) -> Sequence[Sequence[Any]]:
                cursor = raw.execute(sql.encode())
                return cursor.fetchall() if cursor.description else []

            yield execute

    def bytes_kept(self, data_dir: Path) -> bytes:
        with psycopg.connect(self._url(data_dir), autocommit=True) as raw:
            tables = raw.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'").fetchall()
            kept: list[bytes] = []
            for (table,) in tables:
                # In binary, where bytes are as they are and not written as hexadecimal digits.
                with raw.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)".encode()) as copy:
                    kept.extend(map(bytes, copy))
        return b"".join(kept)

    def strangers(self, folder: Path) -> Sequence[Path]:
        return list(folder.rglob(SQLITE_FILE))

    def forget(self, folder: Path) -> None:
        for data_dir in [one for one in self._urls if one.is_relative_to(folder.resolve())]:
            self._server.drop_database(self._urls.pop(data_dir))

    def _url(self, data_dir: Path) -> str:
        data_dir = data_dir.resolve()
        if data_dir not in self._urls:
            self._urls[data_dir] = self._server.add_database()
        return self._urls[data_dir]

    def _migrated(self, data_dir: Path) -> str:
        return self._url(data_dir)


def data_dir_of(arguments: Sequence[str], cwd: Path) -> Path:
    """Tell which data folder a command with these arguments uses."""
    given = re.findall(r"--data-dir=(\S+)", " ".join(arguments))
    return cwd / (given[-1] if given else "fireside-data")


def migrated_file() -> bytes:
    """Give what a database file of ours holds before the first row."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / SQLITE_FILE
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            raw.execute("PRAGMA journal_mode = WAL")
            migrate(raw, load_migrations("sqlite"))
        return path.read_bytes()


def _id_or_value(value: Any) -> Any:
    return UUID(bytes=value) if isinstance(value, bytes) and len(value) == _ID_BYTES else value
