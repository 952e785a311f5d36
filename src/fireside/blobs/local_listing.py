"""Walking the folder of blobs, a few at a time, however many there are."""

from datetime import UTC, datetime
from pathlib import Path

from fireside.blobs.base import BlobPage, ListedBlob, is_blob_hash
from fireside.domain.ids import BlobHash

ASIDE = ".unwanted"
"""What the name of a blob ends with while it is set aside."""
_FOLDERS_AT_ONCE = 64
_PREFIX = 2
_BEHIND = "~"
"""Sorts behind every digit of a hash."""


def aside_of(path: Path) -> Path:
    """Name where a blob is while it is set aside."""
    return path.with_name(path.name + ASIDE)


def list_folder(folder: Path, after: str, limit: int) -> BlobPage:
    """List up to `limit` blobs behind `after`, and look into no more than some folders for them."""
    listed: list[ListedBlob] = []
    prefixes = [name for name in _names(folder) if len(name) == _PREFIX and name >= after[:_PREFIX]]
    for prefix in prefixes[:_FOLDERS_AT_ONCE]:
        room = limit - len(listed)
        names = [name for name in _names(folder / prefix) if name > after and is_blob_hash(_hash_of(name))]
        listed += _looked_at(folder / prefix, names[:room])
        if len(names) >= room:
            return BlobPage(blobs=listed, next_after=names[room - 1])
    is_through = len(prefixes) <= _FOLDERS_AT_ONCE
    return BlobPage(blobs=listed, next_after=None if is_through else prefixes[_FOLDERS_AT_ONCE - 1] + _BEHIND)


def _looked_at(folder: Path, names: list[str]) -> list[ListedBlob]:
    blobs: list[ListedBlob] = []
    for name in names:
        try:
            found = (folder / name).stat()
        except FileNotFoundError:
            continue  # put back or removed since
        since = datetime.fromtimestamp(found.st_mtime, UTC)
        is_set_aside = name.endswith(ASIDE)
        blobs.append(ListedBlob(hash=_hash_of(name), size_bytes=found.st_size, since=since, is_set_aside=is_set_aside))
    return blobs


def _hash_of(name: str) -> BlobHash:
    return BlobHash(name.removesuffix(ASIDE))


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
