"""The store's verbs about users' files: recording, reading, changing and removing them one by one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fireside.domain.assets import Asset, FileName, Folder, Recorded
from fireside.domain.errors import Conflict
from fireside.domain.ids import AssetId, BlobHash, JobId, UserId
from fireside.domain.tags import normalize_tags
from fireside.store.asset_counting import find_tag_set, note_facts, tag_set_of, tally_assets, tally_places
from fireside.store.asset_naming import as_copy, asset_at, equal_copy, insert, remove
from fireside.store.database import Transaction, Unexpected
from fireside.store.key_verbs import CLAIM, claim_of, reused
from fireside.store.records import IdempotencyKey
from fireside.store.rows import asset_of, asset_params, file_params, ids_json, to_json
from fireside.store.verbs import Verbs

_UPLOADS_OF_ONE_HASH = 100


class AssetIdTaken(Conflict):
    """The id that was wished for is another asset's."""

    code = "asset_id_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetChange:
    """What to change of an asset: a part that is None stays as it is, `preview_id` False takes the preview away."""

    title: str | None = None
    tags: Collection[str] | None = None
    add_tags: Collection[str] = ()
    remove_tags: Collection[str] = ()
    mime_type: str | None = None
    user_metadata: bytes | None = None
    preview_id: AssetId | bool | None = None


class AssetVerbs(Verbs):
    """Named records over blobs."""

    async def add_asset(self, asset: Asset, *, overwrite: bool = False) -> Asset:
        """Record a file.

        The same name with equal bytes is the existing record; with other bytes the name gets ` (1)` and so on (a copy
        with equal bytes is the existing record too), unless `overwrite` replaces the record of that name.
        """
        return await self._database.decide(lambda tx: _add(tx, asset, overwrite=overwrite))

    async def record_asset(
        self, asset: Asset, *, any_name: bool, any_tags: bool, key: IdempotencyKey | None = None
    ) -> Recorded:
        """Record bytes that the user has sent or has, unless there is a record already that serves as well.

        An upload of the user with equal bytes in the same folder serves: with `any_name` under whatever name, otherwise
        in the same subfolder under the same title; with `any_tags` whatever its tags, otherwise with all of the tags.
        It gets the tags it has not, and expires the later of the two. The same id with equal bytes is always the
        existing record; raises `AssetIdTaken` for the id of another one. The key is used up with the record, raises
        `KeyReused`.
        """

        def record(tx: Transaction) -> Recorded:
            if key is not None:
                claim = claim_of(asset.user_id, key, asset.created_at)
                tx.run(claim.query, claim.params, expect=claim.expect)
            return _record(tx, asset, any_name=any_name, any_tags=any_tags)

        try:
            return await self._database.decide(record)
        except Unexpected as error:
            if error.query == CLAIM:
                raise reused() from error
            raise

    async def asset(self, asset_id: AssetId, *, user_id: UserId) -> Asset | None:
        """Read a record of the user."""
        row = await self._one("asset_by_id", {"id": asset_id, "user_id": user_id})
        return asset_of(row) if row else None

    async def assets(self, asset_ids: Collection[AssetId], *, user_id: UserId) -> Mapping[AssetId, Asset]:
        """Read those of the records that are the user's."""
        if not asset_ids:
            return {}
        rows = await self._all("assets_by_ids", {"ids": ids_json(asset_ids), "user_id": user_id})
        return {asset.id: asset for asset in map(asset_of, rows)}

    async def asset_by_file(self, user_id: UserId, file: FileName) -> Asset | None:
        """Read the record of this name."""
        row = await self._one("asset_by_file", file_params(user_id, file))
        return asset_of(row) if row else None

    async def asset_by_hash(self, user_id: UserId, hash: BlobHash) -> Asset | None:  # noqa: A002  the domain's word for it
        """Read the user's newest record of these bytes."""
        row = await self._one("asset_by_hash", {"user_id": user_id, "hash": hash})
        return asset_of(row) if row else None

    async def assets_by_files(self, user_id: UserId, files: Collection[FileName]) -> Mapping[FileName, Asset]:
        """Read the records of these names; a name without one is left out."""
        if not files:
            return {}
        wanted = to_json([[file.folder.value, file.subfolder, file.name] for file in files]).decode()
        rows = await self._all("assets_by_files", {"user_id": user_id, "files": wanted})
        return {asset.file: asset for asset in map(asset_of, rows)}

    async def asset_names(self, user_id: UserId, folder: Folder, *, limit: int) -> Sequence[str]:
        """Names (`sub/name` or `name`) of the user's files in a folder, sorted."""
        params = {"user_id": user_id, "folder": folder.value, "limit": limit}
        return [row["path"] for row in await self._all("asset_names", params)]

    async def newest_asset_names(self, user_id: UserId, folder: Folder, *, limit: int) -> Sequence[str]:
        """Names of the user's files in a folder, without those in folders below it, the newest first."""
        params = {"user_id": user_id, "folder": folder.value, "limit": limit}
        return [row["name"] for row in await self._all("newest_asset_names", params)]

    async def job_assets(self, job_id: JobId) -> Sequence[Asset]:
        """Read the files that the job has made, in the order they came."""
        return [asset_of(row) for row in await self._all("job_assets", {"job_id": job_id})]

    async def change_asset(
        self, asset_id: AssetId, change: AssetChange, now: datetime, *, user_id: UserId
    ) -> tuple[Asset, Asset] | None:
        """Change a record of the user; gives it as it was and as it is, None when there is none.

        Raises `BadRequest` for tags that cannot be. A change that changes nothing leaves `updated_at` as it was.
        """
        return await self._database.decide(lambda tx: _change(tx, user_id, asset_id, change, now))

    async def remove_asset(self, asset_id: AssetId, *, user_id: UserId) -> Asset | None:
        """Forget a record of the user; its bytes stay for whoever else refers to them. Gives it as it was."""
        return await self._database.decide(lambda tx: _remove(tx, user_id, asset_id))

    async def touch_assets(self, asset_ids: Collection[AssetId], now: datetime) -> None:
        """Note that these assets were read now; those that are gone are left out."""
        await self._database.decide(lambda tx: _touch(tx, asset_ids, now))

    async def remove_expired_assets(self, now: datetime, *, limit: int) -> int:
        """Forget assets whose time is over, the longest first; answer how many."""
        return await self._database.decide(lambda tx: _remove_expired(tx, now, limit))


