"""The worker's process: gets on the bus, and works until it is told to stop, sent away, or its parent dies.

A server's own workers have all they need in a ticket, and give back what they have when told to stop. A worker that has
joined from elsewhere finishes its job first, and gives it back only when told a second time.
"""

import asyncio
import contextlib
import shutil
import signal
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import structlog
import uvloop

from fireside.bus.authority import BusCredentials, inbox_of
from fireside.bus.client import Bus
from fireside.bus.tls import bus_urls, read_tls
from fireside.client.fleet import FleetClient
from fireside.domain.ids import WorkerId
from fireside.wire.fleet_joining import BootReply
from fireside.wire.tickets import RuntimeSpec, WorkerTicket
from fireside.worker.agent import Agent
from fireside.worker.home import CannotWork, Identity, WorkerHome
from fireside.worker.idling import Idling
from fireside.worker.model_cache import ModelCache
from fireside.worker.model_hashes import ModelHashes
from fireside.worker.patience import ServerAway, patiently
from fireside.worker.runtimes import runtime_of
from fireside.worker.stage_cache import StageCache
from fireside.worker.standing import Refused, Standing, Stopped, come_in

# A machine that is about to go is not kept longer by a server that is away.
_LEAVE_SECONDS = 15.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """What a worker of another machine is told at its start. Without a token it is one that has joined before."""

    data_dir: Path
    runtime: RuntimeSpec
    server_url: str = ""
    join_token: str = field(default="", repr=False)
    name: str = ""
    ca_file: str = ""
    labels: dict[str, str] = field(default_factory=dict[str, str])
    interrupt_seconds: float
    stage_cache_bytes: int
    idle_seconds: float | None = None
    """How long it stays without anything to do; None: for ever."""
    is_transient: bool = False
    """Whether it leaves the fleet for good at its end."""
    model_cache_dir: str
    model_cache_bytes: int


def run_worker(ticket: WorkerTicket) -> None:
    """Work for the server that the ticket names, until SIGTERM or SIGINT."""
    uvloop.run(_work_as_told(ticket))


def run_joined_worker(joining: Joining, on_joined: Callable[[Identity], None]) -> None:
    """Join, and work until SIGTERM, SIGINT or too long without a job.

    Raises `CannotWork` when the server does not want this worker.
    """
    home = WorkerHome(joining.data_dir)
    home.open()
    try:
        uvloop.run(_work_as_joined(home, joining, on_joined))
    finally:
        home.close()


async def _work_as_told(ticket: WorkerTicket) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with contextlib.AsyncExitStack() as stack:
        worker_id = WorkerId(ticket.worker_id)
        credentials = BusCredentials(jwt=ticket.bus_jwt, seed=ticket.bus_seed)
        bus = await Bus.connect(
            bus_urls(ticket.bus_url),
            credentials,
            name=worker_id,
            inbox_prefix=inbox_of(worker_id),
            tls=read_tls(ticket.bus_ca, ticket.bus_certificate, ticket.bus_key),
        )
        stack.push_async_callback(bus.close)
        client = FleetClient(ticket.server_url, ticket.token)
        stack.push_async_callback(client.close)
        agent = await _agent(ticket, bus, client, stack)
        await agent.work_until(stopped)


async def _work_as_joined(home: WorkerHome, joining: Joining, on_joined: Callable[[Identity], None]) -> None:
    leaving, stopped = asyncio.Event(), asyncio.Event()
    _leave_on_signals(leaving, stopped)
    tls = _tls(joining.ca_file)
    async with contextlib.AsyncExitStack() as stack:
        try:
            standing, client, reply = await _standing(home, joining, tls, leaving, stack)
            bus = await standing.get_on_the_bus(reply, leaving)
        except Stopped:
            return
        stack.push_async_callback(bus.close)
        identity = standing.identity
        on_joined(identity)
        sent_away: list[str] = []

        def send_away(reason: str) -> None:
            sent_away.append(reason)
            stopped.set()

        agent = await _agent(
            _ticket(home, joining, identity),
            bus,
            client,
            stack,
            boot_id=standing.boot_id,
            on_dismissal=send_away,
            idling=Idling(joining.idle_seconds),
        )
        watching = asyncio.create_task(standing.watch(bus), name="standing")
        watching.add_done_callback(lambda task: None if task.cancelled() else send_away(task.result()))
        try:
            await agent.work_until(stopped, leaving)
        except httpx.HTTPStatusError as error:
            raise Refused(error) from error
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        if sent_away:
            raise CannotWork(f"the server has sent this worker away: {sent_away[0]}")
        if joining.is_transient:
            await bus.close()
            await _leave_for_good(client, home)


