"""A joined worker's standing with its server: coming in, getting on the bus, and noticing that it was sent away.

What the network does is waited out for as long as it takes. What the server refuses ends the worker with the server's
words.
"""

import asyncio
import contextlib
import random
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import httpx
import structlog

import fireside
from fireside.bus.authority import BusCredentials, inbox_of
from fireside.bus.client import Bus
from fireside.bus.errors import BusDisconnected
from fireside.client.fleet import FleetClient, refusal_of
from fireside.domain.ids import WorkerId
from fireside.wire.fleet import LONGEST_BUS_PAUSE_SECONDS, PROTOCOL
from fireside.wire.fleet_joining import BootBody, BootReply, EnrollBody
from fireside.worker.home import CannotWork, Identity, WorkerHome, new_secret
from fireside.worker.patience import is_temporary

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 10.0
# A slip in the address is told soon; a server that was reached once is waited for as long as it takes.
_FIRST_REACH_SECONDS = 15.0
# So long a former process of this worker may take to be gone.
_OTHER_PROCESS_SECONDS = 10.0
_OTHER_PROCESS = "worker_is_there"
_BUS_CONNECT_SECONDS = 5.0
_RENEW_AGAIN_SECONDS = 10.0
_NO_FIRESIDE = frozenset({int(httpx.codes.NOT_FOUND), int(httpx.codes.METHOD_NOT_ALLOWED)})
_log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")


async def come_in(
    home: WorkerHome,
    *,
    server_url: str,
    join_token: str,
    name: str = "",
    tls: ssl.SSLContext | None = None,
    is_transient: bool = False,
    anew: bool = False,
) -> Identity:
    """Join the fleet, or find out from the folder that this was done before; raises `CannotWork`.

    `anew` joins once more, as another worker.
    """
    known = home.identity()
    if known is not None and known.worker_id and not anew:
        if not server_url or server_url == known.server_url:
            return known
        moved = Identity(server_url=server_url, secret=known.secret, worker_id=known.worker_id)
        home.remember(moved)
        return moved
    if not server_url or not join_token:
        raise CannotWork(
            f"the worker in {home.folder} has not joined a server yet: give --server URL and --token TOKEN;"
            " `fireside worker-token create` on the server makes a token"
        )
    # Kept before it is used, so that the same worker asks again should this process die in between.
    asking = Identity(server_url=server_url, secret=new_secret() if known is None or anew else known.secret)
    home.remember(asking)
    client = FleetClient(server_url, join_token, tls=tls)
    body = EnrollBody(
        secret=asking.secret,
        protocol=PROTOCOL,
        version=fireside.__version__,
        name=name,
        hostname=socket.gethostname(),
        is_transient=is_transient,
    )
    try:
        reply = await _asked_until(lambda: client.enroll(body), server_url, seconds=_FIRST_REACH_SECONDS)
    finally:
        await client.close()
    joined = Identity(server_url=server_url, secret=asking.secret, worker_id=reply.worker_id)
    home.remember(joined)
    return joined


