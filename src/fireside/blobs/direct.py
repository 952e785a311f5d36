"""A bucket of S3's protocol for those who are sent there: addresses that we sign, past obstore, which cannot."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from fireside.blobs.keys import key_of
from fireside.blobs.presigning import Presigner
from fireside.domain.ids import BlobHash


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DirectBucket:
    """The driver of `DirectBlobs`; `outside` signs for the address that clients and workers reach the bucket by."""

    def __init__(self, outside: Presigner, *, clock: Callable[[], datetime] = _utc_now) -> None:
        self.outside = outside
        self._clock = clock

    def link(self, blob_hash: BlobHash, answered: Mapping[str, str], seconds: int) -> str:
        """Sign for a blob, to be answered with these headers; see `DirectBlobs.link`."""
        query = {f"response-{name}": value for name, value in answered.items()}
        return self.outside.sign("GET", key_of(blob_hash), self._clock(), seconds, query=query)
