"""Large bytes go into a bucket while they come, and nothing stays of those that do not end."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import obstore
import pytest
from blake3 import blake3
from obstore.exceptions import BaseError
from tests.blob_places import BucketPlace, all_of, chunks_of
from tests.object_server import ObjectServer, object_server

from fireside.blobs import bucket as buckets
from fireside.blobs import objects as object_blobs
from fireside.blobs.base import HEAD_BYTES, HashMismatch
from fireside.blobs.keys import key_of
from fireside.blobs.objects import ObjectBlobs
from fireside.blobs.staging import staging
from fireside.blobs.unfinished import settled
from fireside.domain.errors import TooLarge, Unavailable
from fireside.domain.ids import BlobHash

pytestmark = pytest.mark.once
MIB = 1024 * 1024
PART_BYTES = 8 * MIB
LARGE = b"".join(bytes([number]) * MIB for number in range(11)) + b"and a bit"
HASH = BlobHash(blake3(LARGE).hexdigest())
NOWHERE = BlobHash("0" * 64)
LARGEST = 50 * MIB
LATER = timedelta(hours=1)


@pytest.fixture
def place(objects: ObjectServer) -> BucketPlace:
    return BucketPlace(objects, f"a b/{uuid4().hex}")


@pytest.fixture
def blobs(place: BucketPlace) -> ObjectBlobs:
    return place.open()


def large() -> AsyncIterator[bytes]:
    """Send it in chunks that are no even part of anything."""
    return chunks_of(*(LARGE[start : start + 700_001] for start in range(0, len(LARGE), 700_001)))


@pytest.mark.parametrize("announced", [None, HASH], ids=["unknown", "announced"])
async def test_large_bytes_come_back_and_nothing_else_stays(
    blobs: ObjectBlobs, place: BucketPlace, announced: BlobHash | None
) -> None:
    written = await blobs.write(large(), limit_bytes=len(LARGE), expected=announced)

    assert (written.hash, written.size_bytes, written.created) == (HASH, len(LARGE), True)
    assert written.head == LARGE[:HEAD_BYTES]
    assert await all_of(blobs.read(HASH)) == LARGE
    assert place.names() == [key_of(HASH)]


@pytest.mark.parametrize("announced", [None, HASH], ids=["unknown", "announced"])
async def test_equal_bytes_are_not_copied_again(
    blobs: ObjectBlobs, place: BucketPlace, announced: BlobHash | None
) -> None:
    await blobs.write(large(), limit_bytes=None, expected=HASH)
    before = obstore.head(place.server.store(place.prefix), key_of(HASH))

    written = await blobs.write(large(), limit_bytes=None, expected=announced)

    assert (written.hash, written.created) == (HASH, False)
    assert obstore.head(place.server.store(place.prefix), key_of(HASH)) == before
    assert place.names() == [key_of(HASH)]


async def test_equal_bytes_that_come_at_the_same_time_are_one_blob(blobs: ObjectBlobs, place: BucketPlace) -> None:
    written = await asyncio.gather(
        *(blobs.write(large(), limit_bytes=LARGEST, expected=announced) for announced in (None, None, HASH, None))
    )

    assert {one.hash for one in written} == {HASH}
    assert place.names() == [key_of(HASH)]
    assert await all_of(blobs.read(HASH)) == LARGE


@pytest.mark.parametrize(("size_bytes", "is_in_parts"), [(PART_BYTES, False), (PART_BYTES + 1, True)])
async def test_what_is_no_larger_than_a_part_is_put_at_once(
    blobs: ObjectBlobs, place: BucketPlace, size_bytes: int, is_in_parts: bool
) -> None:
    written = await blobs.write(chunks_of(LARGE[:size_bytes]), limit_bytes=LARGEST)

    found = obstore.head(place.server.store(place.prefix), key_of(written.hash))
    assert found["size"] == size_bytes
    assert ("-" in str(found["e_tag"])) is is_in_parts
    assert place.names() == [key_of(written.hash)]


async def test_what_is_refused_leaves_no_part(blobs: ObjectBlobs, place: BucketPlace) -> None:
    with pytest.raises(TooLarge):
        await blobs.write(large(), limit_bytes=len(LARGE) - 1)
    with pytest.raises(HashMismatch):
        await blobs.write(large(), limit_bytes=LARGEST, expected=NOWHERE)

    assert place.names() == []


async def test_a_sender_that_breaks_off_leaves_no_part(blobs: ObjectBlobs, place: BucketPlace) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield LARGE
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await blobs.write(breaking(), limit_bytes=LARGEST)

    assert place.names() == []


async def test_a_sender_is_refused_before_all_has_come(blobs: ObjectBlobs, place: BucketPlace) -> None:
    came: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            came.append(MIB)
            yield bytes(MIB)

    with pytest.raises(TooLarge):
        await blobs.write(endless(), limit_bytes=10 * MIB)

    assert sum(came) == 11 * MIB
    assert place.names() == []


async def test_a_canceled_upload_leaves_no_part(blobs: ObjectBlobs, place: BucketPlace) -> None:
    waiting = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield LARGE
        waiting.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(blobs.write(stalling(), limit_bytes=LARGEST))
    await asyncio.wait_for(waiting.wait(), 60)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert place.names() == []


@pytest.mark.parametrize("turns", range(0, 60, 10))
async def test_an_upload_canceled_at_any_turn_leaves_nothing_unfinished(
    blobs: ObjectBlobs, place: BucketPlace, turns: int
) -> None:
    writing = asyncio.create_task(blobs.write(chunks_of(LARGE), limit_bytes=LARGEST))
    for _ in range(turns):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait([writing], timeout=60)

    assert place.names() in ([], [key_of(HASH)])


async def test_work_that_must_end_is_awaited_by_whoever_is_canceled() -> None:
    may_end, begun, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    waiting = asyncio.create_task(settled(work()))
    await begun.wait()
    waiting.cancel()
    await asyncio.wait([waiting], timeout=0.01)
    assert not waiting.done()
    may_end.set()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()


async def test_what_one_copy_is_too_small_for_is_copied_in_parts(
    blobs: ObjectBlobs, place: BucketPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (buckets, object_blobs):
        monkeypatch.setattr(module, "MOST_BYTES_OF_A_COPY", 5 * MIB)

    await blobs.write(large(), limit_bytes=LARGEST)

    assert await all_of(blobs.read(HASH)) == LARGE
    assert place.names() == [key_of(HASH)]
    assert "-3" in str(obstore.head(place.server.store(place.prefix), key_of(HASH))["e_tag"])


async def test_where_nothing_signs_for_the_bucket_it_is_copied_through_the_server(
    place: BucketPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_blobs, "_MOST_BYTES_OF_ONE_COPY", 5 * MIB)
    blobs = ObjectBlobs(place.server.store(place.prefix))

    await blobs.write(large(), limit_bytes=LARGEST)

    assert await all_of(blobs.read(HASH)) == LARGE
    assert place.names() == [key_of(HASH)]


async def test_a_store_whose_copies_take_their_time_keeps_what_is_copied_for_upkeep(place: BucketPlace) -> None:
    blobs = ObjectBlobs(place.server.store(place.prefix), copies_at_once=False)
    await blobs.write(large(), limit_bytes=LARGEST)

    (staged,) = set(place.names()) - {key_of(HASH)}
    assert staged.startswith("unfinished/")
    assert await blobs.sweep_unfinished(datetime.now(UTC) - LATER) == 0
    assert await blobs.sweep_unfinished(datetime.now(UTC) + LATER) == 1
    assert place.names() == [key_of(HASH)]


_STALLING = """
import asyncio, sys
from pathlib import Path
from fireside.blobs.opening import open_blobs
from fireside.config import Config

