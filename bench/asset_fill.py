"""Fill a store of either kind with very many assets of one user, for `bench.assets_listing`.

Most are outputs with ComfyUI's counter names, the others inputs of many names; a few in a hundred have one of fifty
sets of tags of their owner's. However many there are, 200 have a rare word in their title and 100 a rare fact in their
metadata, so that what a selective search finds does not grow. Rows come first, indexes and counters after them.
"""

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, LiteralString, cast
from uuid import uuid4

import psycopg
from bench.fill import DATABASE_FILE, Target

from fireside.accounts.accounts import FIRST_USER
from fireside.domain.accounts import Role
from fireside.domain.assets import Asset, FileName, Folder, OutputOrigin
from fireside.domain.facts import facts_of
from fireside.domain.ids import AssetId, BlobHash, JobId, UserId, WorkerId
from fireside.domain.lifecycle import Verb, advance
from fireside.store.records import JobBody, NewJob, NodeRecord
from fireside.store.store import Store
from fireside.store.times import from_time

RARE_WORD = "heron"
RARE_FACT = {"series": "rare"}
DENSE_FACT = {"project": "p1"}
OTHER_FACT = {"model": "m0"}
OWN_TAGS = ("cat", "dog", "sketch", "client", "final", "draft")
FAVORITE = "favorite"
_COLUMNS = (
    *("pk", "place", "id", "user_id", "folder", "subfolder", "name", "title", "folded", "tag_set", "tags", "hash"),
    *("size_bytes", "content_type", "user_metadata", "created_at", "updated_at", "accessed_at"),
)
_FACT_COLUMNS = ("asset_pk", "fact", "whose", "set_of_tags", "by_name", "by_update", "by_size", "by_access")
_WORDS = ("river", "castle", "portrait", "forest", "ship", "robot", "garden", "street", "winter", "harbor")
_SPAN = 1_000_000
_AT_ONCE = 10_000
_RARE_TITLES, _RARE_FACTS, _FAVORITES = 200, 100, 300
_OUTPUTS = 20


async def fill_assets(target: Target, assets: int) -> None:
    """Put that many assets of the first user into a store, unless they are there."""
    async with target.store() as store:
        user = await store.user_named(FIRST_USER) or await store.add_user(FIRST_USER, Role.ADMIN, datetime.now(UTC))
        if sum((await store.count_tags(user.id)).values()):
            return
    rows = _Rows(user.id, assets)
    if target.data_dir is not None:
        _fill_sqlite(str(target.data_dir / DATABASE_FILE), rows)
    else:
        _fill_postgres(target.database_url, rows)
    async with target.store() as store:
        await _add_outputs_of_a_job(store, user.id)
        await store.recount_assets(user.id)
        while await store.cut_large_libraries() or await store.seal_large_libraries():
            pass
    if target.database_url:
        with psycopg.connect(target.database_url, autocommit=True) as raw:
            raw.execute("VACUUM ANALYZE")


async def _add_outputs_of_a_job(store: Store, user_id: UserId) -> None:
    """Record what one job has made."""
    now = datetime.now(UTC)
    new = NewJob(id=JobId(uuid4()), user_id=user_id, body=JobBody(graph=b"{}", extra_data=b"{}", outputs=()))
    job = await store.add_job(new, now, max_queued=None)
    job = await store.change_job(job, advance(job, Verb.ASSIGN, now, worker_id=WorkerId("worker")))
    job = await store.change_job(job, advance(job, Verb.START, now, lease=job.lease))
    files = [
        Asset(
            id=AssetId(uuid4()),
            user_id=user_id,
            file=FileName(folder=Folder.OUTPUT, subfolder="", name="of_a_job_00001_.png"),
            hash=BlobHash(f"{index:064x}"),
            size_bytes=1,
            content_type="image/png",
            created_at=now,
            origin=OutputOrigin(job_id=job.id, node_id="9", key="images", index=index),
        )
        for index in range(_OUTPUTS)
    ]
    await store.add_output(job, NodeRecord(node_id="9", display_node_id="9", output={}), files)


