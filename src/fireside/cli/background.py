"""Starting a server that outlives the command: a process of its own session, its log in the data folder."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from fireside.cli.errors import CommandFailed
from fireside.config import settings, variable_of

LOG_FILE = "server.log"
_LOOK_SECONDS = 0.05
_LOG_TAIL_BYTES = 4096
_LOG_TAIL_LINES = 8


def start_in_background(data_dir: Path, flags: Mapping[str, Any], *, ready_seconds: float) -> str:
    """Start `fireside up` with these settings and give what it prints once it is ready.

    Raises `CommandFailed`, with the end of the log, when it does not become ready.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    log_path = data_dir / LOG_FILE
    # The command line of what goes on for long is not the place of a secret, though that of this command was.
    secrets = {row.name for row in settings() if row.secret} & flags.keys()
    environment = os.environ | {variable_of(name): str(flags[name]) for name in secrets}
    options = _as_options({name: value for name, value in flags.items() if name not in secrets})
    command = [sys.executable, "-m", "fireside.cli.main", "up", *options]
    # What it prints is for the person who started it and holds a key, so it goes to a file without a name.
    with tempfile.TemporaryFile() as printed, _open_log(log_path) as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=printed, stderr=log, env=environment, start_new_session=True
        )
        deadline = time.monotonic() + ready_seconds
        while os.fstat(printed.fileno()).st_size == 0:
            if child.poll() is not None:
                raise CommandFailed(f"the server did not start; {log_path} ends with:\n{_tail(log_path)}")
            if time.monotonic() > deadline:
                child.terminate()
                raise CommandFailed(f"the server was not ready within {ready_seconds:.0f} s; see {log_path}")
            time.sleep(_LOOK_SECONDS)
        child.returncode = 0  # it goes on without us: nothing to wait for when this command ends
        printed.seek(0)
        return printed.read().decode().rstrip()


def _as_options(flags: Mapping[str, Any]) -> list[str]:
    options: list[str] = []
    for name, value in flags.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            options.append(f"--{option}" if value else f"--no-{option}")
        elif isinstance(value, list | tuple):
            options += [f"--{option}={one}" for one in cast("Sequence[object]", value)]
        else:
            options.append(f"--{option}={value}")
    return options


def _open_log(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LOG_TAIL_BYTES))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
