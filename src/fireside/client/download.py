"""Saving a job's files into a folder.

Names come from the server and from workflows, so they are believed no further than the folder: every part of a path
that leads elsewhere is refused. A file appears under its name only when it is whole, and never replaces another.
"""

import itertools
import os
import re
from pathlib import Path

from fireside.client.answers import OutputFile
from fireside.client.connection import Connection
from fireside.client.errors import ClientError

_SEPARATORS = re.compile(r"[/\\]")


async def save_file(connection: Connection, file: OutputFile, folder: Path) -> Path:
    """Download one file into the folder, below its subfolder, and say where it is."""
    wanted = path_below(folder, file)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    partial = wanted.with_name(f".{wanted.name}.{os.getpid()}.part")
    parameters = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
    try:
        async with connection.download("/api/view", parameters) as chunks:
            with partial.open("wb") as target:
                async for chunk in chunks:
                    target.write(chunk)
        return _publish(partial, wanted)
    except OSError as error:
        raise ClientError(f"cannot save {wanted}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def path_below(folder: Path, file: OutputFile) -> Path:
    """Say where in the folder a file belongs; raises `ClientError` for a name that leads out of it."""
    parts = [part for part in _SEPARATORS.split(file.subfolder) if part]
    parts.append(file.filename)
    for part in parts:
        if part in ("", ".", "..") or _SEPARATORS.search(part) or not part.isprintable() or ":" in part:
            raise ClientError(f"the server gave a file a name that is not safe to save: {file.filename!r}")
    path = folder.joinpath(*parts)
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise ClientError(f"{path.parent} leads out of {folder}")
    return path


def _publish(partial: Path, wanted: Path) -> Path:
    """Give the file its name, or the first free one like it."""
    for count in itertools.count():
        path = wanted if count == 0 else wanted.with_stem(f"{wanted.stem} ({count})")
        try:
            os.link(partial, path)
        except FileExistsError:
            continue
        return path
    raise AssertionError("count() has no end")
