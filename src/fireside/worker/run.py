"""One job, from its lease to its reported end: prepare, wait for its turn, run, collect, report.

Each step is a small function of the run; what they share is in `Run`. A lost lease anywhere ends the run silently,
because somebody else has the job now; anything else ends with a report.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import msgspec
import structlog

from fireside.client.fleet import FleetClient
from fireside.domain.errors import StaleLease
from fireside.domain.ids import UserId
from fireside.domain.jobs import Lease
from fireside.runtimes.base import (
    CachedNodes,
    Failed,
    Finished,
    Interrupted,
    NodeOutput,
    NodeStarted,
    Preview,
    Progress,
    ProgressState,
    ProgressText,
    RunEvent,
    Runtime,
    Task,
)
from fireside.wire.fleet import (
    EndReport,
    LeaseBody,
    NodeFailure,
    OutputBody,
    StartReport,
    TimeLimit,
    WorkBody,
)
from fireside.worker.arriving import Arrival
from fireside.worker.collecting import collect_output
from fireside.worker.fetching import Fetcher, ModelDownloadError
from fireside.worker.fitting import MOST_TIMED_NODES, failure_of, fitting_names, fitting_times, fitting_uploads
from fireside.worker.identifying import ModelsOfRun, models_of_run
from fireside.worker.model_hashes import ModelHashes
from fireside.worker.patience import ServerAway
from fireside.worker.reporter import Reporter, ReportRefused
from fireside.worker.scratch import RUN, Scratch
from fireside.worker.showing import Showing
from fireside.worker.stage_cache import StageCache
from fireside.worker.staging import fetch_work, stage_inputs
from fireside.worker.telling import Telling
from fireside.worker.warming import warm_files

# What has been computed is worth waiting for.
_END = (Finished, Failed, Interrupted)
_log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The run was not done, through no fault of its own."""

    reason: str


Outcome = Finished | Failed | Interrupted | Released


class _Stopped(Exception):
    """The run was told to stop while it did not compute."""


@dataclass(slots=True, kw_only=True)
class Run:
    """One job under one lease on this worker, while it lasts."""

    lease: Lease
    user_id: UserId
    client: FleetClient
    runtime: Runtime
    reporter: Reporter
    telling: Telling
    scratch: Scratch
    cache: StageCache
    fetcher: Fetcher
    hashes: ModelHashes
    folder: Path | None = None
    """Its own, from when it is prepared until it is over."""
    work: WorkBody | None = None
    """The work, if it came with the assignment."""
    task_id: str = field(default_factory=lambda: uuid4().hex)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    giving_back: bool = False
    cached: tuple[str, ...] = ()
    started_at: float = 0.0
    began: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    """When nodes began, in seconds from the start."""
    computed: float | None = None
    """When the runtime had finished, likewise."""
    uploads: list[tuple[str, float, float, int]] = field(default_factory=list[tuple[str, float, float, int]])
    """How outputs were sent: the node, when that began, how long it took, and bytes."""
    time_limit: TimeLimit | None = None
    is_overdue: bool = False
    models: ModelsOfRun | None = None
    held: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """What keeps the models that were fetched for it where they are."""
    showing: Showing = field(init=False)
    turn: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the runtime is free for it."""
    reports_together: bool = False
    """Whether the server takes several reports at once."""
    has_neighbor: bool = False
    """Whether its end is reported as another one begins, or its start as another one ends."""
    arrival: Arrival | None = None
    """The model that is being fetched for it."""
    when_arrival_changes: Callable[[], None] | None = None
    when_computed: Callable[[], None] | None = None
    """Called as soon as the runtime has finished the job, while its results are still on their way."""

    def __post_init__(self) -> None:
        """Have what is shown go to this run's server."""
        self.showing = Showing(partial(_collect, self), self._deliver_output)

    async def _deliver_output(self, output: OutputBody) -> None:
        # Whoever listens hears of a node before of what it has shown.
        await self.telling.settle()
        await self.reporter.deliver(output)

    def seconds(self) -> float:
        """Say how long ago the run began."""
        return round(time.monotonic() - self.started_at, 6) if self.started_at else 0.0

    def watch(self, arrival: Arrival | None) -> None:
        """Take note of the model that is being fetched for it, or of none any more."""
        self.arrival = arrival
        if self.when_arrival_changes is not None:
            self.when_arrival_changes()

    def runtime_ended(self, event: RunEvent) -> None:
        """Tell that the runtime has nothing more to do for this job, if all went well."""
        self.computed = self.seconds()
        if isinstance(event, Finished) and self.when_computed is not None:
            self.when_computed()

    async def stop(self, *, give_back: bool = False) -> None:
        """Stop at the next node or step; before the run has begun, do not begin. `give_back` returns it unfinished."""
        self.giving_back = self.giving_back or give_back
        self.stopped.set()
        await self.runtime.interrupt(self.task_id)


