"""Hosts of our own, as far as the network can tell: network namespaces, and cables between them that can be pulled.

Most are on our network; so is `router`, and `far` is behind it. Nothing has a way to the host behind the router. The
router takes all that comes from there as if it were meant for itself, whatever address it is for; what runs there as
`tests.faults.router` carries it on.
"""

import os
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

ROUTER, FAR = "router", "far"
_BESIDE_US = ("a", "b", "near")
_ROUTER_ADDRESS, _FAR_ADDRESS = "192.168.77.1", "192.168.77.2"
_TABLE = "77"


class NoNetworks(Exception):
    """This machine lets us make none; the message says why."""


@dataclass(frozen=True)
class Network:
    """The hosts; `ours` is our own address among them."""

    tag: str
    ours: str
    beside: Sequence[str]
    """The hosts on our network, but for the router."""

    @property
    def hosts(self) -> Sequence[str]:
        """All hosts but the router, the one behind it last."""
        return (*self.beside, FAR)

    @property
    def addresses(self) -> str:
        """All addresses that are on our network."""
        return f"{self.ours}/24"

    def address(self, host: str) -> str:
        """The address of a host that is on our network."""
        return f"{self.ours.rpartition('.')[0]}.{(*self.beside, ROUTER).index(host) + 2}"

    def name(self, host: str) -> str:
        return f"fs{self.tag}{host}"

    def on(self, host: str) -> Sequence[str]:
        """What stands before a command that runs on a host."""
        return ("ip", "netns", "exec", self.name(host))

    def cable(self, host: str, *, plugged: bool) -> None:
        """Pull out the cable between a host and us, or put it in again; behind the router it is the router's."""
        ip("link", "set", f"{self.name(ROUTER if host == FAR else host)}v", "up" if plugged else "down")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)


@contextmanager
def network_of_hosts(beside: Sequence[str] = _BESIDE_US) -> Generator[Network]:
    """Make them all, with names of at most six letters; raises NoNetworks where that is not possible."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        raise NoNetworks("network namespaces need root and the program ip")
    network = Network(f"{os.getpid() % 100_000}", f"10.213.{os.getpid() % 250}.1", beside)
    try:
        try:
            _make(network)
        except subprocess.CalledProcessError as error:
            why = error.stderr.decode(errors="replace").strip()
            raise NoNetworks(f"there are no network namespaces here: {why}") from error
        yield network
    finally:
        _remove(network)


def _make(network: Network) -> None:
    bridge = network.name("bridge")
    ip("link", "add", bridge, "type", "bridge")
    ip("addr", "add", network.addresses, "dev", bridge)
    ip("link", "set", bridge, "up")
    for host in (*network.hosts, ROUTER):
        ip("netns", "add", network.name(host))
        ip("-n", network.name(host), "link", "set", "lo", "up")
    for host in (*network.beside, ROUTER):
        ip("link", "add", f"{network.name(host)}v", "type", "veth", "peer", "eth0", "netns", network.name(host))
        ip("link", "set", f"{network.name(host)}v", "master", bridge, "up")
        _address(network, host, "eth0", network.address(host))
    router, far = network.name(ROUTER), network.name(FAR)
    ip("-n", router, "link", "add", "eth1", "type", "veth", "peer", "eth0", "netns", far)
    _address(network, ROUTER, "eth1", _ROUTER_ADDRESS)
    _address(network, FAR, "eth0", _FAR_ADDRESS)
    ip("-n", far, "route", "add", "default", "via", _ROUTER_ADDRESS)
    ip("-n", router, "route", "add", "local", "default", "dev", "lo", "table", _TABLE)
    ip("-n", router, "rule", "add", "iif", "eth1", "lookup", _TABLE)  # codespell:ignore iif


def _address(network: Network, host: str, device: str, address: str) -> None:
    ip("-n", network.name(host), "addr", "add", f"{address}/24", "dev", device)
    ip("-n", network.name(host), "link", "set", device, "up")


def _remove(network: Network) -> None:
    for host in (*network.hosts, ROUTER):
        _try("netns", "del", network.name(host))
        _try("link", "del", f"{network.name(host)}v")
    _try("link", "del", network.name("bridge"))


def _try(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, check=False, timeout=30)
