"""One child process that dies with its parent.

On Linux the kernel ends it (PR_SET_PDEATHSIG, set between fork and exec); that signal is bound to the thread that
forks, so children are started from the thread of the event loop. Output goes to a log file of the child's own. No child
has the server's secrets in its environment: workers run what strangers wrote.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from fireside.config import without_secrets

_PR_SET_PDEATHSIG = 1
_LOG_KEPT_BYTES = 4 * 1024 * 1024
_libc: ctypes.CDLL | None = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


def die_with_parent(parent_pid: int | None = None) -> None:
    """Ask the kernel to kill this process when its parent dies.

    `parent_pid` closes the race with a parent that is dead already.
    Does nothing on systems without parent-death signals.
    """
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent_pid is not None and os.getppid() != parent_pid:
        os._exit(1)


def before_exec() -> Callable[[], None]:
    """Give what a forked child does before it becomes the program: tie its life to ours."""
    parent_pid = os.getpid()
    return lambda: die_with_parent(parent_pid)


class Child:
    """A program run as a child; start it anew after it ended if you like."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log_path: Path,
        env: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        """Start nothing yet; of our environment's secrets it is given none but `secrets`."""
        self.name = name
        self._secrets = dict(secrets or {})
        self._argv = list(argv)
        self._log_path = log_path
        self._env = dict(env) if env is not None else None
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the program."""
        with self._open_log() as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=without_secrets(os.environ if self._env is None else self._env) | self._secrets,
                preexec_fn=before_exec(),
            )

    async def wait(self) -> int:
        """Wait for its end and give its exit code, negative for a signal."""
        assert self._process is not None
        return await self._process.wait()

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def stop(self, grace_seconds: float) -> None:
        """Ask it to end, and end it when it has not after the grace; idempotent."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace_seconds)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def log_tail(self, lines: int = 20) -> str:
        """Give the last lines it wrote."""
        try:
            return "\n".join(self._log_path.read_text("utf-8", "replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def _open_log(self) -> IO[bytes]:
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if self._log_path.stat().st_size > _LOG_KEPT_BYTES:
                self._log_path.replace(self._log_path.with_suffix(".old"))
        return self._log_path.open("ab")
