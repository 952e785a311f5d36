"""Serving: the edge, the election, the loops and the workers of a server, from its start to its end in order."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import structlog

from fireside import __version__
from fireside.accounts.accounts import FirstStart
from fireside.app.assembling import Assembly, assemble
from fireside.assets.library import library_with
from fireside.config import Config, Origin
from fireside.domain.errors import FiresideError
from fireside.events.webhooks import Postman
from fireside.fleet.local import LocalFleet
from fireside.fleet.plan import PlannedWorker
from fireside.fleet.readiness import until_ready
from fireside.outbound.purposes import import_patience, webhook_patience
from fireside.server.enrolling import see_off
from fireside.server.fleet_reports import FleetReports
from fireside.server.fleet_watch import FleetWatch
from fireside.server.listening import Doors
from fireside.server.services import Services
from fireside.store.folder_lock import require_unlocked
from fireside.upkeep.collector import BlobCollector
from fireside.upkeep.departures import Departures
from fireside.upkeep.duties import leader_duties, own_duties
from fireside.upkeep.equals import equal_jobs
from fireside.upkeep.errands import errands, forgetting
from fireside.upkeep.importer import Importer
from fireside.upkeep.loops import Loop
from fireside.upkeep.pruner import Pruner
from fireside.upkeep.sampler import fleet_sampling
from fireside.upkeep.silent_workers import silent_workers

SERVER_FILE = "server.json"
_ALONE_WITHIN_SECONDS = 15.0
_log = structlog.get_logger(__name__)


class SharedBusNeeded(FiresideError):
    """Several servers on one database, and each with a bus of its own."""

    code = "shared_bus_needed"


class ServerFile(msgspec.Struct, frozen=True, kw_only=True):
    """`DIR/server.json`: written when the server is ready, removed when it stops in order."""

    url: str
    port: int
    pid: int
    version: str
    local_urls: tuple[tuple[str, str], ...] = ()


async def serve(
    config: Config,
    *,
    plan: Sequence[PlannedWorker],
    on_ready: Callable[[ServerFile, FirstStart | None], None] | None = None,
    origins: Mapping[str, Origin] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, with these workers as children; `origins` tells where settings came from."""
    async with contextlib.AsyncExitStack() as stack:
        # Before the ports, about which such a server would complain first.
        require_unlocked(Path(config.data_dir))
        doors = Doors(config)
        stack.push_async_callback(doors.close)
        stopped = doors.closed
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        public_url = config.public_url.rstrip("/") or doors.own_url
        assembly = await stack.enter_async_context(
            assemble(config, public_url=public_url, name=f"process {os.getpid()} at {doors.own_url}", origins=origins)
        )
        first_start = await assembly.services.accounts.first_start()
        stack.push_async_callback(doors.close)
        await doors.open(assembly.services)
        # Sockets that were told that we go away leave by themselves, and nobody has to wait for them.
        stack.push_async_callback(assembly.services.hub.close)
        await _start_loops(assembly, stack)
        fleet = LocalFleet(
            assembly.authority,
            assembly.services.keys,
            assembly.leftovers,
            config,
            server_url=doors.worker_url,
            bus_url=assembly.bus_url,
        )
        stack.push_async_callback(fleet.stop)
        await fleet.start(plan)
        await until_ready(plan, assembly.lookout.presences, seconds=config.start_seconds, stopped=stopped)
        server_file = ServerFile(
            url=public_url, port=doors.port, pid=os.getpid(), version=__version__, local_urls=doors.local_urls
        )
        with _server_file(Path(config.data_dir) / SERVER_FILE, server_file):
            if on_ready is not None and not stopped.is_set():
                on_ready(server_file, first_start)
            await stopped.wait()
            _log.info("stopping")
            assembly.services.stopping.set()
            await _let_others_notice(config.drain_seconds)


async def _let_others_notice(seconds: float) -> None:
    """Go on serving until a proxy has seen that we are not ready; told to stop once more, no longer."""
    hurried = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, hurried.set)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await hurried.wait()


