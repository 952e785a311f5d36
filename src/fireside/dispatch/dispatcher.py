"""The loop of the leader: fair hand-outs, and watch over who holds what.

It decides by `scheduler.policy` and `presence`, and acts only through the verbs of `jobs`. A wake on the bus makes
it look sooner; looking every half second is enough for everything to be right.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from fireside.bus.client import Bus, Subscription
from fireside.bus.errors import BusError
from fireside.bus.subjects import dispatch_wake
from fireside.dispatch.demand import Demand
from fireside.dispatch.ledger import Ledger
from fireside.dispatch.lookout import Lookout
from fireside.dispatch.presence import Verdict
from fireside.dispatch.readied import ReadiedJobs
from fireside.dispatch.reminders import Reminders, RunToStop
from fireside.domain.errors import FiresideError
from fireside.domain.ids import UserId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.domain.pools import Pool
from fireside.jobs.assign import offer_job, record_assignment, small_work
from fireside.jobs.cancel import tell_worker_to_stop
from fireside.jobs.desk import THIS_PROCESS, Desk
from fireside.jobs.rescue import rescue_job
from fireside.jobs.withdraw import tell_withdrawn, withdraw_job
from fireside.scheduler.ahead import to_withdraw
from fireside.scheduler.policy import decide
from fireside.scheduler.values import Placement, Readied, Spot
from fireside.store.records import HeldJob
from fireside.store.store import Changed, TermEnded
from fireside.wire.fleet import AssignmentReply, Presence, QueueChanged, WorkBody

_TICK_SECONDS = 0.5
_MOST_AT_ONCE = 32
_LATE_TICK = timedelta(seconds=2)
_ECHO = b"echo"
_ECHO_SECONDS = 1.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DispatchWatcher:
    """Who hears how long a decision took and how many jobs it placed, and of which job an offer, how long, if taken."""

    decided: Callable[[float, int], None]
    offered: Callable[[Job, float, bool], None]


class Dispatcher:
    """Hands queued jobs to free workers and takes them back from lost ones, from `start` to `stop`, again and again."""

    def __init__(
        self,
        desk: Desk,
        bus: Bus,
        lookout: Lookout,
        *,
        name: str,
        watcher: DispatchWatcher | None = None,
        pools: Sequence[Pool] = (),
    ) -> None:
        self._desk = desk
        self._bus = bus
        self._name = name
        self._watcher = watcher
        self._clock: Callable[[], datetime] = desk.clock
        self._lookout = lookout
        self._presences = lookout.sightings
        self._roster = lookout.roster
        self._reminders = Reminders()
        self._wake = asyncio.Event()
        self._ledger = Ledger(desk, self._wake.set)
        self._demand = Demand(desk, bus, pools)
        self._readied = ReadiedJobs()
        desk.store.watch(self._readied.heard)
        self._offering: set[WorkerId] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._leading_since = self._clock()
        self._last_tick_at = self._clock()
        self._term = 0
        self._subscription: Subscription | None = None
        self._loop: asyncio.Task[None] | None = None
        self.refused = asyncio.Event()
        """Set when the store has refused our term: somebody else leads."""

    async def start(self) -> None:
        """Take the lead and begin to look."""
        await self.take_lead()
        self._loop = asyncio.create_task(self._run(), name="dispatch")

    async def take_lead(self) -> None:
        """Begin a new term; `tick` is then the caller's to call."""
        self._term = await self._desk.store.take_term(self._name, self._clock())
        self.refused.clear()
        self._leading_since = self._last_tick_at = self._clock()
        self._subscription = await self._bus.subscribe(dispatch_wake(), self._woken)
        self._lookout.serve(self._wake.set)
        # After the first word of others can be heard, so that none is missed between the two.
        await self._ledger.rebuild()
        self._desk.leading.is_here = True

    async def stop(self) -> None:
        """Stop looking, when what is being offered is answered; what is assigned stays assigned. Idempotent."""
        self._desk.leading.is_here = False
        self._lookout.serve(None)
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)
        await self.settle()
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            await subscription.unsubscribe()
        self._ledger.forget()
        self._readied.forget()

    async def settle(self) -> None:
        """Wait until everybody who was asked something has answered, or will not."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def tick(self, now: datetime) -> None:
        """Look once: take back what is lost, then hand out what can go. Does nothing while the bus is away."""
        self._mind_the_clock(now)
        if not self._bus.is_connected:
            return
        if self._roster.is_old(now):
            await self._lookout.read_roster(now)
        # Read in this order: a lease that was named before the jobs were read, and is not among them, is over for good.
        named = self._presences.named(now)
        held_jobs = await self._desk.store.held_jobs()
        if self._judge(held_jobs, now) and not await self._bus_answers():
            return
        # Judged anew: what was waiting to be heard has been heard by now.
        for verdict in self._judge(held_jobs, now):
            await self._take_back(verdict)
        self._remind(_runs_to_stop(held_jobs, named), now)
        self._presences.forget_long_gone(now)
        self._ledger.forget_workers(self._presences.present(now))
        await self._ledger.reconcile()
        await self._demand.tell(self._ledger, held_jobs)
        await self._readied.reconcile(held_jobs, self._presences.present(now), self._ledger)
        await self._hand_out(now)

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        looked_at = -_TICK_SECONDS
        while True:
            self._wake.clear()
            is_due = clock() - looked_at >= _TICK_SECONDS
            looked_at = clock() if is_due else looked_at
            try:
                # Who is lost can wait for the next look; a free worker need not.
                await (self.tick(self._clock()) if is_due else self._hand_out(self._clock()))
            except FiresideError as error:
                _log.warning("dispatch tick failed", code=error.code, reason=error.message)
            except Exception:  # noqa: BLE001 - a leader that stops looking would stop everything, silently
                _log.exception("dispatch tick broke")
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with the wake.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(looked_at + _TICK_SECONDS - clock()):
                    await self._wake.wait()

    def _mind_the_clock(self, now: datetime) -> None:
        """Judge no silence by a clock that jumped, nor one that is our own: we may have been asleep ourselves."""
        if now < self._last_tick_at:
            self._presences.set_back(now)
            self._begin_anew(now)
        elif now - self._last_tick_at > _LATE_TICK:
            self._begin_anew(now)
        self._last_tick_at = now

    def _begin_anew(self, now: datetime) -> None:
        self._leading_since = self._lookout.listening_since = now

    def _judge(self, held_jobs: Sequence[HeldJob], now: datetime) -> list[Verdict]:
        since = max(self._leading_since, self._lookout.listening_since)
        return self._presences.judge(held_jobs, now, listening_since=since)

    async def _bus_answers(self) -> bool:
        """Ask ourselves over the bus: one that hangs silences everybody, and its connection breaks seconds later."""
        try:
            await self._bus.request(dispatch_wake(), _ECHO, timeout=_ECHO_SECONDS)
        except BusError as error:
            _log.warning("bus does not answer, nobody is given up", reason=str(error))
            self._begin_anew(self._clock())
            return False
        return True

    async def _take_back(self, verdict: Verdict) -> None:
        job, worker_id = verdict.held.job, verdict.held.worker_id
        if worker_id in self._offering:
            return
        _log.warning("job taken from its worker", job_id=str(job.id), worker_id=worker_id, lost=verdict.lost)
        try:
            await rescue_job(self._desk, verdict.held, lost=verdict.lost, term=self._term)
        except Changed as change:
            self._note_refusal(change)
            _log.info("job moved on", job_id=str(job.id), reason=change.message)

    def _note_refusal(self, error: FiresideError) -> None:
        if isinstance(error, TermEnded):
            self.refused.set()

    def _remind(self, runs: set[RunToStop], now: datetime) -> None:
        for worker_id, lease in self._reminders.due(runs, now):
            self._in_background(tell_worker_to_stop(self._bus, worker_id, lease), f"stop for {worker_id}")

    async def _hand_out(self, now: datetime) -> None:
        """Fill the free workers; then have busy ones make ready what none of these can run."""
        free, ahead = self._words(now)
        while (free or ahead or self._readied) and self._bus.is_connected and not self.refused.is_set():
            began = time.perf_counter()
            spots = await self._ledger.spots(free)
            await self._ledger.refresh()
            if await self._withdraw(spots):
                await self._ledger.refresh()
            placed = await self._fill(spots, free, now, began)
            if not placed:
                began = time.perf_counter()
                placed = await self._fill(await self._ledger.spots(ahead), ahead, now, began, ready=True)
                if placed < _MOST_AT_ONCE and not self._ledger.state.to_refill:
                    break

    def _words(self, now: datetime) -> tuple[dict[WorkerId, Presence], dict[WorkerId, Presence]]:
        """Give the last words of the free workers, and of those that can make a job ready."""
        unfree, since = self._offering | self._roster.drained, self._lookout.listening_since
        free = self._presences.free_workers(now, unfree, listening_since=since)
        ahead = self._presences.workers_ahead(now, unfree, listening_since=since) if self._desk.config.prefetch else []
        return self._presences.words_of(free), self._presences.words_of(ahead)

    async def _fill(
        self,
        spots: Sequence[Spot],
        words: dict[WorkerId, Presence],
        now: datetime,
        began: float,
        *,
        ready: bool = False,
    ) -> int:
        placements = decide(self._ledger.state, spots, now.timestamp(), most=_MOST_AT_ONCE)
        if self._watcher is not None and spots:
            self._watcher.decided(time.perf_counter() - began, len(placements))
        if ready:
            kinds = {spot.worker_id: spot.kind for spot in spots}
            for placed in placements:
                self._readied.put(placed, kinds[placed.worker_id])
        # All are on disk before the next look, or it would see the same jobs and the same shares again.
        await asyncio.gather(*(self._assign(placed, words.pop(placed.worker_id)) for placed in placements))
        return len(placements)

    async def _withdraw(self, free: Sequence[Spot]) -> bool:
        """Take back what workers hold ready and should not; say whether there is something to hand out anew."""
        readied = self._readied.except_of(self._offering)
        leaving = self._roster.drained | {one.worker_id for one in readied if self._presences.is_leaving(one.worker_id)}
        staying = [one for one in readied if one.worker_id not in leaving]
        back = [one for one in readied if one.worker_id in leaving] + to_withdraw(self._ledger.state, staying, free)
        return any(await asyncio.gather(*map(self._withdraw_one, back)))

    async def _withdraw_one(self, one: Readied) -> bool:
        self._readied.drop(one.job_id)
        job = await self._desk.store.job(one.job_id)
        if job is None or job.state is not JobState.ASSIGNED or job.worker_id != one.worker_id:
            return False
        try:
            await withdraw_job(self._desk, job, term=self._term)
        except Changed as change:
            self._note_refusal(change)
            return False
        _log.info("job given back before it began", job_id=str(job.id), worker_id=one.worker_id)
        self._in_background(tell_withdrawn(self._desk, job), f"withdraw from {one.worker_id}")
        return True

    async def _assign(self, placement: Placement, said: Presence) -> None:
        seen = self._ledger.place(placement, said) or await self._desk.store.job(placement.job_id)
        if seen is None:
            self._readied.drop(placement.job_id)
            self._ledger.note(placement.user_id)
            return
        # Read while the assignment is written: nothing of it changes.
        work = asyncio.create_task(small_work(self._desk, seen), name=f"work of {seen.id}")
        try:
            job = await record_assignment(self._desk, placement, term=self._term, seen=seen)
        except FiresideError as error:
            self._note_refusal(error)
            _log.info("job not assigned", job_id=str(placement.job_id), code=error.code, reason=error.message)
            self._readied.drop(placement.job_id)
            self._ledger.note(placement.user_id)
            await asyncio.gather(work, return_exceptions=True)
            return
        self._offering.add(placement.worker_id)
        self._in_background(self._offer(job, placement.worker_id, work), f"offer to {placement.worker_id}")

    async def _offer(self, job: Job, worker_id: WorkerId, work: Awaitable[WorkBody | None]) -> None:
        reply, began = AssignmentReply(accepted=False), time.perf_counter()
        try:
            boot_id = self._presences.boot_of(worker_id)
            reply = await offer_job(self._desk, job, await work, boot_id=boot_id)
        except FiresideError as error:
            # It stays assigned to a worker that does not name it, so the next looks take it back.
            _log.warning("job not taken back", job_id=str(job.id), code=error.code, reason=error.message)
        finally:
            self._offering.discard(worker_id)
            if self._presences.offered(worker_id, job.lease if reply.accepted else None, number=reply.number):
                # It may have said so while the offer was under way, when it was passed over.
                self._wake.set()
            if self._watcher is not None:
                self._watcher.offered(job, time.perf_counter() - began, reply.accepted)

    def _in_background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _woken(self, subject: str, payload: bytes) -> bytes | None:  # noqa: ARG002 - the bus's handler shape
        if payload == _ECHO:
            return payload
        with contextlib.suppress(msgspec.MsgspecError):
            change = msgspec.json.decode(payload, type=QueueChanged)
            if change.by != THIS_PROCESS:
                self._ledger.note(UserId(change.user_id))
        self._wake.set()
        return None


def _runs_to_stop(held_jobs: Sequence[HeldJob], named: set[RunToStop]) -> set[RunToStop]:
    """Find the runs that are canceled, and those of workers that do not know yet that they have lost their lease."""
    held = {(one.worker_id, one.job.lease) for one in held_jobs}
    canceling = {(one.worker_id, one.job.lease) for one in held_jobs if one.job.state is JobState.CANCELING}
    return canceling | (named - held)
