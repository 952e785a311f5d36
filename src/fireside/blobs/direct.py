"""A bucket of S3's protocol for those who are sent there: addresses that we sign, past obstore, which cannot.

What somebody brings goes to a place of its own below `unfinished/`, by a PUT that the bucket takes for the announced
bytes alone (SHA-256 and length are signed). When it is whole it is copied to its hash inside of the bucket. So no
address that we hand out can change a blob, and nothing passes this server but the word that the hash is right.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from fireside.blobs.base import CHUNK_BYTES, BegunUpload, HashMismatch, UploadGone, UploadPart
from fireside.blobs.bucket import Bucket
from fireside.blobs.keys import key_of, unfinished_name
from fireside.blobs.presigning import Presigner
from fireside.domain.errors import BadRequest
from fireside.domain.ids import BlobHash

_PART_BYTES = 64 * CHUNK_BYTES
_MOST_PARTS = 10_000
"""Of one object of S3's."""
_SHA256_BYTES = 32


def utc_now() -> datetime:
    """Read the clock that addresses are signed by."""
    return datetime.now(UTC)


class DirectBucket:
    """The driver of `DirectBlobs`; `outside` signs for the address that clients and workers reach the bucket by."""

    def __init__(
        self,
        here: Presigner,
        outside: Presigner,
        *,
        clock: Callable[[], datetime] = utc_now,
        part_bytes: int = _PART_BYTES,
    ) -> None:
        self.outside = outside
        self.bucket = Bucket(here, clock)
        self._clock = clock
        self.part_bytes = part_bytes

    def link(self, blob_hash: BlobHash, answered: Mapping[str, str], seconds: int) -> str:
        """Sign for a blob, to be answered with these headers; see `DirectBlobs.link`."""
        query = {f"response-{name}": value for name, value in answered.items()}
        return self.outside.sign("GET", key_of(blob_hash), self._clock(), seconds, query=query)

    async def begin(self, blob_hash: BlobHash, size_bytes: int, sha256: Sequence[str]) -> BegunUpload:
        """Open a place for these bytes; see `DirectBlobs.begin`."""
        count = max(1, -(-size_bytes // self.part_bytes))
        if count > _MOST_PARTS or len(sha256) != count or not all(map(_is_sha256, sha256)):
            raise BadRequest(
                f"Say the SHA-256, as base64, of each {self.part_bytes} bytes and of what is left: {count} in all, and"
                f" {_MOST_PARTS} at most."
            )
        name = unfinished_name()
        upload_id = await self.bucket.begin_parts(name, checked=True) if count > 1 else ""
        return BegunUpload(name=name, hash=blob_hash, size_bytes=size_bytes, sha256=tuple(sha256), upload_id=upload_id)

    def parts(self, begun: BegunUpload, seconds: int) -> Sequence[UploadPart]:
        """Sign for the parts; see `DirectBlobs.parts`."""
        now = self._clock()
        made: list[UploadPart] = []
        for number, sha256 in enumerate(begun.sha256):
            start = number * self.part_bytes
            size_bytes = min(self.part_bytes, begun.size_bytes - start)
            headers = {"content-length": str(size_bytes), "x-amz-checksum-sha256": sha256}
            query = {"partNumber": str(number + 1), "uploadId": begun.upload_id} if begun.upload_id else {}
            url = self.outside.sign("PUT", begun.name, now, seconds, query=query, headers=headers)
            made.append(UploadPart(url=url, headers=headers, start=start, size_bytes=size_bytes))
        return made

    async def finish(self, begun: BegunUpload, etags: Sequence[str]) -> None:
        """Make a blob of what has come; see `DirectBlobs.finish`."""
        if begun.upload_id:
            if len(etags) != len(begun.sha256):
                raise BadRequest(f"Give the ETag of each of the {len(begun.sha256)} parts, in order.")
            await self.bucket.end_parts(begun.name, begun.upload_id, list(zip(etags, begun.sha256, strict=True)))
        found = await self.bucket.head(begun.name)
        if found is None:
            raise UploadGone("Nothing has come of this upload, or it was taken already. Begin anew.")
        if found.size_bytes != begun.size_bytes:
            await self.discard(begun)
            raise HashMismatch(f"{found.size_bytes} bytes have come, announced were {begun.size_bytes}. Begin anew.")
        await self.bucket.copy(begun.name, key_of(begun.hash), found)
        await self.discard(begun)

    async def discard(self, begun: BegunUpload) -> None:
        """Remove what has come; see `DirectBlobs.discard`."""
        if begun.upload_id:
            await self.bucket.abort_parts(begun.name, begun.upload_id)
        await self.bucket.remove(begun.name)


def _is_sha256(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == _SHA256_BYTES
    except (binascii.Error, ValueError):
        return False
