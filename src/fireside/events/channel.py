"""What is heard of one user, while somebody listens.

It subscribes first and reads the store second, so that nothing falls between, and reads the store again now and then,
because a fact that was never announced must reach its listeners too. What is believed is `Following`'s decision.
"""

import asyncio
import struct
from collections import Counter
from collections.abc import Sequence

import msgspec
import structlog

from fireside.bus.client import Bus, Subscription
from fireside.bus.errors import BusError, NobodyListens
from fireside.bus.subjects import is_of_tasks, job_of_live, live_of_user, work, worker_of
from fireside.domain.errors import FiresideError
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.events.announcer import TELLER
from fireside.events.facts import fact_of, output_fact, started_fact
from fireside.events.following import Following, Standing, Verdict
from fireside.events.heard import Heard
from fireside.events.listener import Closing, Listener
from fireside.events.parts import Parts
from fireside.store.records import QueueCounts
from fireside.store.store import Store
from fireside.wire.fleet import LeaseBody, SnapshotRequest
from fireside.wire.live import (
    Fact,
    Frame,
    JobAssigned,
    JobCanceling,
    JobEnded,
    OutputAdded,
    TaskProgress,
    decode_fact,
    decode_frames,
    decode_task,
)

_COUNTS_PAUSE_SECONDS = 0.25
_LOOK_SECONDS = 15.0
_RETRY_SECONDS = 2.0
SECOND_LOOK_SECONDS = 1.0
"""So long after, all servers of a cluster have heard of a subscription."""
_SNAPSHOT_SECONDS = 2.0
_SNAPSHOT_TRIES = 8
_SNAPSHOT_PAUSE_SECONDS = 0.5
# None of them changes what the user's queue looks like from outside.
_WITHOUT_COUNTS = (OutputAdded, JobAssigned, JobCanceling)
_log = structlog.get_logger(__name__)


