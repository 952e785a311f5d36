"""One job, from its lease to its reported end: prepare, run, collect, report.

Each step is a small function of the run; what they share is in `Run`. A lost lease anywhere ends the run silently,
because somebody else has the job now; anything else ends with a report.
"""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import msgspec
import structlog
from blake3 import blake3

from fireside.client.fleet import FleetClient
from fireside.domain.errors import StaleLease
from fireside.domain.ids import BlobHash
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
    Runtime,
    Task,
)
from fireside.wire.fleet import EndReport, LeaseBody, NodeFailure, OutputBody, OutputFile, StartReport, WorkBody
from fireside.worker.reporter import Reporter
from fireside.worker.telling import Telling

_TRIES = 5
_PAUSE_SECONDS = 0.2
_MAX_TEXT = 20_000
_MAX_TRACEBACK_LINES = 200
_log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Released:
    """The run was not done, through no fault of its own."""


Outcome = Finished | Failed | Interrupted | Released


@dataclass(slots=True, kw_only=True)
class Run:
    """One job under one lease on this worker, while it lasts."""

    lease: Lease
    client: FleetClient
    runtime: Runtime
    reporter: Reporter
    telling: Telling
    folder: Path
    task_id: str = field(default_factory=lambda: uuid4().hex)
    stop_asked: bool = False
    giving_back: bool = False
    cached: tuple[str, ...] = ()
    started_at: float = 0.0

    async def stop(self, *, give_back: bool = False) -> None:
        """Stop at the next node or step; before the run has begun, do not begin. `give_back` returns it unfinished."""
        self.stop_asked, self.giving_back = True, give_back
        await self.runtime.interrupt(self.task_id)


async def run_job(run: Run) -> None:
    """Do the job and report its end."""
    try:
        outcome = await _prepare_and_run(run)
        await _report(run, outcome)
    except StaleLease as error:
        _log.info("dropped a job that is not ours any more", job_id=str(run.lease.job_id), reason=error.message)
    finally:
        await asyncio.to_thread(shutil.rmtree, run.folder, ignore_errors=True)


async def _prepare_and_run(run: Run) -> Outcome:
    try:
        task = await _prepare(run)
        await run.reporter.deliver(StartReport(lease=LeaseBody.of(run.lease)))
        run.started_at = time.monotonic()
        return await _run(run, task)
    except httpx.TransportError as error:
        # The server is away, which is not the job's fault: somebody runs it when it is back.
        _log.warning("job given back, server not reached", job_id=str(run.lease.job_id), reason=str(error))
        return Released()
    except (httpx.HTTPStatusError, OSError, msgspec.MsgspecError) as error:
        _log.warning("job failed outside its nodes", job_id=str(run.lease.job_id), exc_info=True)
        message = f"the worker failed: {error}"
        return Failed(node_id="", node_type="", exception_type="ServiceError", exception_message=message)


async def _prepare(run: Run) -> Task:
    work = await _patiently(lambda: run.client.work(run.lease))
    inputs = await _stage(run, work)
    scratch = run.folder / "run"
    scratch.mkdir(parents=True)
    return Task(
        task_id=run.task_id,
        graph=msgspec.json.decode(work.graph, type=dict[str, Any]),
        outputs=work.outputs,
        inputs=inputs,
        extra_data=msgspec.json.decode(work.extra_data, type=dict[str, Any]),
        folder=scratch,
    )


async def _stage(run: Run, work: WorkBody) -> Mapping[str, Path]:
    folder = run.folder / "inputs"
    folder.mkdir(parents=True)
    staged: dict[str, Path] = {}
    for number, file in enumerate(work.inputs):
        # Names that users chose never become names on this disk; only a plain suffix is kept, for format guesses.
        suffix = Path(file.value.split(" [")[0]).suffix
        path = folder / f"{number}{suffix if suffix[1:].isalnum() else ''}"
        await _patiently(lambda file=file, path=path: run.client.download(file, path))
        staged[file.value] = path
    return staged


async def _run(run: Run, task: Task) -> Outcome:
    if run.stop_asked:
        return Interrupted()
    async for event in run.runtime.run(task):
        match event:
            case NodeOutput():
                await _collect(run, event)
            case CachedNodes():
                run.cached = event.nodes
                await run.telling.tell(event)
            case NodeStarted() | ProgressState() | Progress() | Preview():
                await run.telling.tell(event)
            case Finished() | Failed() | Interrupted():
                return event
    return Failed(node_id="", node_type="", exception_type="PanicError", exception_message="the runtime fell silent")


async def _collect(run: Run, event: NodeOutput) -> None:
    files: list[OutputFile] = []
    for file in event.files:
        blob_hash, size_bytes = await asyncio.to_thread(_hash_of, file.path)
        await _patiently(lambda blob_hash=blob_hash, file=file: run.client.upload(blob_hash, file.path))
        files.append(OutputFile(key=file.key, index=file.index, hash=blob_hash, size_bytes=size_bytes))
    body = OutputBody(
        lease=LeaseBody.of(run.lease),
        node_id=event.node_id,
        display_node_id=event.display_node_id,
        output=dict(event.output),
        files=tuple(files),
    )
    await _patiently(lambda: run.client.add_output(run.lease, body))


async def _report(run: Run, outcome: Outcome) -> None:
    report = EndReport(
        lease=LeaseBody.of(run.lease), outcome="released", run_seconds=_run_seconds(run), cached=run.cached
    )
    match outcome:
        case Finished():
            report = msgspec.structs.replace(report, outcome="succeeded")
        case Failed():
            report = msgspec.structs.replace(
                report, outcome="failed", failure=_failure(outcome), executed=outcome.executed
            )
        case Interrupted():
            at = outcome.node_id
            outcome_word = "released" if run.giving_back else "interrupted"
            report = msgspec.structs.replace(report, outcome=outcome_word, executed=outcome.executed, interrupted_at=at)
        case Released():
            pass
    await run.reporter.deliver(report)


def _failure(failed: Failed) -> NodeFailure:
    return NodeFailure(
        node_id=failed.node_id,
        node_type=failed.node_type,
        exception_type=failed.exception_type,
        exception_message=failed.exception_message[:_MAX_TEXT],
        traceback=tuple(line[:_MAX_TEXT] for line in failed.traceback[-_MAX_TRACEBACK_LINES:]),
        current_inputs=dict(failed.current_inputs),
    )


def _run_seconds(run: Run) -> float:
    return time.monotonic() - run.started_at if run.started_at else 0.0


def _hash_of(path: Path) -> tuple[BlobHash, int]:
    hasher = blake3()
    hasher.update_mmap(path)
    return BlobHash(hasher.hexdigest()), path.stat().st_size


async def _patiently(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Try a few times what the network or a restart of the server may have broken; a refusal is final."""
    for tries_left in range(_TRIES - 1, -1, -1):
        try:
            return await call()
        except httpx.HTTPStatusError as error:
            if error.response.status_code < httpx.codes.INTERNAL_SERVER_ERROR or not tries_left:
                raise
        except httpx.TransportError:
            if not tries_left:
                raise
        await asyncio.sleep(_PAUSE_SECONDS * 2 ** (_TRIES - tries_left))
    raise AssertionError("unreachable")
