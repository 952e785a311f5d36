"""Blobs in an object store - S3 and what speaks its protocol, Google's, Azure's: `ab/abcd…`, one object each.

Bytes are hashed in a file of this machine first, because an object's name is its hash: so nothing unfinished is ever in
the store, and an object is there as a whole or not at all. A blob that is set aside is `abcd….unwanted`. There are no
renames: to set aside is to copy and then to remove, to put back is to copy alone, so that at whatever point either is
interrupted the blob is at one of the two places. A copy that is left over beside its blob goes with a walk an hour
later, because a collector that lost the lead may be about to remove the blob.

Nothing here renews the time of a blob, as `LocalBlobs` does, since an object's time is the store's. It need not: who
finds a blob that is old finds it again after it was set aside, for as long as the collector leaves it there.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Generator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
import structlog
from blake3 import blake3
from obstore.exceptions import AlreadyExistsError, BaseError

from fireside.blobs.base import (
    CHUNK_BYTES,
    HEAD_BYTES,
    BlobPage,
    BlobStat,
    BytesWatcher,
    ListedBlob,
    WrittenBlob,
    is_blob_hash,
    require_hash,
)
from fireside.blobs.direct import DirectBucket
from fireside.blobs.keys import ASIDE, UNFINISHED, aside_of, key_of
from fireside.blobs.unfinished import Unfinished, check_size, fill, in_thread, sweep
from fireside.domain.errors import NotFound, Unavailable
from fireside.domain.ids import BlobHash

if TYPE_CHECKING:
    from obstore import SignCapableStore
    from obstore.store import ObjectStore

_BEHIND = "~"
"""Sorts behind a hash and what is set aside of it."""
_OWNER = "owner"
_PART_BYTES = 5 * CHUNK_BYTES
"""S3 takes no smaller ones, and each that is on its way is in memory, more than once."""
_PARTS_AT_ONCE = 4
_MOST_PARTS = 10_000
"""Of one object of S3's."""
_MOST_BYTES_OF_A_COPY = 5 * 1024**3
"""S3 copies no more by itself (CopyObject)."""
_LOOKS = 3
_UNSIGNED_SECONDS = 600.0
"""How long no link is tried after one was refused."""
_LEFT_OVER_AFTER = timedelta(hours=1)
"""How long nobody's setting aside takes: somebody else's may stand between its copy and its removal."""
_log = structlog.get_logger(__name__)


