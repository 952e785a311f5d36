"""A nats-server of our own, on loopback, as a child: for one machine, where nobody brings a cluster.

Its port is chosen at the first start and kept over crashes, so that clients find it again.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sysconfig
from collections.abc import Collection
from pathlib import Path

import msgspec

from fireside.bus.authority import BusAuthority
from fireside.bus.errors import BusDisconnected
from fireside.processes.children import Child
from fireside.processes.leftovers import Leftovers
from fireside.processes.supervisor import Supervisor

_READY_SECONDS = 10.0
_POLL_SECONDS = 0.005
_STOP_SECONDS = 2.0


class _Ports(msgspec.Struct):
    nats: list[str]


class NatsServer:
    """Starts, keeps and stops one nats-server."""

    def __init__(
        self,
        folder: Path,
        authority: BusAuthority,
        leftovers: Leftovers,
        *,
        program: str | None = None,
        revoked: Collection[str] = (),
    ) -> None:
        self._folder = folder
        self._authority = authority
        self._config = folder / "nats.conf"
        argv = [program or find_program(), "--config", str(self._config)]
        self._supervisor = Supervisor(Child("nats-server", argv, log_path=folder / "nats.log"), leftovers)
        self._revoked = set(revoked)
        self._url = ""

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self._url

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._supervisor.child.pid

    async def start(self) -> None:
        """Start it and wait until it listens; raises `BusDisconnected` with the tail of its log."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        ports = self._folder / "ports"
        shutil.rmtree(ports, ignore_errors=True)
        ports.mkdir(mode=0o700)
        self._write_config(port=-1)
        await self._supervisor.start()
        self._url = await self._wait_for_port(ports)
        self._write_config(port=int(self._url.rpartition(":")[2]))

    def revoke(self, key: str) -> None:
        """Let nobody in by this key any more, and end the connections of whoever is."""
        self._revoked.add(key)
        self._write_config(port=int(self._url.rpartition(":")[2]))
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGHUP)

    def forget(self, key: str) -> None:
        """Say no more of a revoked key, for whatever was signed for it has ended by itself."""
        self._revoked.discard(key)

    async def stop(self) -> None:
        """Stop it; idempotent."""
        await self._supervisor.stop(_STOP_SECONDS)

    def _write_config(self, port: int) -> None:
        self._config.touch(mode=0o600)
        self._config.write_text(self._authority.server_config(str(self._folder / "ports"), port, self._revoked))

    async def _wait_for_port(self, ports: Path) -> str:
        deadline = asyncio.get_running_loop().time() + _READY_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            for path in ports.glob("*.ports"):
                try:
                    return msgspec.json.decode(path.read_bytes(), type=_Ports).nats[0]
                except msgspec.MsgspecError:
                    continue  # written only in part so far
            await asyncio.sleep(_POLL_SECONDS)
        raise BusDisconnected(f"nats-server did not start:\n{self._supervisor.child.log_tail()}")


def find_program() -> str:
    """Find the program nats-server that is installed; raises `BusDisconnected`."""
    installed = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(installed) if installed.exists() else shutil.which("nats-server")
    if found is None:
        raise BusDisconnected(
            "the program nats-server is not installed; run make install, or set nats_server or nats_url"
        )
    return found
