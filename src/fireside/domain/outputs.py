"""What a finished job shows for itself: its preview, its counts and its kinds of media.

The rules are those of the open-source server (spec of `GET /api/jobs`: preview slots, counted items); they are pure
functions over the `outputs` object: node id -> key -> list of items.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, cast

MODEL_FILES = (".obj", ".fbx", ".gltf", ".glb", ".usdz")
_TEXT_FILES = (".txt", ".md", ".json")
_VIDEO_FILES = (".mp4", ".webm", ".mov", ".mkv", ".avi", ".m4v")
_AUDIO_FILES = (".mp3", ".wav", ".flac", ".ogg", ".opus", ".m4a", ".aac")
_IMAGE_FILES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif", ".bmp", ".tif", ".tiff")
_PREVIEWABLE_KEYS = frozenset({"images", "video", "audio", "3d", "text"})
_TEXT_PREVIEW_CHARACTERS = 1024


class Media(IntFlag):
    """The kinds of media among a job's outputs, as a mask."""

    NONE = 0
    IMAGE = 1
    VIDEO = 2
    AUDIO = 4
    MODEL = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSummary:
    """What a listing shows of a job's outputs."""

    preview: Mapping[str, Any] | None
    outputs_count: int
    previewable_count: int
    media: Media


@dataclass(frozen=True, slots=True)
class _Item:
    node_id: str
    key: str
    fields: Mapping[str, Any]
    animated: bool
    is_raw_text: bool = False


def summarize_outputs(outputs: Mapping[str, Any]) -> OutputSummary:
    """Choose the preview and count the outputs.

    The preview is the first visual file of type `output`, else the first other visual one, else the first
    text file, else the first raw text (its first 1024 characters), else nothing.
    """
    slots: list[Mapping[str, Any] | None] = [None, None, None, None]
    count = previewable = 0
    media = Media.NONE
    for item in _items(outputs):
        if item.is_raw_text:
            slots[3] = slots[3] or item.fields
            continue
        count += 1
        media |= _media_of(item)
        if not _is_previewable(item):
            continue
        previewable += 1
        slot = 2 if _is_text(item) else 0 if item.fields.get("type") == "output" else 1
        slots[slot] = slots[slot] or {"mediaType": item.key, **item.fields, "nodeId": item.node_id}
    preview = next((slot for slot in slots if slot is not None), None)
    return OutputSummary(preview=preview, outputs_count=count, previewable_count=previewable, media=media)


def normalize_outputs(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Give the outputs as the job's detail shows them: names of 3D files as file objects, empty items left out."""
    return {
        node_id: {
            key: [_as_file(item) for item in cast("list[Any]", items) if item is not None]
            if isinstance(items, list)
            else items
            for key, items in cast("dict[str, Any]", node).items()
        }
        if isinstance(node, dict)
        else node
        for node_id, node in outputs.items()
    }


def _as_file(item: Any) -> Any:
    if isinstance(item, str) and item.lower().endswith(MODEL_FILES):
        return {"filename": item, "subfolder": "", "type": "output", "mediaType": "3d"}
    return item


def _items(outputs: Mapping[str, Any]) -> Iterator[_Item]:
    for node_id, node in normalize_outputs(outputs).items():
        if not isinstance(node, dict):
            continue
        keys = cast("dict[str, Any]", node)
        animated = bool(keys.get("animated")) and any(_as_list(keys.get("animated")))
        for key, items in keys.items():
            if key == "animated":
                continue
            for item in _as_list(items):
                if isinstance(item, dict):
                    yield _Item(node_id, key, cast("dict[str, Any]", item), animated)
                elif key == "text":
                    yield _Item(node_id, key, _raw_text(node_id, item), animated=False, is_raw_text=True)


def _as_list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _raw_text(node_id: str, item: Any) -> dict[str, Any]:
    text = str(item)
    shown: dict[str, Any] = {
        "content": text[:_TEXT_PREVIEW_CHARACTERS],
        "nodeId": node_id,
        "mediaType": "text",
    }
    return shown | ({"truncated": True} if len(text) > _TEXT_PREVIEW_CHARACTERS else {})


def _name(item: _Item) -> str:
    return str(item.fields.get("filename") or "").lower()


def _format(item: _Item) -> str:
    return str(item.fields.get("format") or "")


def _is_previewable(item: _Item) -> bool:
    return (
        item.key in _PREVIEWABLE_KEYS
        or _format(item).startswith(("video/", "audio/"))
        or _name(item).endswith(MODEL_FILES + _TEXT_FILES)
    )


def _is_text(item: _Item) -> bool:
    return item.key == "text" or _name(item).endswith(_TEXT_FILES)


def _media_of(item: _Item) -> Media:
    """Decide by format, then by the file's name, then by the key: core video nodes put their mp4 under `images`."""
    name, form = _name(item), _format(item)
    if form.startswith("video/") or name.endswith(_VIDEO_FILES):
        return Media.VIDEO
    if form.startswith("audio/") or name.endswith(_AUDIO_FILES):
        return Media.AUDIO
    if item.key == "3d" or name.endswith(MODEL_FILES):
        return Media.MODEL
    if item.key in ("video", "videos", "gifs") or (name.endswith(".gif") and item.animated):
        return Media.VIDEO
    if item.key == "audio":
        return Media.AUDIO
    if item.key == "images" or name.endswith(_IMAGE_FILES):
        return Media.IMAGE
    return Media.NONE
