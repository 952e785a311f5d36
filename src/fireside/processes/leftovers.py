"""Children of a former life that may still be there: recorded by pid and start time, ended at the next start.

A pid alone may belong to a stranger by then; a pid together with its start time does not.
"""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import msgspec

_START_TIME_FIELD = 19
_OVER = frozenset("ZXx")
_POLL_SECONDS = 0.01
_GONE_SECONDS = 5.0


class Leftovers:
    """The record, in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._recorded: dict[int, int] = {}

    async def end_all(self) -> None:
        """Kill what a former life left running, wait until it is gone, and begin an empty record."""
        for pid, started in self._read().items():
            if start_time(pid) != started:
                continue
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            await _until_gone(pid, started)
        self._recorded = {}
        self._write()

    def add(self, pid: int) -> None:
        """Remember a child that has just been started."""
        started = start_time(pid)
        if started is not None:
            self._recorded = {known: at for known, at in self._recorded.items() if start_time(known) == at}
            self._recorded[pid] = started
            self._write()

    def _read(self) -> dict[int, int]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[int, int])
        except (FileNotFoundError, msgspec.MsgspecError):
            return {}

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self._path.with_name(self._path.name + ".part")
        part.write_bytes(msgspec.json.encode(self._recorded))
        part.replace(self._path)


def start_time(pid: int) -> int | None:
    """When the process began, in clock ticks since boot; None when it is gone, a zombie, or not ours to know.

    A zombie that its parent collects is dead (X) for a moment before it is gone.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    # The program's name, in parentheses, may hold anything; what follows the last one is plain.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in _OVER else int(fields[_START_TIME_FIELD])


async def _until_gone(pid: int, started: int) -> None:
    deadline = asyncio.get_running_loop().time() + _GONE_SECONDS
    while start_time(pid) == started and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - its end tells nobody
        await asyncio.sleep(_POLL_SECONDS)
