"""Rerun: the workflow of a job once more, as a new job, checked against what there is today."""

from typing import Any

import msgspec

from fireside.domain.accounts import User
from fireside.domain.errors import NotFound
from fireside.domain.ids import JobId
from fireside.domain.jobs import Job
from fireside.domain.workers import WorkerWish
from fireside.graphs.requirements import decode_requirement
from fireside.jobs.desk import Desk
from fireside.jobs.submit import Submission, Submitted, submit_job
from fireside.scheduler.costs import DEFAULT_RUN_SECONDS


async def rerun_job(desk: Desk, user: User, job_id: JobId) -> Submitted:
    """Queue what a job of the user ran, with its labels and wishes and the files of today, to be run once more.

    It runs even where an equal job's outputs are there. Credentials of partner nodes are not kept, and so not there.
    Raises `NotFound` and all that `submit_job` raises.
    """
    job = await desk.job_of(user.id, job_id)
    body = await desk.store.job_body(job_id)
    if body is None:
        raise NotFound(f"there is no job {job_id}")
    named_runs = await desk.store.named_runs([job_id])
    submission = Submission(
        user=user,
        graph=msgspec.json.decode(body.graph),
        extra_data=msgspec.json.decode(body.extra_data, type=dict[str, Any]),
        client_id=await desk.store.client_of_job(job_id),
        workflow_id=job.workflow_id,
        targets=body.outputs,
        wish=await _wish_of(desk, job),
        labels=msgspec.json.decode(job.metadata, type=dict[str, str]) if job.metadata else {},
        is_whole=True,
        named_run=named_runs.get(job_id),
        reuse=False,
    )
    return await submit_job(desk, submission)


async def _wish_of(desk: Desk, job: Job) -> WorkerWish:
    facts = await desk.store.queue_facts(job, unknown_seconds=DEFAULT_RUN_SECONDS)
    return decode_requirement(facts.requirement).wish if facts.requirement else WorkerWish()
