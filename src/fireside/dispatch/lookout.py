"""Who is there: every server listens to the workers, whether it leads or not.

So whoever takes the lead knows the fleet already, and every server can say why a job waits. What follows from a silence
is the leader's to judge; a lookout sends nobody away and takes nothing back.
"""

import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec
import structlog

from fireside.bus.client import Bus, Subscription
from fireside.bus.errors import BusError
from fireside.bus.subjects import all_presences, fleet_changed, work, worker_of
from fireside.dispatch.presence import Presences
from fireside.dispatch.roster import Roster
from fireside.domain.errors import FiresideError
from fireside.domain.ids import WorkerId
from fireside.jobs.desk import Desk
from fireside.wire.fleet import Dismissal, Presence

_log = structlog.get_logger(__name__)


class Lookout:
    """Hears workers and the changes of the fleet, and tells the leader when there may be something to hand out."""

    def __init__(self, desk: Desk, bus: Bus) -> None:
        self._bus = bus
        self._clock = desk.clock
        self.sightings = Presences(timedelta(seconds=desk.config.worker_lost_after))
        self.roster = Roster(desk.store)
        self.listening_since = self._clock()
        """Since when nothing that a worker said can have been missed."""
        self._heard_at = self.listening_since
        self._wake_leader: Callable[[], None] | None = None
        self._subscriptions: list[Subscription] = []

    async def start(self) -> None:
        """Begin to listen."""
        self._bus.on_change(self._bus_changed)
        self.listening_since = self._clock()
        self._subscriptions = [
            await self._bus.subscribe(all_presences(), self._presence_heard),
            await self._bus.subscribe(fleet_changed(), self._fleet_changed),
        ]

    async def stop(self) -> None:
        """Listen no more; idempotent."""
        subscriptions, self._subscriptions = self._subscriptions, []
        for subscription in subscriptions:
            await subscription.unsubscribe()

    def serve(self, wake_leader: Callable[[], None] | None) -> None:
        """Serve the leader of this process, and dismiss in its name, until there is none (None)."""
        self._wake_leader = wake_leader

    def presences(self) -> Mapping[WorkerId, Presence]:
        """Give the last word of each worker that is there."""
        return self.sightings.present(self._clock())

    async def read_roster(self, now: datetime) -> None:
        """Read anew who belongs to the fleet."""
        try:
            await self.roster.refresh(now)
        except FiresideError as error:
            _log.warning("the roster of workers was not read", code=error.code, reason=error.message)
            return
        self.sightings.keep(self.roster.may_stay)
        self.sightings.forget_long_gone(now)

    async def _presence_heard(self, subject: str, payload: bytes) -> None:
        try:
            presence = msgspec.json.decode(payload, type=Presence)
        except msgspec.MsgspecError:
            _log.warning("not a presence", subject=subject)
            return
        worker_id, now = worker_of(subject), self._clock()
        if now < self._heard_at:
            self.sightings.set_back(now)
        self._heard_at = now
        objection = self.roster.objection(worker_id, presence.boot_id)
        if self.roster.is_old(now) or (objection and not self.roster.is_fresh(now)):
            await self.read_roster(now)
            objection = self.roster.objection(worker_id, presence.boot_id)
        if objection:
            await self._dismiss(worker_id, presence.boot_id, objection)
        elif self.sightings.saw(worker_id, presence, now):
            self._tell_leader()

    async def _dismiss(self, worker_id: WorkerId, boot_id: str, reason: str) -> None:
        if self._wake_leader is None:
            return
        _log.warning("not heard", worker_id=worker_id, boot_id=boot_id, reason=reason)
        dismissal = msgspec.json.encode(Dismissal(boot_id=boot_id, reason=reason))
        with contextlib.suppress(BusError):  # it will speak again, and be told then
            await self._bus.publish(work(worker_id), dismissal)

    async def _fleet_changed(self, subject: str, payload: bytes) -> None:  # noqa: ARG002 - the bus's handler shape
        await self.read_roster(self._clock())
        self._tell_leader()

    def _bus_changed(self, connected: bool) -> None:
        if connected:
            self.listening_since = self._clock()
            self._tell_leader()

    def _tell_leader(self) -> None:
        if self._wake_leader is not None:
            self._wake_leader()
