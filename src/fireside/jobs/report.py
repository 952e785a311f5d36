"""Report: what a worker says of the job it holds, believed only under its lease.

Every report may arrive twice (the bus replays after a reconnect, a worker asks again when an answer is lost), so each
is idempotent: what is recorded already under the same lease is simply confirmed.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeGuard

import msgspec

from fireside.domain.assets import Asset
from fireside.domain.errors import StaleLease
from fireside.domain.ids import WorkerId
from fireside.domain.jobs import Job, JobState, Lease
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.outputs import OutputSummary, summarize_outputs
from fireside.events.facts import ended_fact, output_fact
from fireside.jobs.desk import Desk
from fireside.store.records import Ending, NodeRecord, TimelineEntry, UnsyncedBytes
from fireside.store.store import Changed
from fireside.wire.fleet import EndReport, NodeFailure

_VERBS = {
    "succeeded": Verb.SUCCEED,
    "failed": Verb.FAIL,
    "interrupted": Verb.RELEASE,
    "released": Verb.RELEASE,
    "broken": Verb.RELEASE,
}
_MOST_TOLD_BYTES = 256 * 1024
"""Of outputs that are told with the end, in one message; the bus carries 1 MiB."""
Shown = Sequence[tuple[NodeRecord, Sequence[Asset]]]
"""What nodes have shown, each with its files."""
_UNSAID = NodeFailure(
    node_id="", node_type="", exception_type="PanicError", exception_message="the worker did not say what broke the run"
)


async def start_job(desk: Desk, worker_id: WorkerId, lease: Lease) -> Job:
    """Record that the worker's job runs now; `StaleLease` when the worker must drop it."""
    while True:
        before = desk.held.take(lease, worker_id, JobState.ASSIGNED) or await held_job(desk, worker_id, lease)
        if before.state is not JobState.ASSIGNED:
            return before
        after = advance(before, Verb.START, desk.clock(), lease=lease)
        try:
            job = await desk.store.change_job(
                before, after, timeline=[TimelineEntry(kind="started", at=after.changed_at)]
            )
        except Changed:
            continue
        desk.held.keep(job)
        await desk.announce(job)
        return job


async def add_output(
    desk: Desk,
    worker_id: WorkerId,
    lease: Lease,
    record: NodeRecord,
    files: Sequence[Asset],
    *,
    seen: Job | None = None,
) -> NodeRecord:
    """Record what a node has shown, with its files, and tell listeners; gives the record with the names as stored.

    `seen` is the job as `last_held_job` gave it a moment ago.
    """
    while True:
        job, seen = seen or await last_held_job(desk, worker_id, lease), None
        try:
            stored, _ = await desk.store.add_output(job, record, files, at=desk.clock())
        except Changed:
            continue
        desk.held.keep(job)
        await desk.announcer.tell(job.user_id, output_fact(job, stored, desk.clock()))
        return stored


async def end_job(
    desk: Desk,
    worker_id: WorkerId,
    report: EndReport,
    shown: Shown = (),
    *,
    seen: Job | None = None,
    unsynced: UnsyncedBytes | None = None,
) -> Job:
    """Record the end of a run, with the last that its nodes have shown; `StaleLease` for one who lost it meanwhile.

    `seen` is the job as it was read a moment ago. `unsynced` are bytes of what was shown that are not stored yet.
    """
    lease = report.lease.lease()
    while True:
        before, seen = seen or await last_run(desk, worker_id, lease), None
        if before is not None and _is_recorded(before, lease):
            return before
        before = _held(before, worker_id, lease)
        counts = report.outcome == "broken" and before.state is JobState.RUNNING
        final = _bounded(desk, before, report, counts=counts)
        after = advance(before, _VERBS[final.outcome], desk.clock(), lease=lease, lost=counts)
        try:
            if not after.is_terminal:
                return await _give_back(desk, before, after, final)
            return await _finish(desk, before, after, final, shown, unsynced)
        except Changed:
            continue


async def _finish(
    desk: Desk,
    before: Job,
    after: Job,
    report: EndReport,
    shown: Shown,
    unsynced: UnsyncedBytes | None,
) -> Job:
    cost = _cost(after, report)
    job, stored, count = await desk.store.finish_job(
        before,
        after,
        shown,
        partial(_ending, after, report, cost),
        timeline=_timeline(desk, before, after, report),
        charge_seconds=cost - before.charged_seconds,
        unsynced=unsynced,
    )
    outputs = tuple(output_fact(before, record, job.changed_at) for record in stored)
    if len(msgspec.json.encode(outputs)) > _MOST_TOLD_BYTES:
        for output in outputs:
            await desk.announcer.tell(job.user_id, output)
        outputs = ()
    fact = ended_fact(
        job,
        executed=report.executed,
        node_id=report.interrupted_at,
        node_type=report.interrupted_type,
        shown=count,
        outputs=outputs,
    )
    await desk.announcer.tell(job.user_id, fact)
    return job