async def _start_loops(assembly: Assembly, stack: contextlib.AsyncExitStack) -> None:
    reports = FleetReports(assembly.services)
    stack.push_async_callback(reports.stop)
    await reports.start()
    watch = FleetWatch(assembly.services)
    stack.push_async_callback(watch.stop)
    await watch.start()
    services, lookout = assembly.services, assembly.lookout
    stack.push_async_callback(lookout.stop)
    await lookout.start()
    stack.push_async_callback(services.rates.stop)
    await services.rates.start()
    stack.push_async_callback(assembly.figures.stop)
    await assembly.figures.start()
    stack.push_async_callback(services.launchers.stop)
    await services.launchers.start()
    for loop in own_duties(
        services.accounts, services.desk.definitions, services.accesses, services.blobs, services.clock
    ):
        await _start(loop, assembly, stack)
    await services.maintenances.refresh(services.clock())
    for loop in _every_second(services):
        await _start(loop, assembly, stack)
    await _start_errands(assembly, stack)
    leaders = _duties_of_the_leader(services, assembly.collector)
    assembly.loops.extend(leaders)
    stack.push_async_callback(assembly.election.stop)
    await assembly.election.start([assembly.dispatcher, *leaders])
    await _require_the_only_bus(assembly)


async def _start(loop: Loop, assembly: Assembly, stack: contextlib.AsyncExitStack) -> None:
    assembly.loops.append(loop)
    stack.push_async_callback(loop.stop)
    await loop.start()


def _every_second(services: Services) -> list[Loop]:
    """Give the loops by which the servers of a store keep together what no request may wait for."""

    async def tell_rates(now: datetime) -> None:  # noqa: ARG001 - duties are told the time
        await services.rates.tell()

    return [
        Loop("maintenance", services.maintenances.refresh, every_seconds=1.0, clock=services.clock),
        Loop("rates", tell_rates, every_seconds=1.0, clock=services.clock),
    ]


def _duties_of_the_leader(services: Services, collector: BlobCollector) -> list[Loop]:
    config = services.config
    return [
        equal_jobs(services.desk),
        *leader_duties(
            services.store,
            services.clock,
            present_workers=lambda: services.fleet.presences().keys(),
            workers_remembered_for=timedelta(days=config.workers_remembered_days),
            collector=collector,
            departures=Departures(services.desk),
            blobs=services.blobs,
            pruner=Pruner(services.store, keep_jobs=config.keep_jobs, keep_days=config.keep_days),
        ),
        silent_workers(
            services.store,
            services.clock,
            present_workers=lambda: services.fleet.presences().keys(),
            silent_for=timedelta(minutes=config.transient_worker_minutes),
            see_off=lambda left: see_off(services, left),
        ),
        fleet_sampling(
            services.store,
            services.fleet.presences,
            services.clock,
            remembered_for=timedelta(days=config.fleet_history_days),
        ),
        forgetting(
            services.store,
            services.clock,
            tasks_remembered_for=timedelta(days=config.task_days),
            messages_remembered_for=timedelta(days=config.webhook_log_days),
            audit_kept_for=timedelta(days=config.audit_days) if config.audit_days else None,
            forget_key=lambda left: services.forget_bus_key(services.authority.worker_key(left.worker_id, left.number)),
        ),
    ]


async def _require_the_only_bus(assembly: Assembly) -> None:
    """Refuse to stand by on a bus of our own, where the leader would never hear our workers, nor we the leader's."""
    if assembly.services.config.nats_url:
        return
    try:
        async with asyncio.timeout(_ALONE_WITHIN_SECONDS):
            await assembly.election.led_once.wait()
    except TimeoutError:
        leader = await assembly.services.store.leader()
        raise SharedBusNeeded(
            f"another server leads on this database ({'' if leader is None else leader.holder}): servers that share a"
            " database must share a bus as well, so set nats_url for all of them, or stop that server"
        ) from None


async def _start_errands(assembly: Assembly, stack: contextlib.AsyncExitStack) -> None:
    services = assembly.services
    postman = Postman(
        services.store,
        services.desk.webhooks,
        services.webhook_secrets,
        patience=webhook_patience(services.config),
        clock=services.clock,
        most_of_a_user=services.config.max_webhooks_at_once,
    )
    stack.push_async_callback(postman.stop)
    importer = Importer(
        library_with(services.config, services.store, services.blobs, services.clock),
        services.imports,
        services.desk.announcer,
        patience=import_patience(services.config),
        limit_bytes=services.config.max_upload_bytes,
        most_of_a_user=services.config.max_imports_at_once,
    )
    stack.push_async_callback(importer.stop)
    for loop in errands(services.clock, importer, postman if services.config.webhook_hosts else None):
        await _start(loop, assembly, stack)


@contextlib.contextmanager
def _server_file(path: Path, content: ServerFile) -> Generator[None]:
    part = path.with_name(path.name + ".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(content)))
    part.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
