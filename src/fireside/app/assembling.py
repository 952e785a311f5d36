"""Putting the services of a server together, from its settings, and taking them apart.

Nothing runs by itself yet but what the services need: the store, the bus and, where a collector is named, the traces.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from fireside.accounts.accounts import Accounts
from fireside.accounts.enrollments import Enrollments
from fireside.accounts.openid import openid_of
from fireside.accounts.sealing import Sealer
from fireside.accounts.server_keys import ServerKeys
from fireside.accounts.sign_ins import SignIns
from fireside.accounts.webhook_secrets import WebhookSecrets
from fireside.accounts.wrong_tokens import WrongTokens
from fireside.assets.accesses import Accesses
from fireside.assets.importing import ImportTurns
from fireside.blobs.base import Blobs
from fireside.blobs.opening import open_blobs
from fireside.blobs.signing import UrlSigner
from fireside.bus.authority import BusAuthority
from fireside.bus.client import Bus
from fireside.bus.server import NatsServer
from fireside.bus.tls import bus_urls, tls_of
from fireside.config import Config, Origin, pools_of
from fireside.dispatch.demand import Figures
from fireside.dispatch.dispatcher import Dispatcher, DispatchWatcher
from fireside.dispatch.election import Election
from fireside.dispatch.lookout import Lookout
from fireside.domain.errors import FiresideError
from fireside.domain.jobs import Job
from fireside.events.announcer import Announcer
from fireside.events.hub import Hub
from fireside.jobs.definitions import DefinitionBook
from fireside.jobs.desk import Desk
from fireside.jobs.model_details import ModelDetails
from fireside.jobs.saved_workflows import SavedWorkflows
from fireside.outbound.purposes import way_for_imports, way_for_models, way_for_webhooks
from fireside.processes.leftovers import Leftovers
from fireside.server.edge import build_edge
from fireside.server.editor.editor import Editor
from fireside.server.job_log import log_move
from fireside.server.launchers import Launchers
from fireside.server.maintenance import Maintenances
from fireside.server.meters import Meters
from fireside.server.passages import Passages
from fireside.server.rates import Rates
from fireside.server.services import Services
from fireside.store.folder_lock import lock_folder
from fireside.store.postgres import PostgresDatabase
from fireside.store.sqlite import SqliteDatabase
from fireside.store.store import Store
from fireside.traces.starting import tracer_of
from fireside.traces.tracer import Tracer
from fireside.upkeep.collector import BlobCollector
from fireside.upkeep.loops import Loop
from fireside.upkeep.unsynced import restore_blobs
from fireside.wire.fleet import OLDEST_PROTOCOL, PROTOCOL

_MOST_SECONDS_OFF_THE_BUS = 10.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The services, and what runs beside them, not yet serving."""

    services: Services
    lookout: Lookout
    figures: Figures
    dispatcher: Dispatcher
    election: Election
    authority: BusAuthority
    bus_url: str
    leftovers: Leftovers
    collector: BlobCollector
    loops: list[Loop]
    """All that have been started, for the edge to tell of."""


def utc_now() -> datetime:
    """The clock of the server."""
    return datetime.now(UTC)


