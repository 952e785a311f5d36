"""Files that are given by name: by an asset's id, its hash, its file's name, or as a reference to the asset."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.errors import BadRequest
from fireside.domain.ids import AssetId, BlobHash, UserId
from fireside.graphs.files import parse_file_value
from fireside.graphs.interface.signature import NamedInput
from fireside.graphs.interface.values import is_asset_reference
from fireside.store.store import Store
from fireside.wire.v2_interfaces import Fault, InputType

_MEDIA = ("image", "video", "audio", "text")
_TAKEN: Mapping[InputType, tuple[str, ...]] = {
    "image": ("image",),
    "mask": ("image",),
    # Moving pictures are pictures too, and films have sound.
    "video": ("video", "image"),
    "audio": ("audio", "video"),
    "file": _MEDIA,
}


async def find_files(
    store: Store, user_id: UserId, wanted: Iterable[tuple[NamedInput, Any]]
) -> tuple[dict[str, Asset], list[Fault]]:
    """Find the user's files that values of inputs mean, by the input's name, and say which are none."""
    pairs = list(wanted)
    if not pairs:
        return {}, []
    ids = {named.name: asset_id for named, value in pairs if (asset_id := _asset_id(value)) is not None}
    by_id = await store.assets(set(ids.values()), user_id=user_id)
    found = {name: by_id[asset_id] for name, asset_id in ids.items() if asset_id in by_id}
    files: dict[str, FileName] = {}
    for named, value in pairs:
        if named.name in found or not isinstance(value, str):
            continue
        try:
            meant = parse_file_value(value, default_type=named.folder)
        except BadRequest:
            continue
        if meant.hash is None:
            files[named.name] = FileName(folder=Folder(meant.type), subfolder=meant.subfolder, name=meant.name)
            continue
        asset = await store.asset_by_hash(user_id, BlobHash(meant.hash))
        found |= {named.name: asset} if asset is not None else {}
    by_file = await store.assets_by_files(user_id, set(files.values()))
    found |= {name: by_file[file] for name, file in files.items() if file in by_file}
    return found, [fault for named, _ in pairs if (fault := _fault(named, found.get(named.name))) is not None]


def reference_to(asset: Asset) -> dict[str, Any]:
    """Write an asset as the API v2 refers to it."""
    info = {"id": str(asset.id), "hash": f"blake3:{asset.hash}", "file_path": asset.path}
    return {"__type": "core/ASSET", "info": info}


def _asset_id(value: Any) -> AssetId | None:
    text = value["info"]["id"] if is_asset_reference(value) else value
    try:
        return AssetId(UUID(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def _fault(named: NamedInput, asset: Asset | None) -> Fault | None:
    if asset is None:
        message = f"The input {named.name!r} names no file of yours."
        return Fault(code="missing_asset", message=message, input=named.name, node=named.key[0])
    media = asset.content_type.partition("/")[0]
    if media in _MEDIA and media not in _TAKEN[named.type]:
        message = f"The input {named.name!r} takes {named.type}, and {asset.file.name!r} is {asset.content_type}."
        return Fault(code="wrong_type", message=message, input=named.name, node=named.key[0])
    return None
