"""Bytes on their way into an object store: hashed and bounded as they come, in an object that is not there before its
end.

An object grows in parts, a few of which are in memory. What obstore is asked for is awaited to its end also when the
upload is canceled, since a request that is left alone may leave parts that nobody lists.
"""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING

import obstore
import structlog
from blake3 import blake3
from obstore.exceptions import BaseError

from fireside.blobs.base import CHUNK_BYTES, HEAD_BYTES
from fireside.blobs.unfinished import blocks_of, in_thread, settled
from fireside.domain.ids import BlobHash

if TYPE_CHECKING:
    from obstore import AsyncWritableFile
    from obstore.store import ObjectStore

_PART_BYTES = 8 * CHUNK_BYTES
_PARTS_AT_ONCE = 3
_UNBOUNDED_PART_BYTES = 4 * _PART_BYTES
_MOST_PARTS = 10_000
"""Of one object of S3's."""
_log = structlog.get_logger(__name__)


class Incoming:
    """What a sender sends, in blocks of a mebibyte, and what is known of those that were taken."""

    def __init__(self, chunks: AsyncIterator[bytes], limit_bytes: int | None) -> None:
        """Take no more than the limit; see `blocks_of`."""
        self._chunks = chunks
        self._limit_bytes = limit_bytes
        self._hasher = blake3()
        self.size_bytes = 0
        self.head = b""

    @property
    def hash(self) -> BlobHash:
        """Name all that was taken."""
        return BlobHash(self._hasher.hexdigest())

    async def blocks(self) -> AsyncGenerator[bytearray]:
        """Take the blocks; raises `TooLarge`, and what the sender raises."""
        async with contextlib.aclosing(blocks_of(self._chunks, self._limit_bytes)) as blocks:
            async for block in blocks:
                await in_thread(lambda block=block: self._hasher.update(block))
                self.size_bytes += len(block)
                if len(self.head) < HEAD_BYTES:
                    self.head += block[: HEAD_BYTES - len(self.head)]
                yield block


class Staging:
    """An object being written, to nobody's sight before `end`."""

    def __init__(self, writer: "AsyncWritableFile") -> None:
        self._writer = writer
        self._is_open = True

    async def append(self, block: bytes | bytearray) -> None:
        """Send the next bytes, or wait until a part of those before has come."""
        await settled(self._writer.write(block))

    async def end(self) -> None:
        """Make it an object."""
        self._is_open = False
        try:
            await settled(self._writer.close())
        except OSError as error:  # which obstore raises here alone
            raise BaseError(str(error)) from error

    async def abandon(self) -> None:
        """Remove what has come, unless it has ended. Where that fails it is left to upkeep."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            # The way that obstore has to abort is to leave the block of a writer by an error.
            await settled(self._writer.__aexit__(_AbandonedError, _AbandonedError(), None))
        except (BaseError, OSError) as error:
            _log.warning("parts of an upload stay in the object store", reason=str(error).partition("\n")[0])


class _AbandonedError(Exception):
    """Says to obstore that an object is not to be."""


def part_bytes_of(limit_bytes: int | None) -> int:
    """Say how large parts must be for an object of so many bytes; without a limit it may have 312 GiB."""
    if limit_bytes is None:
        return _UNBOUNDED_PART_BYTES
    return max(_PART_BYTES, -(-limit_bytes // _MOST_PARTS))


@contextlib.asynccontextmanager
async def staging(store: "ObjectStore", name: str, part_bytes: int) -> AsyncGenerator[Staging]:
    """Begin an object; whoever leaves the block without an `end` leaves nothing of it."""
    staged = Staging(obstore.open_writer_async(store, name, buffer_size=part_bytes, max_concurrency=_PARTS_AT_ONCE))
    try:
        yield staged
    finally:
        await staged.abandon()
