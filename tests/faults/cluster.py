"""Several servers, each in a process and a data folder of its own, over one PostgreSQL, one bus and one place of files.

The servers have no workers of their own; these join, and reach the bus by themselves.
"""

import os
import signal
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import ServerProcess
from tests.faults.bus_cluster import BusCluster, BusNode
from tests.faults.far import FarWorker, Place, until
from tests.faults.network import Network
from tests.faults.proxy import RoundRobin
from tests.object_server import ObjectServer
from tests.postgres_server import TEMPLATE, PostgresServer

from fireside.accounts.server_keys import ServerKeys
from fireside.bus.authority import BusAuthority
from fireside.bus.server import find_program
from fireside.config import Config
from fireside.runtimes.comfyui.ports import Port

SECRET_KEY = "5e" * 32


@dataclass
class SharedBus:
    """A nats-server that is nobody's child but ours; it is started again on the same port."""

    folder: Path
    address: str = "127.0.0.1"
    # Kept for it also while it is down: others on this machine take free ones all the time.
    port: Port = field(default_factory=Port)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; nothing happens where it runs."""
        if self.process is not None and self.process.poll() is None:
            return
        ports = self.folder / "ports"
        ports.mkdir(parents=True, exist_ok=True)
        for old in ports.iterdir():
            old.unlink()
        config = self.folder / "nats.conf"
        config.write_text(
            bus_authority(self.folder).server_config(str(ports), self.port.number).replace("127.0.0.1", self.address)
        )
        with (self.folder / "nats.log").open("ab") as log:
            self.process = subprocess.Popen([find_program(), "--config", str(config)], stdout=log, stderr=log)
        until(lambda: list(ports.glob("*.ports")))

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.port.free()

    def tell(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    @property
    def url(self) -> str:
        return f"nats://{self.address}:{self.port.number}"

    @property
    def nodes(self) -> "Sequence[SharedBus | BusNode]":
        return [self]

    @property
    def environment(self) -> Mapping[str, str]:
        """What a server of ours is to know of it."""
        return {"FIRESIDE_NATS_URL": self.url, "FIRESIDE_NATS_WORKER_URL": self.url}


def bus_authority(folder: Path) -> BusAuthority:
    """Sign as the servers do."""
    return BusAuthority.from_secret(ServerKeys.load_or_create(folder, Config(secret_key=SECRET_KEY)).derive("bus"))


@dataclass
class Cluster:
    """The servers, what they share, and the workers."""

    folder: Path
    database_url: str
    bus: SharedBus | BusCluster
    objects: ObjectServer | None = None
    proxy: RoundRobin | None = None
    network: Network | None = None
    """Where the workers have hosts of their own."""
    servers: list[ServerProcess] = field(default_factory=list[ServerProcess])
    places: list[Place] = field(default_factory=list[Place])

    def server(self, *options: str, before: Sequence[str] = (), **more: str) -> Place:
        """Start one more server, by a command that may stand before, with more in its environment."""
        place = self.add(*options, before=before, **more)
        place.server.start()
        return place

    def add(self, *options: str, before: Sequence[str] = (), **more: str) -> Place:
        """Prepare one more server."""
        number = len(self.servers) + 1
        data_dir = self.folder / f"server-{number}"
        data_dir.mkdir(parents=True)
        environment = {
            "FIRESIDE_DATABASE_URL": self.database_url,
            "FIRESIDE_SECRET_KEY": SECRET_KEY,
            **self.bus.environment,
            **self._place_of_files(data_dir),
            **more,
        }
        if self.proxy is not None:
            environment["FIRESIDE_PUBLIC_URL"] = self.proxy.url
        server = ServerProcess(data_dir, ["--workers=0", *options], environment, before)
        self.servers.append(server)
        place = Place(server, self.folder / f"workers-{number}")
        place.tmp_path.mkdir()
        self.places.append(place)
        if self.proxy is not None:
            self.proxy.add(server.port.number)
        return place

    def leader(self) -> Place:
        """Wait until one of the servers leads, and give it."""
        return until(lambda: next((place for place in self.places if leads(place)), None), self.logs)

    def mend(self) -> None:
        """Start what has ended, plug in every cable, and wait until all is well again."""
        if self.network is not None:
            for host in self.network.hosts:
                self.network.cable(host, plugged=True)
        self.bus.start()
        for place in self.places:
            if place.server.process.poll() is not None:
                place.server.start()
        for place in self.places:
            for worker in place.workers:
                if worker.process is None or worker.process.poll() is not None:
                    worker.start()
                place.becomes(worker.folder.name, "ready")
        self.leader()

    def logs(self) -> str:
        return "\n".join(place.logs() for place in self.places)

    def _place_of_files(self, data_dir: Path) -> Mapping[str, str]:
        if self.objects is None:
            blobs = self.folder / "blobs"
            blobs.mkdir(exist_ok=True)
            (data_dir / "blobs").symlink_to(blobs)
            return {}
        place = {"FIRESIDE_BLOBS_URL": self.objects.url("fleet"), "FIRESIDE_BLOBS_ENDPOINT": self.objects.endpoint}
        return {**place, **self.objects.environment}

    def close(self) -> None:
        for place in self.places:
            for worker in place.workers:
                worker.close()
        for server in self.servers:
            server.close()


def leads(place: Place) -> bool:
    """Tell whether a server leads, as it says itself."""
    process: Any = place.server.process
    return process.poll() is None and bool(place.admin("GET", "/admin/api/doctor")["leads"])


@contextmanager
def cluster_over(
    folder: Path, postgres: PostgresServer, address: str = "", *, template: str = TEMPLATE
) -> Generator[Cluster]:
    """Set up a bus and a database; servers are started when they are asked for, and find both at the address."""
    with ExitStack() as stack:
        database_url = stack.enter_context(postgres.database(template=template))
        if address:
            database_url = postgres.tcp_url(postgres.name_of(database_url), address)
        bus = SharedBus(folder / "bus", address or SharedBus.address)
        stack.callback(bus.close)
        bus.start()
        cluster = Cluster(folder, database_url, bus)
        stack.callback(cluster.close)
        yield cluster


def pause(worker: FarWorker) -> None:
    """Let a worker's processes stand still, as a host does that hangs."""
    assert worker.process is not None
    os.killpg(worker.process.pid, signal.SIGSTOP)


def resume(worker: FarWorker) -> None:
    """Let them go on."""
    assert worker.process is not None
    os.killpg(worker.process.pid, signal.SIGCONT)
