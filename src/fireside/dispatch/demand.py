"""What launchers are told: how many workers each pool should have, by the leader to all servers.

The leader has it from its own memory at each look; nobody's queue is read whole for it. Every server remembers what it
heard last, so that any of them can be asked; what is old is not told, and a launcher then leaves things as they are.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from fireside.bus.client import Bus, Subscription
from fireside.bus.errors import BusError
from fireside.bus.subjects import fleet_figures
from fireside.dispatch.ledger import Ledger
from fireside.domain.ids import UserId
from fireside.domain.pools import Pool
from fireside.jobs.desk import Desk
from fireside.scheduler.demand import Desired, UserDemand, desired_workers
from fireside.scheduler.queue import UserQueue
from fireside.store.records import HeldJob
from fireside.wire.fleet import PoolFigure, PoolFigures

_GOOD_FOR = timedelta(seconds=10)
_log = structlog.get_logger(__name__)


class Figures:
    """What this server has heard of the pools."""

    def __init__(self, bus: Bus, clock: Callable[[], datetime], pools: Sequence[Pool]) -> None:
        self.pools = pools
        self._bus = bus
        self._clock = clock
        self._heard: Mapping[str, Desired] = {}
        self._heard_at: datetime | None = None
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        """Begin to listen."""
        if self.pools:
            self._subscription = await self._bus.subscribe(fleet_figures(), self._take)

    async def stop(self) -> None:
        """Listen no more; idempotent."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            await subscription.unsubscribe()

    def now(self) -> Mapping[str, Desired]:
        """Give the figures by pool; none for what nobody has told of late."""
        if self._heard_at is None or abs(self._clock() - self._heard_at) > _GOOD_FOR:
            return {}
        return self._heard

    async def _take(self, subject: str, payload: bytes) -> None:
        try:
            said = msgspec.json.decode(payload, type=PoolFigures)
        except msgspec.MsgspecError:
            _log.warning("not figures", subject=subject)
            return
        self._heard = {one.pool: Desired(wanted=one.wanted, workers=one.desired) for one in said.pools}
        self._heard_at = self._clock()


class Demand:
    """What the leader tells."""

    def __init__(self, desk: Desk, bus: Bus, pools: Sequence[Pool]) -> None:
        self._desk = desk
        self._bus = bus
        self._pools = pools

    async def tell(self, ledger: Ledger, held_jobs: Sequence[HeldJob]) -> None:
        """Tell the figures; `held_jobs` were read before what the ledger knows, so that no job is missed between."""
        if not self._pools:
            return
        await ledger.refresh()
        able = await ledger.pools_for(self._pools)
        held = self._held(held_jobs)
        users = ledger.state.users
        demands = [
            UserDemand(
                waiting={} if user is None else _waiting(user, able),
                held=held.get(user_id, {}),
                room=None if user is None else _room(user),
            )
            for user_id, user in {**dict.fromkeys(held), **users}.items()
        ]
        figures = desired_workers(self._pools, demands, unseen=self._unseen())
        said = PoolFigures(
            pools=tuple(PoolFigure(pool=name, wanted=one.wanted, desired=one.workers) for name, one in figures.items())
        )
        try:
            await self._bus.publish(fleet_figures(), msgspec.json.encode(said))
        except BusError as error:
            _log.warning("figures of pools not told", reason=str(error))

    def _held(self, held_jobs: Sequence[HeldJob]) -> dict[UserId, Counter[str]]:
        """Count what workers hold, by user and by the first pool that the worker is of."""
        profiles = self._desk.definitions.known.profiles
        held: dict[UserId, Counter[str]] = {}
        for one in held_jobs:
            profile = profiles.get(one.worker_id)
            names = (pool.name for pool in self._pools if profile is not None and pool.holds(profile.labels))
            name = next(names, None)
            if name is not None:
                held.setdefault(one.job.user_id, Counter())[name] += 1
        return held

    def _unseen(self) -> list[str]:
        profiles = self._desk.definitions.known.profiles.values()
        return [pool.name for pool in self._pools if not any(pool.holds(one.labels) for one in profiles)]


def _waiting(user: UserQueue, able: Mapping[UUID, frozenset[str]]) -> dict[frozenset[str], int]:
    waiting: dict[frozenset[str], int] = {}
    for requirement_id, count in user.counts().items():
        pools = able.get(requirement_id, frozenset())
        if pools:
            waiting[pools] = waiting.get(pools, 0) + count
    return waiting


def _room(user: UserQueue) -> int | None:
    if user.is_paused:
        return 0
    return None if user.max_running is None else max(0, user.max_running - user.held)
