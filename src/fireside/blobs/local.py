"""Blobs in a folder of this machine: `ab/abcd…` for the finished ones, `unfinished/` for those being written.

A blob that is set aside stands beside its place as `abcd….unwanted`. To set aside and to put back are renames, so that
it is always at one of the two, and a name's time of change says since when.

A blob is published by write, fsync, rename and fsync of its folder, because obstore's local store does not fsync.
Reads go through obstore. All that touches the disk happens in threads.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import obstore
from obstore.store import LocalStore

from fireside.blobs.base import (
    CHUNK_BYTES,
    BlobPage,
    BlobStat,
    BytesWatcher,
    HashMismatch,
    Writing,
    WrittenBlob,
    is_blob_hash,
)
from fireside.blobs.local_listing import ASIDE, aside_of, list_folder
from fireside.blobs.unfinished import Unfinished, check_size, fill, full_disk_as_refusal, in_thread, sweep
from fireside.domain.errors import NotFound, Unavailable
from fireside.domain.ids import BlobHash

_UNFINISHED = "unfinished"
_FOLDER_MODE = 0o700
_LOOKS = 3
_PREFIX = 2
_OWNER = "owner"


class LocalBlobs:
    """The folder driver of `Blobs`."""

    def __init__(self, folder: Path, *, watcher: BytesWatcher | None = None) -> None:
        self._watcher = watcher
        self._folder = folder.absolute()
        self._unfinished = self._folder / _UNFINISHED
        self._folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)  # the mode is not for parents made here
        self._unfinished.mkdir(exist_ok=True, mode=_FOLDER_MODE)
        self._store = LocalStore(self._folder)
        self._made: set[str] = set()

    @property
    def direct(self) -> None:
        """Say that nobody can be sent to a folder; see `Blobs.direct`."""
        return

    async def write(
        self, chunks: AsyncIterator[bytes], *, limit_bytes: int | None, expected: BlobHash | None = None
    ) -> WrittenBlob:
        """Store the chunks; see `Blobs.write`. A cancellation while the finished file is published lets it finish."""
        unfinished = await in_thread(lambda: Unfinished.create(self._unfinished))
        try:
            await fill(unfinished, chunks, limit_bytes)
            written = await in_thread(lambda: self._publish(unfinished, expected))
            self._tell("written", written.size_bytes)
            return written
        finally:
            await in_thread(unfinished.discard)

    async def write_bytes(
        self, content: bytes, *, limit_bytes: int | None, expected: BlobHash | None = None
    ) -> WrittenBlob:
        """Store a small blob in one hop to a thread; see `Blobs.write_bytes`."""
        check_size(len(content), limit_bytes)
        written = await in_thread(lambda: self._write_at_once(content, expected))
        self._tell("written", written.size_bytes)
        return written

    def write_beside(
        self, content: bytes, *, limit_bytes: int | None, expected: BlobHash
    ) -> tuple[Writing, asyncio.Future[None]]:
        """Store a small blob in a thread; see `Blobs.write_beside`."""
        check_size(len(content), limit_bytes)
        writing = Writing(content)

        def write() -> None:
            try:
                self._write_at_once(content, expected)
            except BaseException as error:  # noqa: BLE001 - raised where it is waited for
                writing.end(error)
            else:
                writing.end()
                self._tell("written", writing.size_bytes)

        return writing, asyncio.get_running_loop().run_in_executor(None, write)

    async def read(self, blob_hash: BlobHash, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Give a range of the bytes; see `Blobs.read`."""
        found = await self.stat(blob_hash)
        if found is None:
            raise NotFound("These bytes are not stored here.")
        end = found.size_bytes if end is None else min(end, found.size_bytes)
        name = str(_relative(blob_hash))
        # One ranged read for each chunk: obstore's own stream of a local file reads 8 KiB at a time.
        for offset in range(start, end, CHUNK_BYTES):
            length = min(CHUNK_BYTES, end - offset)
            try:
                chunk = bytes(await obstore.get_range_async(self._store, name, start=offset, length=length))
            except FileNotFoundError as error:
                raise NotFound("These bytes were removed while they were read.") from error
            self._tell("read", len(chunk))
            yield chunk

    async def stat(self, blob_hash: BlobHash) -> BlobStat | None:
        """Look at a blob; see `Blobs.stat`."""
        if not is_blob_hash(blob_hash):
            return None
        return await in_thread(lambda: _find(self._folder / _relative(blob_hash)))

    async def claim(self, blob_hash: BlobHash) -> BlobStat | None:
        """Look at a blob and renew its time; see `Blobs.claim`."""
        if not is_blob_hash(blob_hash):
            return None
        return await in_thread(lambda: _claim(self._folder / _relative(blob_hash)))

    async def delete(self, blob_hash: BlobHash) -> None:
        """Remove a blob; see `Blobs.delete`."""
        if is_blob_hash(blob_hash):
            path = self._folder / _relative(blob_hash)
            await in_thread(lambda: _remove(path))

    async def list_blobs(self, after: str, *, limit: int) -> BlobPage:
        """Give a few of the blobs; see `Blobs.list_blobs`."""
        return await in_thread(lambda: list_folder(self._folder, after, limit))

    async def belong_to(self, owner: str) -> bool:
        """Compare the owner with who was first, by a file; see `Blobs.belong_to`."""
        return await in_thread(lambda: _owner(self._folder / _OWNER, owner) == owner)

    async def set_aside(self, blob_hash: BlobHash, now: datetime) -> None:
        """Take a blob out of its place; see `Blobs.set_aside`."""
        path = self._folder / _relative(blob_hash)
        await in_thread(lambda: _set_aside(path, now))

    async def remove_set_aside(self, blob_hash: BlobHash, older_than: datetime) -> None:
        """Remove a blob that was set aside; see `Blobs.remove_set_aside`."""
        path = aside_of(self._folder / _relative(blob_hash))
        await in_thread(lambda: _remove_older(path, older_than.timestamp()))

    async def check(self) -> None:
        """Look for the folder; see `Blobs.check`."""
        if not await in_thread(self._unfinished.is_dir):
            raise Unavailable(f"There is no folder {self._unfinished}; it was there when this server started.")

    async def plain_link(self, blob_hash: BlobHash, seconds: int) -> str | None:  # noqa: ARG002 - the shape of `Blobs`
        """Say that there is none; see `Blobs.plain_link`."""
        return None

    def local_path(self, blob_hash: BlobHash) -> Path | None:
        """Name the blob's file; see `Blobs.local_path`."""
        if not is_blob_hash(blob_hash):
            return None
        path = self._folder / _relative(blob_hash)
        return path if _find(path) is not None else None

    async def sweep_unfinished(self, older_than: datetime) -> int:
        """Remove what dead writers left; see `Blobs.sweep_unfinished`."""
        return await in_thread(lambda: sweep(self._unfinished, older_than.timestamp()))

    def _tell(self, direction: str, count: int) -> None:
        if self._watcher is not None:
            self._watcher(direction, count)

    def _write_at_once(self, content: bytes, expected: BlobHash | None) -> WrittenBlob:
        unfinished = Unfinished.create(self._unfinished)
        try:
            unfinished.append(content)
            return self._publish(unfinished, expected)
        finally:
            unfinished.discard()

    def _publish(self, unfinished: "Unfinished", expected: BlobHash | None) -> WrittenBlob:
        blob_hash = BlobHash(unfinished.hasher.hexdigest())
        if expected is not None and blob_hash != expected:
            raise HashMismatch(f"The bytes have the blake3 {blob_hash}, announced was {expected}. Send them again.")
        # Texts and not paths, which take longer than the calls: small results are written by the dozen.
        folder = f"{self._folder}/{blob_hash[:_PREFIX]}"
        target = f"{folder}/{blob_hash}"
        with full_disk_as_refusal():
            found = _claim_at_once(target)
            created = found is None or found.size_bytes != unfinished.size_bytes
            if found is None or created:
                unfinished.seal()
                self._make_folder(folder)
                unfinished.move(target)
                found = _stat_of(os.stat(target))
            # Also for a blob that was there: its writer may not have come to this line yet.
            _fsync_folder(folder)
        return WrittenBlob(
            hash=blob_hash,
            size_bytes=unfinished.size_bytes,
            written_at=found.written_at,
            head=bytes(unfinished.head),
            created=created,
        )

    def _make_folder(self, folder: str) -> None:
        """Make one of the 256 folders; whoever made it may not have synced it, so each process does once."""
        if folder not in self._made:
            Path(folder).mkdir(exist_ok=True, mode=_FOLDER_MODE)
            _fsync_folder(self._folder)
            self._made.add(folder)


