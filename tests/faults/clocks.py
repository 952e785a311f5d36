"""A wall clock that is a test's own: processes that are started with it see it go by as much as they are told.

The program in `clock.c` stands before the C library; it is made where there is a C compiler.
"""

import os
import shutil
import struct
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

_SOURCE = Path(__file__).with_name("clock.c")
_NANOSECONDS = 1_000_000_000


class WallClock:
    """The clock, and the environment that a process has to be started with to see it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._offset = folder / "offset"
        self._offset.write_bytes(struct.pack("q", 0))
        library = folder / "clock.so"
        compiler = shutil.which("cc")
        if compiler is None:
            assert "CI" not in os.environ, "CI must have a C compiler"
            pytest.skip("there is no C compiler, and so no other way to move the clock of one process alone")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, _SOURCE], check=True)
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(self._offset)}

    def go_by(self, hours: int) -> None:
        """Let it differ from everybody else's by so many hours from now on, at once."""
        nanoseconds = int(timedelta(hours=hours).total_seconds()) * _NANOSECONDS
        # In one write of eight bytes: whoever has mapped it sees the old ones or the new ones.
        with self._offset.open("r+b", buffering=0) as file:
            file.write(struct.pack("q", nanoseconds))
