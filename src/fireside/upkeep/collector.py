"""Removes the bytes that nothing refers to any more, walking through all of them a few at a time.

A blob that nobody has wanted for the time of grace, and that nothing refers to, is set aside; when it was left there
for as long again, it goes. Whoever looks at a blob that is set aside puts it back. So nobody who was told that bytes
are here, and records or reads them within the grace, finds them gone: not in this process, and not in another one.
"""

from datetime import datetime, timedelta

import structlog

from fireside.assets.uploads import hold_blob
from fireside.blobs.base import Blobs, BlobsFound, ListedBlob
from fireside.store.store import Store

_log = structlog.get_logger(__name__)
_BLOBS_AT_ONCE = 512
_WALK_EVERY = timedelta(hours=1)


class BlobCollector:
    """One walk after the other, in small steps; where a walk is, is forgotten with the process."""

    def __init__(self, store: Store, blobs: Blobs, *, grace: timedelta) -> None:
        self.found: BlobsFound | None = None
        """What the last whole walk came by."""
        self._count = self._bytes = 0
        self._store = store
        self._blobs = blobs
        self._grace = grace
        self._owns: bool | None = None
        self._after: str | None = ""
        self._next_walk_at: datetime | None = None

    async def step(self, now: datetime) -> None:
        """Look at the next few blobs; after a whole walk, rest until the next one is due."""
        if not await self._is_ours():
            return
        if self._after is None and self._next_walk_at is not None and now < self._next_walk_at:
            return
        if not self._after:
            self._after, self._next_walk_at = "", now + _WALK_EVERY
            self._count = self._bytes = 0
        page = await self._blobs.list_blobs(self._after, limit=_BLOBS_AT_ONCE)
        old = [blob for blob in page.blobs if now - blob.since > self._grace]
        unused = await self._store.unused_blobs({blob.hash for blob in old})
        for blob in old:
            if blob.hash in unused:
                await self._give_up(blob, now)
            elif blob.is_set_aside:
                await self._blobs.stat(blob.hash)  # which puts it back
        self._count += len(page.blobs)
        self._bytes += sum(blob.size_bytes for blob in page.blobs)
        self._after = page.next_after
        if self._after is None:
            self.found = BlobsFound(count=self._count, size_bytes=self._bytes, at=now)

    async def _is_ours(self) -> bool:
        """Whether this database is the one that the bytes belong to: to another one they would all seem unused."""
        if self._owns is None:
            first = await self._store.first_user()
            if first is None:
                return False  # nothing tells an empty database from another one
            self._owns = await self._blobs.belong_to(first.created_at.isoformat())
            if not self._owns:
                _log.warning(
                    "the files in blobs belong to another database and are not collected; remove blobs/owner if not"
                )
        return self._owns

    async def _give_up(self, blob: ListedBlob, now: datetime) -> None:
        async with hold_blob(blob.hash):
            if await self._store.is_blob_used(blob.hash):
                return  # since we asked; if it is set aside, it comes back when it is read, or with the next walk
            if blob.is_set_aside:
                await self._blobs.remove_set_aside(blob.hash, now - self._grace)
                await self._store.forget_blob_metadata(blob.hash)
                return
            found = await self._blobs.stat(blob.hash)
            if found is not None and now - found.written_at > self._grace:
                await self._blobs.set_aside(blob.hash, now)