def _relative(blob_hash: str) -> Path:
    return Path(blob_hash[:_PREFIX], blob_hash)


def _owner(path: Path, first: str) -> str:
    """Read who the blobs belong to; a file that was not written to its end is written anew."""
    with contextlib.suppress(FileNotFoundError):
        if owner := path.read_text():
            return owner
    path.write_text(first)
    return first


def _find(path: str | Path) -> BlobStat | None:
    """Look at a blob; one that was set aside is put back."""
    # Another process may rename it between two looks: a blob is gone when it was at neither place again and again.
    for _ in range(_LOOKS):
        with contextlib.suppress(FileNotFoundError):
            return _stat_of(os.stat(path))
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{path}{ASIDE}", path)
            _renew(path)
    return None


def _claim(path: str | Path) -> BlobStat | None:
    """Mark a blob as just written. It may be set aside meanwhile, so only what is found afterwards is there."""
    with contextlib.suppress(FileNotFoundError):
        _renew(path)
    return _find(path)


def _claim_at_once(path: str) -> BlobStat | None:
    """Mark a blob as just written if it is seen at the first look; whoever misses one writes it anew."""
    try:
        _renew(path)
    except FileNotFoundError:
        try:
            os.rename(f"{path}{ASIDE}", path)
        except FileNotFoundError:
            return None
    return _claim(path)


def _renew(path: str | Path) -> None:
    # Our own clock, because the kernel's for files stands still for some milliseconds.
    now = time.time_ns()
    os.utime(path, ns=(now, now))


def _set_aside(path: Path, now: datetime) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.utime(path, (now.timestamp(), now.timestamp()))
        path.rename(aside_of(path))


def _remove_older(path: Path, before: float) -> None:
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_mtime < before:
            path.unlink()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    aside_of(path).unlink(missing_ok=True)


def _stat_of(found: os.stat_result) -> BlobStat:
    return BlobStat(size_bytes=found.st_size, written_at=datetime.fromtimestamp(found.st_mtime, UTC))


def _fsync_folder(folder: str | Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
