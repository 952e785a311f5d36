"""Blobs in a folder of this machine: `ab/abcd…` for the finished ones, `unfinished/` for those being written.

A blob that is set aside stands beside its place as `abcd….unwanted`. To set aside and to put back are renames, so that
it is always at one of the two, and a name's time of change says since when.

A blob is published by write, fsync, rename and fsync of its folder, because obstore's local store does not fsync.
Reads go through obstore. All that touches the disk happens in threads.
"""

import os
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import obstore
from obstore.store import LocalStore

from fireside.blobs.base import (
    CHUNK_BYTES,
    BlobPage,
    BlobStat,
    BytesWatcher,
    WrittenBlob,
    is_blob_hash,
    require_hash,
)
from fireside.blobs.local_files import (
    FOLDER_MODE,
    BlobFiles,
    claim,
    claim_at_once,
    find,
    fsync,
    owner_in,
    relative_of,
    remove,
    remove_older,
    set_aside,
    stat_of,
    sync_blob,
)
from fireside.blobs.local_listing import aside_of, list_folder
from fireside.blobs.unfinished import Unfinished, check_size, fill, full_disk_as_refusal, in_thread, sweep
from fireside.blobs.unsynced import UnsyncedFolder
from fireside.domain.errors import NotFound, Unavailable
from fireside.domain.ids import BlobHash

_UNFINISHED = "unfinished"
_OWNER = "owner"


class LocalBlobs:
    """The folder driver of `Blobs`."""

    def __init__(self, folder: Path, *, watcher: BytesWatcher | None = None) -> None:
        self._watcher = watcher
        self._folder = folder.absolute()
        self._unfinished = self._folder / _UNFINISHED
        self._folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)  # the mode is not for parents made here
        self._unfinished.mkdir(exist_ok=True, mode=FOLDER_MODE)
        self._store = LocalStore(self._folder)
        self._files = BlobFiles(self._folder)
        self._unsynced = UnsyncedFolder(self._files, self._unfinished, self._tell)

    @property
    def direct(self) -> None:
        """Say that nobody can be sent to a folder; see `Blobs.direct`."""
        return

    @property
    def unsynced(self) -> UnsyncedFolder:
        """The way for small blobs that need not wait for the disk; see `Blobs.unsynced`."""
        return self._unsynced

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

    async def read(self, blob_hash: BlobHash, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Give a range of the bytes; see `Blobs.read`."""
        found = await self.stat(blob_hash)
        if found is None:
            raise NotFound("These bytes are not stored here.")
        end = found.size_bytes if end is None else min(end, found.size_bytes)
        name = str(relative_of(blob_hash))
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
        return await in_thread(lambda: find(self._folder / relative_of(blob_hash)))

    async def claim(self, blob_hash: BlobHash) -> BlobStat | None:
        """Look at a blob and renew its time; see `Blobs.claim`."""
        if not is_blob_hash(blob_hash):
            return None
        return await in_thread(lambda: self._claim(blob_hash))

    async def delete(self, blob_hash: BlobHash) -> None:
        """Remove a blob; see `Blobs.delete`."""
        if is_blob_hash(blob_hash):
            path = self._folder / relative_of(blob_hash)
            await in_thread(lambda: remove(path))

    async def list_blobs(self, after: str, *, limit: int) -> BlobPage:
        """Give a few of the blobs; see `Blobs.list_blobs`."""
        return await in_thread(lambda: list_folder(self._folder, after, limit))

    async def belong_to(self, owner: str) -> bool:
        """Compare the owner with who was first, by a file; see `Blobs.belong_to`."""
        return await in_thread(lambda: owner_in(self._folder / _OWNER, owner) == owner)

    async def set_aside(self, blob_hash: BlobHash, now: datetime) -> None:
        """Take a blob out of its place; see `Blobs.set_aside`."""
        path = self._folder / relative_of(blob_hash)
        await in_thread(lambda: set_aside(path, now))

    async def remove_set_aside(self, blob_hash: BlobHash, older_than: datetime) -> None:
        """Remove a blob that was set aside; see `Blobs.remove_set_aside`."""
        path = aside_of(self._folder / relative_of(blob_hash))
        await in_thread(lambda: remove_older(path, older_than.timestamp()))

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
        path = self._folder / relative_of(blob_hash)
        return path if find(path) is not None else None

    async def sweep_unfinished(self, older_than: datetime) -> int:
        """Remove what dead writers left; see `Blobs.sweep_unfinished`."""
        return await in_thread(lambda: sweep(self._unfinished, older_than.timestamp()))

    def _tell(self, direction: str, count: int) -> None:
        if self._watcher is not None:
            self._watcher(direction, count)

    def _claim(self, blob_hash: BlobHash) -> BlobStat | None:
        folder, target = self._files.place_of(blob_hash)
        found = claim(target)
        if found is not None:
            # Who relies on bytes that are there waits for the disk: whoever wrote them may not have done so.
            sync_blob(folder, target)
        return found

    def _write_at_once(self, content: bytes, expected: BlobHash | None) -> WrittenBlob:
        unfinished = Unfinished.create(self._unfinished)
        try:
            unfinished.append(content)
            return self._publish(unfinished, expected)
        finally:
            unfinished.discard()

    def _publish(self, unfinished: "Unfinished", expected: BlobHash | None) -> WrittenBlob:
        blob_hash = BlobHash(unfinished.hasher.hexdigest())
        require_hash(blob_hash, expected)
        folder, target = self._files.place_of(blob_hash)
        with full_disk_as_refusal():
            found = claim_at_once(target)
            created = found is None or found.size_bytes != unfinished.size_bytes
            if found is None or created:
                unfinished.seal()
                self._files.move_in(unfinished, blob_hash)
                fsync(folder)
                found = stat_of(os.stat(target))
            else:
                # Its writer may not have come to this line yet, or may be one who does not wait for the disk.
                sync_blob(folder, target)
        return WrittenBlob(
            hash=blob_hash,
            size_bytes=unfinished.size_bytes,
            written_at=found.written_at,
            head=bytes(unfinished.head),
            created=created,
        )
