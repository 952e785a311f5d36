"""References to the caller's assets in a workflow: looked up, and replaced by the names that loaders know files by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fireside.domain.assets import Asset
from fireside.domain.ids import AssetId, UserId
from fireside.graphs.asset_references import find_asset_references, missing_references, replace_asset_references
from fireside.store.store import Store

_NOWHERE = "missing-core-asset.png"
"""Stands for a file that is not there, so that the rest of the workflow can be looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A workflow without references: the files that stand in their places, by value, and what led nowhere."""

    graph: Any
    assets: Mapping[str, Asset] = field(default_factory=dict[str, Asset])
    missing: Sequence[str | None] = ()
    known: frozenset[str] = frozenset()
    """Values that validation is to take for files, whether they are or not."""


async def resolve_references(store: Store, user_id: UserId, workflow: Any, now: datetime) -> Resolved:
    """Replace every reference in the workflow; what leads to no asset of the user's is told in `missing`."""
    references = find_asset_references(workflow)
    if not references:
        return Resolved(graph=workflow)
    found = await store.assets({one.id for one in references if one.id is not None}, user_id=user_id)
    assets: dict[str, Asset] = {}
    names: dict[AssetId, str] = {}
    for asset_id, asset in found.items():
        if asset.expires_at is not None and asset.expires_at <= now:
            continue  # nobody has removed it yet
        value = asset.loader_value
        if assets.setdefault(value, asset).hash != asset.hash:
            # Another file of that name with other bytes: these are named by what they are.
            value = f"blake3:{asset.hash}"
            assets[value] = asset
        names[asset_id] = value
    missing = missing_references(references, names)
    return Resolved(
        graph=replace_asset_references(workflow, names, otherwise=_NOWHERE),
        assets=assets,
        missing=missing,
        known=frozenset([_NOWHERE] if missing else ()),
    )
