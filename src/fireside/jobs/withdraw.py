"""Withdraw: a job comes back from a worker that has not begun it, as if it had never been handed out.

What a worker holds while it computes something else may be of better use elsewhere, or have to wait for somebody else.
Whether it has begun is decided by the fence: a start that is recorded before keeps the job, one that comes later is
refused, and the worker drops it.
"""

from fireside.domain.jobs import Job
from fireside.domain.lifecycle import Verb, advance
from fireside.jobs.cancel import tell_worker_to_stop
from fireside.jobs.desk import Desk
from fireside.store.records import TimelineEntry


async def withdraw_job(desk: Desk, job: Job, *, term: int | None = None) -> Job:
    """Put the job back in the queue and refund what was charged; raises `Changed` when it has begun or moved on.

    `tell_withdrawn` is for afterwards, and so is waking the leader. A job that no worker has is `IllegalTransition`.
    """
    after = advance(job, Verb.WITHDRAW, desk.clock())
    entry = TimelineEntry(kind="withdrawn", at=after.changed_at, data={"worker_id": job.worker_id})
    changed = await desk.store.change_job(job, after, timeline=[entry], charge_seconds=-job.charged_seconds, term=term)
    await desk.announce(changed)
    return changed


async def tell_withdrawn(desk: Desk, job: Job) -> None:
    """Tell the worker that `job`, as it was before, is not its any more; one that does not hear it is told again."""
    assert job.worker_id is not None
    await tell_worker_to_stop(desk.bus, job.worker_id, job.lease)
