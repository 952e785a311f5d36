"""Bringing the model files of the next job into this machine's memory while another job runs.

The loader then finds them there and does not wait for the disk. It is the system that reads, and drops what it needs
the memory for; nobody waits for it, and what cannot be read is for the loader to complain of.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

# Of a larger piece the system reads a beginning only.
_PIECE_BYTES = 4 * 1024 * 1024


def warm_files(paths: Mapping[str, Path], but: Collection[str]) -> asyncio.Future[None] | None:
    """Begin to read these files, by `folder/name`, but those of these names; None where there is nothing to do."""
    cold = [path for name, path in paths.items() if name.partition("/")[2] not in but]
    return asyncio.get_running_loop().run_in_executor(None, _read_ahead, cold) if cold else None


def _read_ahead(paths: Iterable[Path]) -> None:
    if sys.platform != "linux":
        return
    for path in paths:
        with contextlib.suppress(OSError), path.open("rb") as file:
            for offset in range(0, os.fstat(file.fileno()).st_size, _PIECE_BYTES):
                os.posix_fadvise(file.fileno(), offset, _PIECE_BYTES, os.POSIX_FADV_WILLNEED)