class Standing:
    """One process of a joined worker, as its server sees it."""

    def __init__(
        self, identity: Identity, client: FleetClient, *, tls: ssl.SSLContext | None = None, is_transient: bool = False
    ) -> None:
        self.worker_id = WorkerId(identity.worker_id)
        self.boot_id = uuid4().hex
        self.identity = identity
        self._client = client
        self._tls = tls
        self._is_transient = is_transient
        self._renew_at: float | None = None

    async def boot(self, stopped: asyncio.Event) -> BootReply:
        """Say that this process speaks for the worker, however long that takes; raises `CannotWork` for a refusal."""
        give_up_at = asyncio.get_running_loop().time() + _OTHER_PROCESS_SECONDS
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await _asked_until(self._boot, self.identity.server_url, stopped=stopped)
            except Refused as refused:
                if refused.code != _OTHER_PROCESS or asyncio.get_running_loop().time() > give_up_at:
                    raise
                if pause == _FIRST_PAUSE_SECONDS:
                    _log.info("waiting", reason=refused.message)
                pause = await _rest(pause, stopped)

    async def get_on_the_bus(self, reply: BootReply, stopped: asyncio.Event) -> Bus:
        """Connect to the bus: to its own address where there is one that is reached, else through the server."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            ways: list[list[str]] = [list(reply.bus_urls)] if reply.bus_urls else []
            for urls in [*ways, [_bus_url_of(self.identity.server_url)]]:
                try:
                    return await self._connect(urls, reply)
                except BusDisconnected as error:
                    _log.info("not on the bus yet", reason=error.message)
            pause = await _rest(pause, stopped)
            reply = await self.boot(stopped)

    async def watch(self, bus: Bus) -> str:
        """Wait until the server has sent this worker away, and say why.

        A bus that has gone is a reason to ask; so is one that has closed the connection for good. Before the
        credentials for the bus end it gets new ones, and shows them there.
        """
        lost = asyncio.Event()
        bus.on_change(lambda connected: None if connected else lost.set())
        if not bus.is_connected:
            lost.set()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._renew_at):
                    await lost.wait()
            if not lost.is_set():
                if refusal := await self._renew(bus):
                    return refusal
                continue
            lost.clear()
            pause = _FIRST_PAUSE_SECONDS
            while not bus.is_connected:
                refusal, _ = await self._ask_for_more(bus)
                if refusal:
                    return refusal
                if bus.end_reason is not None:
                    return f"the bus has closed the connection for good: {bus.end_reason}"
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _renew(self, bus: Bus) -> str:
        """Get new credentials, and on the bus with them; says why when the server has sent this worker away."""
        refusal, has_more = await self._ask_for_more(bus)
        if has_more:
            await bus.come_again()
        elif not refusal:
            self._renew_at = asyncio.get_running_loop().time() + _RENEW_AGAIN_SECONDS
        return refusal

    async def _ask_for_more(self, bus: Bus) -> tuple[str, bool]:
        """Have the bus shown new credentials the next time; says why not when that is final, and whether it has any."""
        try:
            reply = await self._boot()
        except httpx.HTTPStatusError as error:
            if not is_temporary(error):
                return Refused(error).message, False
        except httpx.HTTPError as error:
            _log.info("the server is away", reason=str(error) or type(error).__name__)
        else:
            bus.renew(BusCredentials(jwt=reply.bus_jwt, seed=reply.bus_seed))
            return "", True
        return "", False

    async def _boot(self) -> BootReply:
        said = BootBody(
            boot_id=self.boot_id,
            protocol=PROTOCOL,
            version=fireside.__version__,
            is_transient=self._is_transient,
            renews=True,
        )
        reply = await self._client.boot(said)
        # Not all at once, and with time for many a try before the end.
        left = None if reply.bus_seconds is None else reply.bus_seconds * random.uniform(0.4, 0.6)  # noqa: S311 - no secret
        self._renew_at = None if left is None else asyncio.get_running_loop().time() + left
        return reply

    async def _connect(self, urls: list[str], reply: BootReply) -> Bus:
        return await Bus.connect(
            urls,
            BusCredentials(jwt=reply.bus_jwt, seed=reply.bus_seed),
            name=self.worker_id,
            inbox_prefix=inbox_of(self.worker_id),
            within_seconds=_BUS_CONNECT_SECONDS,
            headers={"Authorization": f"Bearer {self.identity.secret}"},
            tls=self._tls,
            longest_pause_seconds=LONGEST_BUS_PAUSE_SECONDS,
        )


class Refused(CannotWork):
    """The server will not have it."""

    def __init__(self, error: httpx.HTTPStatusError) -> None:
        self.code, self.message = refusal_of(error)
        self.is_unknown = error.response.status_code == int(httpx.codes.UNAUTHORIZED)
        """Whether the server does not know who asks."""
        if error.response.status_code in _NO_FIRESIDE and self.code in ("", "not_found", "method_not_allowed"):
            self.message = "there is no Fireside at this address, or one that is older than this worker"
        super().__init__(self.message)


async def _asked_until(
    ask: Callable[[], Awaitable[Answer]],
    server_url: str,
    *,
    seconds: float | None = None,
    stopped: asyncio.Event | None = None,
) -> Answer:
    """Ask until there is an answer, for so long at most; raises `CannotWork` for a refusal, or when time is over."""
    clock = asyncio.get_running_loop().time
    began, pause = clock(), _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await ask()
        except httpx.HTTPStatusError as error:
            if not is_temporary(error):
                raise Refused(error) from error
            reason = refusal_of(error)[1]
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
        except httpx.InvalidURL as error:
            raise CannotWork(f"{server_url} is not a URL: {error}") from error
        if seconds is not None and clock() - began + pause > seconds:
            raise CannotWork(f"cannot reach {server_url}: {reason}. Is the address right, and the server running?")
        _log.info("the server is away", url=server_url, reason=reason)
        pause = await _rest(pause, stopped)


async def _rest(pause: float, stopped: asyncio.Event | None) -> float:
    """Wait a little, unless it is time to stop, and say how long to wait the next time."""
    if stopped is None:
        await asyncio.sleep(pause)
    else:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause * random.uniform(0.5, 1.0)):  # noqa: S311 - no secret
                await stopped.wait()
        if stopped.is_set():
            raise Stopped
    return min(pause * 2, _LONGEST_PAUSE_SECONDS)


class Stopped(Exception):
    """The worker was told to stop before it had begun."""


def _bus_url_of(server_url: str) -> str:
    address = urlsplit(server_url)
    scheme = {"http": "ws", "https": "wss"}[address.scheme]
    return urlunsplit((scheme, address.netloc, f"{address.path.rstrip('/')}/bus", "", ""))