async def _leave_for_good(client: FleetClient, home: WorkerHome) -> None:
    try:
        await patiently(client.leave, patience_seconds=_LEAVE_SECONDS)
    except ServerAway as error:
        _log.warning("the fleet still lists this worker", reason=str(error))
        return
    except httpx.HTTPStatusError as error:
        # It has left already where the answer to that was lost.
        refused = Refused(error)
        if not refused.is_unknown:
            raise refused from error
    home.forget()


async def _standing(
    home: WorkerHome,
    joining: Joining,
    tls: ssl.SSLContext,
    leaving: asyncio.Event,
    stack: contextlib.AsyncExitStack,
) -> tuple[Standing, FleetClient, BootReply]:
    """Come in, and have this process speak for the worker; with a token at hand, also after it was sent away."""
    url, token = joining.server_url, joining.join_token
    coming = partial(come_in, home, join_token=token, name=joining.name, tls=tls, is_transient=joining.is_transient)
    identity = await coming(server_url=url)
    for is_last in (False, True):
        client = FleetClient(identity.server_url, identity.secret, tls=tls)
        stack.push_async_callback(client.close)
        standing = Standing(identity, client, tls=tls, is_transient=joining.is_transient)
        try:
            return standing, client, await standing.boot(leaving)
        except Refused as refused:
            if not refused.is_unknown:
                raise
            if is_last or not token:
                raise CannotWork(
                    f"{identity.server_url} does not know the worker {identity.worker_id} in {home.folder}: it was"
                    " removed, or it is of another server. With --server and --token it joins anew"
                ) from refused
        url = url or identity.server_url
        identity = await coming(server_url=url, anew=True)
    raise AssertionError("the last try answers or raises")


async def _agent(
    ticket: WorkerTicket,
    bus: Bus,
    client: FleetClient,
    stack: contextlib.AsyncExitStack,
    *,
    boot_id: str | None = None,
    on_dismissal: Callable[[str], None] = lambda reason: None,  # noqa: ARG005 - a server's own worker is never dismissed
    idling: Idling | None = None,
) -> Agent:
    scratch = Path(ticket.scratch)
    # A former life of this worker may have left half of a job here.
    await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
    scratch.mkdir(parents=True, mode=0o700)
    runtime = runtime_of(ticket)
    stack.push_async_callback(runtime.stop)
    return Agent(
        worker_id=WorkerId(ticket.worker_id),
        bus=bus,
        client=client,
        runtime=runtime,
        scratch=scratch / "jobs",
        cache=StageCache(Path(ticket.stage_cache), ticket.stage_cache_bytes),
        models=ModelCache(Path(ticket.model_cache), ticket.model_cache_bytes),
        hashes=ModelHashes(scratch.with_name(f"{scratch.name}.models.json")),
        labels=ticket.labels,
        boot_id=boot_id,
        on_dismissal=on_dismissal,
        idling=idling,
    )


def _leave_on_signals(leaving: asyncio.Event, stopped: asyncio.Event) -> None:
    def told() -> None:
        if leaving.is_set():
            _log.info("giving back what is under way")
            stopped.set()
            return
        _log.info("leaving when what is under way is done; a second signal gives it back")
        leaving.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told)


def _ticket(home: WorkerHome, joining: Joining, identity: Identity) -> WorkerTicket:
    folder = home.folder.absolute()
    return WorkerTicket(
        worker_id=identity.worker_id,
        server_url=identity.server_url,
        token="",
        bus_url="",
        bus_jwt="",
        bus_seed="",
        scratch=str(folder / "scratch"),
        home=str(folder / "runtime"),
        stage_cache=str(folder / "inputs"),
        stage_cache_bytes=joining.stage_cache_bytes,
        model_cache=joining.model_cache_dir or str(folder / "models"),
        model_cache_bytes=joining.model_cache_bytes,
        runtime=joining.runtime,
        labels=joining.labels,
        interrupt_seconds=joining.interrupt_seconds,
    )


def _tls(ca_file: str) -> ssl.SSLContext:
    """Trust whom httpx trusts, the system's authorities, and those of the file."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:
            raise CannotWork(f"cannot use the certificates in {ca_file}: {error.strerror or error}") from error
    return context
