"""Blobs in an object store - S3 and what speaks its protocol, Google's, Azure's: `ab/abcd…`, one object each.

An object's name is its hash, which is known when all bytes have come. So what is larger than a part goes below
`unfinished/` while it is hashed, and is copied to its name: whatever is at a name is whole. A blob that is set aside is
`abcd….unwanted`. There are no renames: to set aside is to copy and then to remove, to put back is to copy alone, so
that at whatever point either is interrupted the blob is at one of the two places. A copy that is left over beside its
blob goes with a walk an hour later, because a collector that lost the lead may be about to remove the blob.

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
from fireside.blobs.bucket import MOST_BYTES_OF_A_COPY, Bucket, Found
from fireside.blobs.direct import DirectBucket
from fireside.blobs.keys import ASIDE, UNFINISHED, aside_of, key_of, unfinished_name
from fireside.blobs.staging import Incoming, part_bytes_of, staging
from fireside.blobs.unfinished import check_size, settled
from fireside.domain.errors import NotFound, Unavailable
from fireside.domain.ids import BlobHash

if TYPE_CHECKING:
    from obstore import SignCapableStore
    from obstore.store import ObjectStore

_BEHIND = "~"
"""Sorts behind a hash and what is set aside of it."""
_OWNER = "owner"
_MOST_BYTES_OF_ONE_COPY = 5 * 1024**3
"""S3 copies no more by itself (CopyObject)."""
_LOOKS = 3
_UNSIGNED_SECONDS = 600.0
"""How long no link is tried after one was refused."""
_LEFT_OVER_AFTER = timedelta(hours=1)
"""How long nobody's setting aside takes: somebody else's may stand between its copy and its removal."""
_log = structlog.get_logger(__name__)


class ObjectBlobs:
    """The object store's driver of `Blobs`."""

    def __init__(
        self,
        store: "ObjectStore",
        *,
        patient: "ObjectStore | None" = None,
        watcher: BytesWatcher | None = None,
        bucket: Bucket | None = None,
        direct: DirectBucket | None = None,
        signer: "SignCapableStore | None" = None,
        left_over_after: timedelta = _LEFT_OVER_AFTER,
        copies_at_once: bool = True,
    ) -> None:
        """Send programs to the place by links that the `signer`, the same store, makes; by none without it.

        `patient` is the same store, which waits longer for an answer: copies and large parts take their time. The
        `bucket` does what S3's protocol knows beyond. A store whose answer to a copy is that it has begun does not copy
        at once.
        """
        self._left_over_after = left_over_after
        self._copies_at_once = copies_at_once
        self._store = store
        self._patient = patient or store
        self._signer = signer
        self._signs_again_at = 0.0
        self._bucket = bucket
        self._direct = direct
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
        part_bytes = part_bytes_of(limit_bytes)
        incoming = Incoming(chunks, limit_bytes)
        begin: list[bytearray] = []
        async with contextlib.aclosing(incoming.blocks()) as blocks:
            async for block in blocks:
                begin.append(block)
                if incoming.size_bytes > part_bytes:
                    return await self._write_large(incoming, begin, blocks, part_bytes, expected)
        return await self._write_small(incoming.hash, b"".join(begin), expected)

    async def write_bytes(
        self, content: bytes, *, limit_bytes: int | None, expected: BlobHash | None = None
    ) -> WrittenBlob:
        """Store a small blob by one request; see `Blobs.write_bytes`."""
        check_size(len(content), limit_bytes)
        return await self._write_small(BlobHash(blake3(content).hexdigest()), content, expected)

    async def read(self, blob_hash: BlobHash, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Give a range of the bytes; see `Blobs.read`."""
        found = await self.stat(blob_hash)
        if found is None:
            raise NotFound("These bytes are not stored here.")
        end = found.size_bytes if end is None else min(end, found.size_bytes)
        if start >= end:
            return
        with _away(), _gone_while_read():
            async for chunk in self._chunks(key_of(blob_hash), start, end):
                self._tell("read", len(chunk))
                yield chunk

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
        """Remove what dead servers and workers left in the bucket; see `Blobs.sweep_unfinished`."""
        swept = 0
        with _away():
            async for page in obstore.list(self._store, prefix=UNFINISHED):
                for one in page:
                    if one["last_modified"] < older_than:
                        await self._remove(one["path"])
                        swept += 1
        if self._bucket is not None:
            for name, upload_id in await self._bucket.unfinished_parts(older_than):
                await self._bucket.abort_parts(name, upload_id)
                swept += 1
        return swept

    async def _write_small(self, blob_hash: BlobHash, content: bytes, expected: BlobHash | None) -> WrittenBlob:
        found = await self._find_equal(blob_hash, len(content), expected)
        if found is None:
            with _away():
                store = self._store if len(content) <= CHUNK_BYTES else self._patient
                await obstore.put_async(store, key_of(blob_hash), content, use_multipart=False)
        return self._written(blob_hash, len(content), content[:HEAD_BYTES], found)

    async def _write_large(
        self,
        incoming: Incoming,
        begin: list[bytearray],
        rest: AsyncIterator[bytearray],
        part_bytes: int,
        expected: BlobHash | None,
    ) -> WrittenBlob:
        # What is announced goes to its own name, where nothing is before its hash is known to be right.
        is_in_place = expected is not None and await self.stat(expected) is None
        name = key_of(expected) if expected is not None and is_in_place else unfinished_name()
        with _away():
            try:
                async with staging(self._patient, name, part_bytes) as staged:
                    while begin:
                        await staged.append(begin.pop(0))
                    async for block in rest:
                        await staged.append(block)
                    found = await self._find_equal(incoming.hash, incoming.size_bytes, expected)
                    if found is None:
                        await staged.end()
                if found is None and not is_in_place:
                    await self._copy(name, key_of(incoming.hash))
            finally:
                if not is_in_place and self._copies_at_once:
                    await settled(self._forget(name))
        return self._written(incoming.hash, incoming.size_bytes, incoming.head, found)

    async def _find_equal(self, blob_hash: BlobHash, size_bytes: int, expected: BlobHash | None) -> BlobStat | None:
        require_hash(blob_hash, expected)
        found = await self.stat(blob_hash)
        return found if found is not None and found.size_bytes == size_bytes else None

    def _written(self, blob_hash: BlobHash, size_bytes: int, head: bytes, found: BlobStat | None) -> WrittenBlob:
        self._tell("written", size_bytes)
        return WrittenBlob(
            hash=blob_hash,
            size_bytes=size_bytes,
            written_at=datetime.now(UTC) if found is None else found.written_at,
            head=head,
            created=found is None,
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
        if found["size"] > MOST_BYTES_OF_A_COPY and self._bucket is not None:
            await self._bucket.copy(source, target, Found(size_bytes=found["size"], etag=found["e_tag"] or ""))
            return
        if found["size"] <= _MOST_BYTES_OF_ONE_COPY:
            await obstore.copy_async(self._patient, source, target)
            return
        _log.info("copying an object through this server, which the store does not by itself", bytes=found["size"])
        async with staging(self._patient, target, part_bytes_of(found["size"])) as staged:
            async for chunk in self._chunks(source, 0, found["size"]):
                await staged.append(chunk)
            await staged.end()

    async def _chunks(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Read a range; who takes it slowly outlives the time that a request may take, so another one goes on."""
        while True:
            begun_at = start
            try:
                answer = await obstore.get_async(self._store, key, options={"range": (start, end)})
                block = bytearray()
                async for part in answer.stream(min_chunk_size=CHUNK_BYTES):
                    block += part
                    while len(block) >= CHUNK_BYTES:
                        start += CHUNK_BYTES
                        yield bytes(block[:CHUNK_BYTES])
                        del block[:CHUNK_BYTES]
                if block:
                    yield bytes(block)
            except BaseError:
                if start == begun_at:
                    raise
                if start == end:
                    return
            else:
                return

    async def _remove(self, key: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)

    async def _forget(self, name: str) -> None:
        """Remove what is needed no more; where that fails it is left to upkeep."""
        try:
            await self._remove(name)
        except BaseError as error:
            _log.warning("an upload stays in the object store", reason=str(error).partition("\n")[0])

    async def _keys(self, after: str, most: int) -> Sequence[tuple[str, int, datetime]]:
        """Read the next names behind a hash, in order, how large they are, and since when they are there."""
        behind = f"{after[:2]}/{after}{_BEHIND}" if after else None
        found: list[tuple[str, int, datetime]] = []
        async for page in obstore.list(self._store, offset=behind, chunk_size=most):
            found += [(one["path"], one["size"], one["last_modified"]) for one in page]
            if len(found) >= most:
                break
        return sorted(found)

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