@contextlib.asynccontextmanager
async def assemble(
    config: Config, *, public_url: str, name: str = "", origins: Mapping[str, Origin] | None = None
) -> AsyncGenerator[Assembly]:
    """Open the store, the blobs and the bus, and put the services over them together; `name` tells who we are."""
    imports, webhooks, pools = way_for_imports(config), way_for_webhooks(config), pools_of(config)
    tls = tls_of(config)
    data_dir = Path(config.data_dir)
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with contextlib.AsyncExitStack() as stack:
        keys = ServerKeys.load_or_create(data_dir, config)
        meters = Meters()
        database, store, tracer = await _open_store(config, data_dir, stack, name, meters)
        leftovers = Leftovers(data_dir / "run" / "children.json")
        await leftovers.end_all()
        authority = _authority(config, keys)
        nats = await _own_nats(config, authority, data_dir, leftovers, store, stack)
        bus_url = config.nats_url if nats is None else nats.url
        bus = await _open_bus(bus_url, authority, tls, stack)
        bus.on_change(meters.bus_changed)
        blobs = await _open_blobs(config, data_dir, store, meters)
        signer = UrlSigner(keys.derive("signed urls"))
        definitions = DefinitionBook(store)
        hub = Hub(bus, store)
        stack.push_async_callback(hub.close)
        desk = Desk(
            store=store,
            bus=bus,
            announcer=Announcer(bus, hear=hub.hear if store.writes_alone else None),
            definitions=definitions,
            model_details=ModelDetails(bus, definitions),
            sealer=Sealer(keys.derive("job secrets")),
            signer=signer,
            webhooks=webhooks,
            config=config,
            clock=utc_now,
            is_traced=tracer is not None,
        )
        accounts = Accounts(store, utc_now, config)
        lookout, figures = Lookout(desk, bus), Figures(bus, utc_now, pools)
        dispatcher = Dispatcher(
            desk,
            bus,
            lookout,
            name=f"{name or f'process {os.getpid()}'} on {socket.gethostname()}",
            watcher=_dispatch_watcher(meters, tracer),
            pools=pools,
        )
        election = Election(
            database.lead(),
            bus,
            refused=dispatcher.refused,
            most_seconds_off_the_bus=_MOST_SECONDS_OFF_THE_BUS if config.nats_url else None,
        )
        collector = BlobCollector(store, blobs, grace=timedelta(hours=config.blob_grace_hours))
        loops: list[Loop] = []
        services = Services(
            config=config,
            origins=origins or {},
            store=store,
            blobs=blobs,
            bus=bus,
            desk=desk,
            hub=hub,
            signer=signer,
            imports=imports,
            models=way_for_models(config),
            import_turns=ImportTurns(config.max_imports_awaited),
            webhook_secrets=WebhookSecrets(
                store,
                Sealer(keys.derive("webhook secrets")),
                overlap=timedelta(hours=config.webhook_overlap_hours),
            ),
            accounts=accounts,
            sign_ins=SignIns(accounts, store, utc_now, config),
            openid=openid_of(
                config, accounts, store, Sealer(keys.derive("openid sign-ins")), utc_now, public_url=public_url
            ),
            accesses=Accesses(store, utc_now),
            keys=keys,
            fleet=lookout,
            figures=figures,
            election=election,
            loops=loops,
            blob_walks=collector,
            workflows=SavedWorkflows(store, blobs, config),
            editor=Editor.of(config, keys.derive("drafts")),
            enrollments=Enrollments(
                store,
                utc_now,
                config,
                protocols=range(OLDEST_PROTOCOL, PROTOCOL + 1),
                keys_are_revoked=nats is not None,
            ),
            join_guesses=WrongTokens(config.max_join_failures, time.monotonic),
            authority=authority,
            passages=Passages(bus_urls(bus_url), tls),
            rates=Rates(config, bus, time.time),
            launchers=Launchers(bus, time.monotonic),
            maintenances=Maintenances(store, utc_now, config.maintenance_retry_seconds),
            meters=meters,
            tracer=tracer,
            revoke_bus_key=(lambda _: None) if nats is None else nats.revoke,
            forget_bus_key=(lambda _: None) if nats is None else nats.forget,
            stopping=asyncio.Event(),
            clock=utc_now,
            public_url=public_url,
        )
        yield Assembly(
            services=services,
            lookout=lookout,
            figures=figures,
            dispatcher=dispatcher,
            election=election,
            authority=authority,
            bus_url=bus_url,
            leftovers=leftovers,
            collector=collector,
            loops=loops,
        )
        try:
            await services.accounts.flush_last_used()
            await services.accesses.flush()
        except FiresideError as error:
            # When keys and assets were used last is worth no failed stop, on a full disk for instance.
            _log.warning("last use of keys and assets not written", code=error.code, reason=error.message)


