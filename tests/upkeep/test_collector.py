"""Collecting bytes that nothing refers to: real files, a real store, and whoever wants a blob in the midst of it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests.databases import Databases

from fireside.assets.uploads import _LOCKS, hold_blob
from fireside.blobs.local import LocalBlobs
from fireside.domain.accounts import Role, User
from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.ids import AssetId, BlobHash, JobId
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.user_files import FilePath, UserFile
from fireside.store.records import JobBody, NewJob, StagedInput, UserDataLimits
from fireside.store.store import Store
from fireside.upkeep.collector import BlobCollector

HOUR = timedelta(hours=1)
GRACE = 10 * HOUR
BODY = JobBody(graph=b"{}", extra_data=b"{}", outputs=())


class SlowBlobs(LocalBlobs):
    """Blobs that stop before one is set aside, until they are let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.setting_aside = asyncio.Event()
        self.let_go = asyncio.Event()
        self.let_go.set()

    async def set_aside(self, blob_hash: BlobHash, now: datetime) -> None:
        self.setting_aside.set()
        await self.let_go.wait()
        await super().set_aside(blob_hash, now)


@dataclass
class House:
    store: Store
    blobs: SlowBlobs
    folder: Path
    ann: User
    now: datetime
    collector: BlobCollector

    async def write(self, content: bytes) -> BlobHash:
        return (await self.blobs.write_bytes(content, limit_bytes=None)).hash

    async def walk(self, later: timedelta) -> None:
        """Let time pass, and walk over everything."""
        self.now += later
        await self.collector.step(self.now)

    async def record(self, blob_hash: BlobHash) -> Asset:
        return await self.store.add_asset(self.asset(blob_hash))

    def asset(self, blob_hash: BlobHash) -> Asset:
        file = FileName(folder=Folder.INPUT, subfolder="", name=f"{blob_hash}.png")
        return Asset(
            id=AssetId(uuid4()), user_id=self.ann.id, file=file, hash=blob_hash, size_bytes=1,
            content_type="image/png", created_at=self.now,
        )  # fmt: skip

    async def metadata_of(self, blob_hash: BlobHash) -> bytes | None:
        (known,) = await self.store.with_metadata([self.asset(blob_hash)])
        return known.metadata

    async def claim(self, blob_hash: BlobHash) -> None:
        await self.blobs.claim(blob_hash)

    def forget(self, blob_hash: BlobHash) -> None:
        """Make it long ago that somebody wanted the blob."""
        for path in self.folder.rglob(blob_hash):
            os.utime(path, (0, 0))

    def names(self) -> set[str]:
        return {path.name for path in self.folder.rglob("*") if path.is_file() and path.name != "owner"}


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[House]:
    async with databases.opened(tmp_path / "data") as database:
        store, blobs = Store(database), SlowBlobs(tmp_path / "blobs")
        now = datetime.now(UTC)
        yield House(
            store=store,
            blobs=blobs,
            folder=tmp_path / "blobs",
            ann=await store.add_user("ann", Role.MEMBER, now),
            now=now,
            collector=BlobCollector(store, blobs, grace=GRACE),
        )


async def test_bytes_that_nothing_refers_to_go_after_two_times_of_grace(house: House) -> None:
    blob = await house.write(b"nobody's")

    await house.walk(GRACE - HOUR)
    assert house.names() == {blob}

    await house.walk(2 * HOUR)
    assert house.names() == {f"{blob}.unwanted"}

    await house.walk(GRACE - HOUR)
    assert house.names() == {f"{blob}.unwanted"}

    await house.store.note_measured({blob: b"{}"}, until=None)
    await house.walk(2 * HOUR)
    assert house.names() == set()
    assert await house.blobs.stat(blob) is None
    assert await house.metadata_of(blob) is None


async def test_bytes_of_another_database_are_left_alone(databases: Databases, tmp_path: Path, house: House) -> None:
    blob = await house.write(b"of the other one")
    await house.record(blob)
    await house.walk(timedelta(0))

    async with databases.opened(tmp_path / "other") as database:
        store = Store(database)
        await store.add_user("ann", Role.MEMBER, house.now + HOUR)
        collector = BlobCollector(store, house.blobs, grace=GRACE)
        for days in (1, 2, 3):
            await collector.step(house.now + timedelta(days=days))
    await house.collector.step(house.now + timedelta(days=1))

    assert house.names() == {blob}


async def test_recorded_bytes_stay(house: House) -> None:
    blob = await house.write(b"upload")
    await house.record(blob)

    for _ in range(4):
        await house.walk(GRACE + HOUR)

    assert house.names() == {blob}


async def test_bytes_of_the_editors_files_stay_until_the_file_goes(house: House) -> None:
    blob, path = await house.write(b"workflow"), FilePath("workflows/a.json")
    file = UserFile(
        user_id=house.ann.id, path=path, hash=blob, size_bytes=8, created_at=house.now, modified_at=house.now
    )
    await house.store.save_user_file(file, overwrite=True, limits=UserDataLimits(entries=1, size_bytes=8))
    for _ in range(3):
        await house.walk(GRACE + HOUR)
    assert house.names() == {blob}

    await house.store.remove_user_file(house.ann.id, path)
    for _ in range(2):
        await house.walk(GRACE + HOUR)

    assert house.names() == set()


