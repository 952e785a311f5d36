"""A real server as a process of its own, started as people start it, and what that process has used.

The figures are the kernel's (Linux only) and of the server process alone: neither of its bus, nor of its workers.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fireside.app import SERVER_FILE, ServerFile

_FIRESIDE = (sys.executable, "-m", "fireside.cli.main")
_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0
_LOOK_SECONDS = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")
_NO_LIMITS = {
    "FIRESIDE_MAX_QUEUED": "10000000",
    "FIRESIDE_REUSE": "false",
    "FIRESIDE_MAX_SOCKETS_PER_USER": "1000",
    "FIRESIDE_LOG_LEVEL": "error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that runs; `key` is the admin's."""

    url: str
    pid: int
    key: str

    def cpu_seconds(self) -> float:
        """Give the processor time it has used so far, in all its threads."""
        fields = self._read("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_bytes(self) -> int:
        """Give the memory it holds now."""
        return self._kibibytes("VmRSS") * 1024

    def peak_bytes(self) -> int:
        """Give the most memory it has held since it began, or since `forget_peak`."""
        return self._kibibytes("VmHWM") * 1024

    def forget_peak(self) -> None:
        """Let the peak begin anew."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def _kibibytes(self, name: str) -> int:
        return int(self._read("status").partition(f"{name}:")[2].split()[0])

    def _read(self, name: str) -> str:
        return Path(f"/proc/{self.pid}/{name}").read_text()


@contextmanager
def running_server(data_dir: Path, *options: str, workers: int = 1, **environment: str) -> Generator[Server]:
    """Start a server on a data folder, and stop it in order at the end."""
    data_dir.mkdir(parents=True, exist_ok=True)
    command = [*_FIRESIDE, "up", "--port=0", f"--data-dir={data_dir}"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FIRESIDE_")}
    with (data_dir / "bench.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--workers={workers}", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=clean | _NO_LIMITS | environment,
        )
    try:
        server_file = _wait_until_ready(process, data_dir)
        yield Server(url=server_file.url, pid=process.pid, key=_make_key(data_dir))
    finally:
        _stop(process)


def _wait_until_ready(process: "subprocess.Popen[bytes]", data_dir: Path) -> ServerFile:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(FileNotFoundError, msgspec.DecodeError):
            return msgspec.json.decode((data_dir / SERVER_FILE).read_bytes(), type=ServerFile)
        time.sleep(_LOOK_SECONDS)
    sys.exit(f"the server did not become ready:\n{(data_dir / 'bench.log').read_text(errors='replace')}")


def _make_key(data_dir: Path) -> str:
    command = [*_FIRESIDE, "keys", "create", "--user=admin", f"--data-dir={data_dir}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
