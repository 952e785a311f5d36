"""The doors of a server: its public port, local ports, the admin socket in the data folder, and one for own workers.

With TLS the certificate names the public host, which own workers on loopback could not verify; they get a port of their
own there, without TLS, where nothing but the workers' routes is served.
"""

import asyncio
import contextlib
import math
import os
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import uvicorn

from fireside.config import Config
from fireside.domain.errors import FiresideError
from fireside.server.connections import Connection
from fireside.server.edge import build_edge
from fireside.server.services import Services

ADMIN_SOCKET = "admin.sock"
_BACKLOG = 2048
_ADMIN_BACKLOG = 64
# Longer than clients (5 s in httpx) and load balancers (a minute) keep an idle connection: whoever sends a request just
# as the other side closes has it answered by nobody.
_IDLE_SECONDS = 75
# A message of the bus as a worker sends it through here: what NATS takes at most, and a line of protocol.
_FRAME_BYTES = 1024 * 1024 + 4096
_LOOPBACK = "127.0.0.1"


class CannotListen(FiresideError):
    """The port is taken, or the address is none of this machine's."""

    code = "cannot_listen"


class Doors:
    """Opens every door once the services are there, and closes them all."""

    def __init__(self, config: Config) -> None:
        """Take the ports, so that their numbers are known; raises `CannotListen`."""
        self._config = config
        self._stack = contextlib.AsyncExitStack()
        self._public = self._listen(config.host, config.port)
        self.port: int = self._public.getsockname()[1]
        """The public port."""
        scheme = "https" if config.tls_certificate else "http"
        self.own_url = f"{scheme}://{_own_address(config.host)}:{self.port}"
        """How the public port is reached from this machine."""
        self.worker_url = self.own_url
        """How own workers reach the server."""
        self._local = [self._local_port(one) for one in config.local_ports]
        self.closed = asyncio.Event()
        """Set when a door has closed by itself or by `close`."""

    async def open(self, services: Services) -> None:
        """Begin to serve."""
        self._serve(build_edge(services), self._public, tls=bool(self._config.tls_certificate))
        self._serve(build_edge(services, as_admin=True), self._admin_socket())
        for user, listening in self._local:
            self._serve(build_edge(services, local_user=user), listening)
        if self._config.tls_certificate:
            for_workers = socket.create_server((_LOOPBACK, 0), backlog=_ADMIN_BACKLOG)
            self._stack.callback(for_workers.close)
            self.worker_url = f"http://{_LOOPBACK}:{for_workers.getsockname()[1]}"
            self._serve(build_edge(services, only_fleet=True), for_workers)

    async def close(self) -> None:
        """Finish what is being answered, for `stop_seconds` at most, and close; idempotent."""
        await self._stack.aclose()

    @property
    def local_urls(self) -> tuple[tuple[str, str], ...]:
        """The names of users with ports of their own, and how these are reached."""
        return tuple((user, f"http://{_LOOPBACK}:{port.getsockname()[1]}") for user, port in self._local)

    def _local_port(self, setting: str) -> tuple[str, socket.socket]:
        user, _, port = setting.partition("=")
        return user, self._listen(_LOOPBACK, int(port))

    def _listen(self, host: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listening = socket.create_server((host, port), backlog=_BACKLOG, family=family)
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "a port is at most 65535"
            raise CannotListen(f"cannot listen on {host}:{port}: {reason}; is another server there?") from error
        self._stack.callback(listening.close)
        return listening

    def _admin_socket(self) -> socket.socket:
        path = Path(self._config.data_dir) / ADMIN_SOCKET
        path.unlink(missing_ok=True)
        admin = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._stack.callback(path.unlink, missing_ok=True)
        self._stack.callback(admin.close)
        old_mask = os.umask(0o177)
        try:
            admin.bind(_short_name(path))
        finally:
            os.umask(old_mask)
        admin.listen(_ADMIN_BACKLOG)
        return admin

    def _serve(self, app: Any, listening: socket.socket, *, tls: bool = False) -> None:
        server = _Uvicorn(_uvicorn_config(self._config, app, tls=tls))
        task = asyncio.create_task(server.serve([listening]), name="edge")
        self._stack.push_async_callback(_stop, server, task)
        task.add_done_callback(lambda _: self.closed.set())


class _Uvicorn(uvicorn.Server):
    """One listener of several in a process whose signals somebody else handles."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _uvicorn_config(config: Config, app: Any, *, tls: bool) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Connection,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=_FRAME_BYTES,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=config.trusted_proxies or None,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=math.ceil(config.stop_seconds),
        ssl_certfile=config.tls_certificate if tls else None,
        ssl_keyfile=config.tls_key if tls and config.tls_key else None,
    )


async def _stop(server: uvicorn.Server, task: "asyncio.Task[None]") -> None:
    server.should_exit = True
    await asyncio.gather(task, return_exceptions=True)


def _own_address(host: str) -> str:
    address = {"0.0.0.0": _LOOPBACK, "::": "::1", "": _LOOPBACK}.get(host, host)  # noqa: S104 - a name, not a bind
    return f"[{address}]" if ":" in address else address


def _short_name(path: Path) -> str:
    """Name a socket within the 108 bytes that the kernel allows: relative to here when that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)
