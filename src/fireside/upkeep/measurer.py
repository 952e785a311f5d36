"""Asks the bytes that were here before measures were kept how large they are, a few at a time, and once and for all."""

from datetime import datetime

from fireside.assets.measures.reading import MEASURED_TYPES, read_metadata
from fireside.blobs.base import Blobs
from fireside.store.store import Store

_BLOBS_AT_ONCE = 200


class Measurer:
    """One walk through the blobs of all assets, by their hash; how far it is, is kept in the store."""

    def __init__(self, store: Store, blobs: Blobs, *, at_once: int = _BLOBS_AT_ONCE) -> None:
        self._store = store
        self._blobs = blobs
        self._at_once = at_once
        self._is_done = False

    async def step(self, now: datetime) -> None:  # noqa: ARG002 - duties are told the time
        """Ask the next few, until there are no more."""
        if self._is_done:
            return
        few = await self._store.blobs_to_measure(limit=self._at_once)
        if few is None:
            self._is_done = True
            return
        said = {
            blob_hash: metadata
            for blob_hash, content_type in few.items()
            if content_type in MEASURED_TYPES
            and (metadata := await read_metadata(self._blobs, blob_hash, content_type)) is not None
        }
        await self._store.note_measured(said, until=max(few, default=None))
