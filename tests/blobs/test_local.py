"""What a folder does beside the exam of all drivers: modes, times, a full disk, and walks over many folders."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from blake3 import blake3
from tests.blob_places import all_of, chunks_of, files_in, walk

from fireside.blobs.base import EnclosedBlob
from fireside.blobs.local import LocalBlobs
from fireside.domain.errors import StorageFull
from fireside.domain.ids import BlobHash

NOWHERE = BlobHash("0" * 64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def blobs(folder: Path) -> LocalBlobs:
    return LocalBlobs(folder)


async def test_writing_equal_bytes_renews_the_time(blobs: LocalBlobs) -> None:
    written = await blobs.write(chunks_of(b"bytes"), limit_bytes=None)
    path = blobs.local_path(written.hash)
    assert path is not None
    os.utime(path, (0, 0))
    before = datetime.now(UTC) - timedelta(minutes=1)
    await blobs.write(chunks_of(b"bytes"), limit_bytes=None)

    found = await blobs.stat(written.hash)
    assert found is not None
    assert found.written_at > before


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was waited for until it was on the disk, in order."""
    names: list[str] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    return names


def enclosed(content: bytes) -> EnclosedBlob:
    return EnclosedBlob(content, BlobHash(blake3(content).hexdigest()))


async def test_a_small_blob_is_in_its_place_before_it_is_on_the_disk(blobs: LocalBlobs, synced: list[str]) -> None:
    one = enclosed(b"bytes")
    (blobs._folder / one.hash[:2]).mkdir()
    blobs.unsynced.put(one)

    assert await all_of(blobs.read(one.hash)) == b"bytes"
    assert one.hash not in synced
    assert one.hash[:2] not in synced
    await blobs.unsynced.sync([one.hash, NOWHERE])
    assert synced[-2:] == [one.hash, one.hash[:2]]


async def test_who_relies_on_a_blob_that_is_there_waits_until_it_is_on_the_disk(
    blobs: LocalBlobs, synced: list[str]
) -> None:
    one, other = enclosed(b"bytes"), enclosed(b"others")
    blobs.unsynced.put(one)
    blobs.unsynced.put(other)

    assert not (await blobs.write_bytes(b"bytes", limit_bytes=None)).created
    assert synced[-2:] == [one.hash, one.hash[:2]]
    assert await blobs.claim(other.hash) is not None
    assert synced[-2:] == [other.hash, other.hash[:2]]


async def test_a_blob_that_was_set_aside_comes_back_when_it_is_put_there(blobs: LocalBlobs, folder: Path) -> None:
    written = await blobs.write_bytes(b"bytes", limit_bytes=None)
    await blobs.set_aside(written.hash, datetime.now(UTC))

    blobs.unsynced.put(enclosed(b"bytes"))

    assert files_in(folder) == [f"{written.hash[:2]}/{written.hash}"]


async def test_what_is_put_where_other_bytes_have_been_left_is_there_as_a_whole(blobs: LocalBlobs) -> None:
    one = enclosed(b"bytes")
    blobs.unsynced.put(one)
    path = blobs.local_path(one.hash)
    assert path is not None
    path.write_bytes(b"\0\0\0\0\0")

    blobs.unsynced.put(one)

    assert await all_of(blobs.read(one.hash)) == b"bytes"


@pytest.mark.parametrize("left", [b"", b"byte", b"\0\0\0\0\0", None])
async def test_what_a_failure_of_the_power_has_taken_is_restored(
    blobs: LocalBlobs, left: bytes | None, synced: list[str]
) -> None:
    one = enclosed(b"bytes")
    blobs.unsynced.put(one)
    path = blobs.local_path(one.hash)
    assert path is not None
    path.unlink() if left is None else path.write_bytes(left)

    assert await blobs.unsynced.restore(one)
    assert await all_of(blobs.read(one.hash)) == b"bytes"
    assert synced[-1] == one.hash[:2]
    assert not await blobs.unsynced.restore(one)


async def test_only_the_owner_can_read_files_and_folders(blobs: LocalBlobs, folder: Path) -> None:
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
        await blobs.write(chunks_of(bytes(2 << 20)), limit_bytes=None)

    assert len(files_in(tiny_disk)) == 1
    assert await all_of(blobs.read(kept.hash)) == b"k" * 300_000
    assert (await blobs.write(chunks_of(b"small"), limit_bytes=None)).created


async def test_what_a_dead_writer_left_is_swept_and_a_young_one_kept(blobs: LocalBlobs, folder: Path) -> None:
    old, young = folder / "unfinished" / "old", folder / "unfinished" / "young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (0, 0))

    assert await blobs.sweep_unfinished(datetime.now(UTC) - timedelta(hours=1)) == 1
    assert files_in(folder) == ["unfinished/young"]


def age(folder: Path, hours: float) -> None:
    """Let everything in the folder be older."""
    for path in (folder / name for name in files_in(folder)):
        at = path.stat().st_mtime - hours * 3600
        os.utime(path, (at, at))


async def test_blobs_of_one_folder_are_walked_in_pieces(blobs: LocalBlobs, folder: Path) -> None:
    (folder / "ab").mkdir()
    names = [f"abcd{n:060x}" for n in range(25)]
    for name in (*names, "abcd", "stray"):
        (folder / "ab" / name).write_bytes(b"")

    assert [one.hash for one in await walk(blobs, 10)] == names
    assert [one.hash for one in await walk(blobs, 5)] == names


async def test_many_empty_folders_are_walked_in_steps(blobs: LocalBlobs, folder: Path) -> None:
    for number in range(256):
        (folder / f"{number:02x}").mkdir()

    page = await blobs.list_blobs("", limit=10)

    assert page.blobs == []
    assert page.next_after is not None
    assert page.next_after.startswith("3f")
    assert await walk(blobs, 10) == []


async def test_a_claim_renews_the_time(blobs: LocalBlobs, folder: Path) -> None:
    written = await blobs.write_bytes(b"bytes", limit_bytes=None)
    age(folder, hours=5)

    claimed = await blobs.claim(written.hash)

    assert claimed == await blobs.stat(written.hash)
    assert claimed is not None
    assert claimed.written_at >= written.written_at
    assert await blobs.claim(NOWHERE) is None
