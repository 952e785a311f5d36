"""The exam of every driver of `Blobs`."""

import asyncio
import ctypes
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fireside.blobs.base import HEAD_BYTES, Blobs, HashMismatch, ListedBlob
from fireside.blobs.local import LocalBlobs
from fireside.domain.errors import NotFound, StorageFull, TooLarge
from fireside.domain.ids import BlobHash

MIB = 1024 * 1024
PATTERN = bytes(range(256)) * (2 * MIB // 256) + b"and a bit"
NOWHERE = BlobHash("0" * 64)


@pytest.fixture(params=["local"])
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def blobs(folder: Path) -> Blobs:
    return LocalBlobs(folder)


async def chunks_of(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def all_of(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


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


async def test_small_bytes_that_are_refused_leave_nothing(blobs: Blobs, folder: Path) -> None:
    with pytest.raises(HashMismatch):
        await blobs.write_bytes(b"small", limit_bytes=None, expected=NOWHERE)
    with pytest.raises(TooLarge):
        await blobs.write_bytes(b"small", limit_bytes=4)

    assert files_in(folder) == []


async def test_no_bytes_are_a_blob_too(blobs: Blobs) -> None:
    written = await blobs.write(chunks_of(), limit_bytes=0)

    assert written.size_bytes == 0
    assert await all_of(blobs.read(written.hash)) == b""


async def test_equal_bytes_are_stored_once(blobs: Blobs, folder: Path) -> None:
    first = await blobs.write(chunks_of(b"same"), limit_bytes=None)
    second = await blobs.write(chunks_of(b"sa", b"me"), limit_bytes=None)

    assert (first.created, second.created) == (True, False)
    assert len(files_in(folder)) == 1


async def test_equal_bytes_written_at_the_same_time_are_stored_once(blobs: Blobs, folder: Path) -> None:
    written = await asyncio.gather(*(blobs.write(chunks_of(PATTERN), limit_bytes=None) for _ in range(8)))

    assert len({one.hash for one in written}) == 1
    assert len(files_in(folder)) == 1
    assert await all_of(blobs.read(written[0].hash)) == PATTERN


async def test_too_many_bytes_are_refused_and_leave_nothing(blobs: Blobs, folder: Path) -> None:
    with pytest.raises(TooLarge, match="9 bytes"):
        await blobs.write(chunks_of(b"12345", b"67890"), limit_bytes=9)

    assert files_in(folder) == []


async def test_as_many_bytes_as_the_limit_are_taken(blobs: Blobs) -> None:
    assert (await blobs.write(chunks_of(b"12345", b"67890"), limit_bytes=10)).size_bytes == 10


async def test_other_bytes_than_announced_are_refused_and_leave_nothing(blobs: Blobs, folder: Path) -> None:
    with pytest.raises(HashMismatch):
        await blobs.write(chunks_of(b"bytes"), limit_bytes=None, expected=NOWHERE)

    assert files_in(folder) == []


async def test_a_sender_that_breaks_off_leaves_nothing(blobs: Blobs, folder: Path) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield PATTERN
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await blobs.write(breaking(), limit_bytes=None)

    assert files_in(folder) == []


@pytest.mark.parametrize("after", [0, 1, 3 * MIB])
async def test_a_canceled_write_leaves_nothing(blobs: Blobs, folder: Path, after: int) -> None:
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

    assert files_in(folder) == []


@pytest.mark.parametrize("turns", range(12))
async def test_a_write_canceled_at_any_turn_leaves_nothing_unfinished(blobs: Blobs, folder: Path, turns: int) -> None:
    writing = asyncio.create_task(blobs.write(chunks_of(PATTERN, PATTERN), limit_bytes=None))
    for _ in range(turns):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait([writing], timeout=60)

    assert all(path.name == blake3(PATTERN + PATTERN).hexdigest() for path in files_in(folder))


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


async def test_writing_equal_bytes_renews_the_time(blobs: Blobs) -> None:
    written = await blobs.write(chunks_of(b"bytes"), limit_bytes=None)
    path = blobs.local_path(written.hash)
    assert path is not None
    os.utime(path, (0, 0))
    before = datetime.now(UTC) - timedelta(minutes=1)
    await blobs.write(chunks_of(b"bytes"), limit_bytes=None)

    found = await blobs.stat(written.hash)
    assert found is not None
    assert found.written_at > before


async def test_what_a_dead_writer_left_is_swept_and_a_young_one_kept(blobs: Blobs, folder: Path) -> None:
    now = datetime.now(UTC)
    old, young = folder / "unfinished" / "old", folder / "unfinished" / "young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (0, 0))

    assert await blobs.sweep_unfinished(now - timedelta(hours=1)) == 1
    assert files_in(folder) == [young]


async def test_only_the_owner_can_read_files_and_folders(blobs: Blobs, folder: Path) -> None:
    written = await blobs.write(chunks_of(b"bytes"), limit_bytes=None)
    path = blobs.local_path(written.hash)
    assert path is not None

    assert path.stat().st_mode & 0o777 == 0o600
    assert {parent.stat().st_mode & 0o777 for parent in (path.parent, path.parent.parent, folder)} == {0o700}


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    mounted = tmp_path / "tiny"
    mounted.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", str(mounted).encode(), b"tmpfs", 0, b"size=1m") != 0:
        reason = f"cannot mount a tmpfs: {os.strerror(ctypes.get_errno())}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)  # a laptop's user may not mount
    try:
        yield mounted
    finally:
        subprocess.run(["umount", "--lazy", str(mounted)], check=True)


async def test_a_full_disk_is_told_and_loses_nothing(tiny_disk: Path) -> None:
    blobs = LocalBlobs(tiny_disk / "blobs")
    kept = await blobs.write(chunks_of(b"k" * 300_000), limit_bytes=None)

    with pytest.raises(StorageFull):
        await blobs.write(chunks_of(PATTERN), limit_bytes=None)

    assert len(files_in(tiny_disk)) == 1
    assert await all_of(blobs.read(kept.hash)) == b"k" * 300_000
    assert (await blobs.write(chunks_of(b"small"), limit_bytes=None)).created


def age(folder: Path, hours: float) -> None:
    """Let everything in the folder be older."""
    for path in files_in(folder):
        at = path.stat().st_mtime - hours * 3600
        os.utime(path, (at, at))


async def walk(blobs: Blobs, limit: int) -> list[ListedBlob]:
    listed: list[ListedBlob] = []
    after: str | None = ""
    while after is not None:
        page = await blobs.list_blobs(after, limit=limit)
        assert len(page.blobs) <= limit
        listed += page.blobs
        after = page.next_after
    return listed


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
async def test_a_walk_finds_every_blob_once_in_order(blobs: Blobs, limit: int) -> None:
    assert await walk(blobs, limit) == []
    hashes = [(await blobs.write_bytes(bytes([n, m]), limit_bytes=None)).hash for n in range(20) for m in range(2)]
    await blobs.set_aside(hashes[3], datetime.now(UTC))

    listed = await walk(blobs, limit)

    assert [one.hash for one in listed] == sorted(hashes)
    assert [one.hash for one in listed if one.is_set_aside] == [hashes[3]]


async def test_blobs_of_one_folder_are_walked_in_pieces(blobs: Blobs, folder: Path) -> None:
    (folder / "ab").mkdir()
    names = [f"abcd{n:060x}" for n in range(25)]
    for name in (*names, "abcd", "stray"):
        (folder / "ab" / name).write_bytes(b"")

    assert [one.hash for one in await walk(blobs, 10)] == names
    assert [one.hash for one in await walk(blobs, 5)] == names


async def test_many_empty_folders_are_walked_in_steps(blobs: Blobs, folder: Path) -> None:
    for number in range(256):
        (folder / f"{number:02x}").mkdir()

    page = await blobs.list_blobs("", limit=10)

    assert page.blobs == []
    assert page.next_after is not None
    assert page.next_after.startswith("3f")
    assert await walk(blobs, 10) == []


async def test_a_blob_that_was_set_aside_is_there_for_whoever_looks(blobs: Blobs) -> None:
    looks: dict[str, Callable[[BlobHash], Awaitable[object]]] = {
        "stat": blobs.stat,
        "claim": blobs.claim,
        "read": lambda blob_hash: all_of(blobs.read(blob_hash)),
        "path": lambda blob_hash: asyncio.to_thread(blobs.local_path, blob_hash),
        "write": lambda _: blobs.write_bytes(b"bytes", limit_bytes=None),
    }
    written = await blobs.write_bytes(b"bytes", limit_bytes=None)
    for name, look in looks.items():
        await blobs.set_aside(written.hash, datetime.now(UTC) - timedelta(days=9))
        assert [one.is_set_aside for one in await walk(blobs, 9)] == [True], name

        await look(written.hash)

        (listed,) = await walk(blobs, 9)
        assert not listed.is_set_aside, name
        assert datetime.now(UTC) - listed.since < timedelta(hours=1), name
        assert await all_of(blobs.read(written.hash)) == b"bytes"


async def test_what_was_set_aside_goes_only_when_it_has_been_there_long_enough(blobs: Blobs, folder: Path) -> None:
    now = datetime.now(UTC)
    written = await blobs.write_bytes(b"bytes", limit_bytes=None)
    await blobs.remove_set_aside(written.hash, now + timedelta(days=1))
    assert await blobs.stat(written.hash) is not None

    await blobs.set_aside(written.hash, now)
    await blobs.remove_set_aside(written.hash, now - timedelta(seconds=1))
    assert len(files_in(folder)) == 1

    await blobs.remove_set_aside(written.hash, now + timedelta(seconds=1))
    assert files_in(folder) == []
    assert await blobs.stat(written.hash) is None
    await blobs.set_aside(written.hash, now)


async def test_a_claim_renews_the_time(blobs: Blobs, folder: Path) -> None:
    written = await blobs.write_bytes(b"bytes", limit_bytes=None)
    age(folder, hours=5)

    claimed = await blobs.claim(written.hash)

    assert claimed == await blobs.stat(written.hash)
    assert claimed is not None
    assert claimed.written_at >= written.written_at
    assert await blobs.claim(NOWHERE) is None


async def test_claims_and_setting_aside_at_the_same_time_never_lose_a_blob(blobs: Blobs) -> None:
    written = await blobs.write_bytes(b"bytes", limit_bytes=None)
    for _ in range(30):
        found = await asyncio.gather(
            *(blobs.claim(written.hash) for _ in range(4)),
            *(blobs.set_aside(written.hash, datetime.now(UTC)) for _ in range(2)),
            *(blobs.stat(written.hash) for _ in range(4)),
        )
        assert sum(one is not None for one in found) == 8


async def test_blobs_belong_to_whoever_asks_first(blobs: Blobs, folder: Path) -> None:
    assert await blobs.belong_to("ann")
    assert not await blobs.belong_to("bob")
    assert await LocalBlobs(folder).belong_to("ann")
    assert await walk(blobs, 9) == []
