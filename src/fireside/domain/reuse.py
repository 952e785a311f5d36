"""A job's outputs as another job's: which there are, and whether all of them are still there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

from fireside.domain.assets import Asset, OutputOrigin
from fireside.domain.ids import AssetId, JobId, UserId

_TEXT = "text"
_Place = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeWork:
    """A job that has made what another one is to make, and what ran it: a snapshot, and hashes of model files."""

    job_id: JobId
    user_id: UserId
    snapshot_hash: str
    models: Mapping[str, str]


def is_whole(outputs: Mapping[str, Mapping[str, Any]], assets: Sequence[Asset], now: datetime) -> bool:
    """Whether every file and text that nodes have shown is still an asset that has not expired."""
    there = {place for asset in assets if _is_there(asset, now) and (place := _place_of(asset)) is not None}
    return all(place in there for node_id, output in outputs.items() for place in _places(node_id, output))


def copies_of(assets: Sequence[Asset], job_id: JobId, user_id: UserId, now: datetime) -> dict[str, list[Asset]]:
    """Give a job files like these, by node: the same bytes under wishes for the same names."""
    copies: dict[str, list[Asset]] = {}
    for asset in assets:
        if asset.origin is None:
            continue
        origin = OutputOrigin(
            job_id=job_id, node_id=asset.origin.node_id, key=asset.origin.key, index=asset.origin.index
        )
        copy = Asset(
            id=AssetId(uuid4()),
            user_id=user_id,
            file=asset.file,
            hash=asset.hash,
            size_bytes=asset.size_bytes,
            content_type=asset.content_type,
            created_at=now,
            origin=origin,
        )
        copies.setdefault(origin.node_id, []).append(copy)
    return copies


def _places(node_id: str, output: Mapping[str, Any]) -> Iterator[_Place]:
    for key, items in output.items():
        for index, item in enumerate(cast("list[Any]", items) if isinstance(items, list) else []):
            if (isinstance(item, dict) and "filename" in item) or (key == _TEXT and isinstance(item, str)):
                yield node_id, key, index


def _place_of(asset: Asset) -> _Place | None:
    origin = asset.origin
    return None if origin is None else (origin.node_id, origin.key, origin.index)


def _is_there(asset: Asset, now: datetime) -> bool:
    return asset.expires_at is None or asset.expires_at > now
