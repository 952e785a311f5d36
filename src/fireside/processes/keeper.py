"""A parent that lets nothing outlive it: a program that runs another one and ends with all that this one started.

Its standard input is a pipe that our side holds. A byte on it interrupts the program; its end, which comes also when
we are killed, ends everything below at once. Orphans come back to it (PR_SET_CHILD_SUBREAPER), so nothing escapes by
leaving its parent. Runs isolated, on the standard library alone: `python -I -S keeper.py PROGRAM ARGUMENT…`. The first
line on its standard output is the program's process id.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_END_SECONDS = 8.0
_POLL_SECONDS = 0.01
_NOT_STARTED = 127
_READ_BYTES = 512


def main(argv: list[str]) -> None:
    """Run the program until it ends or our side lets go, then end as it did."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _note)
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    program = _start(argv)
    status = _watch(program, woken)
    ended = _end_all(program)
    _end_as(ended if status is None else status)


def _note(number: int, frame: object) -> None:
    """Do nothing: a signal that has a handler wakes us."""


def _start(argv: list[str]) -> int:
    keeper = os.getpid()
    program = os.fork()
    if program:
        return program
    signal.set_wakeup_fd(-1)
    for usual in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(usual, signal.SIG_DFL)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        if os.getppid() == keeper:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.write(1, b"%d\n" % os.getpid())
            os.execvp(argv[0], argv)  # noqa: S606 - a program needs no shell
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    os._exit(_NOT_STARTED)


def _watch(program: int, woken: int) -> int | None:
    """Give the program's status, None when our side lets go before it has one."""
    while True:
        readable, _, _ = select.select([0, woken], [], [])
        if woken in readable:
            os.read(woken, _READ_BYTES)
            status, _ = _reap(program)
            if status is not None:
                return status
        if 0 in readable:
            if not os.read(0, 1):
                return None
            os.kill(program, signal.SIGINT)


def _reap(program: int) -> tuple[int | None, bool]:
    """Collect who has ended; give the program's status when it is among them, and whether children are left."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found, False
        if pid == 0:
            return found, True
        if pid == program:
            found = status


def _end_all(program: int) -> int:
    """Kill children until there are none, as each may leave us its own; give the program's status."""
    status = signal.SIGKILL.value
    deadline = time.monotonic() + _END_SECONDS
    while time.monotonic() < deadline:
        for pid in _children() or [program]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        found, are_left = _reap(program)
        status = status if found is None else found
        if not are_left:
            break
        time.sleep(_POLL_SECONDS)
    return status


def _children() -> list[int]:
    own = str(os.getpid())
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may hold anything; state and parent follow the last one.
            parent = stat.read_text("ascii", "replace").rpartition(")")[2].split()[1]
        except OSError:
            continue
        if parent == own:
            found.append(int(stat.parent.name))
    return found


def _end_as(status: int) -> None:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        # The program's core is the one to look at.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(option, value)


if __name__ == "__main__":
    main(sys.argv[1:])
