"""What happens to jobs here, told as spans: heard from the store after each commit, and looked up once nobody waits.

Each server tells of what it did itself: who took a job of its submit, who leads of the hand-out, who wrote an end of
what came before it. So a trace is whole whichever servers had a part in it, and nothing hangs on the worker that ran
the job: what it did is told from its reports, by the server's clock.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import msgspec
import structlog

from fireside.domain.errors import FiresideError
from fireside.domain.ids import JobId
from fireside.domain.jobs import HELD_STATES, Job, JobState
from fireside.store.records import NewJob, Share, TimelineEntry
from fireside.store.store import Store
from fireside.traces.context import RECEIVED, Origin, origin_of
from fireside.traces.spans import Span, Told, Traced, classes_of, told_of

_MOST_HEARD = 10_000
_MOST_REMEMBERED = 10_000
_REST_SECONDS = 3.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Moved:
    before: Job | None
    after: Job
    at: datetime


@dataclass(frozen=True, slots=True)
class _Offered:
    after: Job
    at: datetime
    accepted: bool


class Way(Protocol):
    """Where spans go; see `sender`, which brings protobuf along and is not imported for nothing."""

    @property
    def has_room(self) -> bool:
        """Whether another span may wait."""
        ...

    def add(self, spans: Sequence[Span]) -> None:
        """Have these sent, or as many as there is room for."""
        ...

    def drop(self, count: int) -> None:
        """Count spans that are lost."""
        ...

    async def start(self) -> None:
        """Begin to send."""
        ...

    async def stop(self) -> None:
        """Send what waits, if the collector takes it at once, and no more."""
        ...

    async def check(self) -> str:
        """Try whether the collector is there; gives the trouble, and nothing when all is well."""
        ...


class Tracer:
    """Hears of jobs without holding anybody up, and hands what it makes of that to the sender."""

    def __init__(self, store: Store, sender: Way, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock
        self._heard: deque[_Moved | _Offered] = deque()
        self._some = asyncio.Event()
        self._none = asyncio.Event()
        self._none.set()
        self._task: asyncio.Task[None] | None = None
        self._origins: OrderedDict[JobId, Origin] = OrderedDict()
        self._ended_at: OrderedDict[JobId, datetime] = OrderedDict()

    async def start(self) -> None:
        """Hear of every change of a job in this process, and begin to tell."""
        self._store.watch(self.moved)
        await self._sender.start()
        self._task = asyncio.create_task(self._run(), name="tracer")

    async def stop(self) -> None:
        """Tell the rest of what was heard, as far as that takes no time, and stop."""
        if self._task is not None:
            try:
                async with asyncio.timeout(_REST_SECONDS):
                    await self.settle()
            except TimeoutError:
                self._sender.drop(len(self._heard))
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._sender.stop()

    async def settle(self) -> None:
        """Wait until all that was heard is told."""
        await self._none.wait()

    async def check(self) -> str:
        """Try whether the collector is there; gives the trouble, and nothing when all is well."""
        return await self._sender.check()

    def moved(self, before: Job | None, after: Job, new: NewJob | None, share: Share | None) -> None:  # noqa: ARG002 - a watcher's shape
        """Hear of a change that is on disk."""
        if new is not None:
            entry = next((one for one in new.timeline if one.kind == RECEIVED), None)
            self._remember(after, origin_of(entry, after.created_at))
        self._hear(_Moved(before, after, self._clock()))

    def offered(self, job: Job, accepted: bool) -> None:
        """Hear that the job's worker has answered, or has not."""
        self._hear(_Offered(job, self._clock(), accepted))

    def _hear(self, what: _Moved | _Offered) -> None:
        if len(self._heard) >= _MOST_HEARD or not self._sender.has_room:
            self._sender.drop(1)
            return
        self._heard.append(what)
        self._some.set()
        self._none.clear()

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            try:
                self._sender.add(await self._spans(self._heard[0]))
            except FiresideError as error:
                _log.info("job not traced", job_id=str(self._heard[0].after.id), code=error.code, reason=error.message)
                self._sender.drop(1)
            except Exception:  # noqa: BLE001 - one job that cannot be told must not end the telling
                _log.exception("job not traced", job_id=str(self._heard[0].after.id))
                self._sender.drop(1)
            self._heard.popleft()
            if not self._heard:
                self._some.clear()
                self._none.set()

    async def _spans(self, heard: _Moved | _Offered) -> Sequence[Span]:
        traced = Traced(heard.after, await self._origin(heard.after))
        if not traced.origin.is_traced:
            return []
        if isinstance(heard, _Offered):
            # Its answer may be heard after the end of a job that took no time.
            until = min(heard.at, self._ended_at.get(heard.after.id, heard.at))
            return [traced.assign(until, accepted=heard.accepted)]
        return await self._spans_of_move(traced, heard)

    async def _spans_of_move(self, traced: Traced, moved: _Moved) -> Sequence[Span]:
        before, job = moved.before, traced.job
        spans: list[Span] = []
        if before is None:
            spans.append(traced.submit(min(moved.at, job.ended_at or moved.at)))
        elif before.state is JobState.QUEUED:
            spans.append(traced.queue(before))
        elif before.state in HELD_STATES and job.state not in HELD_STATES:
            spans += await self._spans_of_attempt(traced, before)
        if job.ended_at is not None:
            self._ended_at[job.id] = job.ended_at
            _forget_oldest(self._ended_at)
            spans.append(traced.whole())
        return spans

    async def _spans_of_attempt(self, traced: Traced, before: Job) -> Sequence[Span]:
        attempts = await self._store.job_attempts(before.id)
        attempt = next((one for one in attempts if one.attempt == before.attempt), None)
        if attempt is None:
            return []  # the job was removed meanwhile
        told = _told(await self._store.job_timeline(before.id), before.started_at)
        body = await self._store.job_body(before.id) if told.began else None
        classes = {} if body is None else await asyncio.to_thread(classes_of, body.graph)
        return traced.attempt(replace(attempt, ended_at=traced.job.changed_at), told, classes)

    async def _origin(self, job: Job) -> Origin:
        origin = self._origins.get(job.id)
        if origin is None:
            timeline = await self._store.job_timeline(job.id)
            entry = next((one for one in timeline if one.kind == RECEIVED), None)
            origin = origin_of(entry, job.created_at)
            self._remember(job, origin)
        return origin

    def _remember(self, job: Job, origin: Origin) -> None:
        self._origins[job.id] = origin
        _forget_oldest(self._origins)


def _forget_oldest(memory: "OrderedDict[JobId, Origin] | OrderedDict[JobId, datetime]") -> None:
    if len(memory) > _MOST_REMEMBERED:
        memory.popitem(last=False)


def _told(timeline: Sequence[TimelineEntry], started_at: datetime | None) -> Told:
    """Find what the worker has told of the run that began then."""
    entry = next((one for one in reversed(timeline) if one.kind == "cached" and one.at == started_at), None)
    try:
        return Told() if entry is None else told_of(entry.data)
    except msgspec.ValidationError:
        return Told()