@contextlib.asynccontextmanager
async def open_admin_app(config: Config) -> AsyncGenerator[Any]:
    """Give the app as it answers on the admin socket, without a server: for commands while none runs."""
    async with assemble(config, public_url=config.public_url or "http://localhost") as assembly:
        yield build_edge(assembly.services, as_admin=True)


async def _open_store(
    config: Config, data_dir: Path, stack: contextlib.AsyncExitStack, name: str, meters: Meters
) -> tuple[SqliteDatabase | PostgresDatabase, Store, Tracer | None]:
    database = _database(config, data_dir, stack, name, meters)
    stack.push_async_callback(database.close)
    await database.start()
    store = Store(database, has_webhooks=bool(config.webhook_hosts))
    store.watch(lambda before, after, new, share: meters.job_moved(before, after))  # noqa: ARG005 - a watcher's shape
    store.watch(lambda before, after, new, share: log_move(before, after))  # noqa: ARG005 - a watcher's shape
    tracer = tracer_of(config, os.environ, store, utc_now, instance=name, watcher=meters.spans_moved)
    if tracer is not None:
        stack.push_async_callback(tracer.stop)
        await tracer.start()
    return database, store, tracer


def _dispatch_watcher(meters: Meters, tracer: Tracer | None) -> DispatchWatcher:
    def offered(job: Job, seconds: float, accepted: bool) -> None:
        meters.offered(seconds, accepted)
        if tracer is not None:
            tracer.offered(job, accepted)

    return DispatchWatcher(meters.decided, offered)


def _database(
    config: Config, data_dir: Path, stack: contextlib.AsyncExitStack, name: str, meters: Meters
) -> SqliteDatabase | PostgresDatabase:
    if config.database_url:
        # SQLite takes it by itself: what else lies in the folder is one server's as well.
        stack.callback(os.close, lock_folder(data_dir, name))
        return PostgresDatabase(config.database_url, watcher=meters.wrote)
    return SqliteDatabase(data_dir / "fireside.db", holder=name, watcher=meters.wrote)


def _authority(config: Config, keys: ServerKeys) -> BusAuthority:
    if config.nats_account_seed:
        return BusAuthority.from_account_seed(config.nats_account_seed, config.nats_account)
    return BusAuthority.from_secret(keys.derive("bus"))


async def _own_nats(
    config: Config,
    authority: BusAuthority,
    data_dir: Path,
    leftovers: Leftovers,
    store: Store,
    stack: contextlib.AsyncExitStack,
) -> NatsServer | None:
    """Start a bus of our own, which knows who was sent away, unless the settings name another."""
    if config.nats_url:
        return None
    removed = await store.removed_workers()
    nats = NatsServer(
        data_dir / "run" / "nats",
        authority,
        program=config.nats_server or None,
        leftovers=leftovers,
        revoked=[authority.worker_key(one.worker_id, one.number) for one in removed],
    )
    stack.push_async_callback(nats.stop)
    await nats.start()
    return nats


async def _open_blobs(config: Config, data_dir: Path, store: Store, meters: Meters) -> Blobs:
    blobs = open_blobs(config, data_dir, watcher=meters.bytes_moved)
    await restore_blobs(store, blobs)
    if store.writes_alone and blobs.unsynced is not None:
        # Nobody else writes there: what a killed server has begun is nobody's any more.
        await blobs.sweep_unfinished(utc_now())
    return blobs


async def _open_bus(
    url: str, authority: BusAuthority, tls: ssl.SSLContext | None, stack: contextlib.AsyncExitStack
) -> Bus:
    bus = await Bus.connect(
        bus_urls(url), authority.server_credentials(), name="server", inbox_prefix="_INBOX_server", tls=tls
    )
    stack.push_async_callback(bus.close)
    return bus
