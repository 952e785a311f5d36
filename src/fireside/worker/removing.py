"""Removing the folder of a run."""

import asyncio
import os
import shutil
import stat
from pathlib import Path

_FEW = 8
_SMALL_BYTES = 1024 * 1024


class _TooMuchError(Exception):
    """It takes longer than to wake a thread."""


async def remove(folder: Path) -> None:
    """Remove a folder and all in it, as far as that can be done; what is little without waking a thread."""
    try:
        _remove_little(str(folder))
    except (_TooMuchError, OSError):
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _remove_little(folder: str) -> None:
    files, folders = _found_in(folder)
    for name in files:
        os.unlink(name)
    for name in reversed(folders):
        os.rmdir(name)


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
