"""From a host to a connection: every address that it has is looked at, and the connection goes to one of these.

A name is resolved once for each connection, so it cannot have one address when it is looked at and another when it is
connected to. TLS and the header `Host` go by the name all the same.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import httpcore
import structlog

from fireside.outbound.addresses import Address, plain
from fireside.outbound.errors import AddressNotAllowed, FetchFailed
from fireside.outbound.hosts import AllowedHosts

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
_MOST_ADDRESSES_TRIED = 4
# Threads of their own: names whose servers do not answer must keep nobody else from a thread.
_THREADS = ThreadPoolExecutor(8, thread_name_prefix="resolve")
_log = structlog.get_logger(__name__)


async def resolve_by_system(host: str, port: int) -> Sequence[Address]:
    """Give the addresses of a name, or of any spelling of an address, as this machine resolves it."""
    found = await asyncio.get_running_loop().run_in_executor(
        _THREADS, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    )
    return [ipaddress.ip_address(address[0]) for *_, address in found]


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """The network as somebody else's URL may use it."""

    def __init__(self, allowed: AllowedHosts, resolve: Resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve
        # httpcore shows this class only where anyio is installed, which types cannot follow.
        self._network = cast("type[httpcore.AsyncNetworkBackend]", httpcore.AnyIOBackend)()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, look at every address, and connect to the first one that answers."""
        async with asyncio.timeout(timeout):
            addresses = await self._addresses(host, port)
        failure: Exception | None = None
        for address in addresses[:_MOST_ADDRESSES_TRIED]:
            try:
                return await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise FetchFailed(f"No connection to {host} at port {port}.") from failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """No URL leads to a socket of this machine."""
        raise NotImplementedError

    async def _addresses(self, host: str, port: int) -> Sequence[Address]:
        try:
            # In the order of preference, each once.
            addresses = list(dict.fromkeys(map(plain, await self._resolve(host, port))))
        except (OSError, UnicodeError, ValueError) as error:
            raise FetchFailed(f"The name {host} is not known.") from error
        if not addresses:
            raise FetchFailed(f"The name {host} has no address.")
        # One bad address spoils the name: which of them gets the connection is the choice of whoever owns it.
        bad = [address for address in addresses if not self._allowed.allows_address(host, address)]
        if bad:
            _log.warning("address refused", host=host, addresses=[str(address) for address in bad])
            raise AddressNotAllowed(
                f"{host} has an address that is not public. If it is a host of yours, the server's operator can name it"
                f" in the setting outbound_private_hosts."
            )
        return addresses
