"""The seam between Fireside and the place its bytes are in.

A blob is named by the blake3 of its bytes, so equal bytes are stored once and a stored blob never changes. Nothing here
knows users, names or types; whether a blob is still needed is the store's knowledge.
"""

import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from blake3 import blake3

from fireside.domain.errors import Conflict
from fireside.domain.ids import BlobHash

CHUNK_BYTES = 1024 * 1024
HEAD_BYTES = 4096
BytesWatcher = Callable[[str, int], None]
"""Hears that so many bytes were `written` or `read`."""
_HASH = re.compile(r"[0-9a-f]{64}")


class HashMismatch(Conflict):
    """The bytes that came are not the bytes that were announced."""

    code = "hash_mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBlob:
    """What a write stored. `head` is the first 4 KiB, to sniff; `created` is false when the bytes were there before."""

    hash: BlobHash
    size_bytes: int
    written_at: datetime
    head: bytes
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobStat:
    """What is known of a stored blob without reading it. A write of equal bytes and a claim renew `written_at`."""

    size_bytes: int
    written_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedBlob:
    """A blob as a walk finds it: since when nobody has wanted it, or since when it is set aside."""

    hash: BlobHash
    size_bytes: int
    since: datetime
    is_set_aside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobPage:
    """A few of the blobs, in the order of their hashes; `next_after` None: there are no more."""

    blobs: Sequence[ListedBlob]
    next_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobsFound:
    """How many blobs a walk over all came by, those that are set aside included, and when it ended."""

    count: int
    size_bytes: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunUpload:
    """Bytes that somebody is about to bring to the place itself; `sha256` are their parts', as base64."""

    name: str
    hash: BlobHash
    size_bytes: int
    sha256: Sequence[str]
    upload_id: str = ""
    """Of the store, where the parts are several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPart:
    """Where a part of the bytes goes, by one PUT with exactly these headers and bytes."""

    url: str
    headers: Mapping[str, str]
    start: int
    size_bytes: int


class UploadGone(Conflict):
    """What was to be brought to the place itself is not there as it was said; it must be brought anew."""

    code = "upload_gone"


class DirectBlobs(Protocol):
    """The place itself, as it answers those who are sent there past this server."""

    @property
    def part_bytes(self) -> int:
        """How many bytes the parts have that are brought there; the last one has what is left."""
        ...

    def link(self, blob_hash: BlobHash, answered: Mapping[str, str], seconds: int) -> str:
        """Give an address of a blob that works for so long, by GET alone, and answers with these headers.

        It names the blob's place, so look at it (`Blobs.stat`) before: what is set aside is not there.
        """
        ...

    async def begin(self, blob_hash: BlobHash, size_bytes: int, sha256: Sequence[str]) -> BegunUpload:
        """Open a place for these bytes, beside the blobs; `sha256` has one for each part.

        Raises `BadRequest` when they are not as many, or no SHA-256.
        """
        ...

    def parts(self, begun: BegunUpload, seconds: int) -> Sequence[UploadPart]:
        """Sign for the parts, in order; each takes the bytes that were announced, and no others."""
        ...

    async def finish(self, begun: BegunUpload, etags: Sequence[str]) -> None:
        """Make a blob of the bytes that have come, inside of the place; `etags` are the answers to the parts.

        That they have the hash is the word of who brought them. May be repeated. Raises `UploadGone` or `HashMismatch`.
        """
        ...

    async def discard(self, begun: BegunUpload) -> None:
        """Remove what has come of the bytes; what is gone already is fine."""
        ...


@dataclass(frozen=True, slots=True)
class EnclosedBlob:
    """A small blob whose bytes are at hand."""

    content: bytes
    hash: BlobHash

    @classmethod
    def checked(cls, content: bytes, expected: BlobHash) -> "EnclosedBlob":
        """Take the bytes for what they were announced as; raises `HashMismatch`."""
        require_hash(BlobHash(blake3(content).hexdigest()), expected)
        return cls(content, expected)

    @property
    def size_bytes(self) -> int:
        """How many bytes it has."""
        return len(self.content)

    @property
    def head(self) -> bytes:
        """The first 4 KiB."""
        return self.content[:HEAD_BYTES]


class UnsyncedBlobs(Protocol):
    """Small blobs that are in their place before they are on the disk; whoever puts them there keeps their bytes."""

    def put(self, blob: EnclosedBlob) -> None:
        """Put it into its place in this very thread, as a whole; raises `StorageFull`."""
        ...

    async def sync(self, hashes: Collection[BlobHash]) -> None:
        """Return when these are on the disk; those that are gone already are fine."""
        ...

    async def restore(self, blob: EnclosedBlob) -> bool:
        """Write it durably unless exactly these bytes are in its place; whether that was needed."""
        ...


class Blobs(Protocol):
    """A place for bytes; its exam is `tests/conformance/test_blobs.py`."""

    @property
    def direct(self) -> DirectBlobs | None:
        """The place itself; None where nobody can be sent there."""
        ...

    @property
    def unsynced(self) -> UnsyncedBlobs | None:
        """The way for small blobs that need not wait for the disk; None where there is none."""
        ...

    async def write(
        self, chunks: AsyncIterator[bytes], *, limit_bytes: int | None, expected: BlobHash | None = None
    ) -> WrittenBlob:
        """Store the chunks durably, in constant memory; readers see all of a blob or none of it.

        Raises `TooLarge`, `HashMismatch` or `StorageFull`. Whatever ends a write before all chunks have come, an error
        of the iterator or a cancellation included, leaves nothing behind.
        """
        ...

    async def write_bytes(
        self, content: bytes, *, limit_bytes: int | None, expected: BlobHash | None = None
    ) -> WrittenBlob:
        """Store a small blob in one go, and as `write` does."""
        ...

    def read(self, blob_hash: BlobHash, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Give the bytes from `start` up to, not with, `end` in chunks of 1 MiB; bounds are cut to the blob's size.

        Raises `NotFound` at the first chunk when there is no such blob.
        """
        ...

    async def stat(self, blob_hash: BlobHash) -> BlobStat | None:
        """Look at a blob; None when there is none. One that was set aside is back in its place."""
        ...

    async def claim(self, blob_hash: BlobHash) -> BlobStat | None:
        """Look at a blob that somebody is about to record, and renew its time; None when there is none."""
        ...

    async def delete(self, blob_hash: BlobHash) -> None:
        """Remove a blob; one that is gone already is fine."""
        ...

    async def list_blobs(self, after: str, *, limit: int) -> BlobPage:
        """Give up to so many blobs behind what the last page said, or from the first for an empty text."""
        ...

    async def belong_to(self, owner: str) -> bool:
        """Say whether these blobs belong to that owner; whoever is first to ask for them becomes it."""
        ...

    async def set_aside(self, blob_hash: BlobHash, now: datetime) -> None:
        """Take a blob that nobody seems to want out of its place; whoever looks at it puts it back, as if just written.

        At whatever point this is interrupted, the blob can be read.
        """
        ...

    async def remove_set_aside(self, blob_hash: BlobHash, older_than: datetime) -> None:
        """Remove a blob for good if it was set aside before that time, and nobody has looked at it since."""
        ...

    async def plain_link(self, blob_hash: BlobHash, seconds: int) -> str | None:
        """Give an address of a blob's bytes that works for so long, for a program that knows what they are.

        It says nothing of their name and type, so it is for nobody's browser. None where nobody can be sent there.
        """
        ...

    async def check(self) -> None:
        """Raise `Unavailable` when the place does not answer."""
        ...

    def local_path(self, blob_hash: BlobHash) -> Path | None:
        """Name the blob's file on this machine, for programs that need one; None when there is none. Never write it."""
        ...

    async def sweep_unfinished(self, older_than: datetime) -> int:
        """Remove what writes of dead processes left, begun before that time; answer how many there were."""
        ...


def require_hash(found: BlobHash, expected: BlobHash | None) -> None:
    """Raise `HashMismatch` for other bytes than were announced."""
    if expected is not None and found != expected:
        raise HashMismatch(f"The bytes have the blake3 {found}, announced was {expected}. Send them again.")


def is_blob_hash(text: str) -> bool:
    """Tell whether a text has the form of a hash, so that it can safely become a part of a path."""
    return _HASH.fullmatch(text) is not None
