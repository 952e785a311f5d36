"""Whole copies of a database, made while it is used: a file of SQLite, an archive of PostgreSQL's own programs."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import make_conninfo

from fireside.store.database import DatabaseError
from fireside.store.postgres_link import connect, explained, read_url

_FOREIGN = ("--no-owner", "--no-privileges")


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database as it is at one moment, whoever writes it meanwhile; raises `DatabaseError`."""
    os.close(os.open(target, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
    try:
        # All in one step: in several, each write of others would begin it anew.
        with (
            closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)) as original,
            closing(sqlite3.connect(target)) as copy,
        ):
            original.backup(copy)
    except sqlite3.Error as error:
        raise DatabaseError(f"{source} cannot be copied: {error}") from error
    with target.open("rb") as written:
        os.fsync(written.fileno())


async def dump_postgres(url: str, target: Path) -> None:
    """Write a database as it is at one moment into an archive (`pg_dump --format=custom`); raises `DatabaseError`."""
    os.close(os.open(target, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
    await _run(url, ["pg_dump", "--format=custom", *_FOREIGN, f"--file={target}"])
    with target.open("rb") as written:
        os.fsync(written.fileno())


async def load_postgres(url: str, archive: Path) -> None:
    """Fill an empty database from an archive, as a whole or not at all; raises `DatabaseError`."""
    await _run(url, ["pg_restore", *_FOREIGN, "--exit-on-error", "--single-transaction", str(archive)])


def require_empty_postgres(url: str) -> None:
    """Raise `DatabaseError` where a database has tables already."""
    with closing(connect(read_url(url))) as raw:
        try:
            rows = raw.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").fetchall()
        except psycopg.Error as error:
            raise explained(error) from error
    if rows[0][0]:
        raise DatabaseError("the database of database_url has tables already; give an empty one")


async def _run(url: str, command: Sequence[str]) -> None:
    name, *arguments = command
    program = shutil.which(name)
    if program is None:
        raise DatabaseError(f"there is no program {name}: install PostgreSQL's client programs, as new as the server's")
    place, environment = _reached(url)
    process = await asyncio.create_subprocess_exec(
        program,
        f"--dbname={place}",
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise DatabaseError(f"{name} failed: {' '.join(said.decode(errors='replace').split())[-1000:]}")


def _reached(url: str) -> tuple[str, Mapping[str, str]]:
    """Say how to reach a database without its password, which others could read, and put that into the environment."""
    parameters = read_url(url)
    password = parameters.pop("password", None)
    environment = dict(os.environ) | ({} if password is None else {"PGPASSWORD": password})
    return make_conninfo(**parameters), environment
