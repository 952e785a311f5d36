"""Rescue: a job comes back from a worker that is gone, or is given up when it has cost too many of them.

Only a worker lost while it ran the job, before the eyes of a connected leader, counts against the job; our own restarts
never fail it. The refund of what was charged for the lost run goes with it.
"""

import msgspec

from fireside.domain.jobs import Job, JobState
from fireside.domain.lifecycle import Verb, advance
from fireside.jobs.desk import Desk
from fireside.jobs.report import error_object
from fireside.store.records import Ending, HeldJob, TimelineEntry
from fireside.wire.fleet import NodeFailure


async def rescue_job(desk: Desk, held: HeldJob, *, lost: bool) -> Job:
    """Take the job from its worker: back to the queue, or to its end when it is being canceled or used up.

    `lost` says that the worker died while the job ran and that this counts. Raises `Changed` when the job moved on.
    """
    job = held.job
    counts = lost and job.state is JobState.RUNNING
    used_up = job.losses + counts >= desk.config.max_losses or job.attempt >= desk.config.max_attempts
    verb = Verb.ABANDON if used_up else Verb.RESCUE
    after = advance(job, verb, desk.clock(), lost=counts)
    error = msgspec.json.encode(error_object(_reason(after, held))) if after.state is JobState.FAILED else None
    kind = "rescued" if after.state is JobState.QUEUED else after.state.value
    entry = TimelineEntry(
        kind=kind,
        at=after.changed_at,
        data=msgspec.json.decode(error) if error else {"worker_id": held.worker_id, "lost": counts},
    )
    changed = await desk.store.change_job(
        job,
        after,
        timeline=[entry],
        ending=Ending(error=error) if after.is_terminal else None,
        charge_seconds=-held.charged_seconds,
    )
    await desk.announce(changed)
    if not changed.is_terminal:
        await desk.wake_dispatch()
    return changed


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
