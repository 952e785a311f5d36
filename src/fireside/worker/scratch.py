"""Folders for runs, used again and again: to make and remove them takes longer than the rest of a small run's files.

A folder for a run holds an empty `run`. What a run has left in it is removed; if that was little, the folder is kept.
"""

import asyncio
import os
import shutil
import stat
from pathlib import Path

RUN = "run"
_FEW = 8
_SMALL_BYTES = 1024 * 1024
_MOST_KEPT = 4


class _TooMuchError(Exception):
    """It takes longer than to wake a thread."""


class Scratch:
    """The folders below a folder that nobody else uses, and that is empty at first."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._kept: list[Path] = []
        self._made = 0

    def take(self) -> Path:
        """Give a folder with an empty `run` in it and nothing else; raises `OSError` when the disk refuses."""
        if self._kept:
            return self._kept.pop()
        self._made += 1
        folder = self._root / f"{self._made}"
        (folder / RUN).mkdir(parents=True)
        return folder

    async def give_back(self, folder: Path, *, is_at_rest: bool) -> None:
        """Remove all that is in the folder, as far as that can be done; what is little without waking a thread.

        It is used again only when it is at rest: of a run that was broken off a thread may still be writing, and the
        next one is somebody else's.
        """
        if is_at_rest and len(self._kept) < _MOST_KEPT:
            try:
                _empty_little(str(folder))
            except (_TooMuchError, OSError):
                pass
            else:
                self._kept.append(folder)
                return
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _empty_little(folder: str) -> None:
    files, folders = _found_in(folder)
    run = f"{folder}/{RUN}"
    for name in files:
        os.unlink(name)
    for name in reversed(folders):
        if name not in (folder, run):
            os.rmdir(name)
    if run not in folders:
        os.mkdir(run)


def _found_in(folder: str) -> tuple[list[str], list[str]]:
    """List the files, and the folders, those that hold others first; raises `_TooMuchError`."""
    files: list[str] = []
    folders = [folder]
    for name in folders:
        with os.scandir(name) as entries:
            for entry in entries:
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    folders.append(entry.path)
                else:
                    files.append(entry.path)
                if len(files) + len(folders) > _FEW or found.st_size > _SMALL_BYTES:
                    raise _TooMuchError
    return files, folders