class Channel:
    """The subscription of one user, and those who hear it."""

    def __init__(self, user_id: UserId, bus: Bus, store: Store) -> None:
        self.seats: Counter[str] = Counter()
        """How many of each kind hear it or are about to; kept by the hub."""
        self._user_id = user_id
        self._bus = bus
        self._store = store
        self._following = Following()
        self._parts = Parts()
        self._listeners: set[Listener] = set()
        self._of_job: dict[JobId, set[Listener]] = {}
        self._subscription: Subscription | None = None
        self._opening = asyncio.Lock()
        self._changed = asyncio.Event()
        self._counts = QueueCounts(queued=0, held=0)
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def join(self, listener: Listener, job_id: JobId | None = None) -> None:
        """Tell the listener the user's counts and every run so far, and from then on all that happens.

        With a job, only that job's run and what happens to it.
        """
        await self.open()
        self._counts = await self._store.queue_counts(self._user_id)
        if self._is_closed:
            listener.close(Closing.STOPPING)
            return
        # No await from here on, so that nothing is told twice or missed.
        listener.put(Heard(counts=self._counts))
        for heard in self._following.standing():
            if job_id in (None, heard.job_id):
                listener.put(heard)
        if job_id is None:
            self._listeners.add(listener)
        else:
            self._of_job.setdefault(job_id, set()).add(listener)

    def leave(self, listener: Listener, job_id: JobId | None = None) -> None:
        """Tell the listener nothing more."""
        self._listeners.discard(listener)
        if job_id is not None and job_id in self._of_job:
            self._of_job[job_id].discard(listener)
            if not self._of_job[job_id]:
                del self._of_job[job_id]

    def standing_of(self, job_id: JobId) -> Standing | None:
        """Say how far a run is, as far as was heard."""
        return self._following.standing_of(job_id)

    async def close(self) -> None:
        """End the subscription, and whoever still listens."""
        self._is_closed = True
        for listener in (*self._listeners, *(one for several in self._of_job.values() for one in several)):
            listener.close(Closing.STOPPING)
        async with self._opening:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._subscription is not None:
                await self._subscription.unsubscribe()

    async def catch_up(self) -> None:
        """Read from the store what was not heard, and tell it."""
        held = await self._store.held_jobs_of(self._user_id)
        self._counts = await self._store.queue_counts(self._user_id)
        for job in await self._unaccounted({job.id for job in held}):
            await self._tell_standing(job)
        for job in held:
            await self._tell_standing(job)
            if job.state is JobState.ASSIGNED:
                continue
            for record in await self._store.job_outputs(job.id):
                await self._tell(output_fact(job, record, job.changed_at))

    async def ask_workers(self) -> None:
        """Have the workers of running jobs say their progress again."""
        for job in await self._store.held_jobs_of(self._user_id):
            if job.worker_id is not None and job.state is not JobState.ASSIGNED:
                task = asyncio.create_task(self._ask(job, job.worker_id), name=f"snapshot of job {job.id}")
                self._keep(task)

    async def open(self) -> None:
        """Begin to hear, unless it is heard already."""
        async with self._opening:
            if self._subscription is not None:
                return
            subscription = await self._bus.subscribe(live_of_user(self._user_id), self._heard)
            try:
                await self.catch_up()
                await self.ask_workers()
            except BaseException:
                await subscription.unsubscribe()
                raise
            self._subscription = subscription
            self._keep(asyncio.create_task(self._tend(), name=f"counts of user {self._user_id}"))
            if self._bus.is_cluster:
                self._keep(asyncio.create_task(self._look_again(), name=f"second look at user {self._user_id}"))

    async def _look_again(self) -> None:
        """Look for what was told on another server of the bus before that had heard of our subscription."""
        await asyncio.sleep(SECOND_LOOK_SECONDS)
        try:
            await self.catch_up()
            self._changed.set()
        except FiresideError as error:
            _log.info("no second look", user_id=self._user_id, code=error.code, reason=error.message)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _unaccounted(self, held: set[JobId]) -> Sequence[Job]:
        """Read the jobs that are open as far as we heard, and not where we think they are."""
        missing = [job_id for job_id in self._following.running() if job_id not in held]
        waiting = [job_id for job_id in self._following.waiting() if job_id not in held]
        if len(waiting) > self._counts.queued:
            missing += waiting
        if not missing:
            return ()
        jobs = await self._store.jobs(missing, user_id=self._user_id)
        for job_id in set(missing) - {job.id for job in jobs}:
            self._following.forget(job_id)
        return jobs

    async def _tell_standing(self, job: Job) -> None:
        """Tell where the job stands; one that is being canceled still runs."""
        if job.state is JobState.CANCELING and job.worker_id is not None:
            await self._tell(started_fact(job, job.worker_id))
        await self._tell(fact_of(job))

    async def _ask(self, job: Job, worker_id: WorkerId) -> None:
        """Ask one worker; after an outage of the bus it may be back a moment later than we are."""
        request = msgspec.json.encode(SnapshotRequest(lease=LeaseBody.of(job.lease)))
        for _ in range(_SNAPSHOT_TRIES):
            try:
                await self._bus.request(work(worker_id), request, timeout=_SNAPSHOT_SECONDS)
            except NobodyListens:
                await asyncio.sleep(_SNAPSHOT_PAUSE_SECONDS)
            except BusError as error:
                _log.debug("no snapshot", job_id=str(job.id), reason=str(error))
                return
            else:
                return

    async def hear(self, told: Fact | TaskProgress) -> None:
        """Tell it on; raises what the store does when something has to be read for it."""
        if isinstance(told, TaskProgress):
            self._spread(Heard(task=told))
        else:
            await self._tell(told)

    async def _heard(self, subject: str, payload: bytes) -> None:
        try:
            if worker_of(subject) == TELLER:
                await self.hear(decode_task(payload) if is_of_tasks(subject) else decode_fact(payload))
            else:
                await self._frames_heard(job_of_live(subject), worker_of(subject), payload)
        except (msgspec.MsgspecError, struct.error, ValueError) as error:
            _log.warning("not a live message", subject=subject, reason=str(error))
        except FiresideError as error:
            _log.warning("live message lost, the store has it", subject=subject, code=error.code, reason=error.message)

    async def _tell(self, fact: Fact) -> None:
        if isinstance(fact, JobEnded):
            for output in fact.outputs:
                await self._tell(output)
        if not self._following.is_news(fact):
            return
        job_id = JobId(fact.job_id)
        outputs = await self._untold_outputs(fact) if isinstance(fact, JobEnded) else ()
        # Somebody else may have told it while we read.
        if self._following.take_fact(fact):
            self._spread(Heard(job_id=job_id, fact=fact, outputs=outputs))
            if not isinstance(fact, _WITHOUT_COUNTS):
                self._changed.set()

    async def _untold_outputs(self, end: JobEnded) -> tuple[OutputAdded, ...]:
        """Read what the job has shown and nobody heard of, because its end must come after all of it."""
        if end.state not in ("succeeded", "failed"):
            return ()
        job_id = JobId(end.job_id)
        if end.shown is not None and end.shown <= len(self._following.shown(job_id)):
            return ()
        job = await self._store.job(job_id, user_id=self._user_id)
        if job is None:
            return ()
        records = await self._store.job_outputs(job_id)
        shown = self._following.shown(job_id)
        return tuple(
            output_fact(job, record, job.ended_at or job.changed_at)
            for record in records
            if record.node_id not in shown
        )

    async def _frames_heard(self, job_id: JobId, worker_id: WorkerId, payload: bytes) -> None:
        frames, picture = decode_frames(payload)
        for frame in frames:
            await self._frame_heard(job_id, worker_id, frame, picture)

    async def _frame_heard(self, job_id: JobId, worker_id: WorkerId, said: Frame, bytes_: bytes) -> None:
        whole = self._parts.whole(job_id, worker_id, said, bytes_)
        if whole is None:
            return
        frame, picture = whole
        verdict = self._following.take_frame(job_id, worker_id, frame, picture)
        if verdict is Verdict.UNSURE:
            await self._learn(job_id)
            verdict = self._following.take_frame(job_id, worker_id, frame, picture)
        if verdict is Verdict.NEWS:
            self._spread(Heard(job_id=job_id, frame=frame, picture=picture))

    async def _learn(self, job_id: JobId) -> None:
        """Ask the store who holds a job whose frames come and whose start was not heard."""
        job = await self._store.job(job_id, user_id=self._user_id)
        # The late frames of a job that nobody here was told of are no reason to tell of its end.
        if job is not None and (not job.is_terminal or self._following.is_open(job_id)):
            await self._tell_standing(job)

    def _spread(self, heard: Heard) -> None:
        for listener in self._listeners:
            listener.put(heard)
        if heard.job_id is not None:
            for listener in self._of_job.get(heard.job_id, ()):
                listener.put(heard)
            return
        for several in self._of_job.values():
            for listener in several:
                listener.put(heard)

    async def _tend(self) -> None:
        """Tell new counts, at most so many times a second; look into the store when it is time."""
        loop = asyncio.get_running_loop()
        look_at = loop.time() + _LOOK_SECONDS
        while True:
            await self._wait_for_change(look_at)
            try:
                if loop.time() >= look_at:
                    look_at = loop.time() + _LOOK_SECONDS
                    await self._look()
                if self._changed.is_set():
                    await self._tell_counts()
                await asyncio.sleep(_COUNTS_PAUSE_SECONDS)
            except FiresideError as error:
                _log.warning("user not looked after", user_id=self._user_id, code=error.code, reason=error.message)
                self._changed.set()
                await asyncio.sleep(_RETRY_SECONDS)

    async def _wait_for_change(self, until: float) -> None:
        try:
            async with asyncio.timeout_at(until):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _look(self) -> None:
        if self._counts.queued or self._counts.held or self._following.running() or self._following.waiting():
            await self.catch_up()

    async def _tell_counts(self) -> None:
        self._changed.clear()
        self._counts = await self._store.queue_counts(self._user_id)
        self._spread(Heard(counts=self._counts))