class _Rows:
    """The assets, and the sets of tags and facts that go with them."""

    def __init__(self, user_id: UserId, assets: int) -> None:
        self.user_id = user_id
        self.assets = assets
        self.sets: dict[str, int] = {}
        self._chance = random.Random(7)
        self._now = from_time(datetime.now(UTC))

    def chunks(self) -> Iterator[list[tuple[Any, ...]]]:
        """Give the rows, some at a time."""
        every = max(1, self.assets // _RARE_TITLES)
        for start in range(1, self.assets + 1, _AT_ONCE):
            yield [self._row(place, every) for place in range(start, min(start + _AT_ONCE, self.assets + 1))]

    def _row(self, place: int, every: int) -> tuple[Any, ...]:
        chance = self._chance
        is_output = chance.random() < 0.7
        folder = "output" if is_output else "input"
        word = RARE_WORD if place % every == 0 and not is_output else chance.choice(_WORDS)
        name = f"ComfyUI_{place:05}_.png" if is_output else f"{word}-{chance.choice(_WORDS)}-{place}.png"
        tags = {folder}
        if chance.random() < 0.05:
            tags.update(chance.sample(OWN_TAGS, chance.randrange(1, 4)))
        if place % max(1, self.assets // _FAVORITES) == 0:
            tags.add(FAVORITE)
        listed = json.dumps(sorted(tags), separators=(",", ":"))
        tag_set = self.sets.setdefault(listed, len(self.sets) + 1)
        metadata: dict[str, str] = {}
        if place % max(1, self.assets // _RARE_FACTS) == 0:
            metadata = RARE_FACT
        elif chance.random() < 0.1:
            metadata = {"project": f"p{chance.randrange(4)}", "model": f"m{chance.randrange(2)}"}
        created = self._now - (self.assets - place) * _SPAN
        updated = created + chance.randrange(_SPAN * 1000)
        return (
            *((self.user_id << 40) + place, place, chance.randbytes(16), self.user_id, folder, "", name, name),
            *(name.casefold(), tag_set, listed, f"{chance.getrandbits(256):064x}", int(chance.lognormvariate(13, 1))),
            *("image/png", json.dumps(metadata).encode(), created, updated, updated + chance.randrange(_SPAN * 5000)),
        )


def _facts(rows: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        asset = dict(zip(_COLUMNS, row, strict=True))
        keys = [asset[name] for name in ("user_id", "tag_set", "folded", "updated_at", "size_bytes", "accessed_at")]
        yield from ((asset["pk"], fact, *keys) for fact in facts_of(json.loads(asset["user_metadata"])))


def _fill_sqlite(path: str, rows: _Rows) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous = OFF")
        indexes = raw.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'asset' AND sql IS NOT NULL"
        ).fetchall()
        raw.execute("BEGIN")
        for name, _ in indexes:
            raw.execute(f"DROP INDEX {name}")
        marks, marks_of_facts = (", ".join("?" * len(columns)) for columns in (_COLUMNS, _FACT_COLUMNS))
        for chunk in rows.chunks():
            raw.executemany(f"INSERT INTO asset ({', '.join(_COLUMNS)}) VALUES ({marks})", chunk)
            raw.executemany(
                f"INSERT INTO asset_fact ({', '.join(_FACT_COLUMNS)}) VALUES ({marks_of_facts})", _facts(chunk)
            )
        for _, sql in indexes:
            raw.execute(sql)
        sets = [(rows.user_id, number, tags) for tags, number in rows.sets.items()]
        raw.executemany("INSERT INTO tag_set (user_id, tag_set, tags) VALUES (?, ?, ?)", sets)
        raw.execute("COMMIT")


def _fill_postgres(url: str, rows: _Rows) -> None:
    with psycopg.connect(url) as raw:
        raw.execute("ALTER TABLE asset DROP CONSTRAINT asset_user_id_tag_set_fkey")
        indexes = raw.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'asset' AND indexdef NOT LIKE '%UNIQUE%'"
        ).fetchall()
        for name, _ in indexes:
            raw.execute(_literal(f"DROP INDEX {name}"))
        for chunk in rows.chunks():
            with raw.cursor().copy(_literal(f"COPY asset ({', '.join(_COLUMNS)}) FROM STDIN")) as copy:
                for row in chunk:
                    copy.write_row([*row[:2], row[2].hex(), *row[3:]])
            with raw.cursor().copy(_literal(f"COPY asset_fact ({', '.join(_FACT_COLUMNS)}) FROM STDIN")) as copy:
                for fact in _facts(chunk):
                    copy.write_row(fact)
        for _, sql in indexes:
            raw.execute(_literal(sql))
        for tags, number in rows.sets.items():
            raw.execute("INSERT INTO tag_set VALUES (%s, %s, %s)", (rows.user_id, number, tags))
        raw.execute("ALTER TABLE asset ADD FOREIGN KEY (user_id, tag_set) REFERENCES tag_set (user_id, tag_set)")


def _literal(sql: str) -> LiteralString:
    return cast("LiteralString", sql)
