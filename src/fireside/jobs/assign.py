"""Assign: a queued job goes to a worker; the record first, then the request.

A worker that is gone, busy or does not answer has its lease broken again at once, so whatever it may still
do under it is refused.
"""

import msgspec
import structlog

from fireside.bus.errors import BusError
from fireside.bus.subjects import work
from fireside.domain.ids import WorkerId
from fireside.domain.jobs import Job, JobState, Lease
from fireside.domain.lifecycle import Verb, advance
from fireside.jobs.desk import Desk
from fireside.jobs.rescue import rescue_job
from fireside.scheduler.policy import Placement
from fireside.store.records import HeldJob, TimelineEntry
from fireside.store.store import Changed
from fireside.wire.fleet import Assignment, AssignmentReply, LeaseBody

_ANSWER_SECONDS = 2.0
_log = structlog.get_logger(__name__)


async def assign_job(desk: Desk, placement: Placement, *, term: int) -> Lease | None:
    """Hand the job to the worker and give its lease; None when the worker did not take it.

    Raises `Changed` when this leader's term is over. A job that is not queued any more is left alone.
    """
    before = await desk.store.job(placement.job_id)
    if before is None or before.state is not JobState.QUEUED:
        return None
    after = advance(before, Verb.ASSIGN, desk.clock(), worker_id=placement.worker_id)
    job = await desk.store.change_job(
        before,
        after,
        timeline=[TimelineEntry(kind="assigned", at=after.changed_at, data={"worker_id": placement.worker_id})],
        charge_seconds=placement.estimate_seconds,
        floor_virtual_time=placement.floor_virtual_time,
        term=term,
    )
    await desk.announce(job)
    if await _offer(desk, job, placement.worker_id):
        return job.lease
    await _take_back(desk, job, placement)
    return None


async def _offer(desk: Desk, job: Job, worker_id: WorkerId) -> bool:
    request = msgspec.json.encode(Assignment(lease=LeaseBody.of(job.lease), user_id=job.user_id))
    try:
        answer = await desk.bus.request(work(worker_id), request, timeout=_ANSWER_SECONDS)
        reply = msgspec.json.decode(answer, type=AssignmentReply)
    except (BusError, msgspec.MsgspecError) as error:
        _log.info("worker did not take the job", job_id=str(job.id), worker_id=worker_id, reason=str(error))
        return False
    if not reply.accepted:
        _log.info("worker declined the job", job_id=str(job.id), worker_id=worker_id, reason=reply.reason)
    return reply.accepted


async def _take_back(desk: Desk, job: Job, placement: Placement) -> None:
    """Break the lease of a worker that did not take the job."""
    held = HeldJob(job=job, worker_id=placement.worker_id, charged_seconds=job.charged_seconds)
    try:
        await rescue_job(desk, held, lost=False)
    except Changed:
        _log.info("job moved on while it was offered", job_id=str(job.id))
