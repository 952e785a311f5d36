"""Workers on hosts of their own, as far as the network can tell: one beside the server, one behind a router.

A host is a network namespace. Nothing has a way to the host behind the router; the router carries connections out,
under its own address, as one that translates addresses does.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.faults.far import FarWorker, Place, attempts, ends, status, submit, until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

_RELAY = """
import asyncio, sys

async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()

async def carry(reader, writer):
    try:
        out = await asyncio.open_connection(sys.argv[3], int(sys.argv[4]))
    except OSError:
        writer.close()
        return
    await asyncio.gather(pump(reader, out[1]), pump(out[0], writer))

async def main():
    server = await asyncio.start_server(carry, sys.argv[1], int(sys.argv[2]))
    print("ready", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)


@dataclass(frozen=True)
class Network:
    """Three hosts beside the one that we are: `near`, `router` on our network, and `far` behind the router."""

    tag: str
    ours: str

    def name(self, host: str) -> str:
        return f"fs{self.tag}{host}"

    def on(self, host: str) -> Sequence[str]:
        """What stands before a command that runs on a host."""
        return ("ip", "netns", "exec", self.name(host))

    def cable(self, host: str, *, plugged: bool) -> None:
        """Pull out the cable between a host and us, or put it in again."""
        ip("link", "set", f"{self.name(host)}a", "up" if plugged else "down")


def _network(tag: str, number: int) -> Network:
    net = f"10.213.{number}"
    network = Network(tag, f"{net}.1")
    bridge = network.name("br")
    ip("link", "add", bridge, "type", "bridge")
    ip("addr", "add", f"{net}.1/24", "dev", bridge)
    ip("link", "set", bridge, "up")
    for position, host in enumerate(("n", "r", "f"), 2):
        ip("netns", "add", network.name(host))
        ip("-n", network.name(host), "link", "set", "lo", "up")
        if host == "f":
            continue
        ip("link", "add", f"{network.name(host)}a", "type", "veth", "peer", "eth0", "netns", network.name(host))
        ip("link", "set", f"{network.name(host)}a", "master", bridge, "up")
        ip("-n", network.name(host), "addr", "add", f"{net}.{position}/24", "dev", "eth0")
        ip("-n", network.name(host), "link", "set", "eth0", "up")
    ip("-n", network.name("r"), "link", "add", "eth1", "type", "veth", "peer", "eth0", "netns", network.name("f"))
    for host, device, address in (("r", "eth1", "192.168.77.1/24"), ("f", "eth0", "192.168.77.2/24")):
        ip("-n", network.name(host), "addr", "add", address, "dev", device)
        ip("-n", network.name(host), "link", "set", device, "up")
    return network


def _remove(tag: str) -> None:
    network = Network(tag, "")
    for host in ("n", "r", "f"):
        subprocess.run(["ip", "netns", "del", network.name(host)], capture_output=True, check=False, timeout=30)
        subprocess.run(["ip", "link", "del", f"{network.name(host)}a"], capture_output=True, check=False, timeout=30)
    subprocess.run(["ip", "link", "del", network.name("br")], capture_output=True, check=False, timeout=30)


@pytest.fixture
def network() -> Iterator[Network]:
    tag = f"{os.getpid() % 100_000}"
    why = "network namespaces need root and the program ip"
    try:
        if os.geteuid() == 0 and shutil.which("ip"):
            yield _network(tag, os.getpid() % 250)
            return
    except subprocess.CalledProcessError as error:
        why = f"there are no network namespaces here: {error.stderr.decode(errors='replace').strip()}"
    finally:
        _remove(tag)
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture
def place(network: Network, start_server: Any, tmp_path: Path) -> Iterator[Place]:
    server = start_server("--workers=0", "--worker-lost-after=2", f"--host={network.ours}")
    place = Place(server, tmp_path)
    yield place
    for worker in place.workers:
        worker.close()


@pytest.fixture
def relay(network: Network, place: Place) -> Iterator[str]:
    """Carry what comes from behind the router to the server; gives the address that is used there."""
    host, _, port = place.server.url.removeprefix("http://").partition(":")
    command = [*network.on("r"), sys.executable, "-c", _RELAY, "192.168.77.1", "8787", host, port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield "http://192.168.77.1:8787"
        process.kill()


def worker_on(place: Place, network: Network, host: str, url: str, name: str) -> FarWorker:
    worker = FarWorker(place.tmp_path / name, network.on(host))
    place.workers.append(worker)
    worker.start(f"--server={url}", f"--token={place.token()}", f"--name={name}")
    place.becomes(name, "ready")
    return worker


def test_a_worker_behind_a_router_does_jobs_and_survives_a_restart_of_the_server(
    place: Place, network: Network, relay: str, databases: Any
) -> None:
    worker_on(place, network, "f", relay, "far")
    client = place.server.client()
    ends(place, client, submit(client))
    job_id = submit(client, 2, seconds=5.0)
    until(lambda: status(client, job_id) == "in_progress", place.logs)

    place.server.kill()
    place.server.start()

    ends(place, client, job_id)
    assert attempts(place, databases, job_id) == [(1, "succeeded")]


def test_a_job_of_a_worker_that_is_cut_off_runs_elsewhere_and_ends_once(
    place: Place, network: Network, relay: str, databases: Any
) -> None:
    worker_on(place, network, "n", place.server.url, "near")
    client = place.server.client()
    job_id = submit(client, seconds=6.0)
    until(lambda: status(client, job_id) == "in_progress", place.logs)
    worker_on(place, network, "f", relay, "far")

    network.cable("n", plugged=False)
    until(lambda: place.listed("far")["jobs"] == [job_id], place.logs)
    network.cable("n", plugged=True)

    ends(place, client, job_id)
    place.becomes("near", "ready")
    ends(place, client, submit(client, 2))
    first, second = attempts(place, databases, job_id)
    assert (first[0], second) == (1, (2, "succeeded"))
    assert first[1] != "succeeded"


def test_a_worker_whose_host_vanishes_is_replaced_and_comes_back_without_a_word(place: Place, network: Network) -> None:
    worker = worker_on(place, network, "n", place.server.url, "near")
    network.cable("n", plugged=False)
    place.becomes("near", "away")

    worker.tell(signal.SIGKILL)
    worker.wait()
    worker.start()
    network.cable("n", plugged=True)

    place.becomes("near", "ready")
    client = place.server.client()
    ends(place, client, submit(client))
