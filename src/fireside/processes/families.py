"""A program and everything it starts, as one: started, read, interrupted, and ended together.

`Child` is enough for programs that start none themselves. Here a `keeper` stands between, which ends the whole family
when we ask for it, and also when we are killed.
"""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from fireside.processes import keeper
from fireside.processes.leftovers import start_time

_INTERRUPT = b"i"


class Family:
    """A program that runs or has ended; never started twice."""

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> None:
        self._argv = list(argv)
        self._env = dict(env)
        self._cwd = cwd
        self._keeper: asyncio.subprocess.Process | None = None
        self._pid: int | None = None

    @property
    def is_alive(self) -> bool:
        """Whether any of it may still run."""
        return self._keeper is not None and self._keeper.returncode is None

    @property
    def pid(self) -> int | None:
        """The program's own process id while it runs."""
        # The keeper notices a moment later that its program is gone.
        is_gone = self._pid is None or (sys.platform.startswith("linux") and start_time(self._pid) is None)
        return self._pid if self.is_alive and not is_gone else None

    async def start(self) -> None:
        """Start the program; `wait` gives 127 at once where there is none."""
        # In a session of its own: a terminal's Ctrl-C is ours to handle, not the program's.
        self._keeper = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", keeper.__file__),
            *self._argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._env,
            cwd=self._cwd,
            start_new_session=True,
        )
        assert self._keeper.stdout is not None
        line = await self._keeper.stdout.readline()
        self._pid = int(line) if line.strip().isdigit() else None

    async def read(self, most_bytes: int) -> bytes:
        """Read what it writes, to standard output or error; nothing means that all of it has ended."""
        assert self._keeper is not None
        assert self._keeper.stdout is not None
        return await self._keeper.stdout.read(most_bytes)

    async def wait(self) -> int:
        """Wait for its end and give the program's exit code, negative for a signal."""
        assert self._keeper is not None
        return await self._keeper.wait()

    def interrupt(self) -> None:
        """Ask the program to end, as Ctrl-C does."""
        if self.is_alive and self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.write(_INTERRUPT)

    def kill(self) -> None:
        """End the program and everything it started, now."""
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()

    async def stop(self, grace_seconds: float) -> None:
        """Interrupt the program, and kill all of it after the grace or its end; idempotent."""
        if self.is_alive:
            self.interrupt()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wait(), grace_seconds)
            self.kill()
            await self.wait()
