"""How a file finds a name that is free, and becomes a record."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from fireside.domain.assets import MAX_NAME_BYTES, NO_METADATA, Asset, FileName
from fireside.domain.ids import UserId
from fireside.store.asset_counting import find_tag_set, note_facts, tag_set_of, tally_assets
from fireside.store.database import Rows, Transaction
from fireside.store.rows import asset_of, asset_params, file_params

# ComfyUI's own names: `prefix_00001_.png`.
_COUNTED = re.compile(r"(?P<prefix>.+)_(?P<number>\d{5,12})_(?P<suffix>\.\w+)", re.ASCII)
Added = tuple[Asset, Rows]
"""A file under the name it got, and its record as stored."""
_COPY_BYTES = 16
_COPY = re.compile(r" \(\d+\)", re.ASCII)


def add_under_free_names(tx: Transaction, assets: Sequence[Asset]) -> list[Added]:
    """Record the files under the names wished for or, where one is taken, under the next free one.

    A counter name takes the next number of its counter, so that numbers rise in the order files come and a number
    that was given once is not given again.
    """
    added = [_add(tx, asset) for asset in assets]
    tally_assets(tx, [asset.id for asset, _ in added], 1, may_have_facts=any(map(_may_have_facts, assets)))
    return added


def insert(tx: Transaction, asset: Asset) -> Asset:
    """Record a file under a name that is free."""
    rows = _insert(tx, asset, find_tag_set(tx, asset.user_id, asset.tags))
    tally_assets(tx, [asset.id], 1, may_have_facts=_may_have_facts(asset))
    return asset_of(rows[0])


def remove(tx: Transaction, asset: Asset) -> None:
    """Forget a file."""
    tally_assets(tx, [asset.id], -1)
    tx.run("remove_asset", {"id": asset.id}, expect=1)


def asset_at(tx: Transaction, user_id: UserId, file: FileName) -> Asset | None:
    """Read the record of a name."""
    rows = tx.run("asset_by_file", file_params(user_id, file))
    return asset_of(rows[0]) if rows else None


def equal_copy(tx: Transaction, asset: Asset) -> Asset | None:
    """Find a copy that has the file's bytes, under the name that a copy gets."""
    stem, suffix = _split(asset.file.name)
    place = file_params(asset.user_id, asset.file)
    for row in tx.run("assets_of_hash_in_folder", place | {"hash": asset.hash}):
        name: str = row["name"]
        middle = name.removeprefix(stem).removesuffix(suffix)
        if _COPY.fullmatch(middle) and name == f"{stem}{middle}{suffix}":
            return asset_of(row)
    return None


def as_copy(tx: Transaction, asset: Asset) -> Asset:
    """Give the file the next free name of a copy, ` (1)` and so on."""
    stem, suffix = _split(asset.file.name)
    while True:
        number = _count(tx, asset, stem, f" (){suffix}", at_least=1)
        name = f"{stem} ({number}){suffix}"
        if asset_at(tx, asset.user_id, replace(asset.file, name=name)) is None:
            return renamed(asset, name)


def renamed(asset: Asset, name: str) -> Asset:
    """Give the file another name, which people see too unless it has a title of its own."""
    title = name if asset.title == asset.file.name else asset.title
    return replace(asset, file=replace(asset.file, name=name), title=title)


def _add(tx: Transaction, asset: Asset) -> Added:
    known = find_tag_set(tx, asset.user_id, asset.tags)
    named = _under_free_name(tx, asset)
    return named, _insert(tx, named, known)


def _insert(tx: Transaction, asset: Asset, known: Rows) -> Rows:
    params = asset_params(asset) | {"tag_set": tag_set_of(tx, asset.user_id, asset.tags, known)}
    rows = tx.run("add_asset", params, expect=1)
    note_facts(tx, asset.id, asset.user_metadata)
    if asset.metadata is not None:
        tx.run("note_blob_metadata", {"hash": asset.hash, "metadata": asset.metadata})
    return rows


def _may_have_facts(asset: Asset) -> bool:
    return asset.user_metadata != NO_METADATA


def _under_free_name(tx: Transaction, asset: Asset) -> Asset:
    counted = _COUNTED.fullmatch(asset.file.name)
    if counted is not None:
        return renamed(asset, _next_counted(tx, asset, counted))
    return asset if asset_at(tx, asset.user_id, asset.file) is None else as_copy(tx, asset)


def _next_counted(tx: Transaction, asset: Asset, counted: re.Match[str]) -> str:
    prefix, suffix, at_least = counted["prefix"], counted["suffix"], int(counted["number"])
    while True:
        number = _count(tx, asset, prefix, f"_{suffix}", at_least=at_least)
        name = f"{prefix}_{number:05}_{suffix}"
        if asset_at(tx, asset.user_id, replace(asset.file, name=name)) is None:
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
