"""What the verbs about users' files work on, and how a file's bytes are had on this machine."""

import asyncio
import contextlib
import errno
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from fireside.assets.pictures import PictureLimits
from fireside.blobs.base import CHUNK_BYTES, Blobs
from fireside.config import Config
from fireside.domain.errors import StorageFull
from fireside.domain.ids import BlobHash
from fireside.store.store import Store

_FOLDER_MODE = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """What every verb needs; `scratch` is the folder for files without a name, which are gone with this process."""

    store: Store
    blobs: Blobs
    limits: PictureLimits
    scratch: Path
    clock: Callable[[], datetime]


def library_with(config: Config, store: Store, blobs: Blobs, clock: Callable[[], datetime]) -> Library:
    """Put together what the verbs about files need, with the limits of the settings."""
    limits = PictureLimits(
        max_bytes=config.max_picture_bytes, max_edge=config.max_picture_edge, max_pixels=config.max_picture_pixels
    )
    scratch = Path(config.data_dir) / "scratch"
    return Library(store=store, blobs=blobs, limits=limits, scratch=scratch, clock=clock)


@contextlib.asynccontextmanager
async def blob_file(library: Library, blob_hash: BlobHash) -> AsyncGenerator[Path]:
    """Give a blob as a file of this machine, for as long as it is looked at; raises `NotFound` when it is gone."""
    path = library.blobs.local_path(blob_hash)
    if path is not None:
        yield path
        return
    with _full_disk_as_refusal():
        copy = await asyncio.to_thread(lambda: tempfile.NamedTemporaryFile(dir=_made(library.scratch)))  # noqa: SIM115
    with copy:
        async for chunk in library.blobs.read(blob_hash):
            with _full_disk_as_refusal():
                await asyncio.to_thread(copy.write, chunk)
        with _full_disk_as_refusal():
            await asyncio.to_thread(copy.flush)
        yield Path(copy.name)


@contextlib.contextmanager
def scratch_file(library: Library) -> Generator[IO[bytes]]:
    """Open an empty file without a name; a disk that fills up while it is written raises `StorageFull`."""
    with _full_disk_as_refusal(), tempfile.TemporaryFile(dir=_made(library.scratch)) as file:
        yield file


async def chunks_of(file: IO[bytes]) -> AsyncIterator[bytes]:
    """Read a file from its begin."""
    await asyncio.to_thread(file.seek, 0)
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield chunk


@contextlib.contextmanager
def _full_disk_as_refusal() -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("The server's disk is full. Nothing was stored; try again later.") from error
        raise


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
    return folder
