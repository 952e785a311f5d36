"""Files that people send: how they become records, and how nothing stays of those that do not.

The bytes of an upload are a blob before anything is known of it. One that is refused takes its blob away again, unless
somebody else has a record of equal bytes by then; `hold_blob` keeps the two decisions apart.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import uuid4
from weakref import WeakValueDictionary

from fireside.assets.library import Library, blob_file
from fireside.assets.measures.reading import read_metadata
from fireside.assets.pictures import NotAPicture, check_bytes, inspect_picture
from fireside.blobs.base import WrittenBlob
from fireside.blobs.sniff import sniff_content_type
from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.errors import BadRequest, Unavailable
from fireside.domain.ids import AssetId, BlobHash, UserId
from fireside.graphs.files import parse_file_value

_PICTURE_TYPES = frozenset(f"image/{kind}" for kind in ("avif", "bmp", "gif", "jpeg", "png", "tiff", "webp"))
_PICTURE_SUFFIXES = frozenset({".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_LOCKS: WeakValueDictionary[BlobHash, asyncio.Lock] = WeakValueDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as it came: where its owner wants it, and the blob it has become."""

    user_id: UserId
    file: FileName
    blob: WrittenBlob
    overwrite: bool = False


def upload_name(folder: Folder, subfolder: str, name: str) -> FileName:
    """Check where a file is to go; raises `BadRequest` for a name that leads elsewhere or that no graph could say."""
    file = FileName.checked(folder, subfolder, name)
    said = parse_file_value(f"{file.subfolder}/{name}" if file.subfolder else name, default_type=folder)
    if said.hash is not None or (said.subfolder, said.name) != (file.subfolder, file.name):
        raise BadRequest("A name may not look like a hash, nor end with a folder such as [input].")
    return file


async def record_upload(library: Library, upload: Upload) -> Asset:
    """Look at the bytes and record them under the name, or the next free one.

    Raises `NotAPicture` for bytes that are not what the ending of the name says, and `PictureTooLarge`.
    """
    content_type = sniff_content_type(upload.blob.head, upload.file.name)
    await _check_picture(library, upload, content_type)
    return await record_checked(library, upload, content_type)


async def record_checked(library: Library, upload: Upload, content_type: str) -> Asset:
    """Record bytes that need no look, because they are ours."""
    asset = Asset(
        id=AssetId(uuid4()),
        user_id=upload.user_id,
        file=upload.file,
        hash=upload.blob.hash,
        size_bytes=upload.blob.size_bytes,
        content_type=content_type,
        metadata=await read_metadata(library.blobs, upload.blob.hash, content_type, upload.blob.head),
        created_at=library.clock(),
    )
    async with hold_blob(asset.hash):
        if await library.blobs.stat(asset.hash) is None:
            raise Unavailable("A refused upload of equal bytes took these away; send them again.", retry_after=1)
        return await library.store.add_asset(asset, overwrite=upload.overwrite)


async def discard_unrecorded(library: Library, blob: WrittenBlob) -> None:
    """Remove the blob that an upload has made, unless there is a record of it, or somebody is about to make one."""
    if not blob.created:
        return  # whoever made it looks after it
    async with hold_blob(blob.hash):
        found = await library.blobs.stat(blob.hash)
        is_wanted = found is None or found.written_at != blob.written_at
        if not is_wanted and not await library.store.is_blob_used(blob.hash):
            await library.blobs.delete(blob.hash)


@contextlib.asynccontextmanager
async def hold_blob(blob_hash: BlobHash) -> AsyncGenerator[None]:
    """Keep everybody else in this process from recording or discarding these bytes."""
    lock = _LOCKS.setdefault(blob_hash, asyncio.Lock())
    async with lock:
        yield


async def _check_picture(library: Library, upload: Upload, content_type: str) -> None:
    is_named_picture = PurePosixPath(upload.file.name.lower()).suffix in _PICTURE_SUFFIXES
    if not is_named_picture and content_type not in _PICTURE_TYPES:
        return
    check_bytes(upload.blob.size_bytes, library.limits)  # before a bucket is asked for all of it
    async with blob_file(library, upload.blob.hash) as path:
        try:
            await inspect_picture(path, library.limits)
        except NotAPicture:
            # Raw photographs begin like pictures and are none; the limits of size hold for them all the same.
            if is_named_picture:
                raise
