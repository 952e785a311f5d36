"""Jobs in the words of the Cloud API v1: statuses, times, the list's entries. Pure; the detail's parts are apart."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import msgspec
from msgspec import UNSET

from fireside.domain.errors import NotFound
from fireside.domain.ids import JobId
from fireside.domain.jobs import Job, JobState
from fireside.wire.v1_jobs import JobEntry, JobStatus, JobStatusBody, PolledStatus

SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)

STATUSES: Mapping[JobState, JobStatus] = {
    JobState.QUEUED: "pending",
    JobState.ASSIGNED: "pending",
    JobState.RUNNING: "in_progress",
    JobState.CANCELING: "in_progress",
    JobState.SUCCEEDED: "completed",
    JobState.FAILED: "failed",
    JobState.EXPIRED: "failed",
    JobState.CANCELED: "cancelled",
}
"""What clients are told of each state: who has not begun waits, who is being canceled still works."""

_POLLED: Mapping[JobState, PolledStatus] = {
    JobState.SUCCEEDED: "success",
    JobState.FAILED: "error",
    JobState.EXPIRED: "non_retryable_error",
    JobState.CANCELED: "cancelled",
}
_POLLED_STRICTLY: Mapping[JobState, PolledStatus] = {
    JobState.SUCCEEDED: "completed",
    JobState.FAILED: "error",
    JobState.EXPIRED: "error",
    JobState.CANCELED: "cancelled",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXPIRED = "The job waited too long and has expired."
_UNEXPLAINED = "The job failed."
_SHOWN_CHARACTERS = 80


class _Error(msgspec.Struct, frozen=True):
    """What the status tells of an error that the store keeps."""

    node_id: str = ""
    exception_type: str = ""
    exception_message: str = ""


def job_id_of(text: str) -> JobId:
    """Read a job's id in its canonical spelling; `NotFound` for anything else, as nothing goes by such a name."""
    try:
        parsed = UUID(text)
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) != text.lower():
        raise NotFound(f"there is no job {text[:_SHOWN_CHARACTERS]!r}")
    return JobId(parsed)


def job_ids_of(texts: Iterable[str]) -> list[JobId]:
    """Read those of the texts that are ids of jobs, each once."""
    job_ids: dict[JobId, None] = {}
    for text in texts:
        with suppress(NotFound):
            job_ids[job_id_of(text)] = None
    return list(job_ids)


def unix_time(at: datetime, unit: timedelta) -> int:
    """Give a time as whole units since 1970."""
    return (at - _EPOCH) // unit


def run_times(job: Job) -> tuple[int, int] | None:
    """Give start and end of a job that has run to an end, in Unix milliseconds; None for any other job."""
    if job.ended_at is None:
        return None
    # A job that took over another one's outputs has ended without a start of its own: it took no time.
    started_at = job.started_at or (job.ended_at if job.state is JobState.SUCCEEDED else None)
    if started_at is None:
        return None
    start = unix_time(started_at, MILLISECOND)
    # Not the end rounded for itself: lists are sorted by microseconds, and what is shown must be in the same order.
    return start, start + (job.ended_at - started_at) // MILLISECOND


def entry_of(job: Job, unit: timedelta) -> JobEntry:
    """Show a job as the list does; `unit` is that of `create_time`."""
    times = run_times(job)
    return JobEntry(
        id=job.id,
        status=STATUSES[job.state],
        create_time=unix_time(job.created_at, unit),
        priority=job.number,
        workflow_id=job.workflow_id or UNSET,
        execution_start_time=times[0] if times else UNSET,
        execution_end_time=times[1] if times else UNSET,
        execution_error=msgspec.Raw(job.error) if job.error and STATUSES[job.state] == "failed" else UNSET,
        preview_output=msgspec.Raw(job.preview) if job.preview and job.is_terminal else UNSET,
        outputs_count=job.outputs_count if job.is_terminal else UNSET,
        previewable_outputs_count=job.previewable_count if job.is_terminal else UNSET,
    )


def status_of(job: Job, *, strict: bool) -> JobStatusBody:
    """Show a job as pollers of its status see it; `strict` keeps to the words of the published enum."""
    error = msgspec.json.decode(job.error, type=_Error) if job.error else _Error()
    return JobStatusBody(
        id=job.id,
        status=_polled_status(job, error, strict=strict),
        created_at=job.created_at,
        updated_at=job.changed_at,
        last_state_update=job.changed_at,
        assigned_inference=job.worker_id,
        error_message=_error_message(job, error) if STATUSES[job.state] == "failed" else None,
    )


def _polled_status(job: Job, error: _Error, *, strict: bool) -> PolledStatus:
    if not job.is_terminal:
        return cast("PolledStatus", STATUSES[job.state])
    if strict:
        return _POLLED_STRICTLY[job.state]
    return "lost" if _is_lost(error) else _POLLED[job.state]


def _is_lost(error: _Error) -> bool:
    """Whether the job was given up because its workers were lost, which no node is to blame for."""
    return not error.node_id and error.exception_type == "PanicError" and error.exception_message.startswith("lost:")


def _error_message(job: Job, error: _Error) -> str:
    told = error.exception_message.strip() or error.exception_type
    return told or (_EXPIRED if job.state is JobState.EXPIRED else _UNEXPLAINED)
