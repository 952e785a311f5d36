"""Hosts of our own, as far as the network can tell: network namespaces, and cables between them that can be pulled.

`a`, `b` and `near` are on our network; so is `router`, and `far` is behind it. Nothing has a way to the host behind the
router; the router carries connections out, under its own address, as one that translates addresses does.
"""

import os
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

_BESIDE_US = ("a", "b", "near", "router")
_ROUTER, _FAR = "192.168.77.1", "192.168.77.2"


class NoNetworks(Exception):
    """This machine lets us make none; the message says why."""


@dataclass(frozen=True)
class Network:
    """The hosts; `ours` is our own address among them."""

    tag: str
    ours: str

    @property
    def addresses(self) -> str:
        """All addresses that are on our network."""
        return f"{self.ours}/24"

    def address(self, host: str) -> str:
        """The address of a host that is on our network."""
        return f"{self.ours.rpartition('.')[0]}.{_BESIDE_US.index(host) + 2}"

    def name(self, host: str) -> str:
        return f"fs{self.tag}{host[0]}"

    def on(self, host: str) -> Sequence[str]:
        """What stands before a command that runs on a host."""
        return ("ip", "netns", "exec", self.name(host))

    def cable(self, host: str, *, plugged: bool) -> None:
        """Pull out the cable between a host and us, or put it in again."""
        ip("link", "set", f"{self.name(host)}v", "up" if plugged else "down")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)


@contextmanager
def network_of_hosts() -> Generator[Network]:
    """Make them all; raises NoNetworks where that is not possible."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        raise NoNetworks("network namespaces need root and the program ip")
    network = Network(f"{os.getpid() % 100_000}", f"10.213.{os.getpid() % 250}.1")
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
    bridge = network.name("Bridge")
    ip("link", "add", bridge, "type", "bridge")
    ip("addr", "add", network.addresses, "dev", bridge)
    ip("link", "set", bridge, "up")
    for host in (*_BESIDE_US, "far"):
        ip("netns", "add", network.name(host))
        ip("-n", network.name(host), "link", "set", "lo", "up")
    for host in _BESIDE_US:
        ip("link", "add", f"{network.name(host)}v", "type", "veth", "peer", "eth0", "netns", network.name(host))
        ip("link", "set", f"{network.name(host)}v", "master", bridge, "up")
        _address(network, host, "eth0", network.address(host))
    router, far = network.name("router"), network.name("far")
    ip("-n", router, "link", "add", "eth1", "type", "veth", "peer", "eth0", "netns", far)
    _address(network, "router", "eth1", _ROUTER)
    _address(network, "far", "eth0", _FAR)


def _address(network: Network, host: str, device: str, address: str) -> None:
    ip("-n", network.name(host), "addr", "add", f"{address}/24", "dev", device)
    ip("-n", network.name(host), "link", "set", device, "up")


def _remove(network: Network) -> None:
    for host in (*_BESIDE_US, "far"):
        _try("netns", "del", network.name(host))
        _try("link", "del", f"{network.name(host)}v")
    _try("link", "del", network.name("Bridge"))


def _try(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, check=False, timeout=30)
