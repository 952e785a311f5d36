"""Input files kept by their hash, so that the next job that reads them downloads nothing.

A folder that the workers of one machine may share: files come in whole, by one hard link, and go out, least recently
used first, when there are too many; a job's own link outlives that. Which bytes belong under a name is checked when
they come, and again when a process meets them for the first time. It does not download.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from blake3 import blake3

# A kept file has this time, so that whoever writes to one, as a careless node may, is found out by its time.
_UNTOUCHED_NS = 946_684_800 * 10**9


class StageCache:
    """Up to `limit_bytes` of files below a folder; with 0 it keeps nothing."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._seen: set[str] = set()

    async def bring(self, hash_: str, size_bytes: int, to: Path, download: Callable[[], Awaitable[None]]) -> None:
        """Put the file at `to`: from here, or by `download`, which leaves it there whole and checked or raises."""
        if not await asyncio.to_thread(self._link, hash_, size_bytes, to):
            await download()
            await asyncio.to_thread(self._keep, hash_, size_bytes, to)

    def _link(self, hash_: str, size_bytes: int, to: Path) -> bool:
        kept = self._folder / hash_
        try:
            os.link(kept, to)
            if self._is_sound(hash_, size_bytes, to):
                os.utime(to, ns=(time.time_ns(), _UNTOUCHED_NS))
                return True
            kept.unlink(missing_ok=True)
        except OSError:
            # Not kept, just gone, or on another disk: all the same to a job.
            pass
        to.unlink(missing_ok=True)
        return False

    def _is_sound(self, hash_: str, size_bytes: int, path: Path) -> bool:
        found = path.stat()
        if found.st_size != size_bytes or found.st_mtime_ns != _UNTOUCHED_NS:
            return False
        if hash_ not in self._seen:
            # From a former life, which may have ended with the machine before its bytes were on disk.
            if blake3().update_mmap(path).hexdigest() != hash_:
                return False
            self._seen.add(hash_)
        return True

    def _keep(self, hash_: str, size_bytes: int, path: Path) -> None:
        if size_bytes > self._limit_bytes:
            return
        # A job is never failed by a cache that cannot be written.
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.utime(path, ns=(time.time_ns(), _UNTOUCHED_NS))
            with contextlib.suppress(FileExistsError):
                os.link(path, self._folder / hash_)
            self._seen.add(hash_)
            self._make_room()

    def _make_room(self) -> None:
        files: list[tuple[int, int, str]] = []
        for entry in os.scandir(self._folder):
            with contextlib.suppress(FileNotFoundError):
                found = entry.stat()
                files.append((found.st_atime_ns, found.st_size, entry.path))
        excess = sum(size for _, size, _ in files) - self._limit_bytes
        for _, size, path in sorted(files):
            if excess <= 0:
                return
            Path(path).unlink(missing_ok=True)
            excess -= size
