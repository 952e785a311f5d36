"""The exam of every driver of `Blobs`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.blob_places import BucketPlace, FolderPlace, Place, all_of, chunks_of, walk
from tests.object_server import ObjectServer, object_server

from fireside.blobs.base import HEAD_BYTES, Blobs, HashMismatch
from fireside.domain.errors import NotFound, TooLarge
from fireside.domain.ids import BlobHash

MIB = 1024 * 1024
PATTERN = bytes(range(256)) * (2 * MIB // 256) + b"and a bit"
NOWHERE = BlobHash("0" * 64)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    with object_server(tmp_path_factory.mktemp("objects")) as server:
        yield server


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return FolderPlace(tmp_path / "blobs")
    return BucketPlace(request.getfixturevalue("server"), uuid4().hex)


@pytest.fixture
def blobs(place: Place) -> Blobs:
    return place.open()


async def test_written_bytes_come_back_under_their_blake3(blobs: Blobs) -> None:
    written = await blobs.write(chunks_of(PATTERN[:5], b"", PATTERN[5:]), limit_bytes=None)

    assert written.hash == blake3(PATTERN).hexdigest()
    assert (written.size_bytes, written.head, written.created) == (len(PATTERN), PATTERN[:HEAD_BYTES], True)
    assert await all_of(blobs.read(written.hash)) == PATTERN


async def test_small_bytes_can_be_written_in_one_go(blobs: Blobs) -> None:
    written = await blobs.write_bytes(b"small", limit_bytes=5, expected=BlobHash(blake3(b"small").hexdigest()))

    assert (written.size_bytes, written.head, written.created) == (5, b"small", True)
    assert await all_of(blobs.read(written.hash)) == b"small"
    assert not (await blobs.write_bytes(b"small", limit_bytes=None)).created


async def test_small_bytes_that_are_refused_leave_nothing(blobs: Blobs, place: Place) -> None:
    with pytest.raises(HashMismatch):
        await blobs.write_bytes(b"small", limit_bytes=None, expected=NOWHERE)
    with pytest.raises(TooLarge):
        await blobs.write_bytes(b"small", limit_bytes=4)

    assert place.names() == []


async def test_no_bytes_are_a_blob_too(blobs: Blobs) -> None:
    written = await blobs.write(chunks_of(), limit_bytes=0)

    assert written.size_bytes == 0
    assert await all_of(blobs.read(written.hash)) == b""


async def test_equal_bytes_are_stored_once(blobs: Blobs, place: Place) -> None:
    first = await blobs.write(chunks_of(b"same"), limit_bytes=None)
    second = await blobs.write(chunks_of(b"sa", b"me"), limit_bytes=None)

    assert (first.created, second.created) == (True, False)
    assert len(place.names()) == 1


async def test_equal_bytes_written_at_the_same_time_are_stored_once(blobs: Blobs, place: Place) -> None:
    written = await asyncio.gather(*(blobs.write(chunks_of(PATTERN), limit_bytes=None) for _ in range(8)))

    assert len({one.hash for one in written}) == 1
    assert len(place.names()) == 1
    assert await all_of(blobs.read(written[0].hash)) == PATTERN


async def test_too_many_bytes_are_refused_and_leave_nothing(blobs: Blobs, place: Place) -> None:
    with pytest.raises(TooLarge, match="9 bytes"):
        await blobs.write(chunks_of(b"12345", b"67890"), limit_bytes=9)

    assert place.names() == []


async def test_as_many_bytes_as_the_limit_are_taken(blobs: Blobs) -> None:
    assert (await blobs.write(chunks_of(b"12345", b"67890"), limit_bytes=10)).size_bytes == 10


async def test_other_bytes_than_announced_are_refused_and_leave_nothing(blobs: Blobs, place: Place) -> None:
    with pytest.raises(HashMismatch):
        await blobs.write(chunks_of(b"bytes"), limit_bytes=None, expected=NOWHERE)

    assert place.names() == []


async def test_a_sender_that_breaks_off_leaves_nothing(blobs: Blobs, place: Place) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield PATTERN
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await blobs.write(breaking(), limit_bytes=None)

    assert place.names() == []


@pytest.mark.parametrize("after", [0, 1, 3 * MIB])
async def test_a_canceled_write_leaves_nothing(blobs: Blobs, place: Place, after: int) -> None:
    waiting = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield bytes(after)
        waiting.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(blobs.write(stalling(), limit_bytes=None))
    await asyncio.wait_for(waiting.wait(), 60)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert place.names() == []


@pytest.mark.parametrize("turns", range(12))
async def test_a_write_canceled_at_any_turn_leaves_nothing_unfinished(blobs: Blobs, place: Place, turns: int) -> None:
    writing = asyncio.create_task(blobs.write(chunks_of(PATTERN, PATTERN), limit_bytes=None))
    for _ in range(turns):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait([writing], timeout=60)

    assert all(name.endswith(blake3(PATTERN + PATTERN).hexdigest()) for name in place.names())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(start=st.integers(0, len(PATTERN) + 5), length=st.none() | st.integers(0, len(PATTERN) + 5))
async def test_a_range_is_a_slice(blobs: Blobs, start: int, length: int | None) -> None:
    written = await blobs.write(chunks_of(PATTERN), limit_bytes=None)
    end = None if length is None else start + length

    assert await all_of(blobs.read(written.hash, start, end)) == PATTERN[start:end]


async def test_bytes_are_read_in_chunks_of_a_mebibyte(blobs: Blobs) -> None:
    written = await blobs.write(chunks_of(PATTERN), limit_bytes=None)

    assert [len(chunk) async for chunk in blobs.read(written.hash)] == [MIB, MIB, 9]


async def test_a_blob_that_is_not_there_is_not_found(blobs: Blobs) -> None:
    assert await blobs.stat(NOWHERE) is None
    assert blobs.local_path(NOWHERE) is None
    with pytest.raises(NotFound):
        await all_of(blobs.read(NOWHERE))


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63 + "\n", "\0" * 64])
async def test_a_name_that_is_no_hash_reaches_no_file(blobs: Blobs, name: str) -> None:
    assert await blobs.stat(BlobHash(name)) is None
    assert blobs.local_path(BlobHash(name)) is None
    await blobs.delete(BlobHash(name))
    with pytest.raises(NotFound):
        await all_of(blobs.read(BlobHash(name)))


async def test_a_deleted_blob_is_gone_and_can_be_written_again(blobs: Blobs) -> None:
    written = await blobs.write(chunks_of(b"bytes"), limit_bytes=None)
    await blobs.delete(written.hash)
    await blobs.delete(written.hash)

    assert await blobs.stat(written.hash) is None
    assert (await blobs.write(chunks_of(b"bytes"), limit_bytes=None)).created


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
async def test_a_walk_finds_every_blob_once_in_order(blobs: Blobs, limit: int) -> None:
    assert await walk(blobs, limit) == []
    hashes = [(await blobs.write_bytes(bytes([n, m]), limit_bytes=None)).hash for n in range(20) for m in range(2)]
    await blobs.set_aside(hashes[3], datetime.now(UTC))

    listed = await walk(blobs, limit)

    assert [one.hash for one in listed] == sorted(hashes)
    assert [one.hash for one in listed if one.is_set_aside] == [hashes[3]]


async def test_a_blob_that_was_set_aside_is_there_for_whoever_looks(blobs: Blobs, place: Place) -> None:
    looks: dict[str, Callable[[BlobHash], Awaitable[object]]] = {
        "stat": blobs.stat,
        "claim": blobs.claim,
        "read": lambda blob_hash: all_of(blobs.read(blob_hash)),
        "write": lambda _: blobs.write_bytes(b"bytes", limit_bytes=None),
    }
    if isinstance(place, FolderPlace):
        looks["path"] = lambda blob_hash: asyncio.to_thread(blobs.local_path, blob_hash)
    written = await blobs.write_bytes(b"bytes", limit_bytes=None)
    for name, look in looks.items():
        await blobs.set_aside(written.hash, datetime.now(UTC) - timedelta(days=9))
        assert [one.is_set_aside for one in await walk(blobs, 9)] == [True], name

        await look(written.hash)

        (listed,) = await walk(blobs, 9)
        assert not listed.is_set_aside, name
        assert datetime.now(UTC) - listed.since < timedelta(hours=1), name
        assert await all_of(blobs.read(written.hash)) == b"bytes"


async def test_what_was_set_aside_goes_only_when_it_has_been_there_long_enough(blobs: Blobs, place: Place) -> None:
    now = datetime.now(UTC)
    written = await blobs.write_bytes(b"bytes", limit_bytes=None)
    await blobs.remove_set_aside(written.hash, now + timedelta(days=1))
    assert await blobs.stat(written.hash) is not None

    await blobs.set_aside(written.hash, now)
    await blobs.remove_set_aside(written.hash, now - timedelta(seconds=1))
    assert len(place.names()) == 1

    await blobs.remove_set_aside(written.hash, now + timedelta(hours=1))
    assert place.names() == []
    assert await blobs.stat(written.hash) is None
    await blobs.set_aside(written.hash, now)


async def test_claims_and_setting_aside_at_the_same_time_never_lose_a_blob(blobs: Blobs, place: Place) -> None:
    written = await blobs.write_bytes(b"bytes", limit_bytes=None)
    # A bucket has its own way of making those wait who copy one object at the same time, of a second or two.
    for _ in range(30 if isinstance(place, FolderPlace) else 4):
        found = await asyncio.gather(
            *(blobs.claim(written.hash) for _ in range(4)),
            *(blobs.set_aside(written.hash, datetime.now(UTC)) for _ in range(2)),
            *(blobs.stat(written.hash) for _ in range(4)),
        )
        assert sum(one is not None for one in found) == 8


async def test_blobs_belong_to_whoever_asks_first(blobs: Blobs, place: Place) -> None:
    assert await blobs.belong_to("ann")
    assert not await blobs.belong_to("bob")
    assert await place.open().belong_to("ann")
    assert await walk(blobs, 9) == []
