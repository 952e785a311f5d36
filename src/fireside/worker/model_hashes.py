"""Hashes of this machine's model files: made once in the background, and remembered by path, size and time of change.

Nobody waits for one: a file whose hash is not known yet is asked for, and known the next time. Only files that jobs
name are ever read. What is remembered outlives the worker and may be lost: then it is made again.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec
import structlog
from blake3 import blake3

_CHUNK_BYTES = 4 * 1024 * 1024
_MOST_KEPT = 10_000
_log = structlog.get_logger(__name__)

Sight = tuple[int, int]
"""Size in bytes, and time of change in nanoseconds."""


class ModelHashes:
    """What one worker knows of model files; `file` is where it is remembered."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, tuple[Sight, str]] = _read(file)
        self._first_seen: dict[str, Sight] = {}
        self._wanted: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    def known(self, path: Path) -> str | None:
        """Give the hash of the file as it is now; None, and it is begun with, while it is not known."""
        sight = sight_of(path)
        if sight is None:
            return None
        kept = self._known.get(str(path))
        if kept is not None and kept[0] == sight:
            return kept[1]
        if str(path) not in self._wanted:
            self._wanted[str(path)] = asyncio.create_task(self._hash(path), name=f"hash of {path.name}")
        return None

    def is_steady(self, path: Path) -> bool:
        """Whether the file is what it was when it was asked about first: a runtime may hold what it has read then."""
        sight = sight_of(path)
        return sight is not None and self._first_seen.setdefault(str(path), sight) == sight

    def of(self, paths: Mapping[str, Path]) -> dict[str, str] | None:
        """Give the hashes of all these files as they are now; None while one is not known."""
        found = {name: self.known(path) for name, path in paths.items()}
        known = {name: value for name, value in found.items() if value is not None}
        return known if len(known) == len(found) else None

    async def settle(self) -> None:
        """Wait until no hash is being made."""
        await asyncio.gather(*self._wanted.values())

    async def stop(self) -> None:
        """Leave what has not been done."""
        for task in self._wanted.values():
            task.cancel()
        await asyncio.gather(*self._wanted.values(), return_exceptions=True)

    async def _hash(self, path: Path) -> None:
        try:
            # One after the other: they are large, and a job may be reading from the same disk.
            async with self._turn:
                before = sight_of(path)
                value = await asyncio.to_thread(_digest, path)
                if before is not None and sight_of(path) == before:
                    if len(self._known) >= _MOST_KEPT:
                        self._known.clear()
                    self._known[str(path)] = before, value
                    await asyncio.to_thread(_write, self._file, dict(self._known))
        except OSError as error:
            _log.info("model not hashed", path=str(path), reason=str(error))
        finally:
            del self._wanted[str(path)]


def sight_of(path: Path) -> Sight | None:
    """Look at a file; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _digest(path: Path) -> str:
    hasher = blake3()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            hasher.update(chunk)
    return hasher.hexdigest()


def _read(file: Path) -> dict[str, tuple[Sight, str]]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, tuple[Sight, str]])
    except (OSError, msgspec.MsgspecError):
        return {}


def _write(file: Path, known: Mapping[str, tuple[Sight, str]]) -> None:
    part = file.with_name(file.name + ".part")
    part.write_bytes(msgspec.json.encode(known))
    part.replace(file)
