"""Models that were fetched, kept by their hash: bounded, shared by the workers of a machine, least recently used out.

A file lies under its hash, and is seen by a runtime through a link with the model's folder and name, which each worker
has in a folder of its own. Whoever uses a file holds a lock on it, so that no worker of this machine removes it
meanwhile; the locks are the kernel's, so a process that dies holds nothing. One download at a time runs on a machine:
its part stays when it is broken off, and the next one goes on from there. What the bytes must be is checked as they
come. It does not download.
"""

import asyncio
import contextlib
import fcntl
import os
import re
import time
from collections.abc import AsyncGenerator, Collection
from pathlib import Path

from fireside.wire.fleet import MODEL_MARK, NeededModel

_TURN = "fetching.lock"
_PART = ".part"
_OURS = re.compile(rf"[0-9a-f]{{64}}({re.escape(_PART)})?")
_LOOK_SECONDS = 0.25
_MOST_MARKS = 256
_File = tuple[int, int, Path]


class NoRoom(OSError):
    """So much of the cache is in use that a file does not fit beside it."""


class ModelCache:
    """Up to `limit_bytes` of files below `folder`; with 0 it is off."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self.limit_bytes = limit_bytes
        self._marks: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        """Whether models are fetched at all."""
        return self.limit_bytes > 0

    @property
    def marks(self) -> tuple[str, ...]:
        """Name what was here at the last look, by the beginnings of the hashes, those used last first."""
        return self._marks

    def look(self) -> None:
        """See what is here, as other workers of this machine fetch and remove models as well."""
        self._marks = tuple(path.name[:MODEL_MARK] for _, _, path in reversed(self._files()))[:_MOST_MARKS]

    def take(self, model: NeededModel, held: contextlib.ExitStack) -> Path | None:
        """Give the model's file, which stays until `held` is closed; None where it is not here."""
        path = self._folder / model.hash
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        # Whoever removes a file has it locked for a moment.
        fcntl.flock(handle, fcntl.LOCK_SH)
        found = os.fstat(handle)
        if found.st_nlink == 0 or found.st_size != model.size_bytes:
            os.close(handle)
            return None
        held.callback(os.close, handle)
        with contextlib.suppress(OSError):
            os.utime(path, ns=(time.time_ns(), found.st_mtime_ns))
        return path

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait until no other worker of this machine fetches, and be the only one for the block."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._folder / _TURN, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while not _lock(handle):  # noqa: ASYNC110 - the kernel tells nobody of a lock that is free
                await asyncio.sleep(_LOOK_SECONDS)
            yield
        finally:
            os.close(handle)

    def part_of(self, model: NeededModel) -> Path:
        """Say where the bytes of a model come; for whoever's turn it is."""
        return self._folder / f"{model.hash}{_PART}"

    def make_room(self, model: NeededModel) -> None:
        """Remove what was not used for longest until the model fits; raises `NoRoom`. For whoever's turn it is."""
        # Nobody else fetches now, so the parts of others are what broken downloads have left.
        files = [*self._parts(but=self.part_of(model)), *self._files()]
        excess = sum(size for _, size, _ in files) + model.size_bytes - self.limit_bytes
        for _, size, path in files:
            if excess <= 0:
                return
            if _remove_unused(path):
                excess -= size
        if excess > 0:
            raise NoRoom(f"{model.size_bytes} bytes do not fit beside the models that are in use (model_cache_bytes)")

    def keep(self, model: NeededModel) -> None:
        """Make the part of a model, which is whole and checked, the model; it is on disk then."""
        part = self.part_of(model)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(self._folder / model.hash)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self.look()

    async def keep_only(self, hashes: Collection[str]) -> None:
        """Remove every model that is none of these and not in use."""
        wanted = set(hashes)
        if all(path.stem in wanted for _, _, path in [*self._parts(), *self._files()]):
            return
        async with self.turn():
            await asyncio.to_thread(self._drop_others, wanted)

    def _drop_others(self, wanted: set[str]) -> None:
        for _, _, path in [*self._parts(), *self._files()]:
            if path.stem not in wanted:
                _remove_unused(path)
        self.look()

    def _files(self) -> list[_File]:
        """List the models by the time of their last use, with their sizes."""
        return [one for one in self._all() if not one[2].suffix]

    def _parts(self, *, but: Path | None = None) -> list[_File]:
        return [one for one in self._all() if one[2].suffix and one[2] != but]

    def _all(self) -> list[_File]:
        found: list[_File] = []
        with contextlib.suppress(FileNotFoundError):
            for entry in os.scandir(self._folder):
                with contextlib.suppress(FileNotFoundError):
                    if _OURS.fullmatch(entry.name):
                        stat = entry.stat()
                        found.append((stat.st_atime_ns, stat.st_size, Path(entry.path)))
        return sorted(found)


def show(model: NeededModel, path: Path, links: Path) -> None:
    """Let the runtime see the file under the model's folder and name; raises `OSError` for a name that leads out."""
    link = links / model.folder / model.name
    if ".." in Path(model.folder, model.name).parts or links not in link.parents:
        raise OSError(f"{model.folder}/{model.name} is no name of a model")
    target = str(path.absolute())
    if link.is_symlink() and str(link.readlink()) == target:
        return
    link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = link.with_name(f".{link.name}.new")
    made.unlink(missing_ok=True)
    made.symlink_to(target)
    made.replace(link)


def drop_dead_links(links: Path) -> None:
    """Remove links to files that are gone; their folders stay, because ComfyUI remembers these."""
    for link in links.rglob("*"):
        if link.is_symlink() and not link.exists():
            link.unlink(missing_ok=True)


def _remove_unused(path: Path) -> bool:
    """Remove a file that nobody has locked."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        if not _lock(handle):
            return False
        path.unlink(missing_ok=True)
        return True
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
