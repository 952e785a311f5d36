"""The next job's model files come into memory."""

import ctypes
import mmap
import os
from pathlib import Path

import pytest

from fireside.worker.warming import warm_files

MIB = 1024 * 1024


def in_memory(path: Path) -> float:
    """Say which part of a file the system holds in memory."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        pages = -(-len(mapped) // mmap.PAGESIZE)
        found = (ctypes.c_ubyte * pages)()
        view = (ctypes.c_char * len(mapped)).from_buffer(mapped)
        answer = ctypes.CDLL(None).mincore(ctypes.byref(view), ctypes.c_size_t(len(mapped)), found)
        del view
    assert answer == 0
    return sum(page & 1 for page in found) / pages


def cold_file(path: Path) -> Path:
    """Write a file that is on the disk alone."""
    with path.open("wb") as file:
        file.write(os.urandom(20 * MIB))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if in_memory(path):
        pytest.skip("the files of this folder never leave the memory")
    return path


async def test_files_that_nobody_holds_are_read(tmp_path: Path) -> None:
    cold, warm = cold_file(tmp_path / "cold.bin"), cold_file(tmp_path / "warm.bin")

    reading = warm_files(
        {"vae/cold.bin": cold, "vae/warm.bin": warm, "vae/gone.bin": tmp_path / "gone.bin"}, {"warm.bin"}
    )

    assert reading is not None
    await reading
    with cold.open("rb") as file:
        assert len(file.read()) == 20 * MIB
    assert in_memory(warm) == 0


async def test_nothing_is_begun_for_a_job_without_models() -> None:
    assert warm_files({}, ()) is None
