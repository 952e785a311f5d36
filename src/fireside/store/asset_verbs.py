"""The store's verbs about users' files, and how a file finds a name that is free."""

import re
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import PurePosixPath

from fireside.domain.assets import MAX_NAME_BYTES, Asset, FileName, Folder
from fireside.domain.ids import AssetId, BlobHash, JobId, UserId
from fireside.store.database import Transaction
from fireside.store.rows import asset_of, asset_params, file_params, to_json
from fireside.store.verbs import Verbs

# ComfyUI's own names: `prefix_00001_.png`.
_COUNTED = re.compile(r"(?P<prefix>.+)_(?P<number>\d{5,12})_(?P<suffix>\.\w+)", re.ASCII)
_COPY_BYTES = 16
_COPY = re.compile(r" \(\d+\)", re.ASCII)


class AssetVerbs(Verbs):
    """Named records over blobs."""

    async def add_asset(self, asset: Asset, *, overwrite: bool = False) -> Asset:
        """Record a file.

        The same name with equal bytes is the existing record; with other bytes the name gets ` (1)` and so on (a copy
        with equal bytes is the existing record too), unless `overwrite` replaces the record of that name.
        """
        return await self._database.decide(lambda tx: _add(tx, asset, overwrite=overwrite))

    async def asset(self, asset_id: AssetId, *, user_id: UserId) -> Asset | None:
        """Read a record of the user."""
        row = await self._one("asset_by_id", {"id": asset_id, "user_id": user_id})
        return asset_of(row) if row else None

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

    async def is_blob_used(self, hash: BlobHash) -> bool:  # noqa: A002  the domain's word for it
        """Whether an asset, an input of a job that has not ended, or anything else refers to these bytes."""
        return bool(await self._all("is_blob_used", {"hash": hash}))

    async def unused_blobs(self, hashes: Collection[BlobHash]) -> AbstractSet[BlobHash]:
        """Give those of the hashes that nothing refers to; see `is_blob_used`."""
        rows = await self._all("unused_blobs", {"hashes": to_json(list(hashes)).decode()})
        return {BlobHash(row["hash"]) for row in rows}


def add_under_free_name(tx: Transaction, asset: Asset) -> Asset:
    """Record the file under the name wished for or, when that is taken, under the next free one.

    A counter name takes the next number of its counter, so that numbers rise in the order files come and a number
    that was given once is not given again.
    """
    counted = _COUNTED.fullmatch(asset.file.name)
    if counted is None:
        name = asset.file.name if _at(tx, asset.user_id, asset.file) is None else _free_copy(tx, asset)
    else:
        name = _next_counted(tx, asset, counted)
    (row,) = tx.run("add_asset", asset_params(replace(asset, file=replace(asset.file, name=name))), expect=1)
    return asset_of(row)


def _add(tx: Transaction, asset: Asset, *, overwrite: bool) -> Asset:
    present = _at(tx, asset.user_id, asset.file)
    if present is not None and present.hash == asset.hash:
        return present
    if present is not None and overwrite:
        tx.run("remove_asset", {"id": present.id}, expect=1)
        present = None
    if present is not None:
        copy = _equal_copy(tx, asset)
        if copy is not None:
            return copy
        asset = replace(asset, file=replace(asset.file, name=_free_copy(tx, asset)))
    (row,) = tx.run("add_asset", asset_params(asset), expect=1)
    return asset_of(row)


def _at(tx: Transaction, user_id: UserId, file: FileName) -> Asset | None:
    rows = tx.run("asset_by_file", file_params(user_id, file))
    return asset_of(rows[0]) if rows else None


def _equal_copy(tx: Transaction, asset: Asset) -> Asset | None:
    stem, suffix = _split(asset.file.name)
    place = file_params(asset.user_id, asset.file)
    for row in tx.run("assets_of_hash_in_folder", place | {"hash": asset.hash}):
        name: str = row["name"]
        middle = name.removeprefix(stem).removesuffix(suffix)
        if _COPY.fullmatch(middle) and name == f"{stem}{middle}{suffix}":
            return asset_of(row)
    return None


def _free_copy(tx: Transaction, asset: Asset) -> str:
    stem, suffix = _split(asset.file.name)
    while True:
        number = _count(tx, asset, stem, f" (){suffix}", at_least=1)
        name = f"{stem} ({number}){suffix}"
        if _at(tx, asset.user_id, replace(asset.file, name=name)) is None:
            return name


def _next_counted(tx: Transaction, asset: Asset, counted: re.Match[str]) -> str:
    prefix, suffix, at_least = counted["prefix"], counted["suffix"], int(counted["number"])
    while True:
        number = _count(tx, asset, prefix, f"_{suffix}", at_least=at_least)
        name = f"{prefix}_{number:05}_{suffix}"
        if _at(tx, asset.user_id, replace(asset.file, name=name)) is None:
            return name


def _count(tx: Transaction, asset: Asset, prefix: str, suffix: str, *, at_least: int) -> int:
    place = file_params(asset.user_id, asset.file)
    (row,) = tx.run("next_file_number", place | {"prefix": prefix, "suffix": suffix, "at_least": at_least}, expect=1)
    return row["last"]


def _split(name: str) -> tuple[str, str]:
    """Split into stem and suffix, the stem so short that the name of a copy is still a name."""
    suffix = PurePosixPath(name).suffix
    stem = name.removesuffix(suffix).encode()
    room = MAX_NAME_BYTES - len(suffix.encode()) - _COPY_BYTES
    return stem[: max(1, room)].decode("utf-8", "ignore"), suffix
