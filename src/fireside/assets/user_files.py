"""The editor's files of a user: how bytes get a path, and how nothing stays of those that do not."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from fireside.assets.library import Library
from fireside.assets.uploads import discard_unrecorded, hold_blob
from fireside.blobs.base import WrittenBlob
from fireside.domain.errors import Unavailable
from fireside.domain.ids import UserId
from fireside.domain.user_files import FilePath, UserFile
from fireside.store.records import UserDataLimits
from fireside.store.refusals import FileExists


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFileLimits:
    """How large one file may be, and how much a user may have."""

    file_bytes: int
    all_files: UserDataLimits


async def save_user_file(
    library: Library,
    user_id: UserId,
    path: FilePath,
    chunks: AsyncIterator[bytes],
    *,
    overwrite: bool,
    limits: UserFileLimits,
) -> UserFile:
    """Store the bytes and record them at the path.

    Raises what `Store.save_user_file` and `Blobs.write` raise; then nothing of the bytes stays, and a file that was
    there is as it was.
    """
    if not overwrite and await library.store.user_file(user_id, path) is not None:
        # Nobody has to send megabytes to hear it; a path that is taken meanwhile is found out below.
        raise FileExists(f"{path.text} exists already; choose another name, or allow to overwrite it.")
    blob = await library.blobs.write(chunks, limit_bytes=limits.file_bytes)
    try:
        return await _record(library, user_id, path, blob, overwrite=overwrite, limits=limits.all_files)
    except BaseException:
        await discard_unrecorded(library, blob)
        raise


async def _record(
    library: Library, user_id: UserId, path: FilePath, blob: WrittenBlob, *, overwrite: bool, limits: UserDataLimits
) -> UserFile:
    now = library.clock()
    file = UserFile(
        user_id=user_id, path=path, hash=blob.hash, size_bytes=blob.size_bytes, created_at=now, modified_at=now
    )
    async with hold_blob(blob.hash):
        if await library.blobs.stat(blob.hash) is None:
            raise Unavailable("A refused upload of equal bytes took these away; send them again.", retry_after=1)
        return await library.store.save_user_file(file, overwrite=overwrite, limits=limits)