class ObjectBlobs:
    """The object store's driver of `Blobs`; `unfinished` is a folder of this machine for bytes on their way in."""

    def __init__(
        self,
        store: "ObjectStore",
        unfinished: Path,
        *,
        watcher: BytesWatcher | None = None,
        direct: DirectBucket | None = None,
        signer: "SignCapableStore | None" = None,
        left_over_after: timedelta = _LEFT_OVER_AFTER,
    ) -> None:
        """Send programs to the place by links that the `signer`, the same store, makes; by none without it."""
        self._left_over_after = left_over_after
        self._store = store
        self._signer = signer
        self._signs_again_at = 0.0
        self._direct = direct
        self._unfinished = unfinished
        self._unfinished.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._watcher = watcher

    @property
    def direct(self) -> DirectBucket | None:
        """Give the bucket itself, where we can sign for it; see `Blobs.direct`."""
        return self._direct

    @property
    def unsynced(self) -> None:
        """Say that there is no such way; see `Blobs.unsynced`."""
        return

    async def write(
        self, chunks: AsyncIterator[bytes], *, limit_bytes: int | None, expected: BlobHash | None = None
    ) -> WrittenBlob:
        """Store the chunks; see `Blobs.write`."""
        unfinished = await in_thread(lambda: Unfinished.create(self._unfinished))
        try:
            await fill(unfinished, chunks, limit_bytes)
            return await self._publish(
                BlobHash(unfinished.hasher.hexdigest()),
                unfinished.path,
                unfinished.size_bytes,
                bytes(unfinished.head),
                expected,
            )
        finally:
            await in_thread(unfinished.discard)

    async def write_bytes(
        self, content: bytes, *, limit_bytes: int | None, expected: BlobHash | None = None
    ) -> WrittenBlob:
        """Store a small blob without a file; see `Blobs.write_bytes`."""
        check_size(len(content), limit_bytes)
        blob_hash = BlobHash(blake3(content).hexdigest())
        return await self._publish(blob_hash, content, len(content), content[:HEAD_BYTES], expected)

    async def read(self, blob_hash: BlobHash, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Give a range of the bytes; see `Blobs.read`."""
        found = await self.stat(blob_hash)
        if found is None:
            raise NotFound("These bytes are not stored here.")
        end = found.size_bytes if end is None else min(end, found.size_bytes)
        if start >= end:
            return
        with _away(), _gone_while_read():
            answer = await obstore.get_async(self._store, key_of(blob_hash), options={"range": (start, end)})
            block = bytearray()
            async for part in answer.stream(min_chunk_size=CHUNK_BYTES):
                block += part
                while len(block) >= CHUNK_BYTES:
                    yield self._read(bytes(block[:CHUNK_BYTES]))
                    del block[:CHUNK_BYTES]
            if block:
                yield self._read(bytes(block))

    async def stat(self, blob_hash: BlobHash) -> BlobStat | None:
        """Look at a blob; see `Blobs.stat`."""
        if not is_blob_hash(blob_hash):
            return None
        with _away():
            # Another process may set it aside between two looks: it is gone when it was at neither place repeatedly.
            for _ in range(_LOOKS):
                found = await self._head(key_of(blob_hash))
                if found is not None or not await self._put_back(blob_hash):
                    return found
        return None

    async def claim(self, blob_hash: BlobHash) -> BlobStat | None:
        """Look at a blob that is about to be recorded; see `Blobs.claim`."""
        return await self.stat(blob_hash)

    async def delete(self, blob_hash: BlobHash) -> None:
        """Remove a blob; see `Blobs.delete`."""
        if is_blob_hash(blob_hash):
            with _away():
                await self._remove(aside_of(blob_hash))
                await self._remove(key_of(blob_hash))

    async def list_blobs(self, after: str, *, limit: int) -> BlobPage:
        """Give a few of the blobs; see `Blobs.list_blobs`. What is left over of some that were put back goes."""
        listed: dict[BlobHash, ListedBlob] = {}
        left_over: list[BlobHash] = []
        is_through = True
        with _away():
            for key, size_bytes, since in await self._keys(after, 2 * limit + 1):
                blob_hash = BlobHash(key.rpartition("/")[2].removesuffix(ASIDE))
                is_set_aside = key.endswith(ASIDE)
                if is_set_aside and blob_hash in listed:
                    if since < datetime.now(UTC) - self._left_over_after:
                        left_over.append(blob_hash)
                elif len(listed) == limit:
                    is_through = False
                    break
                elif is_blob_hash(blob_hash):
                    listed[blob_hash] = ListedBlob(
                        hash=blob_hash, size_bytes=size_bytes, since=since, is_set_aside=is_set_aside
                    )
            for blob_hash in left_over:
                await self._remove(aside_of(blob_hash))
        blobs = list(listed.values())
        return BlobPage(blobs=blobs, next_after=None if is_through else blobs[-1].hash)

    async def belong_to(self, owner: str) -> bool:
        """Compare the owner with who was first, by an object; see `Blobs.belong_to`."""
        with _away():
            try:
                await obstore.put_async(self._store, _OWNER, owner.encode(), mode="create")
            except AlreadyExistsError:
                first = await obstore.get_async(self._store, _OWNER)
                return bytes(await first.bytes_async()) == owner.encode()
        return True

    async def set_aside(self, blob_hash: BlobHash, now: datetime) -> None:  # noqa: ARG002 - the store's clock counts
        """Take a blob out of its place; see `Blobs.set_aside`."""
        with _away(), contextlib.suppress(FileNotFoundError):
            await self._copy(key_of(blob_hash), aside_of(blob_hash))
            await self._remove(key_of(blob_hash))

    async def remove_set_aside(self, blob_hash: BlobHash, older_than: datetime) -> None:
        """Remove a blob that was set aside; see `Blobs.remove_set_aside`."""
        with _away():
            found = await self._head(aside_of(blob_hash))
            if found is not None and found.written_at < older_than:
                await self._remove(aside_of(blob_hash))

    async def check(self) -> None:
        """Ask for the object that says whose the blobs are, there or not; see `Blobs.check`."""
        with _away():
            await self._head(_OWNER)

    async def plain_link(self, blob_hash: BlobHash, seconds: int) -> str | None:
        """Have the store's own scheme sign for a blob, where the credentials allow that; see `Blobs.plain_link`."""
        if self._signer is None or time.monotonic() < self._signs_again_at:
            return None
        try:
            return await obstore.sign_async(self._signer, "GET", key_of(blob_hash), timedelta(seconds=seconds))
        except (BaseError, PermissionError) as error:
            # Some credentials have a service sign, and nobody should wait for its refusal each time.
            self._signs_again_at = time.monotonic() + _UNSIGNED_SECONDS
            _log.warning("no links to the object store", reason=str(error).partition("\n")[0])
            return None

    def local_path(self, blob_hash: BlobHash) -> Path | None:  # noqa: ARG002 - the shape of `Blobs`
        """Say that there is no file of this machine; see `Blobs.local_path`."""
        return None

    async def sweep_unfinished(self, older_than: datetime) -> int:
        """Remove what dead writers left on this machine, and workers in the bucket; see `Blobs.sweep_unfinished`."""
        swept = await in_thread(lambda: sweep(self._unfinished, older_than.timestamp()))
        with _away():
            async for page in obstore.list(self._store, prefix=UNFINISHED):
                for one in page:
                    if one["last_modified"] < older_than:
                        await self._remove(one["path"])
                        swept += 1
        if self._direct is not None:
            for name, upload_id in await self._direct.bucket.unfinished_parts(older_than):
                await self._direct.bucket.abort_parts(name, upload_id)
                swept += 1
        return swept

    async def _publish(
        self, blob_hash: BlobHash, content: bytes | Path, size_bytes: int, head: bytes, expected: BlobHash | None
    ) -> WrittenBlob:
        require_hash(blob_hash, expected)
        found = await self.stat(blob_hash)
        created = found is None or found.size_bytes != size_bytes
        if created:
            with _away():
                await obstore.put_async(
                    self._store,
                    key_of(blob_hash),
                    content,
                    use_multipart=size_bytes > _PART_BYTES,
                    chunk_size=max(_PART_BYTES, -(-size_bytes // _MOST_PARTS)),
                    max_concurrency=_PARTS_AT_ONCE,
                )
        self._tell("written", size_bytes)
        return WrittenBlob(
            hash=blob_hash,
            size_bytes=size_bytes,
            written_at=datetime.now(UTC) if found is None else found.written_at,
            head=head,
            created=created,
        )

    async def _head(self, key: str) -> BlobStat | None:
        try:
            found = await obstore.head_async(self._store, key)
        except FileNotFoundError:
            return None
        return BlobStat(size_bytes=found["size"], written_at=found["last_modified"])

    async def _put_back(self, blob_hash: BlobHash) -> bool:
        """Copy a blob to its place from where it is set aside; whether there was one, or may be one by now."""
        if await self._head(aside_of(blob_hash)) is None:
            return False
        with contextlib.suppress(FileNotFoundError):
            await self._copy(aside_of(blob_hash), key_of(blob_hash))
        return True

    async def _copy(self, source: str, target: str) -> None:
        found = await obstore.head_async(self._store, source)
        if found["size"] <= _MOST_BYTES_OF_A_COPY:
            await obstore.copy_async(self._store, source, target)
            return
        _log.info("copying an object through this server, which the store does not by itself", bytes=found["size"])
        answer = await obstore.get_async(self._store, source)
        chunk_size = max(_PART_BYTES, -(-found["size"] // _MOST_PARTS))
        await obstore.put_async(
            self._store, target, answer.stream(min_chunk_size=CHUNK_BYTES), chunk_size=chunk_size, max_concurrency=1
        )

    async def _remove(self, key: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)

    async def _keys(self, after: str, most: int) -> Sequence[tuple[str, int, datetime]]:
        """Read the next names behind a hash, in order, how large they are, and since when they are there."""
        behind = f"{after[:2]}/{after}{_BEHIND}" if after else None
        found: list[tuple[str, int, datetime]] = []
        async for page in obstore.list(self._store, offset=behind, chunk_size=most):
            found += [(one["path"], one["size"], one["last_modified"]) for one in page]
            if len(found) >= most:
                break
        return sorted(found)

    def _read(self, chunk: bytes) -> bytes:
        self._tell("read", len(chunk))
        return chunk

    def _tell(self, direction: str, count: int) -> None:
        if self._watcher is not None:
            self._watcher(direction, count)


@contextlib.contextmanager
def _gone_while_read() -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound("These bytes were removed while they were read.") from error


@contextlib.contextmanager
def _away() -> Generator[None]:
    """Raise `Unavailable` for whatever the object store does not answer, and log why."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, PermissionError) as error:
        _log.error("the object store refuses", reason=str(error).partition("\n")[0])
        raise Unavailable(
            "The object store does not answer as it should. Nothing was stored; try again later."
        ) from error
