"""What happens to the file of a blob in a folder: found, claimed, set aside, published. All of it blocks its thread."""

import contextlib
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from fireside.blobs.base import BlobStat
from fireside.blobs.local_listing import ASIDE, aside_of
from fireside.blobs.unfinished import Unfinished
from fireside.domain.ids import BlobHash

FOLDER_MODE = 0o700
_LOOKS = 3
_PREFIX = 2


class BlobFiles:
    """The folder, and which of its 256 folders this process has made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[str] = set()

    def place_of(self, blob_hash: BlobHash) -> tuple[str, str]:
        """Name the folder and the file of a blob: texts, as paths take longer than the calls they are made for."""
        folder = f"{self._folder}/{blob_hash[:_PREFIX]}"
        return folder, f"{folder}/{blob_hash}"

    def move_in(self, unfinished: Unfinished, blob_hash: BlobHash) -> None:
        """Give a file that is written its place; what was there is replaced."""
        folder, target = self.place_of(blob_hash)
        self._make_folder(folder)
        unfinished.move(target)

    def _make_folder(self, folder: str) -> None:
        """Make one of the 256 folders; whoever made it may not have synced it, so each process does once."""
        if folder not in self._made:
            Path(folder).mkdir(exist_ok=True, mode=FOLDER_MODE)
            fsync(self._folder)
            self._made.add(folder)


def relative_of(blob_hash: str) -> Path:
    """Name a blob's file within the folder."""
    return Path(blob_hash[:_PREFIX], blob_hash)


def stat_of(found: os.stat_result) -> BlobStat:
    """Say what the file system knows of a blob."""
    return BlobStat(size_bytes=found.st_size, written_at=datetime.fromtimestamp(found.st_mtime, UTC))


def find(path: str | Path) -> BlobStat | None:
    """Look at a blob; one that was set aside is put back."""
    # Another process may rename it between two looks: a blob is gone when it was at neither place again and again.
    for _ in range(_LOOKS):
        with contextlib.suppress(FileNotFoundError):
            return stat_of(os.stat(path))
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{path}{ASIDE}", path)
            renew(path)
    return None


def claim(path: str | Path) -> BlobStat | None:
    """Mark a blob as just written. It may be set aside meanwhile, so only what is found afterwards is there."""
    with contextlib.suppress(FileNotFoundError):
        renew(path)
    return find(path)


def claim_at_once(path: str) -> BlobStat | None:
    """Mark a blob as just written if it is seen at the first look; whoever misses one writes it anew."""
    try:
        renew(path)
    except FileNotFoundError:
        try:
            os.rename(f"{path}{ASIDE}", path)
        except FileNotFoundError:
            return None
    return claim(path)


def renew(path: str | Path) -> None:
    """Let the file be of now."""
    # Our own clock, because the kernel's for files stands still for some milliseconds.
    now = time.time_ns()
    os.utime(path, ns=(now, now))


def set_aside(path: Path, now: datetime) -> None:
    """Take a blob out of its place."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(path, (now.timestamp(), now.timestamp()))
        path.rename(aside_of(path))


def remove_older(path: Path, before: float) -> None:
    """Remove a file last changed before that time, in seconds since 1970."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_mtime < before:
            path.unlink()


def remove(path: Path) -> None:
    """Remove a blob, wherever it is."""
    path.unlink(missing_ok=True)
    aside_of(path).unlink(missing_ok=True)


def fsync(path: str | Path) -> None:
    """Return when a file or a folder is on the disk as it is."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_blob(folder: str, target: str) -> None:
    """Return when a blob is on the disk under its name, unless somebody sets it aside just now."""
    with contextlib.suppress(FileNotFoundError):
        fsync(target)
    fsync(folder)


def owner_in(path: Path, first: str) -> str:
    """Read who the blobs belong to; a file that was not written to its end is written anew."""
    with contextlib.suppress(FileNotFoundError):
        if owner := path.read_text():
            return owner
    path.write_text(first)
    return first
