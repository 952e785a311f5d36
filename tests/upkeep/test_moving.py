"""What a move from SQLite to PostgreSQL keeps, refuses and leaves behind when it fails."""

import os
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from tests.jobs.workshop import NOON
from tests.postgres_server import PostgresServer

from fireside.domain.accounts import Role
from fireside.domain.errors import FiresideError
from fireside.store.database import DatabaseError, StoreLocked
from fireside.store.folder_lock import lock_folder
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store
from fireside.upkeep.moving import CannotMove, move_to_postgres

pytestmark = [pytest.mark.once, pytest.mark.sqlite]
ADD_ASSET = """INSERT INTO asset (pk, place, id, user_id, folder, subfolder, name, title, folded, tag_set, tags, hash,
size_bytes, content_type, mime_type, user_metadata, created_at, updated_at, accessed_at)
VALUES ((:user << 40) + :place, :place, :id, :user, 'input', '', :name, :name, :name, 1, '[]', :hash,
1, 'x', 'x', x'7b7d', 1, 1, 1)"""


def heard(table: str, done: int, total: int) -> None:
    """Hear how far it is."""


@pytest.fixture
def empty(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.database(template="template0") as url:
        yield url


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A data folder with two users, who were three once, and an asset whose preview is a younger one."""
    database = SqliteDatabase(tmp_path / "fireside.db")
    await database.start()
    ann, *_ = [await Store(database).add_user(name, Role.MEMBER, NOON) for name in ("ann", "bob", "cy")]
    await database.close()
    with closing(sqlite3.connect(tmp_path / "fireside.db", isolation_level=None)) as raw:
        raw.execute("DELETE FROM user_share WHERE user_id = (SELECT id FROM user WHERE name = 'cy')")
        raw.execute("DELETE FROM user WHERE name = 'cy'")
        raw.execute("INSERT INTO tag_set (user_id, tag_set, tags) VALUES (?, 1, '[]')", (ann.id,))
        for place in (1, 2):
            row = {"place": place, "id": UUID(int=place).bytes, "user": ann.id, "name": f"a{place}", "hash": "ab" * 32}
            raw.execute(ADD_ASSET, row)
        raw.execute("UPDATE asset SET preview_id = (SELECT id FROM asset WHERE place = 2) WHERE place = 1")
    return tmp_path


async def test_numbers_go_on_where_they_were_and_references_hold_in_any_order(folder: Path, empty: str) -> None:
    told: list[tuple[int, int]] = []

    moved = await move_to_postgres(folder, empty, lambda table, done, total: told.append((done, total)))

    assert told[-1] == (moved.rows, moved.rows)
    assert not (folder / "fireside.db").exists()
    with psycopg.connect(empty) as raw:
        assert raw.execute('SELECT name FROM "user" ORDER BY id').fetchall() == [("ann",), ("bob",)]
        assert raw.execute("SELECT nextval(pg_get_serial_sequence('\"user\"', 'id'))").fetchone() == (4,)
        previews = raw.execute("SELECT one.name, two.name FROM asset one JOIN asset two ON two.id = one.preview_id")
        assert previews.fetchall() == [("a1", "a2")]
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            raw.execute("UPDATE asset SET preview_id = gen_random_uuid()")


async def test_the_schema_is_as_it_was(folder: Path, empty: str, postgres_server: PostgresServer) -> None:
    await move_to_postgres(folder, empty, heard)

    with postgres_server.database() as fresh, psycopg.connect(empty) as one, psycopg.connect(fresh) as other:
        constraints = (
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 2"
        )
        assert one.execute(constraints).fetchall() == other.execute(constraints).fetchall()


async def test_a_move_that_failed_leaves_nothing_and_can_be_begun_again(folder: Path, empty: str) -> None:
    with closing(sqlite3.connect(folder / "fireside.db", isolation_level=None)) as raw:
        raw.execute("UPDATE user SET name = 'b' || char(0) WHERE name = 'bob'")
        with pytest.raises(FiresideError):
            await move_to_postgres(folder, empty, heard)
        raw.execute("UPDATE user SET name = 'bob' WHERE name <> 'ann'")
    with psycopg.connect(empty) as target:
        assert target.execute('SELECT count(*) FROM "user"').fetchone() == (0,)

    await move_to_postgres(folder, empty, heard)

    assert (folder / "fireside.db.moved").exists()


async def test_what_must_not_be_moved_is_left_alone(folder: Path, empty: str) -> None:
    with closing(sqlite3.connect(folder / "fireside.db")) as raw:
        before = raw.execute("SELECT count(*) FROM user").fetchone()
    with psycopg.connect(empty, autocommit=True) as target:
        target.execute("CREATE TABLE letter (text text)")
        with pytest.raises(DatabaseError, match="has tables already"):
            await move_to_postgres(folder, empty, heard)
        target.execute("DROP TABLE letter")
    with locked(folder), pytest.raises(StoreLocked, match="another Fireside server uses"):
        await move_to_postgres(folder, empty, heard)
    with pytest.raises(CannotMove, match="name the data folder"):
        await move_to_postgres(folder / "nowhere", empty, heard)
    await move_to_postgres(folder, empty, heard)
    with closing(sqlite3.connect(folder / "fireside.db.moved")) as raw:
        assert raw.execute("SELECT count(*) FROM user").fetchone() == before
    (folder / "fireside.db.moved").replace(folder / "fireside.db")
    with pytest.raises(DatabaseError, match="has tables already"):
        await move_to_postgres(folder, empty, heard)


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Hold the lock of a server that runs."""
    descriptor = lock_folder(folder)
    try:
        yield
    finally:
        os.close(descriptor)
