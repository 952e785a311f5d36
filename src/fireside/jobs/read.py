"""Read: a job with all its parts, for its owner; and what a worker needs to run the job it holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from fireside.domain.errors import NotFound
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Job, Lease
from fireside.jobs.desk import Desk
from fireside.jobs.report import held_job
from fireside.jobs.work import work_of
from fireside.store.records import JobBody, NodeRecord, TimelineEntry
from fireside.wire.fleet import WorkBody


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetail:
    """A job with its heavy parts; outputs and timeline are those of its present attempt."""

    job: Job
    body: JobBody
    outputs: Sequence[NodeRecord]
    timeline: Sequence[TimelineEntry]


async def read_job(desk: Desk, user_id: UserId, job_id: JobId) -> JobDetail:
    """Read the user's job with all its parts; `NotFound` for one that is not there or not theirs."""
    job = await desk.job_of(user_id, job_id)
    body = await desk.store.job_body(job_id)
    if body is None:
        raise NotFound(f"there is no job {job_id}")
    outputs = await desk.store.job_outputs(job_id)
    return JobDetail(job=job, body=body, outputs=outputs, timeline=await desk.store.job_timeline(job_id))


async def read_work(desk: Desk, worker_id: WorkerId, lease: Lease) -> WorkBody:
    """Read what the holder of the lease is to run; `StaleLease` for anybody else."""
    job = await held_job(desk, worker_id, lease)
    body, user = await desk.store.job_work(job)
    if body is None:
        raise NotFound(f"there is no job {job.id}")
    return work_of(desk, job, body, user)
