"""The files that a job's node made, as assets of the job's owner.

A worker says which item of a node's output is which blob; names come from the runtime and are believed no further than
the owner's space. Which name is free in the end is the store's to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

from fireside.assets.measures.reading import read_metadata
from fireside.blobs.base import HEAD_BYTES, Blobs, EnclosedBlob, WrittenBlob
from fireside.blobs.sniff import sniff_content_type
from fireside.domain.assets import Asset, FileName, Folder, OutputOrigin
from fireside.domain.errors import BadRequest
from fireside.domain.ids import AssetId, BlobHash
from fireside.domain.jobs import Job
from fireside.store.records import NodeRecord

TEXT_KEY = "text"
_TEXT_FILE = FileName(folder=Folder.TEMP, subfolder="", name="text_00001_.txt")
_MADE_IN = (Folder.OUTPUT, Folder.TEMP)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlace:
    """Which item of a node's output a blob is: `output[key][index]`; `came` when its bytes have just come."""

    key: str
    index: int
    hash: BlobHash
    came: WrittenBlob | EnclosedBlob | None = None


async def output_assets(
    blobs: Blobs, job: Job, record: NodeRecord, places: Sequence[OutputPlace], now: datetime
) -> list[Asset]:
    """Make the records of a node's files; raises `BadRequest` for an item that is named twice, or is not there."""
    if len({(place.key, place.index) for place in places}) < len(places):
        raise BadRequest("An item of the output is named twice.")
    return [await _asset(blobs, job, record, place, now) for place in places]


def texts_of(record: NodeRecord) -> dict[int, bytes]:
    """Give the texts among what a node has shown, by their place in `output["text"]`; they are outputs like files."""
    items = record.output.get(TEXT_KEY)
    texts = cast("list[Any]", items) if isinstance(items, list) else []
    return {index: text.encode(errors="replace") for index, text in enumerate(texts) if isinstance(text, str)}


async def _asset(blobs: Blobs, job: Job, record: NodeRecord, place: OutputPlace, now: datetime) -> Asset:
    is_text = place.key == TEXT_KEY and place.index in texts_of(record)
    file = _TEXT_FILE if is_text else _file_name(_item(record.output, place))
    size_bytes, head = await _size_and_head(blobs, place)
    content_type = sniff_content_type(head, file.name)
    enclosed = place.came if isinstance(place.came, EnclosedBlob) else None
    return Asset(
        id=AssetId(uuid4()),
        user_id=job.user_id,
        file=file,
        hash=place.hash,
        size_bytes=size_bytes,
        content_type=content_type,
        metadata=await read_metadata(
            blobs, place.hash, content_type, enclosed.content if enclosed else head, is_whole=enclosed is not None
        ),
        created_at=now,
        origin=OutputOrigin(job_id=job.id, node_id=record.node_id, key=place.key, index=place.index),
    )


async def _size_and_head(blobs: Blobs, place: OutputPlace) -> tuple[int, bytes]:
    if place.came is not None:
        return place.came.size_bytes, place.came.head
    found = await blobs.stat(place.hash)
    if found is None:
        raise BadRequest(f"The bytes of {place.key}[{place.index}] were not uploaded.")
    return found.size_bytes, b"".join([chunk async for chunk in blobs.read(place.hash, 0, HEAD_BYTES)])


def _item(output: Mapping[str, Any], place: OutputPlace) -> Mapping[str, Any]:
    items = output.get(place.key)
    item: Any = None
    if isinstance(items, list) and 0 <= place.index < len(cast("list[Any]", items)):
        item = cast("list[Any]", items)[place.index]
    if not isinstance(item, dict):
        raise BadRequest(f"The output has no file at {place.key}[{place.index}].")
    return cast("dict[str, Any]", item)


def _file_name(item: Mapping[str, Any]) -> FileName:
    folder = item.get("type", Folder.OUTPUT)
    if folder not in _MADE_IN:
        # The item is shown as it is, so it would point to some file of the owner's that this one is not.
        raise BadRequest("A file that a node made stands in output or temp.")
    return FileName.checked(Folder(folder), str(item.get("subfolder") or ""), str(item.get("filename") or ""))
