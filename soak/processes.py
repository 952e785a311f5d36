"""The processes below a server, found and measured by the kernel's own files (Linux only)."""

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def descendants(pid: int) -> Iterator[int]:
    """List everything the process has started, and what those have."""
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield int(child)
            yield from descendants(int(child))


def command_of(pid: int) -> str:
    """Give its command line, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""


def has_come_up(pid: int) -> bool:
    """Say whether it listens to the port that its command line names; a process without one is up at once."""
    port = re.search(r"--port[ =](\d+)", command_of(pid))
    if port is None:
        return True
    with suppress(OSError), socket.create_connection(("127.0.0.1", int(port[1])), timeout=1):
        return True
    return False


def memory_bytes(pid: int) -> int:
    """Give the memory it holds now, 0 when it is gone."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]) * 1024
    return 0


def kill(pid: int) -> None:
    """End it as a crash would."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def naming(text: str) -> list[str]:
    """Give the command lines of all processes that name this text."""
    lines = (command_of(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [line for line in lines if text in line]
