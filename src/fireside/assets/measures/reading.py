"""Reads what the headers of a blob say, in few and short looks, most of them at bytes that are in memory anyway."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict

import msgspec

from fireside.assets.measures import boxes, matroska, pictures, sounds
from fireside.assets.measures.looks import Measures, Reader
from fireside.blobs.base import HEAD_BYTES, Blobs
from fireside.domain.errors import NotFound
from fireside.domain.ids import BlobHash

_MOST_LOOKS = 256
READERS: Mapping[str, Callable[[], Reader]] = {
    "audio/flac": sounds.flac,
    "audio/mp4": boxes.film,
    "audio/wav": sounds.wav,
    "image/avif": boxes.picture,
    "image/bmp": pictures.bmp,
    "image/gif": pictures.gif,
    "image/heic": boxes.picture,
    "image/heif": boxes.picture,
    "image/jpeg": pictures.jpeg,
    "image/png": pictures.png,
    "image/tiff": pictures.tiff,
    "image/webp": pictures.webp,
    "video/mp4": boxes.film,
    "video/quicktime": boxes.film,
    "video/webm": matroska.film,
    "video/x-matroska": matroska.film,
}
MEASURED_TYPES = frozenset(READERS)


async def read_metadata(
    blobs: Blobs, blob_hash: BlobHash, content_type: str, head: bytes | None = None, *, is_whole: bool = False
) -> bytes | None:
    """Give what the header of a picture, video or sound says, as a JSON object: `kind`, `width`, `duration` and so on.

    None for everything else, for what is damaged, and for a blob that is gone. `head` are the first 4 KiB, if they are
    at hand, or all bytes with `is_whole`. The type is the one that was sniffed.
    """
    reader = READERS.get(content_type)
    if reader is None:
        return None
    try:
        if head is None:
            head = await _read(blobs, blob_hash, 0, HEAD_BYTES)
        measures = await _follow(reader(), blobs, blob_hash, head, is_whole=is_whole or len(head) < HEAD_BYTES)
    except (struct.error, IndexError, ValueError, NotFound):
        return None
    if measures is None:
        return None
    said = {name: value for name, value in asdict(measures).items() if value is not None}
    return msgspec.json.encode({"kind": content_type.partition("/")[0], **said})


async def _follow(reader: Reader, blobs: Blobs, blob_hash: BlobHash, head: bytes, *, is_whole: bool) -> Measures | None:
    try:
        look = next(reader)
        for _ in range(_MOST_LOOKS):
            end = look.at + look.count
            is_at_hand = is_whole or end <= len(head)
            found = head[look.at : end] if is_at_hand else await _read(blobs, blob_hash, look.at, end)
            look = reader.send(found)
    except StopIteration as stop:
        return stop.value
    return None


async def _read(blobs: Blobs, blob_hash: BlobHash, start: int, end: int) -> bytes:
    return b"".join([chunk async for chunk in blobs.read(blob_hash, start, end)])
