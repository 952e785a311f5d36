"""What a server does on behalf of users outside of the house: fetching their files, and telling their webhooks."""

from collections.abc import Callable
from datetime import datetime, timedelta

from fireside.domain.workers import RemovedWorker
from fireside.events.webhooks import Postman
from fireside.store.store import Store
from fireside.upkeep.importer import Importer
from fireside.upkeep.loops import Loop

_LOOK_SECONDS = 0.5
_FORGET_SECONDS = 600.0
# The bus reads the end of a key from a clock of its own.
_CLOCKS_APART = timedelta(hours=1)


def errands(clock: Callable[[], datetime], importer: Importer, postman: Postman | None) -> list[Loop]:
    """Give the loops of a server, not yet started; all servers share the work. Without a postman messages wait."""
    loops = [Loop("tasks", importer.tick, every_seconds=_LOOK_SECONDS, clock=clock)]
    if postman is not None:
        loops.append(Loop("webhooks", postman.tick, every_seconds=_LOOK_SECONDS, clock=clock))
    return loops


def forgetting(
    store: Store,
    clock: Callable[[], datetime],
    *,
    tasks_remembered_for: timedelta,
    messages_remembered_for: timedelta,
    audit_kept_for: timedelta | None,
    forget_key: Callable[[RemovedWorker], None],
) -> Loop:
    """Give the leader's loop over errands that are long done, not yet started."""

    async def forget(now: datetime) -> None:
        await store.forget_tasks(now - tasks_remembered_for)
        await store.forget_deliveries(now - messages_remembered_for)
        if audit_kept_for is not None:
            await store.forget_audit_entries(now - audit_kept_for)
        for one in await store.forget_removed_workers(now - _CLOCKS_APART):
            forget_key(one)

    return Loop("old tasks and messages", forget, every_seconds=_FORGET_SECONDS, clock=clock)
