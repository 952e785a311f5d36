"""The loop of the leader: fair hand-outs, and watch over who holds what.

It decides by `scheduler.policy` and `presence`, and acts only through the verbs of `jobs`. A wake on the bus makes
it look sooner; looking every half second is enough for everything to be right.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from fireside.bus.client import Bus, Subscription
from fireside.bus.subjects import all_presences, dispatch_wake, worker_of
from fireside.dispatch.presence import Presences
from fireside.domain.errors import FiresideError
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import JobState
from fireside.jobs.assign import assign_job
from fireside.jobs.cancel import tell_worker_to_stop
from fireside.jobs.desk import Desk
from fireside.jobs.rescue import rescue_job
from fireside.scheduler.policy import (
    DEFAULT_ESTIMATE_SECONDS,
    Candidate,
    Placement,
    Snapshot,
    decide,
    starting_floors,
)
from fireside.store.records import HeldJob
from fireside.store.store import Changed
from fireside.wire.fleet import Presence

_TICK_SECONDS = 0.5
_LATE_TICK = timedelta(seconds=2)
_SAY_AGAIN = timedelta(seconds=1)
_log = structlog.get_logger(__name__)


class Dispatcher:
    """Hands queued jobs to free workers and takes them back from lost ones."""

    def __init__(self, desk: Desk, bus: Bus, *, name: str) -> None:
        self._desk = desk
        self._bus = bus
        self._name = name
        self._clock: Callable[[], datetime] = desk.clock
        self._presences = Presences(timedelta(seconds=desk.config.worker_lost_after))
        self._floors: dict[UserId, float] = {}
        self._offering: dict[WorkerId, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._listening_since = self._clock()
        self._last_tick_at = self._clock()
        self._term = 0
        self._subscriptions: list[Subscription] = []
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take the lead and begin to look."""
        self._term = await self._desk.store.take_term(self._name, self._clock())
        self._listening_since = self._last_tick_at = self._clock()
        self._bus.on_change(self._bus_changed)
        self._subscriptions = [
            await self._bus.subscribe(all_presences(), self._presence_heard),
            await self._bus.subscribe(dispatch_wake(), self._woken),
        ]
        self._loop = asyncio.create_task(self._run(), name="dispatch")

    async def stop(self) -> None:
        """Stop looking; what is assigned stays assigned."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, *self._offering.values(), return_exceptions=True)
        for subscription in self._subscriptions:
            await subscription.unsubscribe()

    def presences(self) -> Mapping[WorkerId, Presence]:
        """Give the last word of each worker that is there."""
        return self._presences.present(self._clock())

    async def tick(self, now: datetime) -> None:
        """Look once: take back what is lost, then hand out what can go."""
        if now - self._last_tick_at > _LATE_TICK:
            # We were asleep ourselves: the silence we would judge is our own.
            self._listening_since = now
        self._last_tick_at = now
        if self._bus.is_connected:
            await self._take_back_lost(now)
        await self._hand_out(now)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.tick(self._clock())
            except FiresideError as error:
                _log.warning("dispatch tick failed", code=error.code, reason=error.message)
            try:
                await asyncio.wait_for(self._wake.wait(), _TICK_SECONDS)
            except TimeoutError:
                continue

    async def _take_back_lost(self, now: datetime) -> None:
        held_jobs = await self._desk.store.held_jobs()
        for verdict in self._presences.judge(held_jobs, now, listening_since=self._listening_since):
            if verdict.held.worker_id in self._offering:
                continue
            _log.warning(
                "job taken from lost worker", job_id=str(verdict.held.job.id), worker_id=verdict.held.worker_id
            )
            try:
                await rescue_job(self._desk, verdict.held, lost=verdict.lost)
            except Changed:
                continue
        await self._say_cancels_again(held_jobs, now)

    async def _say_cancels_again(self, held_jobs: Sequence[HeldJob], now: datetime) -> None:
        for held in held_jobs:
            if held.job.state is JobState.CANCELING and now - held.job.changed_at > _SAY_AGAIN:
                await tell_worker_to_stop(self._bus, held.job)

    async def _hand_out(self, now: datetime) -> None:
        free = self._presences.free_workers(now, set(self._offering))
        if not free:
            return
        for placement in decide(await self._snapshot(free)):
            task = asyncio.create_task(self._offer(placement), name=f"offer to {placement.worker_id}")
            self._offering[placement.worker_id] = task

    async def _snapshot(self, free: list[WorkerId]) -> Snapshot:
        store = self._desk.store
        shares = {share.user_id: share for share in await store.shares()}
        heads = await store.queue_heads(per_user=len(free), limit=max(len(free), len(shares)) * len(free))
        estimates = await store.run_estimates({head.fingerprint for head in heads})
        times = {user_id: share.virtual_time for user_id, share in shares.items()}
        self._floors = starting_floors(times, self._floors)
        queues: dict[UserId, list[tuple[JobId, float]]] = {}
        for head in heads:
            estimate = estimates.get(head.fingerprint, DEFAULT_ESTIMATE_SECONDS)
            queues.setdefault(head.user_id, []).append((head.job_id, estimate))
        candidates = [
            Candidate(
                user_id=user_id,
                weight=share.weight,
                virtual_time=max(share.virtual_time, self._floors[user_id]),
                held=share.held,
                max_running=share.max_running or self._desk.config.max_running or None,
                heads=queues.get(user_id, ()),
            )
            for user_id, share in shares.items()
        ]
        return Snapshot(candidates=candidates, free_workers=free)

    async def _offer(self, placement: Placement) -> None:
        worker_id = placement.worker_id
        try:
            lease = await assign_job(self._desk, placement, term=self._term)
            self._presences.offered(worker_id, lease, self._clock())
        except Changed:
            _log.info("placement came too late", job_id=str(placement.job_id))
        except FiresideError as error:
            _log.warning("job not handed out", job_id=str(placement.job_id), reason=error.message)
        finally:
            del self._offering[worker_id]

    async def _presence_heard(self, subject: str, payload: bytes) -> None:
        try:
            presence = msgspec.json.decode(payload, type=Presence)
        except msgspec.MsgspecError:
            _log.warning("not a presence", subject=subject)
            return
        worker_id = worker_of(subject)
        self._presences.saw(worker_id, presence, self._clock())
        if presence.ready and not presence.leases:
            self._wake.set()

    async def _woken(self, subject: str, payload: bytes) -> None:  # noqa: ARG002 - the bus's handler shape
        self._wake.set()

    def _bus_changed(self, connected: bool) -> None:
        if connected:
            self._listening_since = self._clock()
            self._wake.set()
