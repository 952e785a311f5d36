"""What a job has made, as its page shows it: files with addresses of our own, and texts. Does no I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast
from urllib.parse import urlencode

from fireside.blobs.sniff import is_inline_safe
from fireside.domain.assets import Asset
from fireside.domain.usage import bytes_in_words
from fireside.store.records import NodeRecord

Kind = Literal["image", "video", "audio", "file"]
_THUMBNAIL_PIXELS = "512"
_TEXTS = 20
_TEXT_CHARACTERS = 4000
_KINDS: dict[str, Kind] = {"image": "image", "video": "video", "audio": "audio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """A file: where it is, and what of it can stand in the page."""

    name: str
    kind: Kind
    address: str
    thumbnail: str
    size: str
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextView:
    """A text that a node has shown."""

    node: str
    text: str
    is_cut: bool


def own_address(asset: Asset) -> str:
    """Give the address of a file for who owns it, who is asked who they are there."""
    named = {"filename": asset.file.name, "subfolder": asset.file.subfolder, "type": asset.file.folder.value}
    return f"/api/view?{urlencode(named)}"


def files_of(assets: Sequence[Asset], address_of: Callable[[Asset], str], *, with_thumbnails: bool) -> list[FileView]:
    """Show files; smaller pictures of them are made where their owner asks."""
    return [_file_of(asset, address_of(asset), with_thumbnails=with_thumbnails) for asset in assets]


def texts_of(records: Sequence[NodeRecord]) -> list[TextView]:
    """Show the texts that nodes have shown, as far as they fit a page."""
    texts = [
        TextView(node=record.display_node_id, text=text[:_TEXT_CHARACTERS], is_cut=len(text) > _TEXT_CHARACTERS)
        for record in records
        for text in _texts(record.output.get("text"))
    ]
    return texts[:_TEXTS]


def _file_of(asset: Asset, address: str, *, with_thumbnails: bool) -> FileView:
    media = asset.content_type.partition("/")[0] if is_inline_safe(asset.content_type) else ""
    return FileView(
        name=asset.path,
        kind=_KINDS.get(media, "file"),
        address=address,
        thumbnail=f"{address}&res={_THUMBNAIL_PIXELS}" if with_thumbnails else address,
        size=bytes_in_words(asset.size_bytes),
        node=asset.origin.node_id if asset.origin else "",
    )


def _texts(value: Any) -> list[str]:
    items = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str) and item]
