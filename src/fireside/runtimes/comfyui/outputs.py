"""Taking the files that nodes have made, as soon as they are told of.

Each file that an output names gets its own place below the task's folder, and is told by the name it is kept under. A
file that is not there, that lies elsewhere, or whose name cannot be kept makes the run fail at its end, so that nothing
is dropped in silence; the other files are taken all the same.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, cast

from fireside.domain.errors import BadRequest
from fireside.runtimes.base import NodeOutput, ProducedFile
from fireside.runtimes.comfyui.file_items import FileItem, Found, find_file_items, kept_item

# What an output names somewhere inside has no place of its own in it, so it is listed once more under this key.
_LISTED = "files"
_OF_ITS_OWN = ".of-its-own"


class FileSource(Protocol):
    """Where ComfyUI's files come from."""

    async def fetch(self, item: FileItem, target: Path) -> None:
        """Put the item's bytes at `target`; `FileNotFoundError` or `PermissionError` when that cannot be."""
        ...


class Collector:
    """Collects the files of one run; `source` is known when it begins.

    `lost` are those that cannot be had, `misnamed` those that were not even asked for: to run the node anew is no help.
    """

    source: FileSource

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._names: set[str] = set()
        self._taken: set[FileItem] = set()
        self.lost: list[tuple[NodeOutput, str]] = []
        self.misnamed: list[tuple[NodeOutput, str]] = []

    async def collect(self, event: NodeOutput) -> NodeOutput:
        """Take the files that the output names and give it with them."""
        listed: list[ProducedFile] = []
        further: list[FileItem] = []
        files: list[ProducedFile] = []
        renamed: dict[tuple[str, int], FileItem] = {}
        for found in find_file_items(event.output):
            if found.item.type == "input" or (found.index is None and found.item in self._taken):
                # An input is the user's own file already; so is what another item has brought.
                continue
            kept = self._kept(event, found)
            path = await self._take(event, found, kept.filename) if kept is not None else None
            if kept is None or path is None:
                continue
            if found.index is not None:
                files.append(ProducedFile(key=found.key, index=found.index, path=path))
                if kept != found.item:
                    renamed[found.key, found.index] = kept
            else:
                further.append(kept)
                listed.append(ProducedFile(key=_LISTED, index=len(listed), path=path))
        return _with_files(replace(event, output=_with_names(event.output, renamed)), files, further, listed)

    def _kept(self, event: NodeOutput, found: Found) -> FileItem | None:
        try:
            return kept_item(found.item)
        except BadRequest as error:
            message = f"Node {event.node_id} names the file {str(found.item)!r}, which cannot be kept: {error}"
            if found.is_certain and message not in (before for _, before in self.misnamed):
                self.misnamed.append((event, message))
        return None

    async def _take(self, event: NodeOutput, found: Found, name: str) -> Path | None:
        try:
            target = self._target(name)
            await self.source.fetch(found.item, target)
        except FileNotFoundError:
            self._lose(event, found, f"Node {event.node_id} names the file {found.item}, which is not there.")
        except PermissionError:
            where = f"which does not lie in ComfyUI's {found.item.type} folder"
            self._lose(event, found, f"Node {event.node_id} names the file {found.item}, {where}.")
        else:
            self._taken.add(found.item)
            return target
        return None

    def _target(self, name: str) -> Path:
        """Give a file a place under its own name; those of a name that is taken get folders of their own."""
        folder = self._folder
        if name.casefold() in self._names:
            self._count += 1
            folder = folder / f"{self._count}{_OF_ITS_OWN}"
            folder.mkdir()
        self._names.add(name.casefold())
        return folder / name

    def _lose(self, event: NodeOutput, found: Found, message: str) -> None:
        if found.is_certain:
            self.lost.append((event, message))


def _with_names(output: Mapping[str, Any], names: Mapping[tuple[str, int], FileItem]) -> Mapping[str, Any]:
    """Name the files in an output as they are kept."""
    named = dict(output)
    for (key, index), item in names.items():
        items = list(named[key])
        items[index] = {**items[index], "filename": item.filename, "subfolder": item.subfolder}
        named[key] = items
    return named


def _with_files(
    event: NodeOutput, files: list[ProducedFile], further: list[FileItem], listed: list[ProducedFile]
) -> NodeOutput:
    if not further:
        return replace(event, files=tuple(files))
    known = event.output.get(_LISTED, [])
    before = cast("list[Any]", known) if isinstance(known, list) else [known]
    output = {**event.output, _LISTED: [*before, *(item.as_output() for item in further)]}
    moved = (replace(file, index=len(before) + file.index) for file in listed)
    return replace(event, output=output, files=(*files, *moved))
