"""A real server of the S3 protocol for tests: SeaweedFS, in a process of its own, with a bucket."""

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

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

_BUCKET = "blobs"
_PARTS = ("s3", "master", "volume", "filer")
_MOST_PORT = 55_535
"""SeaweedFS takes each of its ports, and the one 10,000 above it."""
_READY_SECONDS = 120.0


class ObjectServer:
    """A server of ours and its files; it keeps its address over a stop."""

    def __init__(self, folder: Path) -> None:
        ports = _ports(4)
        self.endpoint = f"http://127.0.0.1:{ports[0]}"
        self._folder = folder
        self._flags = [f"-{name}.port={port}" for name, port in zip(_PARTS, ports, strict=True)]
        self._secret = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """The key that the server knows, as programs find it."""
        return {"AWS_ACCESS_KEY_ID": "fireside", "AWS_SECRET_ACCESS_KEY": self._secret, "AWS_REGION": "us-east-1"}

    def url(self, prefix: str) -> str:
        """Name a place in the bucket."""
        return f"s3://{_BUCKET}/{prefix}"

    def store(self, prefix: str) -> S3Store:
        """Open a place in the bucket."""
        return S3Store(
            _BUCKET,
            prefix=prefix,
            endpoint=self.endpoint,
            access_key_id="fireside",
            secret_access_key=self._secret,
            region="us-east-1",
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )

    def start(self) -> None:
        """Start it, and wait until it takes an object."""
        program = shutil.which("weed", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
        assert program is not None, "there is no `weed`, which `make test` installs"
        command = [program, "mini", f"-dir={self._folder}", "-ip=127.0.0.1", f"-bucket={_BUCKET}", *self._flags]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-webdav=false", "-admin.ui=false"],
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


@contextmanager
def object_server(folder: Path) -> Generator[ObjectServer]:
    """Run a server to the end of the block, with its files in the folder."""
    server = ObjectServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _ports(count: int) -> list[int]:
    held: list[socket.socket] = []
    while sum(_port(one) <= _MOST_PORT for one in held) < count:
        held.append(socket.socket())
        held[-1].bind(("127.0.0.1", 0))
    found = [_port(one) for one in held if _port(one) <= _MOST_PORT]
    for one in held:
        one.close()
    return found


def _port(one: socket.socket) -> int:
    return one.getsockname()[1]