async def run_job(run: Run) -> Outcome | None:
    """Do the job, report its end and give it; None when the lease was lost."""
    outcome: Outcome | None = None
    try:
        outcome = await _prepare_and_run(run)
        await run.telling.settle()
        outcome = await _report_end(run, outcome)
    except StaleLease as error:
        _log.info("dropped a job that is not ours any more", reason=error.message)
        return None
    finally:
        await run.showing.drop()
        await run.telling.settle()
        run.held.close()
        if run.folder is not None:
            await run.scratch.give_back(run.folder, is_at_rest=isinstance(outcome, Finished))
    return outcome


async def _report_end(run: Run, outcome: Outcome) -> Outcome:
    """Report the end, and with it what was shown last; an output that the server refuses fails the run."""
    try:
        outputs = await run.showing.rest()
        report = msgspec.structs.replace(_report_of(run, outcome), outputs=outputs)
        await run.reporter.deliver(report, with_neighbor=run.has_neighbor)
    except ReportRefused as refused:
        outcome = _failed_outside(refused)
        await run.reporter.deliver(_report_of(run, outcome))
    return outcome


async def _prepare_and_run(run: Run) -> Outcome:
    try:
        task = await _unless_stopped(run, _prepare(run))
        await _unless_stopped(run, run.turn.wait())
        return Interrupted() if run.stopped.is_set() else await _run(run, task)
    except _Stopped:
        return Interrupted()
    except (ServerAway, OSError) as error:
        # Neither a server that is away nor a disk of ours that is full is the job's fault.
        _log.warning("job given back", reason=str(error))
        return Released(reason=str(error))
    except ModelDownloadError as error:
        _log.warning("job failed for want of a model", reason=error.message)
        return _failed_for_want(error)
    except (httpx.HTTPStatusError, ReportRefused, msgspec.MsgspecError) as error:
        _log.warning("job failed outside its nodes", exc_info=True)
        return _failed_outside(error)


