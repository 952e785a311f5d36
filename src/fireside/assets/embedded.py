"""The workflow that a finished picture carries in itself, or else that of the job that made it.

ComfyUI writes both the editor's workflow and the graph into what it saves: into texts of a PNG, and into Exif tags of a
WebP, JPEG or animated picture, as `workflow:{…}` and `prompt:{…}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from fireside.assets.library import Library, blob_file
from fireside.assets.pictures import NotAPicture, PictureLimits, PictureTooLarge, read_texts
from fireside.domain.assets import Asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """What made an asset: the editor's workflow and the graph, each None when unknown."""

    workflow: Any
    prompt: Any
    source: Literal["file", "job"]


async def what_made(library: Library, asset: Asset) -> Maker | None:
    """Find what made an asset; None when neither its file nor a job tells. Raises `NotFound` without its bytes."""
    if asset.content_type.startswith("image/") and asset.size_bytes <= library.limits.max_bytes:
        async with blob_file(library, asset.hash) as path:
            texts = await _texts(path, library.limits)
        workflow, prompt = (_json(texts.get(name, "")) for name in ("workflow", "prompt"))
        if workflow is not None or prompt is not None:
            return Maker(workflow=workflow, prompt=prompt, source="file")
    return await _by_job(library, asset)


async def _texts(path: Path, limits: PictureLimits) -> Mapping[str, str]:
    try:
        return await read_texts(path, limits)
    except (NotAPicture, PictureTooLarge):
        return {}


async def _by_job(library: Library, asset: Asset) -> Maker | None:
    body = await library.store.job_body(asset.origin.job_id) if asset.origin else None
    if body is None:
        return None
    value: Any = msgspec.json.decode(body.extra_data)
    for key in ("extra_pnginfo", "workflow"):
        value = cast("Mapping[str, Any]", value).get(key) if isinstance(value, Mapping) else None
    return Maker(workflow=value, prompt=msgspec.json.decode(body.graph), source="job")


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text.encode(), type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
