"""A line in the log for each step of a job's life that this server wrote: ids and states, and no more."""

import structlog

from fireside.domain.jobs import Job, JobState

_log = structlog.get_logger(__name__)


def log_move(before: Job | None, after: Job) -> None:
    """Write the line: an end and a return from a worker for everybody, the other steps for who looks closely."""
    about = {"job_id": str(after.id), "user_id": after.user_id}
    if after.is_terminal:
        seconds = round(after.run_time.total_seconds(), 3)
        _log.info("job ended", **about, state=after.state.value, attempt=after.attempt, run_seconds=seconds)
    elif before is None:
        _log.debug("job submitted", **about)
    elif after.attempt < before.attempt:
        _log.debug("job withdrawn", **about, worker_id=before.worker_id)
    elif after.state is JobState.QUEUED:
        _log.info("job came back", **about, worker_id=before.worker_id, attempt=before.attempt)
    else:
        _log.debug(f"job {after.state.value}", **about, worker_id=after.worker_id, attempt=after.attempt)
