"""The files of a run on ComfyUI's side: inputs brought, outputs taken, nothing left.

A supervised ComfyUI runs one task at a time in folders of its own, so inputs lie there under the very names that the
graph writes, and only for as long as the run lasts: the graph stays the user's own, and with it the workflow that
ComfyUI writes into pictures. An attached ComfyUI shares its folders with others: inputs are uploaded under the names
of their hashes and the graph is rewritten; nothing can be removed there.
"""

import asyncio
import contextlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from blake3 import blake3

from fireside.graphs.definitions import NodeDefinitions
from fireside.runtimes.base import Task
from fireside.runtimes.comfyui.connection import Connection
from fireside.runtimes.comfyui.file_inputs import nodes_that_name, rewrite_files
from fireside.runtimes.comfyui.file_items import FileItem, annotated_path
from fireside.runtimes.comfyui.home import Folders
from fireside.runtimes.comfyui.outputs import FileSource

_REMEMBERED_HASHES = 4096
_NAME_CHARACTERS = 40
_FEW = 4
_SMALL_BYTES = 1024 * 1024
# Folders below the output folder in which ComfyUI looks for models as well. It remembers when one was changed last, and
# knows no model at all any more when one is gone that it has seen.
_LOOKED_INTO = frozenset({"checkpoints", "clip", "diffusion_models", "loras", "vae"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A task as ComfyUI is to run it. `salts` make the results of nodes with files theirs alone."""

    graph: Mapping[str, Any]
    salts: Mapping[str, str] = field(default_factory=dict[str, str])


class Place(FileSource, Protocol):
    """Where the files of runs lie."""

    async def stage(self, task: Task) -> Staged:
        """Bring the inputs; raises `ValueError` for a name that cannot be one, `OSError` when the disk refuses."""
        ...

    def belongs_to(self, prompt_id: str) -> None:
        """Say under which id the run is known to ComfyUI."""
        ...

    @property
    def was_put_aside(self) -> bool:
        """Whether another run has begun since, before which our node pack has put aside what this one left."""
        ...

    async def clean(self) -> None:
        """Remove what a run has left."""
        ...


class FileHashes:
    """blake3 of files, remembered for as long as a file does not change."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int, int], str] = {}

    def of(self, path: Path) -> str:
        """Hash the file, unless it is known."""
        found = path.stat()
        identity = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        if identity not in self._known:
            if len(self._known) >= _REMEMBERED_HASHES:
                self._known.clear()
            self._known[identity] = blake3().update_mmap(path).hexdigest()
        return self._known[identity]


class LocalPlace:
    """The private folders of a supervised ComfyUI."""

    def __init__(self, folders: Folders, hashes: FileHashes) -> None:
        self._roots = {"input": folders.input, "output": folders.output, "temp": folders.temp}
        self._all_left = folders.left
        self.belongs_to("none")
        self._hashes = hashes

    def belongs_to(self, prompt_id: str) -> None:
        """See the protocol."""
        self._left = self._all_left / prompt_id
        self._moving = self._all_left / f".{prompt_id}"

    @property
    def was_put_aside(self) -> bool:
        """See the protocol."""
        return self._left.exists()

    async def stage(self, task: Task) -> Staged:
        """Link the inputs where the graph says they are."""
        if not task.inputs:
            return Staged(graph=task.graph)
        return await asyncio.to_thread(self._stage, task)

    async def fetch(self, item: FileItem, target: Path) -> None:
        """Link the file, which stays where it is: later nodes may read it, and count on its name being taken."""
        # In the order in which a file is moved, so that it is met.
        for root in () if self.was_put_aside else (self._roots[item.type], self._moving / item.type):
            with contextlib.suppress(FileNotFoundError):
                await self._fetch_from(root, item, target)
                if not self.was_put_aside:
                    return
                # It may have been of the run that has begun since.
                target.unlink()
        await self._fetch_from(self._left / item.type, item, target)

    async def _fetch_from(self, root: Path, item: FileItem, target: Path) -> None:
        path = _plain_file_in(root, item) or _file_in(root.resolve(), item)
        if not _linked(path, target):
            await asyncio.to_thread(shutil.copyfile, path, target)

    async def clean(self) -> None:
        """Empty the folders; they themselves stay."""
        roots, left = list(self._roots.values()), list[Path]()
        if self.was_put_aside:
            roots = [self._roots["input"]]
            left = [] if _emptied_for_others(self._left) else [self._left]
        left += [entry for root in roots for entry in _entries_of(root)]
        if len(left) <= _FEW and all(map(_is_small_file, left)):
            # Sooner done than a thread is woken, and the next run waits for it.
            _remove(left)
        else:
            await asyncio.to_thread(_remove, left)

    def _stage(self, task: Task) -> Staged:
        for value, source in task.inputs.items():
            folder, path = annotated_path(value)
            target = self._roots[folder] / path
            target.parent.mkdir(parents=True, exist_ok=True)
            # "a.png" and "a.png [input]" are one file.
            if not target.exists() and not _linked(source, target):
                shutil.copyfile(source, target)
        # Two users may call different files the same: a node that goes by the name alone must not take one's for the
        # other's.
        salts = {
            node_id: "/".join(self._hashes.of(task.inputs[value]) for value in sorted(values))
            for node_id, values in nodes_that_name(task.graph, task.inputs).items()
        }
        return Staged(graph=task.graph, salts=salts)


class RemotePlace:
    """The folders of an attached ComfyUI, reached by its own routes."""

    def __init__(self, connection: Connection, definitions: NodeDefinitions, hashes: FileHashes) -> None:
        self._connection = connection
        self._definitions = definitions
        self._hashes = hashes

    async def stage(self, task: Task) -> Staged:
        """Upload what is not there yet and write its names into the graph."""
        names = {value: await self._upload(value, path) for value, path in task.inputs.items()}
        return Staged(graph=rewrite_files(task.graph, names, self._definitions) if names else task.graph)

    async def fetch(self, item: FileItem, target: Path) -> None:
        """Download the file."""
        for part in (item.subfolder, item.filename):
            if part.startswith("/") or ".." in PurePosixPath(part).parts:
                raise PermissionError(str(item))
        if not await self._connection.download(item, target):
            raise FileNotFoundError(str(item))

    def belongs_to(self, prompt_id: str) -> None:
        """Do nothing: results lie among others'."""

    @property
    def was_put_aside(self) -> bool:
        """Say no: one run follows another."""
        return False

    async def clean(self) -> None:
        """Do nothing: there is no route that removes a file."""

    async def _upload(self, value: str, path: Path) -> str:
        folder, written = annotated_path(value)
        name = f"fireside_{await asyncio.to_thread(self._hashes.of, path)}"[:_NAME_CHARACTERS] + written.suffix
        subfolder = "" if written.parent == PurePosixPath() else written.parent.as_posix()
        item = FileItem(folder, subfolder, name)
        if not await self._connection.has_file(item):
            await self._connection.upload(item, path)
        placed = f"{subfolder}/{name}" if subfolder else name
        return placed if folder == "input" else f"{placed} [{folder}]"


class UnbridgedPlace(LocalPlace):
    """The private folders of a supervised ComfyUI without our node pack: only names tell results apart there."""

    def __init__(self, folders: Folders, hashes: FileHashes, uploads: RemotePlace) -> None:
        super().__init__(folders, hashes)
        self._uploads = uploads

    async def stage(self, task: Task) -> Staged:
        """Name the inputs by their hashes."""
        return await self._uploads.stage(task)


def _plain_file_in(root: Path, item: FileItem) -> Path | None:
    """Name a file right in the folder; None where it takes a closer look to say what is there, and where that leads."""
    path = root / item.filename
    with contextlib.suppress(OSError, ValueError):
        if not item.subfolder and path.parent == root and stat.S_ISREG(path.lstat().st_mode):
            return path
    return None


def _file_in(root: Path, item: FileItem) -> Path:
    """Name a file of the folder, which has been resolved; raises `FileNotFoundError` or `PermissionError`."""
    try:
        path = (root / item.subfolder / item.filename).resolve(strict=True)
    except (OSError, ValueError) as error:
        raise FileNotFoundError(str(item)) from error
    if not path.is_relative_to(root):
        raise PermissionError(str(item))
    if not path.is_file():
        raise FileNotFoundError(str(item))
    return path


def _emptied_for_others(left: Path) -> bool:
    """Remove the files that were put aside, if they are few, and leave the folders to our node pack for another run."""
    try:
        files = [path for name in ("output", "temp") for path in (left / name).iterdir()]
        if len(files) > _FEW or not all(map(_is_small_file, files)):
            return False
        for path in files:
            path.unlink(missing_ok=True)
        left.rename(left.with_name("spare"))
    except OSError:
        return False
    return True


def _linked(source: Path, target: Path) -> bool:
    """Link the file; false where links cannot lead, to another disk for instance."""
    try:
        os.link(source, target)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        return False
    return True


def _entries_of(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(FileNotFoundError):
        for entry in list(folder.iterdir()):
            if entry.name in _LOOKED_INTO and entry.is_dir() and not entry.is_symlink():
                yield from list(entry.iterdir())
            else:
                yield entry


def _is_small_file(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        return stat.S_ISREG(found.st_mode) and found.st_size <= _SMALL_BYTES
    return True


def _remove(entries: list[Path]) -> None:
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
