"""The operator's lists: which hosts a URL may name, and which of them may have addresses that are not public.

An entry is a name (`huggingface.co`), all names below one (`*.hf.co`), an address (`10.1.2.3`, `[fd00::1]`) or `*` for
every host. It stands for ports 80 and 443, or for the one that it names (`models.lan:9000`), or for all of them (`:*`).
Of hosts whose addresses are not public, the other list has the names or addresses, without ports, or the networks.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from fireside.outbound.addresses import Address, Network, is_metadata, is_public, parse_network, plain

_NAME = r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*"
_PRIVATE_NAME = re.compile(_NAME)
_ENTRY = re.compile(rf"(?P<host>\*|\[[0-9a-f:.]+\]|{_NAME})(?::(?P<port>\*|[0-9]{{1,5}}))?")
_USUAL_PORTS = frozenset({80, 443})
_EVERY_PORT = range(1, 65536)


@dataclass(frozen=True, slots=True)
class _Entry:
    pattern: str
    has_port: Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """What may be reached for one purpose; `setting` is the name that refusals tell people to ask for."""

    setting: str
    _entries: tuple[_Entry, ...]
    _private_names: tuple[str, ...]
    _private_networks: tuple[Network, ...]

    @classmethod
    def parse(cls, setting: str, hosts: Iterable[str], private: Iterable[str]) -> Self:
        """Read both lists; raises `ValueError` naming the entry that cannot be read."""
        networks = {text: parse_network(text) for text in private}
        return cls(
            setting,
            tuple(map(_parse_entry, hosts)),
            tuple(_parse_private_name(text) for text, network in networks.items() if network is None),
            tuple(network for network in networks.values() if network is not None),
        )

    def allows_any(self) -> bool:
        """Whether anything at all may be reached."""
        return bool(self._entries)

    def allows_host(self, host: str, port: int) -> bool:
        """Whether a URL may name this host, in lower case and without brackets, and port."""
        return any(_matches(entry.pattern, host) and entry.has_port(port) for entry in self._entries)

    def allows_address(self, host: str, address: Address) -> bool:
        """Whether this address, which the host has, may be connected to."""
        if is_public(address):
            return True
        if is_metadata(address):
            return False
        is_in_network = any(plain(address) in network for network in self._private_networks)
        return is_in_network or any(_matches(name, host) for name in self._private_names)


def _matches(pattern: str, host: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else pattern in {"*", host}


def _parse_entry(text: str) -> _Entry:
    found = _ENTRY.fullmatch(text.lower())
    if found is None:
        raise ValueError(f"{text!r} is no name, *.domain, address or *, with or without :port")
    network = parse_network(found["host"])
    return _Entry(found["host"] if network is None else str(network.network_address), _port_rule(found["port"]))


def _port_rule(port: str | None) -> Callable[[int], bool]:
    if port is None:
        return _USUAL_PORTS.__contains__
    return _EVERY_PORT.__contains__ if port == "*" else {int(port)}.__contains__


def _parse_private_name(text: str) -> str:
    if _PRIVATE_NAME.fullmatch(text.lower()) is None:
        raise ValueError(f"{text!r} is no name, *.domain, address or network")
    return text.lower()
