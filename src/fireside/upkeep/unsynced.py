"""Small blobs whose bytes the store keeps until their files are on the disk; see `UnsyncedBlobs`.

The system writes files by itself within half a minute. So they are looked after later than that, when to wait for the
disk costs next to nothing; what a failure of the power takes with it until then is written anew at the next start.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from fireside.blobs.base import Blobs, EnclosedBlob
from fireside.store.store import Store
from fireside.upkeep.loops import Loop

_EVERY_SECONDS = 5.0
_WRITTEN_BY_ITSELF = timedelta(seconds=40)
"""Linux writes what is 30 seconds old, looks for it every 5, and commits its journal every 5 more."""
_AT_ONCE = 500
_log = structlog.get_logger(__name__)


async def restore_blobs(store: Store, blobs: Blobs) -> int:
    """Write anew the files that a failure of the power has taken; how many that were. Before anybody can read them."""
    restored, after = 0, ""
    if blobs.unsynced is None:
        return 0
    while kept := await store.unsynced_bytes(after, limit=_AT_ONCE):
        for blob_hash, content in kept.items():
            restored += await blobs.unsynced.restore(EnclosedBlob(content, blob_hash))
        after = max(kept)
    if restored:
        _log.warning("files written anew that were not on the disk", count=restored)
    return restored


async def sync_blobs(store: Store, blobs: Blobs, before: datetime) -> None:
    """Have the files on the disk whose bytes are kept since before that time, and keep these no more."""
    while blobs.unsynced is not None and (hashes := await store.unsynced_blobs(before, limit=_AT_ONCE)):
        await blobs.unsynced.sync(hashes)
        await store.forget_unsynced_blobs(hashes, before)


def unsynced_blobs(store: Store, blobs: Blobs, clock: Callable[[], datetime]) -> Loop:
    """Give the loop that sees to them, not yet started."""

    async def sync(now: datetime) -> None:
        await sync_blobs(store, blobs, now - _WRITTEN_BY_ITSELF)

    return Loop("unsynced files", sync, every_seconds=_EVERY_SECONDS, clock=clock)
