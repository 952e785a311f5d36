"""What each server does when somebody, here or at another one, has changed the fleet or the registry of models."""

from fireside.bus.client import Subscription
from fireside.bus.subjects import fleet_changed
from fireside.server.services import Services


class FleetWatch:
    """Hears of changes of the fleet, and throws out of here whoever was sent away elsewhere."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self._subscription = await self._services.bus.subscribe(fleet_changed(), self._changed)

    async def stop(self) -> None:
        """Listen no more."""
        if self._subscription is not None:
            await self._subscription.unsubscribe()

    async def _changed(self, subject: str, payload: bytes) -> None:  # noqa: ARG002 - the bus's handler shape
        await self._services.desk.definitions.refresh()
        store = self._services.store
        removed = {one.worker_id for one in await store.removed_workers()}
        removed -= {one.worker_id for one in await store.enrollments()}
        self._services.passages.send_away_all_but(lambda worker_id: worker_id not in removed)