async def _give_back(desk: Desk, before: Job, after: Job, report: EndReport) -> Job:
    """Have it wait again, without what this attempt has shown."""
    timeline = _timeline(desk, before, after, report)
    job = await desk.store.change_job(before, after, timeline=timeline, charge_seconds=-before.charged_seconds)
    await desk.announce(job)
    await desk.wake_dispatch(job.user_id)
    return job


async def held_job(desk: Desk, worker_id: WorkerId, lease: Lease) -> Job:
    """Read the job that the worker holds under this lease; `StaleLease` when it does not."""
    return _held(await desk.store.job(lease.job_id), worker_id, lease)


async def last_run(desk: Desk, worker_id: WorkerId, lease: Lease) -> Job | None:
    """Give the job, perhaps from memory if it runs: for a write whose fence finds out when that is out of date."""
    return desk.held.take(lease, worker_id, JobState.RUNNING) or await desk.store.job(lease.job_id)


async def last_held_job(desk: Desk, worker_id: WorkerId, lease: Lease) -> Job:
    """Give what `held_job` gives, perhaps from memory as above."""
    return _held(await last_run(desk, worker_id, lease), worker_id, lease)


def error_object(failure: NodeFailure) -> dict[str, Any]:
    """Shape a failure as the published contract's ExecutionError: all seven fields, always of their types."""
    return {
        "node_id": failure.node_id,
        "node_type": failure.node_type,
        "exception_message": failure.exception_message,
        "exception_type": failure.exception_type,
        "traceback": list(failure.traceback),
        "current_inputs": dict(failure.current_inputs),
        "current_outputs": {},
    }


async def summary_of(desk: Desk, job: Job) -> OutputSummary:
    """Sum up what the nodes of the job's present attempt have shown, for the job's end."""
    return _sum_up(await desk.store.job_outputs(job.id))


def _sum_up(records: Sequence[NodeRecord]) -> OutputSummary:
    return summarize_outputs({record.node_id: dict(record.output) for record in records})


def holds(job: Job | None, worker_id: WorkerId, lease: Lease) -> TypeGuard[Job]:
    """Whether the worker holds the job under this lease."""
    return job is not None and job.worker_id == worker_id and job.lease == lease and not job.is_terminal


def _held(job: Job | None, worker_id: WorkerId, lease: Lease) -> Job:
    if not holds(job, worker_id, lease):
        raise StaleLease(f"worker {worker_id} does not hold job {lease.job_id} under fence {lease.fence}")
    return job


def _is_recorded(job: Job, lease: Lease) -> bool:
    # A lease's own end leaves its fence in place; whoever else ends or moves a job raises it.
    return job.lease == lease and (job.is_terminal or job.state is JobState.QUEUED)


def _bounded(desk: Desk, job: Job, report: EndReport, *, counts: bool) -> EndReport:
    """Let a job that comes back unfinished for the last time fail instead of going round for ever."""
    if _VERBS[report.outcome] is not Verb.RELEASE:
        return report
    if counts and job.losses + 1 >= desk.config.max_losses:
        how = f"{job.losses + 1} workers or their runtimes broke while they ran the job, at last so"
    elif job.attempt >= desk.config.max_attempts:
        how = f"the job was handed out {job.attempt} times and came back unfinished"
    else:
        return report
    why = f": {report.failure.exception_message}" if report.failure is not None else ""
    told = msgspec.structs.replace(
        report.failure or _UNSAID,
        node_id="",
        node_type="",
        exception_type="PanicError",
        exception_message=f"lost: {how}{why}",
    )
    return msgspec.structs.replace(report, outcome="failed", failure=told)


def _cost(after: Job, report: EndReport) -> float:
    """Say what the run costs its user: nothing when it was for nothing, and never more than it can have taken."""
    if not after.is_terminal or after.started_at is None:
        return 0.0
    return min(max(report.run_seconds, 0.0), after.run_time.total_seconds())


def _ending(after: Job, report: EndReport, cost: float, records: Sequence[NodeRecord]) -> Ending:
    error = None
    if after.state is JobState.FAILED:
        error = msgspec.json.encode(error_object(report.failure or _UNSAID))
    return Ending(summary=_sum_up(records), error=error, charged_seconds=cost, models=report.models)


def _timeline(desk: Desk, before: Job, after: Job, report: EndReport) -> list[TimelineEntry]:
    entries: list[TimelineEntry] = []
    if before.started_at is not None:
        ran: dict[str, Any] = {"nodes": list(report.cached)}
        if report.began:
            ran["began"] = list(report.began)
        if desk.is_traced:
            ran |= {"uploads": list(report.uploads), "computed": report.computed}
        entries.append(TimelineEntry(kind="cached", at=before.started_at, data=ran))
    data: dict[str, Any] = {}
    if after.state is JobState.QUEUED:
        reason = report.failure.exception_message if report.failure else ""
        data = {"worker_id": before.worker_id, "reason": reason, "lost": after.losses > before.losses}
    elif after.state is not JobState.SUCCEEDED:
        data = {"node_id": report.interrupted_at, "executed": list(report.executed)}
    kind = "released" if after.state is JobState.QUEUED else after.state.value
    return [*entries, TimelineEntry(kind=kind, at=after.changed_at, data=data)]
