"""Which duties there are, and how often: those of every server, and those that the leader does for all."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from fireside.accounts.accounts import Accounts
from fireside.assets.accesses import Accesses
from fireside.blobs.base import Blobs
from fireside.domain.ids import WorkerId
from fireside.jobs.definitions import DefinitionBook
from fireside.jobs.submit import KEYS_LAST
from fireside.store.store import Store
from fireside.upkeep.collector import BlobCollector
from fireside.upkeep.departures import Departures
from fireside.upkeep.loops import Loop
from fireside.upkeep.measurer import Measurer
from fireside.upkeep.pruner import Pruner
from fireside.upkeep.unsynced import unsynced_blobs

_LAST_USED_SECONDS = 30.0
_DEFINITIONS_SECONDS = 10.0
_WORKERS_SECONDS = 600.0
_SWEEP_SECONDS = 3600.0
_HISTORIES_SECONDS = 60.0
_PRUNE_SECONDS = 60.0
_COLLECT_SECONDS = 1.0
_MEASURE_SECONDS = 1.0
_LIBRARIES_SECONDS = 15.0
_EXPIRED_SECONDS = 10.0
_EXPIRED_AT_ONCE = 200
_DEPARTURES_SECONDS = 2.0
_UNFINISHED_FOR = timedelta(days=1)


def own_duties(
    accounts: Accounts,
    definitions: DefinitionBook,
    accesses: Accesses,
    blobs: Blobs,
    clock: Callable[[], datetime],
) -> list[Loop]:
    """Give the loops over what a server has in its own memory and on its own disk, not yet started."""

    async def flush_last_used(now: datetime) -> None:  # noqa: ARG001 - duties are told the time
        await accounts.flush_last_used()

    async def flush_accesses(now: datetime) -> None:  # noqa: ARG001 - duties are told the time
        await accesses.flush()

    async def refresh_definitions(now: datetime) -> None:  # noqa: ARG001 - duties are told the time
        await definitions.refresh()

    async def sweep_unfinished(now: datetime) -> None:
        await blobs.sweep_unfinished(now - _UNFINISHED_FOR)

    return [
        Loop("last use of keys", flush_last_used, every_seconds=_LAST_USED_SECONDS, clock=clock),
        Loop("last use of assets", flush_accesses, every_seconds=_LAST_USED_SECONDS, clock=clock),
        Loop("node definitions", refresh_definitions, every_seconds=_DEFINITIONS_SECONDS, clock=clock),
        Loop("unfinished uploads", sweep_unfinished, every_seconds=_SWEEP_SECONDS, clock=clock),
    ]


def leader_duties(
    store: Store,
    clock: Callable[[], datetime],
    *,
    present_workers: Callable[[], Collection[WorkerId]],
    workers_remembered_for: timedelta,
    pruner: Pruner,
    collector: BlobCollector,
    departures: Departures,
    blobs: Blobs,
) -> list[Loop]:
    """Give the loops over what all servers share, for one of them to run; not yet started."""

    async def remember_workers(now: datetime) -> None:
        await store.touch_workers(present_workers(), now)
        await store.forget_workers(workers_remembered_for)

    async def promote_large_histories(now: datetime) -> None:  # noqa: ARG001 - duties are told the time
        await store.promote_large_histories()
        await store.count_runs()

    async def prune_histories(now: datetime) -> None:
        await pruner.prune(now)

    async def forget_keys(now: datetime) -> None:
        await store.remove_expired_keys(now - KEYS_LAST)

    return [
        Loop("idempotency keys", forget_keys, every_seconds=_SWEEP_SECONDS, clock=clock),
        Loop("workers", remember_workers, every_seconds=_WORKERS_SECONDS, clock=clock),
        Loop("large histories", promote_large_histories, every_seconds=_HISTORIES_SECONDS, clock=clock),
        *_duties_of_assets(store, clock),
        Loop("ended jobs", prune_histories, every_seconds=_PRUNE_SECONDS, clock=clock),
        Loop("deleted users", departures.see_off, every_seconds=_DEPARTURES_SECONDS, clock=clock),
        Loop("measures of older files", Measurer(store, blobs).step, every_seconds=_MEASURE_SECONDS, clock=clock),
        Loop("unused blobs", collector.step, every_seconds=_COLLECT_SECONDS, clock=clock),
        unsynced_blobs(store, blobs, clock),
    ]


def _duties_of_assets(store: Store, clock: Callable[[], datetime]) -> list[Loop]:
    async def cut_large_libraries(now: datetime) -> None:  # noqa: ARG001 - duties are told the time
        while await store.cut_large_libraries() or await store.seal_large_libraries():
            pass

    async def remove_expired_assets(now: datetime) -> None:
        while await store.remove_expired_assets(now, limit=_EXPIRED_AT_ONCE) == _EXPIRED_AT_ONCE:
            pass

    return [
        Loop("large libraries", cut_large_libraries, every_seconds=_LIBRARIES_SECONDS, clock=clock),
        Loop("expired assets", remove_expired_assets, every_seconds=_EXPIRED_SECONDS, clock=clock),
    ]
