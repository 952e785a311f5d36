"""The facts told of a job, built from the job as it was committed."""

from datetime import datetime
from typing import Any

import msgspec

from fireside.domain.ids import WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.store.records import NodeRecord
from fireside.wire.live import EndState, JobAssigned, JobCanceling, JobEnded, JobQueued, JobStarted, OutputAdded


def milliseconds(at: datetime) -> float:
    """Unix time in milliseconds, as events carry it."""
    return at.timestamp() * 1000


def fact_of(job: Job) -> JobQueued | JobAssigned | JobStarted | JobCanceling | JobEnded:
    """Say where the job stands."""
    at = milliseconds(job.changed_at)
    if job.is_terminal:
        return ended_fact(job)
    if job.worker_id is None:
        return JobQueued(job_id=job.id, at=at, fence=job.fence)
    if job.state is JobState.ASSIGNED:
        return JobAssigned(job_id=job.id, at=at, fence=job.fence)
    if job.state is JobState.CANCELING:
        return JobCanceling(job_id=job.id, at=at, fence=job.fence)
    return started_fact(job, job.worker_id)


def started_fact(job: Job, worker_id: WorkerId) -> JobStarted:
    """Say of a job that it runs, and whose frames are to be believed."""
    at = milliseconds(job.started_at or job.changed_at)
    return JobStarted(job_id=job.id, at=at, worker_id=worker_id, fence=job.fence)


def output_fact(job: Job, record: NodeRecord, at: datetime) -> OutputAdded:
    """Say what a node of the job's present attempt has shown."""
    return OutputAdded(
        job_id=job.id,
        at=milliseconds(at),
        fence=job.fence,
        node_id=record.node_id,
        display_node_id=record.display_node_id,
        output=dict(record.output),
    )


def ended_fact(
    job: Job,
    *,
    executed: tuple[str, ...] = (),
    node_id: str | None = None,
    node_type: str | None = None,
    cached: tuple[str, ...] = (),
    shown: int | None = None,
    outputs: tuple[OutputAdded, ...] = (),
) -> JobEnded:
    """Say of a terminal job that it is over; of one that never ran, `cached` names the nodes that it was spared.

    `shown` is how many nodes have shown something, where that is known; `outputs` are told with it.
    """
    error: dict[str, Any] | None = msgspec.json.decode(job.error, type=dict[str, Any]) if job.error else None
    return JobEnded(
        job_id=job.id,
        at=milliseconds(job.ended_at or job.changed_at),
        fence=job.fence,
        state=msgspec.convert(job.state.value, EndState),
        error=error,
        executed=executed,
        node_id=node_id,
        node_type=node_type,
        cached=cached,
        shown=shown,
        outputs=outputs,
    )