async def stalling():
    yield bytes(40 << 20)
    print("under way", flush=True)
    await asyncio.Event().wait()

blobs = open_blobs(Config(blobs_url=sys.argv[1], blobs_endpoint=sys.argv[2]), Path("nowhere"))
asyncio.run(blobs.write(stalling(), limit_bytes=None))
"""


async def test_what_a_killed_server_leaves_is_swept(objects: ObjectServer, place: BucketPlace) -> None:
    command = [sys.executable, "-c", _STALLING, objects.url(place.prefix), objects.endpoint]
    environment = os.environ | objects.environment
    server = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, env=environment)
    assert server.stdout is not None
    assert await server.stdout.readline() == b"under way\n"
    server.kill()
    await server.communicate()
    blobs = place.open()
    assert len(place.names()) == 1

    assert await blobs.sweep_unfinished(datetime.now(UTC) - LATER) == 0
    assert await blobs.sweep_unfinished(datetime.now(UTC) + LATER) == 1
    assert place.names() == []


async def test_an_object_server_that_goes_away_in_the_middle_is_unavailable(tmp_path: Path) -> None:
    with object_server(tmp_path) as objects:
        store = objects.store("files", retry_config={"max_retries": 0})

        async def outliving() -> AsyncIterator[bytes]:
            yield LARGE
            objects.kill()
            yield LARGE * 3

        async with staging(store, "other", PART_BYTES) as staged:
            await staged.append(LARGE)
            with pytest.raises(Unavailable):
                await ObjectBlobs(store).write(outliving(), limit_bytes=LARGEST)
            with pytest.raises(BaseError):
                await staged.end()


async def test_who_takes_bytes_slowly_gets_all_of_them(place: BucketPlace) -> None:
    await place.open().write(large(), limit_bytes=LARGEST)
    hurried: dict[str, Any] = {"allow_http": True, "timeout": timedelta(seconds=2)}
    store = place.server.store(place.prefix, client_options=hurried, retry_config={"max_retries": 0})
    chunks = ObjectBlobs(store).read(HASH)

    first = await anext(chunks)
    await asyncio.sleep(2.5)  # beyond what a request may take: nothing tells of that

    assert first + await all_of(chunks) == LARGE
