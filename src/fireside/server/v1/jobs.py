"""Jobs over the Cloud API v1: the list, the detail, the status to poll, and cancel.

A job that is not there, is somebody else's, or cannot be by its name, is not found, everywhere alike.
"""

from datetime import timedelta

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import PrincipalKind
from fireside.domain.ids import JobId
from fireside.domain.listing import JobPage, Window
from fireside.jobs.cancel import cancel_job, cancel_jobs
from fireside.jobs.read import read_job
from fireside.server.answers import json_answer
from fireside.server.callers import caller_of, services_of, user_of
from fireside.server.reading import read_body, read_query
from fireside.server.routes import Answer, Route
from fireside.server.v1.cursors import write_cursor
from fireside.server.v1.jobs_query import filter_of, window_of
from fireside.server.v1.rendering import MILLISECOND, SECOND, entry_of, job_id_of, status_of
from fireside.server.v1.rendering_details import detail_of
from fireside.server.waiting import extras_of
from fireside.wire.refusals import RefusalBody
from fireside.wire.v1_jobs import (
    CanceledBody,
    CanceledJobsBody,
    CancelJobsBody,
    JobDetail,
    JobsBody,
    JobsQuery,
    JobStatusBody,
    PaginationBody,
)

_BULK_BYTES = 64 * 1024
_EDITORS = frozenset({PrincipalKind.SESSION, PrincipalKind.LOCAL})
_UNITS = {"seconds": SECOND, "milliseconds": MILLISECOND}


async def list_jobs(request: Request) -> Response:
    """List the caller's jobs that match, with their exact total."""
    query = read_query(request, JobsQuery)
    window = window_of(query)
    page = await services_of(request).store.list_jobs(user_of(request).id, filter_of(query), window)
    unit = _time_unit(request)
    pagination = PaginationBody(
        offset=window.offset,
        limit=window.limit,
        total=page.total,
        has_more=_has_more(window, page),
        next_cursor=UNSET if page.next_after is None else write_cursor(page.next_after),
    )
    return json_answer(JobsBody(jobs=[entry_of(job, unit) for job in page.jobs], pagination=pagination))


def _has_more(window: Window, page: JobPage) -> bool:
    if window.after is not None:
        return page.next_after is not None
    return window.offset + len(page.jobs) < page.total


async def show_job(request: Request) -> Response:
    """Show one job with its workflow and, when it has ended, its outputs and how it went."""
    services = services_of(request)
    parts = await read_job(services.desk, user_of(request).id, _job_id(request))
    extras = await extras_of(services, parts.job)
    return json_answer(detail_of(parts, _time_unit(request), extras))


async def show_status(request: Request) -> Response:
    """Say where a job stands, in the words that pollers wait for."""
    services = services_of(request)
    job = await services.desk.job_of(user_of(request).id, _job_id(request))
    return json_answer(status_of(job, strict=services.config.v1_strict_status))


async def delete_job(request: Request) -> Response:
    """Remove a job that has ended, with the files it made; one that has not is left alone."""
    services, user_id = services_of(request), user_of(request).id
    job = await services.desk.job_of(user_id, _job_id(request))
    await services.store.delete_jobs(user_id, [job.id])
    return Response(status_code=204)


async def cancel_one(request: Request) -> Response:
    """Cancel a job; whatever the request's body holds is not looked at."""
    canceled = await cancel_job(services_of(request).desk, user_of(request).id, _job_id(request))
    return json_answer(CanceledBody(cancelled=canceled))


async def cancel_several(request: Request) -> Response:
    """Cancel jobs, all of them the caller's, or none."""
    wanted = await read_body(request, CancelJobsBody, limit=_BULK_BYTES)
    job_ids = [JobId(job_id) for job_id in wanted.job_ids]
    canceled = await cancel_jobs(services_of(request).desk, user_of(request).id, job_ids)
    return json_answer(CanceledJobsBody(cancelled=list(canceled)))


def _job_id(request: Request) -> JobId:
    return job_id_of(request.path_params["job_id"])


def _time_unit(request: Request) -> timedelta:
    """The unit of `create_time` that the caller reads: editors and comfy-cli milliseconds, everybody else seconds."""
    setting = services_of(request).config.v1_time_unit
    if setting != "auto":
        return _UNITS[setting]
    reads_milliseconds = caller_of(request).kind in _EDITORS or "comfy-usage-source" in request.headers
    return MILLISECOND if reads_milliseconds else SECOND


_NO_JOB = Answer(text="The caller has no such job", body=RefusalBody)
_MALFORMED = Answer(text="A parameter or the body is not as it should be", body=RefusalBody)

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/jobs",
        handler=list_jobs,
        name="listJobs",
        text="List the caller's jobs, filtered, sorted and in pages",
        tag="job",
        query=JobsQuery,
        answers={200: Answer(text="The jobs", body=JobsBody), 400: _MALFORMED},
    ),
    Route(
        method="GET",
        path="/api/jobs/{job_id}",
        handler=show_job,
        name="getJobDetail",
        text="Show a job in full",
        tag="job",
        answers={200: Answer(text="The job", body=JobDetail), 404: _NO_JOB},
    ),
    Route(
        method="DELETE",
        path="/api/jobs/{job_id}",
        handler=delete_job,
        name="deleteJob",
        text="Remove a job that has ended, with the files it made; one that has not is left alone",
        tag="job",
        answers={204: Answer(text="It is gone, or it goes on because it has not ended"), 404: _NO_JOB},
    ),
    Route(
        method="GET",
        path="/api/job/{job_id}/status",
        handler=show_status,
        name="getJobStatus",
        text="Say where a job stands",
        tag="job",
        answers={200: Answer(text="The status", body=JobStatusBody), 404: _NO_JOB},
    ),
    Route(
        method="POST",
        path="/api/jobs/cancel",
        handler=cancel_several,
        name="cancelJobs",
        text="Cancel several jobs, or none if one of them is not the caller's",
        tag="job",
        body=CancelJobsBody,
        answers={
            200: Answer(text="The jobs that this call canceled", body=CanceledJobsBody),
            400: _MALFORMED,
            404: Answer(text="The caller has not all of these jobs; none was canceled", body=RefusalBody),
            413: Answer(text="The body is too large", body=RefusalBody),
        },
    ),
    Route(
        method="POST",
        path="/api/jobs/{job_id}/cancel",
        handler=cancel_one,
        name="cancelJob",
        text="Cancel a job",
        tag="job",
        answers={200: Answer(text="Whether this call canceled it", body=CanceledBody), 404: _NO_JOB},
    ),
)
