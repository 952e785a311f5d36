"""Where a job's own routes are, as the API v2 tells it."""

from fireside.domain.ids import JobId
from fireside.wire.v2_jobs import JobUrlsBody


def urls_of_job(job_id: JobId) -> JobUrlsBody:
    """Say where to go on; relative, because the SDKs send their key only to the origin they were given."""
    path = f"/api/v2/jobs/{job_id}"
    return JobUrlsBody(self=path, events=f"{path}/events", cancel=f"{path}/cancel")
