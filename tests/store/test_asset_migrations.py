"""Assets that were there before a migration are listed, counted and found after it, on both databases."""

import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.postgres_server import PostgresServer

from fireside.domain.asset_listing import AssetFilter, AssetSort, AssetWindow
from fireside.domain.assets import Asset
from fireside.domain.facts import conditions_of
from fireside.domain.ids import UserId
from fireside.store.postgres import PostgresDatabase
from fireside.store.postgres_link import connect, read_url
from fireside.store.postgres_migrations import migrate as migrate_postgres
from fireside.store.queries import load_migrations
from fireside.store.sqlite import SqliteDatabase
from fireside.store.sqlite import migrate as migrate_sqlite
from fireside.store.store import Store

USERS = """
INSERT INTO "user" (id, name, role, weight, created_at) VALUES (1, 'ann', 'member', 1, 1), (2, 'bob', 'member', 1, 1);
"""
BEFORE_LISTS = """
INSERT INTO asset (id, user_id, folder, subfolder, name, hash, size_bytes, content_type, created_at) VALUES
({id_1}, 1, 'input', '', 'Photo 1.png', '{hash}', 30, 'image/png', 1000),
({id_2}, 2, 'input', '', 'other.png', '{hash}', 5, 'image/png', 2000),
({id_3}, 1, 'output', 'sub', 'ComfyUI_00001_.png', '{hash}', 10, 'image/png', 3000),
({id_4}, 1, 'output', '', 'ComfyUI_00002_.png', '{hash}', 20, 'image/png', 4000);
"""
BEFORE_COUNTS = """
INSERT INTO tag_set (user_id, tag_set, tags) VALUES (1, 1, '["cat","input"]'), (1, 2, '["output"]');
INSERT INTO asset (
    pk, place, tag_set, tags, title, folded, user_metadata, updated_at, accessed_at,
    id, user_id, folder, subfolder, name, hash, size_bytes, content_type, created_at
) VALUES
(1099511627777, 1, 1, '["cat","input"]', 'Photo 1.png', 'photo 1.png', {words}, 1, 1,
    {id_1}, 1, 'input', '', 'Photo 1.png', '{hash}', 30, 'image/png', 1000),
(1099511627778, 2, 2, '["output"]', 'ComfyUI_00001_.png', 'comfyui_00001_.png', {words}, 2, 2,
    {id_3}, 1, 'output', '', 'ComfyUI_00001_.png', '{hash}', 10, 'image/png', 3000),
(1099511627779, 3, 2, '["output"]', 'ComfyUI_00002_.png', 'comfyui_00002_.png', {words}, 3, 3,
    {id_4}, 1, 'output', '', 'ComfyUI_00002_.png', '{hash}', 20, 'image/png', 4000);
INSERT INTO asset_total (user_id, tag_set, n) VALUES (1, 1, 1), (1, 2, 2);
INSERT INTO asset_fact (asset_pk, fact) VALUES (1099511627777, 7), (1099511627778, 7), (1099511627779, 8);
INSERT INTO asset_cut (id, user_id, axis, number, word, place) VALUES (1, 1, 1, -1, '', 0);
INSERT INTO asset_block (cut_id, tag_set, n) VALUES (1, 1, 1), (1, 2, 2);
"""
WITH_FACTS = """
INSERT INTO tag_set (user_id, tag_set, tags) VALUES
(1, 1, '["cat","input"]'), (1, 2, '["output"]'), (2, 1, '["input"]');
INSERT INTO asset (
    pk, place, tag_set, tags, title, folded, user_metadata, updated_at, accessed_at,
    id, user_id, folder, subfolder, name, hash, size_bytes, content_type, created_at
) VALUES
(1099511627777, 1, 1, '["cat","input"]', 'Photo 1.png', 'photo 1.png', {words}, 1, 9,
    {id_1}, 1, 'input', '', 'Photo 1.png', '{hash}', 30, 'image/png', 1000),
(1099511627778, 2, 2, '["output"]', 'Photo 22.png', 'photo 22.png', {words}, 3, 8,
    {id_2}, 1, 'output', '', 'ComfyUI_00001_.png', '{hash}', 10, 'image/png', 3000),
(1099511627779, 3, 2, '["output"]', 'ComfyUI_00002_.png', 'comfyui_00002_.png', {words}, 2, 7,
    {id_3}, 1, 'output', '', 'ComfyUI_00002_.png', '{hash}', 20, 'image/png', 4000),
(2199023255553, 1, 1, '["input"]', 'Photo 1.png', 'photo 1.png', {words}, 1, 1,
    {id_4}, 2, 'input', '', 'Photo 1.png', '{hash}', 30, 'image/png', 1000);
INSERT INTO asset_total (user_id, tag_set, n) VALUES (1, 1, 1), (1, 2, 2), (2, 1, 1);
INSERT INTO asset_form (user_id, tag_set, form, n) VALUES
(1, 0, 'photo 0.png', 1), (1, 0, 'photo 00.png', 1), (1, 0, 'comfyui_00000_.png', 1), (2, 0, 'photo 0.png', 1),
(1, 1, 'photo 0.png', 1), (1, 2, 'photo 00.png', 1), (1, 2, 'comfyui_00000_.png', 1), (2, 1, 'photo 0.png', 1);
INSERT INTO asset_fact (asset_pk, fact) VALUES
(1099511627777, {fact}), (1099511627778, {fact}), (1099511627779, {fact}), (2199023255553, {fact});
INSERT INTO asset_fact_total (user_id, fact, tag_set, n) VALUES (1, {fact}, 1, 1), (1, {fact}, 2, 2), (2, {fact}, 1, 1);
"""
(SEED,) = (fact for (fact,) in conditions_of({"seed": 1}).wanted)
Migrated = Callable[[str, str], Any]