def _add(tx: Transaction, asset: Asset, *, overwrite: bool) -> Asset:
    present = asset_at(tx, asset.user_id, asset.file)
    if present is not None and present.hash == asset.hash:
        return present
    if present is not None and overwrite:
        remove(tx, present)
        present = None
    if present is not None:
        copy = equal_copy(tx, asset)
        if copy is not None:
            return copy
        asset = as_copy(tx, asset)
    return insert(tx, asset)


def _record(tx: Transaction, asset: Asset, *, any_name: bool, any_tags: bool) -> Recorded:
    present = _taken(tx, asset) or _serving(tx, asset, any_name=any_name, any_tags=any_tags)
    if present is not None:
        later = _later(present.expires_at, asset.expires_at)
        tags = normalize_tags({*present.tags, *asset.tags})
        changed = replace(present, tags=tags, expires_at=later)
        if changed != present:
            changed = _write(tx, present, replace(changed, updated_at=asset.created_at))
        return Recorded(asset=changed, is_new=False)
    there = asset_at(tx, asset.user_id, asset.file)
    if there is not None:
        # Under equal bytes people may see the same name: whichever file a loader finds by it, it finds these bytes.
        title = asset.title if there.hash == asset.hash else None
        asset = as_copy(tx, asset)
        asset = replace(asset, title=title or asset.title)
    return Recorded(asset=insert(tx, asset), is_new=True)


