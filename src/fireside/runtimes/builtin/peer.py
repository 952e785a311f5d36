"""The worker's end of one child process: started, spoken to, heard, ended.

It knows frames and the process, not what a run is. The child dies with us: by the kernel's hand, and because its pipe
closes.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from fireside.config import without_secrets
from fireside.processes.children import before_exec
from fireside.runtimes.base import RunEvent, RuntimeInfo, RuntimeStartError
from fireside.runtimes.builtin import messages

_START_SECONDS = 60.0
_LOG_LINES = 20
_ARGUMENTS = ("-P", "-m", "fireside.runtimes.builtin.child")


class Peer:
    """A child that is running or has ended; never started twice."""

    def __init__(
        self, log_path: Path, *, on_event: Callable[[str, RunEvent], None], on_end: Callable[[str], None]
    ) -> None:
        self._log_path = log_path
        self._on_event = on_event
        self._on_end = on_end
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._process.pid if self._process is not None and self.is_alive else None

    @property
    def is_alive(self) -> bool:
        """Whether it can be spoken to."""
        return self._listening is not None and not self._listening.done()

    async def start(self, settings: messages.Settings) -> RuntimeInfo:
        """Start the child and wait until it has said what it is."""
        try:
            process = self._process = await self._spawn()
            await self.send(messages.encode(settings))
            async with asyncio.timeout(_START_SECONDS):
                info = messages.decode_info(await _frame_of(process))
        except (OSError, EOFError, TimeoutError, msgspec.MsgspecError, messages.TooLongError) as error:
            await self.stop(0)
            raise RuntimeStartError(f"The builtin runtime did not start: {error}\n{self._log_tail()}") from error
        self._listening = asyncio.create_task(self._listen(process), name="builtin runtime")
        return info

    async def send(self, frame: bytes) -> None:
        """Say something; a child that is gone is noticed where it is heard, not here."""
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(frame)
            await self._process.stdin.drain()

    def kill(self) -> None:
        """End the child now."""
        if self._process is not None and self._process.returncode is None:
            # Not Popen.kill: it may reap a process that has just died, and asyncio would never learn its exit code.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def stop(self, grace_seconds: float) -> None:
        """Let the child end, kill it after the grace, and wait until it is gone; idempotent."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), grace_seconds)
        except TimeoutError:
            self.kill()
            await process.wait()
        if self._listening is not None:
            await self._listening

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("wb") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                *_ARGUMENTS,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self._log_path.parent,
                env=without_secrets(os.environ),
                preexec_fn=before_exec(),
            )

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(EOFError, messages.TooLongError, msgspec.MsgspecError, KeyError):
            while True:
                self._on_event(*messages.decode_event(await _frame_of(process)))
        # Also when it broke the rules of the pipe instead of dying.
        self.kill()
        self._on_end(_how(await process.wait()))

    def _log_tail(self) -> str:
        if not self._log_path.is_file():
            return ""
        return "\n".join(self._log_path.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:])


async def _frame_of(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    # IncompleteReadError is an EOFError.
    prefix = await process.stdout.readexactly(messages.LENGTH_BYTES)
    return await process.stdout.readexactly(messages.length_of(prefix))


def _how(code: int) -> str:
    if code >= 0:
        return f"The runtime's process ended with exit code {code}."
    name = signal.Signals(-code).name
    hint = ", perhaps because the machine ran out of memory" if -code == signal.SIGKILL else ""
    return f"The runtime's process was ended by {name}{hint}."
