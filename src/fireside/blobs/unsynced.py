"""Small blobs of a folder that are in their place before they are on the disk.

To wait for the disk takes some milliseconds, twice for each file, and what a job shows last is often a few kilobytes.
So the bytes stand in the change that records them, which waits for the disk anyway, until the file is there too.
"""

import contextlib
from collections.abc import Collection
from pathlib import Path

from fireside.blobs.base import BytesWatcher, EnclosedBlob
from fireside.blobs.local_files import BlobFiles, claim_at_once, find, fsync
from fireside.blobs.unfinished import Unfinished, full_disk_as_refusal, in_thread
from fireside.domain.ids import BlobHash


class UnsyncedFolder:
    """The folder driver of `UnsyncedBlobs`."""

    def __init__(self, files: BlobFiles, unfinished: Path, tell: BytesWatcher) -> None:
        self._files = files
        self._tell = tell
        self._unfinished = unfinished

    def put(self, blob: EnclosedBlob) -> None:
        """Put it into its place; see `UnsyncedBlobs.put`."""
        _, target = self._files.place_of(blob.hash)
        # What an undone change has put there may have been lost with the power, in part.
        if claim_at_once(target) is None or not _holds(target, blob):
            self._write(blob, is_synced=False)
        self._tell("written", blob.size_bytes)

    async def sync(self, hashes: Collection[BlobHash]) -> None:
        """Wait for the disk; see `UnsyncedBlobs.sync`."""
        await in_thread(lambda: self._sync(hashes))

    async def restore(self, blob: EnclosedBlob) -> bool:
        """Write what is not there; see `UnsyncedBlobs.restore`."""
        return await in_thread(lambda: self._restore(blob))

    def _sync(self, hashes: Collection[BlobHash]) -> None:
        folders: set[str] = set()
        for blob_hash in hashes:
            folder, target = self._files.place_of(blob_hash)
            # One that is being set aside or put back is renamed: it is found under its own name then.
            if find(target) is not None:
                with contextlib.suppress(FileNotFoundError):
                    fsync(target)
                    folders.add(folder)
        for folder in sorted(folders):
            fsync(folder)

    def _restore(self, blob: EnclosedBlob) -> bool:
        folder, target = self._files.place_of(blob.hash)
        if find(target) is not None and _holds(target, blob):
            return False
        self._write(blob, is_synced=True)
        fsync(folder)
        return True

    def _write(self, blob: EnclosedBlob, *, is_synced: bool) -> None:
        unfinished = Unfinished.create(self._unfinished)
        try:
            unfinished.append(blob.content)
            with full_disk_as_refusal():
                if is_synced:
                    unfinished.seal()
                self._files.move_in(unfinished, blob.hash)
        finally:
            unfinished.discard()


def _holds(target: str, blob: EnclosedBlob) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return Path(target).read_bytes() == blob.content
    return False
