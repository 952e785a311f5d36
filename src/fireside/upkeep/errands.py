"""What a server does on behalf of users outside of the house: fetching their files, and telling their webhooks."""

from collections.abc import Callable
from datetime import datetime, timedelta

from fireside.events.webhooks import Postman
from fireside.store.store import Store
from fireside.upkeep.importer import Importer
from fireside.upkeep.loops import Loop

_LOOK_SECONDS = 0.5
_FORGET_SECONDS = 600.0


def errands(
    store: Store,
    clock: Callable[[], datetime],
    importer: Importer,
    postman: Postman | None,
    *,
    tasks_remembered_for: timedelta,
    messages_remembered_for: timedelta,
) -> list[Loop]:
    """Give the loops, not yet started; without a postman messages wait."""

    async def forget(now: datetime) -> None:
        await store.forget_tasks(now - tasks_remembered_for)
        await store.forget_deliveries(now - messages_remembered_for)

    loops = [
        Loop("tasks", importer.tick, every_seconds=_LOOK_SECONDS, clock=clock),
        Loop("old tasks and messages", forget, every_seconds=_FORGET_SECONDS, clock=clock),
    ]
    if postman is not None:
        loops.append(Loop("webhooks", postman.tick, every_seconds=_LOOK_SECONDS, clock=clock))
    return loops
