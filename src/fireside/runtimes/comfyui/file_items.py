"""The files that a node's output names, found by shape under any key, and where a file value leads. Pure.

A file item is an object with a `filename` and a `type` or `subfolder` beside it, whatever its key is called: core nodes
use `images`, `audio`, `video`, `3d`, `latents`, node packs `gifs`, `a_images` and many others. 3D previews name their
file by a bare text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, cast

from fireside.domain.assets import FileName, Folder
from fireside.domain.outputs import MODEL_FILES

_FOLDERS = ("output", "temp", "input")
_PREFIXES = ("output/", "temp/")
_LONGEST_NAME = 1024
_NO_PARTS = frozenset({"", ".", ".."})
_SEPARATORS = re.compile(r"[/\\]")
_HASH_OR_DRIVE = re.compile(r"^(blake3|[A-Za-z](?=:$)):")


@dataclass(frozen=True, slots=True)
class FileItem:
    """A file as ComfyUI names it: below its `output`, `temp` or `input` folder."""

    type: str
    subfolder: str
    filename: str

    def __str__(self) -> str:
        return f"{'/'.join(part for part in (self.type, self.subfolder, self.filename) if part)}"

    def as_output(self) -> dict[str, str]:
        """Write it as an output shows it."""
        return {"filename": self.filename, "subfolder": self.subfolder, "type": self.type}


@dataclass(frozen=True, slots=True)
class Found:
    """A file item and its place: `output[key][index]`, or further inside, where no `index` leads.

    `is_certain` is false for a mere text that looks like a file's name.
    """

    item: FileItem
    key: str
    index: int | None
    is_certain: bool = True


def find_file_items(output: Mapping[str, Any]) -> Iterator[Found]:
    """List the file items of a node's output."""
    for key, value in output.items():
        items = cast("list[Any]", value) if isinstance(value, list) else [value]
        for index, one in enumerate(items):
            item = _file_item(one)
            if item is not None and isinstance(value, list):
                yield Found(item, key, index)
            else:
                yield from _inside(one, key)


def kept_item(item: FileItem) -> FileItem:
    """Name the file as it is kept among its owner's; raises `BadRequest` for what cannot be a name there.

    To a ComfyUI on Linux what a user of Windows writes (`sub\\a`) is one name; kept, it has a folder. Parts that lead
    nowhere are left out, and what would be read as a hash or a drive loses its colon.
    """
    parts = [
        part for part in _SEPARATORS.split(f"{item.subfolder}/{item.filename}") if part.strip(" ") not in _NO_PARTS
    ]
    *parents, name = [_HASH_OR_DRIVE.sub(r"\1_", part) for part in parts] or [""]
    kept = FileName.checked(Folder(item.type), "/".join(parents), name)
    return FileItem(item.type, kept.subfolder, kept.name)


def annotated_path(value: str) -> tuple[str, PurePosixPath]:
    """Read `sub/name [output]` as ComfyUI does: the folder, `input` unless named, and the path below it.

    Raises `ValueError` for a path that may lead out of the folder.
    """
    folder, path = "input", value
    for name in _FOLDERS:
        if value.endswith(f"[{name}]"):
            folder, path = name, value[: -len(f" [{name}]")]
    parts = path.split("/")
    if "\0" in path or any(part in _NO_PARTS for part in parts):
        raise ValueError(f"{value!r} is not the name of a file below a folder")
    return folder, PurePosixPath(path)


def _inside(value: Any, key: str) -> Iterator[Found]:
    left = [value]
    while left:
        one = left.pop()
        item = _file_item(one)
        if item is not None:
            yield Found(item, key, None)
        elif isinstance(one, dict):
            left.extend(reversed(list(cast("dict[Any, Any]", one).values())))
        elif isinstance(one, list):
            left.extend(reversed(cast("list[Any]", one)))
        elif isinstance(one, str) and key != "text":
            yield from _named_by_text(one, key)


def _file_item(value: Any) -> FileItem | None:
    if not isinstance(value, dict):
        return None
    said = cast("dict[str, Any]", value)
    filename, subfolder, folder = said.get("filename"), said.get("subfolder", ""), said.get("type", "output")
    is_file = "subfolder" in said or "type" in said
    if not (is_file and isinstance(filename, str) and filename and folder in _FOLDERS):
        return None
    return FileItem(folder, subfolder if isinstance(subfolder, str) else "", filename)


def _named_by_text(text: str, key: str) -> Iterator[Found]:
    folder = next((prefix for prefix in _PREFIXES if text.startswith(prefix)), "")
    if len(text) <= _LONGEST_NAME and (folder or text.lower().endswith(MODEL_FILES)):
        subfolder, _, filename = text[len(folder) :].rpartition("/")
        if filename:
            yield Found(FileItem(folder.rstrip("/") or "output", subfolder, filename), key, None, is_certain=False)