async def test_bytes_that_a_waiting_job_reads_stay_until_it_ends(house: House) -> None:
    blob = await house.write(b"input")
    staged = StagedInput(value="in.png", hash=blob, size_bytes=5)
    new = NewJob(id=JobId(uuid4()), user_id=house.ann.id, body=replace(BODY, inputs=(staged,)))
    job = await house.store.add_job(new, house.now, max_queued=None)
    for _ in range(3):
        await house.walk(GRACE + HOUR)
    assert house.names() == {blob}

    await house.store.change_job(job, advance(job, Verb.CANCEL, house.now))
    for _ in range(2):
        await house.walk(GRACE + HOUR)

    assert house.names() == set()


async def test_bytes_that_were_claimed_stay_for_the_grace_from_then_on(house: House) -> None:
    blob = await house.write(b"claimed")
    house.forget(blob)

    await house.blobs.claim(blob)
    await house.walk(GRACE - HOUR)

    assert house.names() == {blob}


async def test_bytes_that_are_recorded_while_they_are_set_aside_come_back(house: House) -> None:
    blob = await house.write(b"late")
    await house.walk(GRACE + HOUR)
    assert house.names() == {f"{blob}.unwanted"}

    await house.record(blob)
    await house.walk(GRACE + HOUR)

    assert house.names() == {blob}


@pytest.mark.parametrize("want", [House.record, House.claim], ids=["record", "claim"])
async def test_whoever_wants_the_bytes_before_they_are_set_aside_keeps_them(
    house: House, want: Callable[[House, BlobHash], Awaitable[object]]
) -> None:
    blob = await house.write(b"wanted")
    house.forget(blob)
    async with hold_blob(blob):
        walking = asyncio.create_task(house.walk(timedelta(0)))
        async with asyncio.timeout(60):
            while not _LOCKS[blob]._waiters:  # noqa: ASYNC110 - the walk has found the blob unused, and waits for us
                await asyncio.sleep(0)
        await want(house, blob)
    await walking

    assert house.names() == {blob}


async def test_a_record_of_another_server_in_the_midst_of_it_is_never_left_without_its_bytes(house: House) -> None:
    blob = await house.write(b"shared")
    house.blobs.let_go.clear()
    walking = asyncio.create_task(house.walk(GRACE + HOUR))
    await asyncio.wait_for(house.blobs.setting_aside.wait(), 60)
    # The other server knows nothing of our holds: it looks, records, and we set aside after it.
    assert await house.blobs.claim(blob) is not None
    await house.record(blob)
    house.blobs.let_go.set()
    await walking
    assert house.names() == {f"{blob}.unwanted"}

    await house.walk(GRACE + HOUR)
    await house.walk(GRACE + HOUR)

    assert house.names() == {blob}
    assert b"".join([chunk async for chunk in house.blobs.read(blob)]) == b"shared"


async def test_a_walk_goes_on_where_it_was_and_rests_when_it_is_through(house: House) -> None:
    for number in range(600):
        await house.write(number.to_bytes(2))
    house.now += GRACE + HOUR

    await house.walk(timedelta(0))
    assert 0 < sum(name.endswith(".unwanted") for name in house.names()) < 600
    for _ in range(5):
        await house.walk(timedelta(0))
    assert all(name.endswith(".unwanted") for name in house.names())

    late = await house.write(b"late")
    house.forget(late)
    await house.walk(HOUR / 2)
    assert late in house.names()
    for step in (HOUR, *[timedelta(0)] * 5):
        await house.walk(step)
    assert late not in house.names()


_RENAMING = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from fireside.blobs.local import LocalBlobs

async def main():
    blobs = LocalBlobs(Path(sys.argv[1]))
    hashes = sys.argv[2:]
    while True:
        for one in hashes:
            await blobs.set_aside(one, datetime.now(UTC))
        for one in hashes[::2]:
            await blobs.stat(one)
        print("again", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_whoever_is_killed_in_the_midst_leaves_every_blob_readable(tmp_path: Path, rounds: int) -> None:
    contents = [number.to_bytes(2) for number in range(20)]
    hashes = asyncio.run(_written(tmp_path / "blobs", contents))

    command = [sys.executable, "-c", _RENAMING, str(tmp_path / "blobs"), *hashes]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        for _ in range(rounds):
            assert child.stdout.readline()
        child.kill()

    assert asyncio.run(_read(tmp_path / "blobs", hashes)) == contents


async def _written(folder: Path, contents: list[bytes]) -> list[BlobHash]:
    blobs = LocalBlobs(folder)
    return [(await blobs.write_bytes(content, limit_bytes=None)).hash for content in contents]


async def _read(folder: Path, hashes: list[BlobHash]) -> list[bytes]:
    blobs = LocalBlobs(folder)
    return [b"".join([chunk async for chunk in blobs.read(one)]) for one in hashes]
