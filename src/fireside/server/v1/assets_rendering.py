"""Assets in the words of the Cloud API v1. Pure."""

from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET, UnsetType

from fireside.blobs.sniff import is_inline_safe
from fireside.domain.assets import Asset
from fireside.wire.measures import AssetMetadata
from fireside.wire.v1_assets import AssetBody, CreatedAssetBody, JobAssetBody
from fireside.wire.v1_files import UploadedAsset


def body_of(asset: Asset, public_url: str) -> AssetBody:
    """Show an asset."""
    return AssetBody(**_fields(asset, public_url))


def created_body_of(asset: Asset, public_url: str, *, is_new: bool) -> CreatedAssetBody:
    """Show an asset that was asked for."""
    return CreatedAssetBody(created_new=is_new, **_fields(asset, public_url))


def made_body_of(asset: Asset, public_url: str) -> JobAssetBody:
    """Show an asset as a part of what its job has made."""
    made = asset.origin
    return JobAssetBody(
        node_id=made.node_id if made else None,
        output_key=made.key if made else None,
        output_index=made.index if made else None,
        **_fields(asset, public_url),
    )


def uploaded_body_of(asset: Asset) -> UploadedAsset:
    """Show what of an asset is told to who uploaded a file."""
    blob_hash = f"blake3:{asset.hash}"
    return UploadedAsset(
        id=asset.id,
        name=asset.title,
        hash=blob_hash,
        asset_hash=blob_hash,
        size=asset.size_bytes,
        mime_type=asset.mime_type or asset.content_type,
        tags=list(asset.tags),
    )


def metadata_of(asset: Asset) -> AssetMetadata | UnsetType:
    """Show what the bytes of an asset say of themselves."""
    return UNSET if asset.metadata is None else msgspec.json.decode(asset.metadata, type=AssetMetadata)


def _fields(asset: Asset, public_url: str) -> dict[str, Any]:
    blob_hash = f"blake3:{asset.hash}"
    job_id = asset.origin.job_id if asset.origin else None
    is_picture = asset.content_type.startswith("image/") and is_inline_safe(asset.content_type)
    return {
        "id": asset.id,
        "name": asset.title,
        "display_name": asset.title,
        "asset_hash": blob_hash,
        "hash": blob_hash,
        "size": asset.size_bytes,
        "mime_type": asset.mime_type or asset.content_type,
        "tags": list(asset.tags),
        "user_metadata": msgspec.json.decode(asset.user_metadata),
        "metadata": metadata_of(asset),
        # A picture without another one is its own preview.
        "preview_id": asset.preview_id or (asset.id if is_picture else None),
        "preview_url": _preview_url(asset, public_url),
        "prompt_id": job_id,
        "job_id": job_id,
        "created_at": asset.created_at,
        "updated_at": asset.updated_at,
        "last_access_time": asset.accessed_at,
        "is_immutable": False,
        "file_path": f"{asset.file.folder.value}/{asset.path}",
        "loader_path": asset.path,
    }


def _preview_url(asset: Asset, public_url: str) -> str | UnsetType:
    """Give the address of what can be shown of an asset; the editor reads its folder and subfolder there."""
    if asset.preview_id is not None:
        return f"{public_url}/api/assets/{asset.preview_id}/content?disposition=inline"
    if not is_inline_safe(asset.content_type):
        return UNSET
    file = asset.file
    named = {"filename": file.name, "type": file.folder.value, "subfolder": file.subfolder}
    return f"{public_url}/api/view?{urlencode(named)}"