def _taken(tx: Transaction, asset: Asset) -> Asset | None:
    """Find the asset that has the id already; raises `AssetIdTaken` when it is not the same."""
    if not tx.run("asset_owner", {"id": asset.id}):
        return None
    rows = tx.run("asset_by_id", {"id": asset.id, "user_id": asset.user_id})
    if not rows or rows[0]["hash"] != asset.hash:
        raise AssetIdTaken(f"The id {asset.id} cannot be used; choose another one, or none.")
    return asset_of(rows[0])


def _serving(tx: Transaction, asset: Asset, *, any_name: bool, any_tags: bool) -> Asset | None:
    params = {"hash": asset.hash, "user_id": asset.user_id, "limit": _UPLOADS_OF_ONE_HASH}
    for present in map(asset_of, tx.run("uploads_by_hash", params)):
        is_named = any_name or (present.title, present.file.subfolder) == (asset.title, asset.file.subfolder)
        is_tagged = any_tags or set(asset.tags) <= set(present.tags)
        if present.file.folder is asset.file.folder and is_named and is_tagged:
            return present
    return None


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else max(one, other)


def _change(
    tx: Transaction, user_id: UserId, asset_id: AssetId, change: AssetChange, now: datetime
) -> tuple[Asset, Asset] | None:
    rows = tx.run("asset_by_id", {"id": asset_id, "user_id": user_id})
    if not rows:
        return None
    before = asset_of(rows[0])
    after = _changed(before, change)
    return before, before if after == before else _write(tx, before, replace(after, updated_at=now))


def _changed(asset: Asset, change: AssetChange) -> Asset:
    preview_id = asset.preview_id if change.preview_id is None else change.preview_id or None
    tags = set(asset.tags if change.tags is None else normalize_tags(change.tags))
    tags = (tags | set(normalize_tags(change.add_tags))) - set(normalize_tags(change.remove_tags))
    return replace(
        asset,
        title=asset.title if change.title is None else change.title,
        tags=normalize_tags(tags),
        mime_type=asset.mime_type if change.mime_type is None else change.mime_type,
        user_metadata=asset.user_metadata if change.user_metadata is None else change.user_metadata,
        preview_id=asset.preview_id if preview_id is True else preview_id,
    )


def _write(tx: Transaction, before: Asset, after: Asset) -> Asset:
    tally_assets(tx, [after.id], -1)
    known = find_tag_set(tx, after.user_id, after.tags)
    params = asset_params(after) | {"tag_set": tag_set_of(tx, after.user_id, after.tags, known)}
    (row,) = tx.run("change_asset", params, expect=1)
    if after.user_metadata != before.user_metadata:
        tx.run("remove_asset_facts", {"id": after.id})
        note_facts(tx, after.id, after.user_metadata)
    tally_assets(tx, [after.id], 1)
    return asset_of(row)


def _remove(tx: Transaction, user_id: UserId, asset_id: AssetId) -> Asset | None:
    rows = tx.run("asset_by_id", {"id": asset_id, "user_id": user_id})
    if not rows:
        return None
    asset = asset_of(rows[0])
    remove(tx, asset)
    return asset


def _touch(tx: Transaction, asset_ids: Collection[AssetId], now: datetime) -> None:
    tally_places(tx, asset_ids, -1)
    tx.run("touch_assets", {"ids": ids_json(asset_ids), "at": now})
    tally_places(tx, asset_ids, 1)


def _remove_expired(tx: Transaction, now: datetime, limit: int) -> int:
    rows = tx.run("expired_assets", {"now": now, "limit": limit})
    return remove_assets(tx, [AssetId(row["id"]) for row in rows])


def remove_assets(tx: Transaction, ids: Sequence[AssetId]) -> int:
    """Forget these assets; answer how many."""
    tally_assets(tx, ids, -1)
    if ids:
        tx.run("remove_assets", {"ids": ids_json(ids)})
    return len(ids)
