"""Rescue: a job comes back from a worker that is gone, or is given up when it has cost too many of them.

Only a worker lost while it ran the job, before the eyes of a connected leader, counts against the job; our own restarts
never fail it. The refund of what was charged for the lost run goes with it.
"""

import msgspec

from fireside.domain.jobs import Job, JobState
from fireside.domain.lifecycle import Verb, advance
from fireside.jobs.desk import Desk
from fireside.jobs.report import error_object, summary_of
from fireside.store.records import Ending, HeldJob, TimelineEntry
from fireside.wire.fleet import NodeFailure


async def rescue_job(desk: Desk, held: HeldJob, *, lost: bool, taken: bool = True, term: int | None = None) -> Job:
    """Take the job from its worker: back to the queue, or to its end when it is being canceled or used up.

    `lost` says that the worker died while the job ran and that this counts; a job that was never `taken` is not used up
    however often it was offered. Raises `Changed` when the job moved on or the leader's `term` is over.
    """
    job = held.job
    counts = lost and job.state is JobState.RUNNING
    after = advance(job, _verb(desk, job, counts=counts, taken=taken), desk.clock(), lost=counts)
    ending = await _ending(desk, after, held) if after.is_terminal else None
    kind = "rescued" if after.state is JobState.QUEUED else after.state.value
    data = {"worker_id": held.worker_id, "lost": counts}
    changed = await desk.store.change_job(
        job,
        after,
        timeline=[TimelineEntry(kind=kind, at=after.changed_at, data=data)],
        ending=ending,
        charge_seconds=-held.charged_seconds,
        term=term,
    )
    await desk.announce(changed)
    if not changed.is_terminal:
        await desk.wake_dispatch(changed.user_id)
    return changed


def _verb(desk: Desk, job: Job, *, counts: bool, taken: bool) -> Verb:
    is_used_up = job.losses + counts >= desk.config.max_losses or job.attempt >= desk.config.max_attempts
    return Verb.ABANDON if is_used_up and taken else Verb.RESCUE


async def _ending(desk: Desk, after: Job, held: HeldJob) -> Ending:
    error = msgspec.json.encode(error_object(_reason(after, held))) if after.state is JobState.FAILED else None
    return Ending(summary=await summary_of(desk, after), error=error)


def _reason(job: Job, held: HeldJob) -> NodeFailure:
    return NodeFailure(
        node_id="",
        node_type="",
        exception_type="PanicError",
        exception_message=(
            f"lost: the job was handed out {job.attempt} times and {job.losses} workers died while they ran it,"
            f" the last one was {held.worker_id}"
        ),
    )
