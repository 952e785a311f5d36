"""Files that are being written: hashed as they grow, bounded, and nothing that stays of those that do not end.

All that touches the disk happens in threads.
"""

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from blake3 import blake3

from fireside.blobs.base import CHUNK_BYTES, HEAD_BYTES
from fireside.domain.errors import StorageFull, TooLarge

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_MODE = 0o600
_T = TypeVar("_T")


class Unfinished:
    """A file being written, hashed as it grows. Its methods run in threads, one after the other."""

    def __init__(self, name: str, descriptor: int) -> None:
        self._name = name
        self._is_moved = False
        self.hasher = blake3()
        self.size_bytes = 0
        self.head = bytearray()
        self._descriptor: int | None = descriptor

    @property
    def path(self) -> Path:
        """Say where it is until it is moved."""
        return Path(self._name)

    @classmethod
    def create(cls, folder: Path) -> "Unfinished":
        """Make an empty file in the folder that only its owner can read; raises `StorageFull`."""
        # Not by `mkstemp`, which takes longer than all the rest of a small file.
        name = f"{folder}/{uuid4().hex}"
        with full_disk_as_refusal():
            descriptor = os.open(name, _NEW, _MODE)
        return cls(name, descriptor)

    def append(self, block: bytes | bytearray) -> None:
        """Write the next bytes; raises `StorageFull`."""
        assert self._descriptor is not None
        if len(self.head) < HEAD_BYTES:
            self.head += block[: HEAD_BYTES - len(self.head)]
        self.hasher.update(block)
        self.size_bytes += len(block)
        with full_disk_as_refusal(), memoryview(block) as rest:
            written = 0
            while written < len(rest):
                written += os.write(self._descriptor, rest[written:])

    def seal(self) -> None:
        """Return when the bytes are on the disk."""
        assert self._descriptor is not None
        os.fsync(self._descriptor)

    def move(self, target: str) -> None:
        """Give the file its place; what is there is replaced."""
        os.replace(self._name, target)
        self._is_moved = True

    def discard(self) -> None:
        """Close the file, and remove it if it is still where it was made."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if not self._is_moved:
            self._is_moved = True
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._name)


async def fill(unfinished: Unfinished, chunks: AsyncIterator[bytes], limit_bytes: int | None) -> None:
    """Write all that comes; raises `TooLarge` beyond the limit, `StorageFull`, and what the sender raises."""
    async with contextlib.aclosing(blocks_of(chunks, limit_bytes)) as blocks:
        async for block in blocks:
            await in_thread(lambda block=block: unfinished.append(block))


async def blocks_of(chunks: AsyncIterator[bytes], limit_bytes: int | None) -> AsyncGenerator[bytearray]:
    """Put chunks together to blocks of a mebibyte or a little more; raises `TooLarge` as soon as they are too many."""
    # Because a hop to a thread for each packet of a socket costs several times the writing.
    block = bytearray()
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        check_size(received, limit_bytes)
        block += chunk
        if len(block) >= CHUNK_BYTES:
            full, block = block, bytearray()
            yield full
    if block:
        yield block


def check_size(size_bytes: int, limit_bytes: int | None) -> None:
    """Raise `TooLarge` for more bytes than the limit."""
    if limit_bytes is not None and size_bytes > limit_bytes:
        raise TooLarge(f"The file is larger than {limit_bytes} bytes, the most that is taken here.")


def sweep(folder: Path, before: float) -> int:
    """Remove the files last written before that time, in seconds since 1970; answer how many there were."""
    swept = 0
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # a living writer may finish meanwhile
            if path.stat().st_mtime < before:
                path.unlink()
                swept += 1
    return swept


async def in_thread(work: Callable[[], _T]) -> _T:
    """Run in a thread and, when canceled, wait for the thread before passing the cancellation on.

    A thread cannot be stopped; leaving it alone would let it write into a file that is being removed.
    """
    running = asyncio.get_running_loop().run_in_executor(None, work)
    canceled = await _end_of(running)
    if canceled is not None:
        if not running.cancelled() and running.exception() is None and isinstance(made := running.result(), Unfinished):
            made.discard()
        raise canceled
    return running.result()


async def settled(work: Awaitable[_T]) -> _T:
    """Await work to its end and, when canceled, pass the cancellation on afterwards."""
    running = asyncio.ensure_future(work)
    canceled = await _end_of(running)
    if canceled is not None:
        if not running.cancelled():
            running.exception()  # looked at, so that nobody is told of it
        raise canceled
    return running.result()


async def _end_of(running: asyncio.Future[_T]) -> asyncio.CancelledError | None:
    """Wait until it has ended, in whichever way; gives the cancellation that came meanwhile."""
    canceled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError as error:
            canceled = error
        except Exception:  # noqa: BLE001 - its outcome is taken by whoever waits
            break
    return canceled


@contextlib.contextmanager
def full_disk_as_refusal() -> Generator[None]:
    """Raise `StorageFull` for whatever fails within because the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull("The server's disk is full. Nothing was stored; try again later.") from error
        raise
