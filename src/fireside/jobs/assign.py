"""Assign: a queued job goes to a worker; the record first, then the request.

A worker that is gone, busy or does not answer has its lease broken again at once, so whatever it may still
do under it is refused.
"""

import msgspec
import structlog

from fireside.bus.errors import BusError
from fireside.bus.subjects import work
from fireside.domain.ids import WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.domain.lifecycle import Verb, advance
from fireside.jobs.desk import Desk
from fireside.jobs.rescue import rescue_job
from fireside.jobs.work import work_of
from fireside.scheduler.values import Placement
from fireside.store.records import HeldJob, TimelineEntry
from fireside.store.store import Changed
from fireside.wire.fleet import Assignment, AssignmentReply, LeaseBody, WorkBody

_ANSWER_SECONDS = 2.0
# What is larger would hold up the other messages of the bus.
_LARGEST_SENT_BYTES = 64 * 1024
_MOST_INPUTS_SENT = 16
_log = structlog.get_logger(__name__)


async def record_assignment(desk: Desk, placement: Placement, *, term: int, seen: Job | None = None) -> Job:
    """Write down that the worker holds the job, before the worker hears of it.

    `seen` is the job as it was read a moment ago, which spares reading it again. Raises `Changed` when the job is not
    queued any more or this leader's term is over.
    """
    before = seen or await desk.store.job(placement.job_id)
    if before is None or before.state is not JobState.QUEUED:
        raise Changed(f"job {placement.job_id} is not queued any more")
    after = advance(before, Verb.ASSIGN, desk.clock(), worker_id=placement.worker_id)
    job = await desk.store.change_job(
        before,
        after,
        timeline=[TimelineEntry(kind="assigned", at=after.changed_at, data={"worker_id": placement.worker_id})],
        charge_seconds=placement.estimate_seconds,
        term=term,
    )
    desk.held.keep(job)
    await desk.announce(job)
    return job


async def offer_job(desk: Desk, job: Job, work: WorkBody | None, *, boot_id: str = "") -> AssignmentReply:
    """Ask the worker that the job is assigned to to take it; when it does not, the job is back in the queue.

    `work` is what `small_work` gave for the job, `boot_id` the process of the worker that is meant.
    """
    assert job.worker_id is not None
    reply = await _answer_to(desk, job, job.worker_id, work, boot_id)
    if not reply.accepted:
        held = HeldJob(job=job, worker_id=job.worker_id, charged_seconds=job.charged_seconds)
        try:
            await rescue_job(desk, held, lost=False, taken=False)
        except Changed:
            _log.info("job moved on while it was offered", job_id=str(job.id))
    return reply


async def small_work(desk: Desk, job: Job) -> WorkBody | None:
    """Give the work when the bus may carry it: small, and without secrets. Everything else is fetched."""
    body, user = await desk.store.job_work(job)
    if body is None or body.sealed_secrets is not None or len(body.inputs) > _MOST_INPUTS_SENT:
        return None
    if len(body.graph) + len(body.extra_data) > _LARGEST_SENT_BYTES:
        return None
    return work_of(desk, job, body, user)


async def _answer_to(desk: Desk, job: Job, worker_id: WorkerId, sent: WorkBody | None, boot_id: str) -> AssignmentReply:
    offer = Assignment(lease=LeaseBody.of(job.lease), user_id=job.user_id, work=sent, boot_id=boot_id, together=True)
    request = msgspec.json.encode(offer)
    try:
        answer = await desk.bus.request(work(worker_id), request, timeout=_ANSWER_SECONDS)
        reply = msgspec.json.decode(answer, type=AssignmentReply)
    except (BusError, msgspec.MsgspecError) as error:
        _log.info("worker did not take the job", job_id=str(job.id), worker_id=worker_id, reason=str(error))
        return AssignmentReply(accepted=False)
    if not reply.accepted:
        _log.info("worker declined the job", job_id=str(job.id), worker_id=worker_id, reason=reply.reason)
    return reply
