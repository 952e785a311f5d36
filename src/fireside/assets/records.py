"""Recording assets by whatever dialect: bytes that were sent, bytes the caller has already, and changes to records.

An upload is usable at once: it stands in the input folder (or where its tags say) under the name it was given, so a
graph's loader finds it by `Asset.loader_value` or by its hash. Equal bytes of one user are one record unless another
name is asked for. What is somebody else's does not exist: a hash is looked up among the caller's own records alone, so
that neither the answer nor its time tells whether anybody else has these bytes.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import uuid4

import msgspec

from fireside.assets.library import Library
from fireside.assets.measures.reading import read_metadata
from fireside.assets.uploads import hold_blob, upload_name
from fireside.blobs.base import WrittenBlob
from fireside.blobs.sniff import sniff_content_type
from fireside.domain.assets import Asset, FileName, Folder, Recorded
from fireside.domain.errors import BadRequest, NotFound, Unavailable
from fireside.domain.ids import AssetId, BlobHash, UserId
from fireside.domain.tags import normalize_tags
from fireside.store.asset_verbs import AssetChange
from fireside.store.records import IdempotencyKey
from fireside.store.store import Store

MAX_METADATA_BYTES = 64 * 1024
_MAX_TYPE_CHARACTERS = 255
_FOLDERS = {folder.value: folder for folder in Folder}
_OTHER_ROOTS = frozenset({"models", "preview"})


class InvalidPreview(BadRequest):
    """The picture that was named as a preview is none of the caller's assets."""

    code = "invalid_preview_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a caller says of an asset to be; every part may be left out.

    `name` may have folders before it (`models/loras/x.safetensors`). `user_metadata` is a JSON object as it came.
    """

    user_id: UserId
    name: str | None = None
    tags: Collection[str] = ()
    user_metadata: bytes = b"{}"
    mime_type: str | None = None
    preview_id: AssetId | None = None
    asset_id: AssetId | None = None
    expires_at: datetime | None = None
    key: IdempotencyKey | None = None
    """Used up with the record, exactly if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bytes:
    """What an asset is made of; without `metadata` where it is known already."""

    hash: BlobHash
    size_bytes: int
    content_type: str
    metadata: bytes | None = None


async def record_upload_as_asset(library: Library, wish: Wish, blob: WrittenBlob, *, filename: str = "") -> Recorded:
    """Record bytes that were just written; without a name in the wish, under the name of the file that came.

    An upload of the caller with equal bytes serves as it is, and gets the tags it has not. Raises `BadRequest` for a
    name, tag or metadata that cannot be, `InvalidPreview`, `AssetIdTaken`, `KeyReused`.
    """
    name = wish.name or PurePosixPath(filename.replace("\\", "/")).name or f"{blob.hash[:16]}.bin"
    sniffed = sniff_content_type(blob.head, name)
    metadata = await read_metadata(library.blobs, blob.hash, sniffed, blob.head)
    bytes_ = _Bytes(hash=blob.hash, size_bytes=blob.size_bytes, content_type=sniffed, metadata=metadata)
    return await _record(library, wish, name, bytes_, is_upload=True)


async def record_by_hash(library: Library, wish: Wish, blob_hash: BlobHash) -> Recorded:
    """Record bytes that the caller has already, under another name if one is given.

    A record that has the name and all the tags serves as it is; otherwise there is one more, over the same bytes.
    Raises `NotFound` for bytes of nobody or of somebody else, and as `record_upload_as_asset`.
    """
    known = await library.store.asset_by_hash(wish.user_id, blob_hash)
    if known is None:
        raise _no_content()
    name = wish.name or known.title
    bytes_ = _Bytes(hash=known.hash, size_bytes=known.size_bytes, content_type=known.content_type)
    return await _record(library, wish, name, bytes_, is_upload=False)


async def has_content(store: Store, user_id: UserId, blob_hash: BlobHash) -> bool:
    """Whether an asset of the caller has these bytes, so that `record_by_hash` would take them."""
    return await store.asset_by_hash(user_id, blob_hash) is not None


async def asset_of_user(store: Store, user_id: UserId, asset_id: AssetId) -> Asset:
    """Read an asset of the caller; raises `NotFound`."""
    found = await store.asset(asset_id, user_id=user_id)
    if found is None:
        raise NotFound("There is no such asset.")
    return found


