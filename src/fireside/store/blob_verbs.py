"""The store's verbs about bytes, by their hash: who refers to them, and what they say of themselves."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from fireside.domain.assets import Asset
from fireside.domain.ids import BlobHash
from fireside.store.database import Statement
from fireside.store.rows import to_json
from fireside.store.verbs import Verbs


class BlobVerbs(Verbs):
    """What is known of bytes."""

    async def is_blob_used(self, hash: BlobHash) -> bool:  # noqa: A002  the domain's word for it
        """Whether an asset, an input of a job that has not ended, or anything else refers to these bytes."""
        return bool(await self._all("is_blob_used", {"hash": hash}))

    async def unused_blobs(self, hashes: Collection[BlobHash]) -> AbstractSet[BlobHash]:
        """Give those of the hashes that nothing refers to; see `is_blob_used`."""
        rows = await self._all("unused_blobs", {"hashes": to_json(list(hashes)).decode()})
        return {BlobHash(row["hash"]) for row in rows}

    async def with_metadata(self, assets: Sequence[Asset]) -> Sequence[Asset]:
        """Give the assets with what their bytes say of themselves, as far as it is known."""
        if not assets:
            return assets
        hashes = to_json(sorted({asset.hash for asset in assets})).decode()
        known = {row["hash"]: bytes(row["metadata"]) for row in await self._all("blob_metadata", {"hashes": hashes})}
        return [replace(asset, metadata=known.get(asset.hash)) for asset in assets]

    async def unsynced_blobs(self, before: datetime, *, limit: int) -> Sequence[BlobHash]:
        """Name a few blobs whose bytes changes have kept since before that time, the oldest first."""
        rows = await self._all("unsynced_blobs", {"kept_at": before, "limit": limit})
        return [BlobHash(row["hash"]) for row in rows]

    async def unsynced_bytes(self, after: str, *, limit: int) -> Mapping[BlobHash, bytes]:
        """Give a few blobs whose bytes changes have kept, with these, in the order of their hashes behind `after`."""
        rows = await self._all("unsynced_blobs_after", {"after": after, "limit": limit})
        return {BlobHash(row["hash"]): bytes(row["content"]) for row in rows}

    async def forget_unsynced_blobs(self, hashes: Collection[BlobHash], before: datetime) -> None:
        """Forget bytes whose files are on the disk, but those that were kept anew since that time."""
        await self._write("forget_unsynced_blobs", {"hashes": to_json(sorted(hashes)).decode(), "kept_at": before})

    async def forget_blob_metadata(self, hash: BlobHash) -> None:  # noqa: A002  the domain's word for it
        """Forget what bytes have said that are gone; an asset that has come meanwhile keeps it."""
        await self._write("forget_blob_metadata", {"hash": hash})

    async def blobs_to_measure(self, *, limit: int) -> Mapping[BlobHash, str] | None:
        """Give a few blobs of assets that nobody has asked yet, with their type; None: there are no more.

        The next few come when `note_measured` was told of these.
        """
        until = await self._one("measured_until", {})
        if until is None:
            return None
        rows = await self._all("blobs_of_assets_after", {"after": until["hash"], "limit": limit})
        return {BlobHash(row["hash"]): row["content_type"] for row in rows}

    async def note_measured(self, metadata: Mapping[BlobHash, bytes], *, until: BlobHash | None) -> None:
        """Keep what blobs have said, and up to which one all were asked; None: there are no more."""
        noted = [
            Statement("note_blob_metadata", {"hash": blob_hash, "metadata": said})
            for blob_hash, said in metadata.items()
        ]
        await self._database.write([*noted, Statement("move_measured_until", {"hash": until}, expect=1)])