def filled(rows: str, *, ids: str, words: str) -> str:
    numbered = {f"id_{number}": ids.format(f"{number:032x}") for number in range(1, 5)}
    return USERS + rows.format(hash="a" * 64, words=words, fact=SEED, **numbered)


def version_before(dialect: str, wanted: str) -> int:
    """How many migrations come before the one that says so."""
    return next(version for version, text in load_migrations(dialect) if wanted in text) - 1


@asynccontextmanager
async def on_sqlite(folder: Path, wanted: str, rows: str) -> AsyncGenerator[Store]:
    path = folder / "fireside.db"
    raw = sqlite3.connect(path, isolation_level=None)
    migrate_sqlite(raw, load_migrations("sqlite")[: version_before("sqlite", wanted)])
    raw.executescript(filled(rows, ids="x'{}'", words="x'7b7d'"))
    raw.close()
    database = SqliteDatabase(path)
    await database.start()
    yield Store(database)
    await database.close()


@asynccontextmanager
async def on_postgres(server: PostgresServer, wanted: str, rows: str) -> AsyncGenerator[Store]:
    with server.database(template="template0") as url:
        with connect(read_url(url)) as raw:
            migrate_postgres(raw, load_migrations("postgres")[: version_before("postgres", wanted)])
        with psycopg.connect(url) as raw:
            raw.execute(filled(rows, ids="'{}'", words="'{}'::bytea").encode())
        database = PostgresDatabase(url)
        await database.start()
        yield Store(database)
        await database.close()


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.sqlite), "postgres"])
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Migrated:
    """Open a store on a database that had these rows before the migration that says so."""
    if request.param == "sqlite":
        return lambda wanted, rows: on_sqlite(tmp_path, wanted, rows)
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return lambda wanted, rows: on_postgres(server, wanted, rows)


async def listed(store: Store, user_id: int, wanted: AssetFilter, **window: Any) -> Sequence[Asset]:
    page = await store.list_assets(UserId(user_id), wanted, AssetWindow(**window))
    assert page.total == len(page.assets)
    return page.assets