async def change_asset(
    library: Library, user_id: UserId, asset_id: AssetId, change: AssetChange
) -> tuple[Asset, Asset]:
    """Change an asset of the caller; gives it as it was and as it is.

    Raises `NotFound`, `InvalidPreview`, and `BadRequest` for a title, tags or metadata that cannot be.
    """
    if change.title is not None:
        FileName.checked(Folder.INPUT, "", change.title.replace("/", "_"))
    if change.user_metadata is not None:
        check_metadata(change.user_metadata)
    _check_type(change.mime_type)
    if change.preview_id is not None and not isinstance(change.preview_id, bool):
        await _check_preview(library.store, user_id, change.preview_id)
    changed = await library.store.change_asset(asset_id, change, library.clock(), user_id=user_id)
    if changed is None:
        raise NotFound("There is no such asset.")
    return changed


async def delete_asset(store: Store, user_id: UserId, asset_id: AssetId) -> Asset:
    """Forget an asset of the caller; its bytes go later, unless something else refers to them. Raises `NotFound`."""
    removed = await store.remove_asset(asset_id, user_id=user_id)
    if removed is None:
        raise NotFound("There is no such asset.")
    return removed


def check_metadata(user_metadata: bytes) -> None:
    """Raise `BadRequest` unless it is a JSON object of at most 64 KiB."""
    if len(user_metadata) > MAX_METADATA_BYTES:
        raise BadRequest(f"user_metadata has at most {MAX_METADATA_BYTES} bytes.")
    try:
        msgspec.json.decode(user_metadata, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadRequest("user_metadata is a JSON object.") from error


async def check_wish(store: Store, wish: Wish) -> None:
    """Raise `BadRequest` or `InvalidPreview` for what no asset can be, before bytes are fetched for it."""
    await _placed(store, wish, wish.name or "any")


async def _placed(store: Store, wish: Wish, name: str) -> tuple[FileName, tuple[str, ...]]:
    """Say which file it is to be, and with which tags; raises as `check_wish`."""
    check_metadata(wish.user_metadata)
    _check_type(wish.mime_type)
    tags = normalize_tags(wish.tags)
    folder = next((_FOLDERS[tag] for tag in tags if tag in _FOLDERS), Folder.INPUT)
    if not _FOLDERS.keys() & set(tags) and _OTHER_ROOTS.isdisjoint(tags):
        tags = normalize_tags({*tags, folder.value})
    *parents, last = name.replace("\\", "/").split("/")
    file = upload_name(folder, "/".join(parents), last)
    if wish.preview_id is not None:
        await _check_preview(store, wish.user_id, wish.preview_id)
    return file, tags


async def _record(library: Library, wish: Wish, name: str, bytes_: _Bytes, *, is_upload: bool) -> Recorded:
    file, tags = await _placed(library.store, wish, name)
    asset = Asset(
        id=wish.asset_id or AssetId(uuid4()),
        user_id=wish.user_id,
        file=file,
        hash=bytes_.hash,
        size_bytes=bytes_.size_bytes,
        content_type=bytes_.content_type,
        metadata=bytes_.metadata,
        created_at=library.clock(),
        tags=tags,
        mime_type=wish.mime_type,
        user_metadata=wish.user_metadata,
        preview_id=wish.preview_id,
        expires_at=wish.expires_at,
    )
    async with hold_blob(bytes_.hash):
        if await library.blobs.claim(bytes_.hash) is None:
            raise Unavailable("These bytes were just removed; send them again.", retry_after=1)
        return await library.store.record_asset(
            asset, any_name=is_upload or wish.name is None, any_tags=is_upload, key=wish.key
        )


async def _check_preview(store: Store, user_id: UserId, preview_id: AssetId) -> None:
    if await store.asset(preview_id, user_id=user_id) is None:
        raise InvalidPreview("preview_id names none of your assets.")


def _check_type(mime_type: str | None) -> None:
    if mime_type is not None and (len(mime_type) > _MAX_TYPE_CHARACTERS or not mime_type.isprintable()):
        raise BadRequest("mime_type is a short text without control characters.")


def _no_content() -> NotFound:
    return NotFound("You have no asset with these bytes.")
