"""The worker's agent: says it is there, runs one job at a time, holds the next one ready, and stops when told.

It stays responsive while the runtime works, because the runtime computes in another process. What it takes is decided
by the server; what it does with a job is in `run`.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import structlog

from fireside.bus.client import Bus
from fireside.bus.subjects import presence, work
from fireside.client.fleet import FleetClient
from fireside.domain.ids import UserId, WorkerId
from fireside.runtimes.base import Failed, Finished, Runtime, RuntimeInfo, RuntimeStartError
from fireside.wire.fleet import (
    MOST_AHEAD,
    AreYouThere,
    Assignment,
    AssignmentReply,
    CancelRun,
    DescribeModel,
    Dismissal,
    Fetching,
    IdentifyModels,
    LeaseBody,
    Presence,
    ValidateNodes,
    WorkRequest,
)
from fireside.worker.fetching import Fetcher
from fireside.worker.hands import Hands
from fireside.worker.health import Health
from fireside.worker.identifying import identify_models
from fireside.worker.idling import Idling
from fireside.worker.joining import introduce
from fireside.worker.model_cache import ModelCache, drop_dead_links
from fireside.worker.model_details import describe_model
from fireside.worker.model_hashes import ModelHashes
from fireside.worker.patience import is_temporary
from fireside.worker.reporter import Reporter
from fireside.worker.run import Outcome, Released, Run, run_job
from fireside.worker.scratch import Scratch
from fireside.worker.stage_cache import StageCache
from fireside.worker.telling import Telling
from fireside.worker.validating import validate_nodes

_PRESENCE_SECONDS = 1.0
_SOON_SECONDS = 0.05
_AFTER_REPORT_SECONDS = 0.002
_DEVICES_SECONDS = 10.0
_TIDY_SECONDS = 60.0
_JOIN_PAUSE_SECONDS = 0.5
_LONGEST_REST_SECONDS = 60.0
# Longer than a runtime may take to stop, shorter than whoever ended us will wait.
_STOP_SECONDS = 7.0
_log = structlog.get_logger(__name__)


class Agent:
    """One worker: one runtime, one job at a time, and one more that is made ready meanwhile."""

    def __init__(
        self,
        *,
        worker_id: WorkerId,
        bus: Bus,
        client: FleetClient,
        runtime: Runtime,
        scratch: Path,
        cache: StageCache,
        models: ModelCache,
        hashes: ModelHashes,
        labels: Mapping[str, str] | None = None,
        boot_id: str | None = None,
        on_dismissal: Callable[[str], None] = lambda reason: None,  # noqa: ARG005 - nobody is there to hear it
        idling: Idling | None = None,
    ) -> None:
        self._worker_id = worker_id
        self._bus = bus
        self._client = client
        self._runtime = runtime
        self._scratch = Scratch(scratch)
        self._cache = cache
        self._models = models
        self._fetcher = Fetcher(client=client, cache=models)
        self._hashes = hashes
        self._labels = dict(labels or {})
        self._reporter = Reporter(bus, worker_id)
        self._boot_id = boot_id or uuid4().hex
        self._on_dismissal = on_dismissal
        self._idling = idling or Idling()
        self._began_at = time.monotonic()
        self._info: RuntimeInfo | None = None
        self._hands = Hands()
        self._presences_sent = 0
        self._devices: tuple[dict[str, Any], ...] = ()
        self._stopping = False
        self._ready = False
        self._failures = 0
        self._health = Health()
        self._changed = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._resting: asyncio.Task[None] | None = None

    async def work_until(self, stopped: asyncio.Event, leaving: asyncio.Event | None = None) -> None:
        """Join, work, and leave in order when `stopped` is set: a job under way goes back to the queue.

        When `leaving` is set it takes no more jobs, and leaves after what is under way has been done and reported.
        A runtime that does not start is tried again, less and less often; meanwhile the worker says so. Having been
        idle for too long, it sets `leaving` itself.
        """
        leaving = leaving or stopped
        subscription = await self._bus.subscribe(work(self._worker_id), self._asked, concurrent=True)
        telling = [
            asyncio.create_task(self._beat(leaving), name="presence"),
            asyncio.create_task(self._look(), name="devices"),
            asyncio.create_task(self._tidy(), name="models"),
        ]
        try:
            coming_up = asyncio.create_task(self._come_up(), name="start")
            await _first_of(coming_up, leaving, stopped)
            await _any_of(leaving, stopped)
            self._stopping = True
            self._changed.set()
            await self._give_next_back()
            await self._finish(stopped)
            await self._give_back()
        finally:
            for task in telling:
                task.cancel()
            await asyncio.gather(*telling, return_exceptions=True)
            await self._hashes.stop()
            await subscription.unsubscribe()

    async def _come_up(self) -> None:
        """Start the runtime, or make sure that it runs, however often that takes; then join and take jobs."""
        while True:
            try:
                self._info = await self._runtime.start()
                break
            except RuntimeStartError as error:
                self._health.did_not_start(str(error))
                self._changed.set()
                rest = self._health.rest_seconds()
                _log.error("runtime did not start", reason=str(error), again_in=rest)
                await asyncio.sleep(rest)
        await self._join(self._info)
        self._health.started()
        self._ready = True
        self._changed.set()

    async def _join(self, info: RuntimeInfo) -> None:
        """Tell the server what this worker is, however long it takes; a refusal is an error."""
        introduction = introduce(info, boot_id=self._boot_id, labels=self._labels)
        while True:
            try:
                await introduction.tell(self._client)
            except httpx.HTTPError as error:
                if not is_temporary(error):
                    raise
                _log.info("not joined yet", reason=str(error))
                await asyncio.sleep(_JOIN_PAUSE_SECONDS)
            else:
                return

    async def _beat(self, leaving: asyncio.Event) -> None:
        while True:
            # Cleared before it is read, so that a change while this is sent is told next.
            self._changed.clear()
            if self._soon is not None:
                self._soon.cancel()
                self._soon = None
            self._presences_sent += 1
            await self._bus.publish_lossy(presence(self._worker_id), msgspec.json.encode(self._presence()))
            self._leave_if_idle(leaving)
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with the change.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PRESENCE_SECONDS):
                    await self._changed.wait()

    def _leave_if_idle(self, leaving: asyncio.Event) -> None:
        is_idle = next(iter(self._hands), None) is None and (self._ready or self._health.is_ill)
        if self._idling.is_too_long(time.monotonic(), is_idle=is_idle) and not leaving.is_set():
            _log.info("leaving, for there was nothing to do")
            leaving.set()

    def _tell(self, *, soon: bool) -> None:
        """Have a change told at once, or one that nobody waits for soon, with the next one if that comes first."""
        if not soon:
            self._changed.set()
        elif self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(_SOON_SECONDS, self._changed.set)

    def _presence(self) -> Presence:
        return Presence(
            boot_id=self._boot_id,
            runtime=self._info.kind if self._info else "",
            ready=self._ready,
            draining=self._stopping or self._health.is_ill,
            reason="it is being stopped" if self._stopping else self._health.reason,
            leases=tuple(LeaseBody.of(run.lease) for run in self._hands),
            finishing=tuple(LeaseBody.of(run.lease) for run in self._hands.finishing),
            ahead=MOST_AHEAD,
            number=self._presences_sent,
            devices=self._devices,
            warm=tuple(self._runtime.warm_models()) if self._ready else None,
            fetched=self._models.marks,
            fetching=self._fetching(),
            up_seconds=round(time.monotonic() - self._began_at, 1),
        )

    def _fetching(self) -> tuple[Fetching, ...]:
        now = time.monotonic()
        return tuple(
            Fetching(
                lease=LeaseBody.of(run.lease),
                folder=arrival.model.folder,
                name=arrival.model.name,
                done_bytes=arrival.done_bytes,
                size_bytes=arrival.model.size_bytes,
                bytes_per_second=arrival.bytes_per_second(now),
            )
            for run in self._hands
            if (arrival := run.arrival) is not None
        )

    async def _look(self) -> None:
        """Look at the devices now and then, for the next presence to tell of."""
        while True:
            await asyncio.sleep(_DEVICES_SECONDS)
            if self._info is not None:
                self._devices = tuple(dict(device) for device in await self._runtime.devices())

    async def _tidy(self) -> None:
        """See now and then which models are here, and drop those that are not in the registry any more."""
        while self._models.is_on:
            try:
                await self._models.keep_only((await self._client.registry()).hashes)
                await asyncio.to_thread(self._models.look)
                if self._runtime.fetched_models is not None:
                    await asyncio.to_thread(drop_dead_links, self._runtime.fetched_models)
            except (httpx.HTTPError, OSError) as error:
                _log.info("models not tidied", reason=str(error))
            await asyncio.sleep(_TIDY_SECONDS)

    async def _asked(self, subject: str, payload: bytes) -> bytes | None:  # noqa: ARG002 - the bus's handler shape
        request = msgspec.json.decode(payload, type=WorkRequest)
        if isinstance(request, Assignment | AreYouThere | Dismissal):
            # Another process may go by our name. Were we to answer for it, it would not be heard.
            return self._addressed(request) if request.boot_id in ("", self._boot_id) else None
        if isinstance(request, ValidateNodes):
            return msgspec.json.encode(await validate_nodes(self._runtime, request))
        if isinstance(request, DescribeModel):
            return msgspec.json.encode(await describe_model(self._runtime, request))
        if isinstance(request, IdentifyModels):
            return msgspec.json.encode(await identify_models(self._runtime, self._hashes, request))
        for run in list(self._hands):
            if run.lease != request.lease.lease():
                continue
            if isinstance(request, CancelRun):
                self._hands.set_aside(run)
                self._tell(soon=False)
                await run.stop()
            else:
                await run.telling.tell_again()
        return b""

    def _addressed(self, request: Assignment | AreYouThere | Dismissal) -> bytes | None:
        """Answer what is for this process, and not for another of its name."""
        if isinstance(request, Assignment):
            return msgspec.json.encode(self._take(request))
        if isinstance(request, AreYouThere):
            return b""
        self._on_dismissal(request.reason)
        return None

    def _take(self, request: Assignment) -> AssignmentReply:
        lease = request.lease.lease()
        if any(run.lease == lease for run in self._hands):
            return self._answer(accepted=True)
        is_busy = not self._hands.has_room
        if is_busy or self._stopping or not self._ready:
            return self._answer(
                accepted=False, reason="draining" if self._stopping else "busy" if is_busy else "not ready"
            )
        run = self._run_of(request)
        self._in_background(self._do(run), f"job {lease.job_id}")
        self._idling.worked()
        begins = self._hands.take(run)
        self._tell(soon=not begins)
        return self._answer(accepted=True)

    def _run_of(self, request: Assignment) -> Run:
        lease = request.lease.lease()
        run = Run(
            lease=lease,
            user_id=UserId(request.user_id),
            client=self._client,
            runtime=self._runtime,
            reporter=self._reporter,
            work=request.work,
            reports_together=request.together,
            telling=Telling(self._bus, UserId(request.user_id), self._worker_id, lease, together=request.together),
            scratch=self._scratch,
            cache=self._cache,
            fetcher=self._fetcher,
            hashes=self._hashes,
        )
        run.when_computed = partial(self._computed, run)
        run.when_arrival_changes = partial(self._tell, soon=True)
        return run

    def _answer(self, *, accepted: bool, reason: str = "") -> AssignmentReply:
        return AssignmentReply(accepted=accepted, reason=reason, number=self._presences_sent)

    def _computed(self, run: Run) -> None:
        """Go on with the next job while this one's results are being reported."""
        if not self._hands.computed(run):
            return
        if self._hands.running is not None:
            self._tell(soon=False)
        else:
            # No job waits for us, as it would be here; somebody waits for the report.
            asyncio.get_running_loop().call_later(_AFTER_REPORT_SECONDS, self._changed.set)

    def _in_background(self, coroutine: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, run: Run) -> None:
        # What breaks the agent is not reported, so the server takes the job back and somebody else tries.
        outcome: Outcome | None = Released(reason="the job broke the agent")
        # In every line that this task, and those that it starts, write.
        structlog.contextvars.bind_contextvars(job_id=str(run.lease.job_id), user_id=run.user_id)
        _log.debug("job taken", attempt=run.lease.attempt, fence=run.lease.fence)
        try:
            outcome = await run_job(run)
            _log.debug("job done", outcome="stale" if outcome is None else type(outcome).__name__.lower())
        except Exception:  # noqa: BLE001 - the edge of this process
            _log.exception("job broke the agent")
        finally:
            after, had_room = self._what_comes_after(outcome), self._hands.has_room
            self._hands.put_down(run)
            if after is not None:
                self._ready = False
                await self._give_next_back()
            self._hands.go_on()
            has_no_news = had_room == self._hands.has_room and self._hands.running is not None
            self._tell(soon=after is None and has_no_news)
            if after is not None and not self._stopping and (self._resting is None or self._resting.done()):
                self._resting = asyncio.create_task(after(), name="rest")

    async def _give_next_back(self) -> None:
        if (run := self._hands.next) is not None:
            self._hands.set_aside(run)
            self._tell(soon=False)
            await run.stop(give_back=True)

    def _what_comes_after(self, outcome: Outcome | None) -> Callable[[], Coroutine[Any, Any, None]] | None:
        """Take note of how a run ended; say what is to be done before the next job, if anything is."""
        self._failures = self._failures + 1 if isinstance(outcome, Released) else 0
        if isinstance(outcome, Released):
            return self._rest
        if isinstance(outcome, Failed) and outcome.is_breakdown:
            self._health.broke(outcome.exception_message)
            return self._recover
        if isinstance(outcome, Finished | Failed):
            self._health.worked()
        return None

    async def _rest(self) -> None:
        """Take no job for a while, longer each time, and until the server is reached: the same would happen again."""
        await asyncio.sleep(min(2.0 ** (self._failures - 1), _LONGEST_REST_SECONDS))
        await self._come_back()

    async def _recover(self) -> None:
        """Make sure of the runtime before it gets another job; one that breaks again and again is left alone first."""
        if self._health.is_ill:
            rest = self._health.rest_seconds()
            _log.error("drained", reason=self._health.reason, again_in=rest)
            await self._runtime.stop()
            await asyncio.sleep(rest)
        await self._come_back()

    async def _come_back(self) -> None:
        try:
            await self._come_up()
        except httpx.HTTPStatusError as error:
            _log.error("refused by the server, no more jobs are taken", reason=str(error))

    async def _finish(self, stopped: asyncio.Event) -> None:
        """Do what is under way to its end, unless nobody waits for that any more."""
        stopping = asyncio.create_task(stopped.wait())
        while self._tasks and not stopped.is_set():
            await asyncio.wait({stopping, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)

    async def _give_back(self) -> None:
        await self._give_next_back()
        if self._hands.running is not None:
            await self._hands.running.stop(give_back=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)
        if self._resting is not None:
            self._resting.cancel()
            await asyncio.gather(self._resting, return_exceptions=True)


async def _first_of(task: "asyncio.Task[None]", *events: asyncio.Event) -> None:
    """Wait for the task, or end it when it is time to stop; raises what the task raises."""
    stopping = asyncio.create_task(_any_of(*events))
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not task.done():
        task.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _any_of(*events: asyncio.Event) -> None:
    """Wait until one of these is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
