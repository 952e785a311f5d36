"""Workers as children of this server: each a process of its own, restarted when it dies, gone when we are.

A worker gets everything it needs in a ticket, a file that only our user can read.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from fireside.accounts.server_keys import ServerKeys
from fireside.bus.authority import BusAuthority
from fireside.config import Config
from fireside.fleet.plan import PlannedWorker
from fireside.processes.children import Child
from fireside.processes.leftovers import Leftovers
from fireside.processes.supervisor import Supervisor
from fireside.wire.tickets import WorkerTicket

_STOP_SECONDS = 8.0


class LocalFleet:
    """This machine's own workers."""

    def __init__(
        self,
        authority: BusAuthority,
        keys: ServerKeys,
        leftovers: Leftovers,
        config: Config,
        *,
        server_url: str,
        bus_url: str,
    ) -> None:
        self._authority = authority
        self._keys = keys
        self._leftovers = leftovers
        # The runtime works in a folder of its own, so relative paths would lead elsewhere there.
        self._data_dir = Path(config.data_dir).absolute()
        self._config = config
        self._server_url = server_url
        self._bus_url = bus_url
        self._supervisors: list[Supervisor] = []

    async def start(self, plan: Sequence[PlannedWorker]) -> None:
        """Start these workers and keep them running."""
        for worker in plan:
            supervisor = Supervisor(self._child(worker), self._leftovers)
            self._supervisors.append(supervisor)
            await supervisor.start()

    async def stop(self) -> None:
        """Let every worker give its job back, and end it; idempotent."""
        supervisors, self._supervisors = self._supervisors, []
        await asyncio.gather(*(supervisor.stop(_STOP_SECONDS) for supervisor in supervisors))

    def _child(self, worker: PlannedWorker) -> Child:
        folder = self._data_dir / "run" / "workers" / worker.id
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        ticket = folder / "ticket.json"
        _write_private(ticket, msgspec.json.encode(self._ticket(worker, folder)))
        command = [sys.executable, "-m", "fireside.cli.main", "worker", f"--ticket={ticket}"]
        return Child(f"worker {worker.id}", command, log_path=folder / "worker.log")

    def _ticket(self, worker: PlannedWorker, folder: Path) -> WorkerTicket:
        credentials = self._authority.worker_credentials(worker.id)
        return WorkerTicket(
            worker_id=worker.id,
            server_url=self._server_url,
            token=self._keys.worker_token(worker.id),
            bus_url=self._bus_url,
            bus_jwt=credentials.jwt,
            bus_seed=credentials.seed,
            bus_ca=_absolute(self._config.nats_ca),
            bus_certificate=_absolute(self._config.nats_certificate),
            bus_key=_absolute(self._config.nats_key),
            scratch=str(folder / "scratch"),
            home=str(folder / "runtime"),
            stage_cache=str(self._data_dir / "run" / "inputs"),
            stage_cache_bytes=self._config.stage_cache_bytes,
            model_cache=self._config.model_cache_dir or str(self._data_dir / "run" / "models"),
            model_cache_bytes=self._config.model_cache_bytes,
            runtime=worker.runtime,
            labels=dict(worker.labels),
            interrupt_seconds=self._config.interrupt_seconds,
            log_format=self._config.log_format,
            log_level=self._config.log_level,
        )


def _absolute(path: str) -> str:
    return str(Path(path).absolute()) if path else ""


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