async def test_files_that_were_there_before_lists_of_assets_are_listed(migrated: Migrated) -> None:
    async with migrated("ALTER TABLE asset RENAME TO asset_before", BEFORE_LISTS) as store:
        found = await listed(store, 1, AssetFilter())
        by_size = await listed(store, 1, AssetFilter(include=frozenset({"output"})), sort=AssetSort.SIZE)
        by_name = await listed(store, 1, AssetFilter(name_contains="PHOTO"))

        assert [asset.title for asset in found] == ["ComfyUI_00002_.png", "ComfyUI_00001_.png", "Photo 1.png"]
        assert [asset.file.subfolder for asset in by_size] == ["", "sub"]
        assert [(asset.tags, asset.updated_at) for asset in by_name] == [(("input",), by_name[0].created_at)]
        assert await store.count_tags(UserId(1)) == {"input": 1, "output": 2}
        assert [asset.title for asset in await listed(store, 2, AssetFilter())] == ["other.png"]
        assert [await store.miscounted_assets(UserId(user_id)) for user_id in (1, 2)] == [0, 0]


async def test_assets_that_were_there_before_titles_were_counted_are_counted(
    migrated: Migrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fireside.store.asset_search._FEW", 0)
    async with migrated("CREATE TABLE asset_form", BEFORE_COUNTS) as store:
        assert await store.miscounted_assets(UserId(1)) == 0
        assert [asset.title for asset in await listed(store, 1, AssetFilter(name_contains="comfyui"))] == [
            "ComfyUI_00002_.png",
            "ComfyUI_00001_.png",
        ]
        assert await store.count_tags(UserId(1), AssetFilter(name_contains="photo")) == {"cat": 1, "input": 1}

        while await store.cut_large_libraries(at_least=2):
            pass
        assert await store.miscounted_assets(UserId(1)) == 0


@pytest.mark.parametrize("few", [4096, 0])
async def test_assets_that_had_facts_before_these_were_in_each_order_are_listed_and_counted(
    migrated: Migrated, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("fireside.store.asset_search._FEW", few)
    wanted = AssetFilter(metadata={"seed": 1})
    async with migrated("by_access", WITH_FACTS) as store:
        assert [await store.miscounted_assets(UserId(user_id)) for user_id in (1, 2)] == [0, 0]
        found = {sort: [asset.size_bytes for asset in await listed(store, 1, wanted, sort=sort)] for sort in AssetSort}
        titled = await listed(store, 1, replace(wanted, name_contains="PHOTO"), sort=AssetSort.SIZE)

        assert found == {
            AssetSort.CREATED_AT: [20, 10, 30],
            AssetSort.NAME: [10, 30, 20],
            AssetSort.UPDATED_AT: [10, 20, 30],
            AssetSort.SIZE: [30, 20, 10],
            AssetSort.LAST_ACCESS_TIME: [30, 10, 20],
        }
        assert [asset.size_bytes for asset in titled] == [30, 10]
        assert await store.count_tags(UserId(1), replace(wanted, name_contains="photo")) == {
            "cat": 1,
            "input": 1,
            "output": 1,
        }


@pytest.mark.sqlite
async def test_facts_that_say_wrongly_where_their_asset_stands_are_noticed_and_put_right(tmp_path: Path) -> None:
    async with on_sqlite(tmp_path, "by_access", WITH_FACTS) as store:
        with closing(sqlite3.connect(tmp_path / "fireside.db")) as raw, raw:
            raw.execute("UPDATE asset_fact SET by_size = 0 WHERE whose = 1")
        assert await store.miscounted_assets(UserId(1)) == 3
        assert await store.miscounted_assets(UserId(2)) == 0

        await store.recount_assets(UserId(1))

        assert await store.miscounted_assets(UserId(1)) == 0


def test_facts_that_a_former_server_notes_stand_where_their_asset_does(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, psycopg.connect(url) as raw:
        raw.execute(filled(WITH_FACTS, ids="'{}'", words="'{}'::bytea").encode())
        raw.execute("UPDATE asset SET size_bytes = 5, folded = 'x', accessed_at = 70 WHERE place = 2")
        rows = raw.execute(
            "SELECT whose, set_of_tags, by_name, by_update, by_size, by_access FROM asset_fact ORDER BY asset_pk"
        ).fetchall()

    assert rows == [
        (1, 1, "photo 1.png", 1, 30, 9),
        (1, 2, "x", 3, 5, 70),
        (1, 2, "comfyui_00002_.png", 2, 20, 7),
        (2, 1, "photo 1.png", 1, 30, 1),
    ]
