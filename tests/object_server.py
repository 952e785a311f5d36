"""A real server of the S3 protocol for tests: SeaweedFS, in a process of its own, with a bucket."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

_BUCKET = "blobs"
_LOOPBACK = "127.0.0.1"
_PARTS = ("s3", "master", "volume", "filer", "admin")
# Of what would have one port for all servers of a machine, or speak with somebody elsewhere.
_WITHOUT = ("-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false")
_ABOVE = 10_000
"""SeaweedFS takes each of its ports, and the one so far above it."""
_READY_SECONDS = 120.0


class ObjectServer:
    """A server of ours and its files, at an address of this machine; it keeps it and its ports over a stop."""

    def __init__(self, folder: Path, address: str = _LOOPBACK) -> None:
        # Kept for it also while it is stopped: others on this machine take free ones all the time.
        self._kept = _ports(address, len(_PARTS))
        ports = list(self._kept)
        self.port = ports[0]
        self.endpoint = f"http://{address}:{self.port}"
        self._address = address
        self._folder = folder
        self._flags = [f"-{name}.port={port}" for name, port in zip(_PARTS, ports, strict=True)]
        self._secret = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """The key that the server knows, as programs find it."""
        return {"AWS_ACCESS_KEY_ID": "fireside", "AWS_SECRET_ACCESS_KEY": self._secret, "AWS_REGION": "us-east-1"}

    @property
    def pid(self) -> int:
        """Its process, which runs."""
        assert self._process is not None
        return self._process.pid

    def url(self, prefix: str) -> str:
        """Name a place in the bucket."""
        return f"s3://{_BUCKET}/{prefix}"

    def store(self, prefix: str, **options: Any) -> S3Store:
        """Open a place in the bucket."""
        with_http: dict[str, Any] = {"client_options": {"allow_http": True}, **options}
        return S3Store(
            _BUCKET,
            prefix=prefix,
            endpoint=self.endpoint,
            access_key_id="fireside",
            secret_access_key=self._secret,
            region="us-east-1",
            virtual_hosted_style_request=False,
            **with_http,
        )

    def start(self) -> None:
        """Start it, and wait until it takes an object."""
        place = [f"-dir={self._folder}", f"-ip={self._address}", f"-bucket={_BUCKET}"]
        command = [weed_program(), "mini", *place, *self._flags]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *_WITHOUT],
                stdout=log,
                stderr=log,
                env=os.environ | self.environment,
            )
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                obstore.put(self.store("ready"), "yes", b"")
            except (BaseError, OSError):
                assert time.monotonic() < deadline, (self._folder / "log").read_text(errors="replace")[-4000:]
            else:
                return

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it for good."""
        self.kill()
        for pair in self._kept.values():
            for held in pair:
                held.close()


@contextmanager
def object_server(folder: Path, address: str = _LOOPBACK) -> Generator[ObjectServer]:
    """Run a server to the end of the block, with its files in the folder."""
    server = ObjectServer(folder, address)
    try:
        server.start()
        yield server
    finally:
        server.close()


def _ports(address: str, count: int) -> dict[int, tuple[socket.socket, socket.socket]]:
    """Find ports, and hold each and the one above it until a program that asks for them (as servers do) has them."""
    found: dict[int, tuple[socket.socket, socket.socket]] = {}
    passed_over: list[socket.socket] = []
    while len(found) < count:
        one, above = _held(address, 0), None
        port = one.getsockname()[1]
        with contextlib.suppress(OSError, OverflowError):
            above = _held(address, port + _ABOVE)
        if above is not None:
            found[port] = (one, above)
        else:
            passed_over.append(one)
    for one in passed_over:
        one.close()
    return found


def _held(address: str, port: int) -> socket.socket:
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((address, port))
    except (OSError, OverflowError):
        held.close()
        raise
    return held


def weed_program() -> str:
    """Find the program of SeaweedFS."""
    program = shutil.which("weed", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    assert program is not None, "there is no `weed`, which `make test` installs"
    return program