async def _unless_stopped(run: Run, work: Coroutine[Any, Any, Answer]) -> Answer:
    """Do it, unless the run is stopped before it is done; then raise `_Stopped` and leave it."""
    doing = asyncio.create_task(work)
    stopping = asyncio.create_task(run.stopped.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if run.stopped.is_set():
            raise _Stopped
        return doing.result()
    finally:
        doing.cancel()
        stopping.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


async def _prepare(run: Run) -> Task:
    work = run.work or await fetch_work(run.client, run.lease)
    run.time_limit = work.time_limit
    await run.fetcher.bring(run.runtime, run.lease, work, run.held, run.watch)
    run.folder = run.scratch.take()
    inputs = await stage_inputs(run.client, run.cache, run.lease, work, run.folder / "inputs")
    graph = msgspec.json.decode(work.graph, type=dict[str, Any])
    run.models = await models_of_run(run.runtime, run.hashes, graph)
    task = _task_of(run, work, graph, inputs, run.folder / RUN)
    if not run.turn.is_set():
        warm_files(run.models.paths, run.runtime.warm_models())
        await run.runtime.make_ready(task)
    return task


def _task_of(run: Run, work: WorkBody, graph: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Task:
    return Task(
        task_id=run.task_id,
        graph=graph,
        outputs=work.outputs,
        inputs=inputs,
        extra_data=msgspec.json.decode(work.extra_data, type=dict[str, Any]),
        folder=folder,
        secrets=work.secrets,
        when_ended=run.runtime_ended,
    )


async def _run(run: Run, task: Task) -> Outcome:
    events = run.runtime.run(task)
    # The runtime begins while the start is being recorded; nothing of the run is told before it is.
    first = asyncio.ensure_future(anext(events))
    watching = asyncio.create_task(_watch_the_time(run), name="time limit")
    try:
        await _report_start(run)
        return _judged_by_time(run, await _follow(run, first, events))
    except _Stopped:
        end = await _abort(run, first, events)
        return end if isinstance(end, Interrupted) else Interrupted()
    except (StaleLease, ServerAway, OSError, httpx.HTTPError):
        await _abort(run, first, events)
        raise
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch_the_time(run: Run) -> None:
    """Stop a run that takes longer than it may; how a runtime that does not listen is stopped is its own business."""
    if run.time_limit is not None:
        await asyncio.sleep(run.time_limit.seconds)
        run.is_overdue = True
        await run.runtime.interrupt(run.task_id)


def _judged_by_time(run: Run, outcome: Outcome) -> Outcome:
    """Make a failure of what ended because its time was over; another attempt would end no better."""
    limit = run.time_limit
    if limit is None or not run.is_overdue or run.stopped.is_set() or isinstance(outcome, Finished):
        return outcome
    at = outcome if isinstance(outcome, Interrupted) else None
    return Failed(
        node_id=(at.node_id if at else "") or "",
        node_type=(at.node_type if at else "") or "",
        exception_type="TimeoutError",
        exception_message=f"The job was stopped after {limit.seconds:g} s: that is {limit.origin}.",
        executed=outcome.executed if isinstance(outcome, Interrupted | Failed) else (),
    )


async def _report_start(run: Run) -> None:
    run.started_at = time.monotonic()
    start = StartReport(lease=LeaseBody.of(run.lease))
    delivering = run.reporter.deliver(start, with_neighbor=run.has_neighbor)
    if (await _unless_stopped(run, delivering)).canceling:
        raise _Stopped


async def _follow(run: Run, first: Awaitable[RunEvent], events: AsyncIterator[RunEvent]) -> Outcome:
    async for event in _chained(first, events):
        match event:
            case NodeOutput():
                await _unless_stopped(run, run.showing.show(event))
            case CachedNodes():
                run.cached = event.nodes
                await run.telling.tell(event)
            case NodeStarted() | ProgressState() | Progress() | ProgressText() | Preview():
                if isinstance(event, NodeStarted) and len(run.began) < MOST_TIMED_NODES:
                    run.began.append((event.node_id, round(time.monotonic() - run.started_at, 3)))
                await run.telling.tell(event)
            case Finished() | Failed() | Interrupted():
                return event
    message = "the runtime fell silent"
    return Failed(node_id="", node_type="", exception_type="PanicError", exception_message=message, is_breakdown=True)


async def _collect(run: Run, event: NodeOutput) -> OutputBody | None:
    """Send what a node has shown, or give what travels with the report, and note how long that took."""
    size_bytes = sum(file.path.stat().st_size for file in event.files)
    began = run.seconds()
    body = await collect_output(run.client, run.lease, event, before=run.telling.settle)
    if len(run.uploads) < MOST_TIMED_NODES:
        run.uploads.append((event.node_id, began, round(run.seconds() - began, 6), size_bytes))
    return body


async def _chained(first: Awaitable[RunEvent], events: AsyncIterator[RunEvent]) -> AsyncIterator[RunEvent]:
    yield await first
    async for event in events:
        yield event


async def _abort(run: Run, first: Awaitable[RunEvent], events: AsyncIterator[RunEvent]) -> RunEvent | None:
    """Stop a run whose results nobody wants, and wait for its end: only then is its folder left alone."""
    await run.runtime.interrupt(run.task_id)
    last = await first
    async for event in events:
        last = event
    return last


def _report_of(run: Run, outcome: Outcome) -> EndReport:
    run_seconds = time.monotonic() - run.started_at if run.started_at else 0.0
    report = EndReport(
        lease=LeaseBody.of(run.lease),
        outcome="succeeded",
        run_seconds=run_seconds,
        cached=fitting_names(run.cached),
        began=fitting_times(run.began),
        computed=run.computed,
        uploads=fitting_uploads(run.uploads),
    )
    changed: dict[str, Any] = {}
    match outcome:
        case Finished():
            changed = {"models": run.models.as_run() if run.models is not None else None}
        case Failed():
            executed = fitting_names(outcome.executed)
            kind = "broken" if outcome.is_breakdown else "failed"
            changed = {"outcome": kind, "failure": failure_of(outcome), "executed": executed}
        case Interrupted():
            changed = {
                "outcome": "released" if run.giving_back else "interrupted",
                "executed": fitting_names(outcome.executed),
                "interrupted_at": outcome.node_id,
                "interrupted_type": outcome.node_type,
            }
        case Released():
            changed = {"outcome": "released", "failure": _reason_of(outcome)}
    return msgspec.structs.replace(report, **changed)


def _reason_of(released: Released) -> NodeFailure:
    failed = Failed(node_id="", node_type="", exception_type="ServiceError", exception_message=released.reason)
    return failure_of(failed)


def _failed_for_want(error: ModelDownloadError) -> Failed:
    return Failed(
        node_id=error.node_id,
        node_type=error.node_type,
        exception_type="ModelDownloadError",
        exception_message=error.message,
    )


def _failed_outside(error: httpx.HTTPStatusError | ReportRefused | msgspec.MsgspecError) -> Failed:
    message = f"the worker failed: {_message_of(error)}"
    return Failed(node_id="", node_type="", exception_type="ServiceError", exception_message=message)


def _message_of(error: httpx.HTTPStatusError | ReportRefused | msgspec.MsgspecError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        with contextlib.suppress(msgspec.MsgspecError, httpx.ResponseNotRead, KeyError):
            return msgspec.json.decode(error.response.content, type=dict[str, Any])["message"]
    return str(error)
