"""The history over the Cloud API v1: jobs that have ended, in ComfyUI's older form, and removing them from it."""

import asyncio
from collections.abc import Sequence

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import NotFound
from fireside.domain.jobs import TERMINAL_STATES, Job
from fireside.domain.listing import JobFilter, Window
from fireside.jobs.read import JobDetail as JobParts
from fireside.jobs.read import read_job
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.reading import read_body, read_query
from fireside.server.routes import Answer, Route
from fireside.server.v1.rendering import MILLISECOND, job_id_of, job_ids_of, unix_time
from fireside.server.v1.rendering_details import (
    execution_status_of,
    extra_data_of,
    light_extra_data_of,
    meta_of,
    outputs_of,
)
from fireside.store.records import JobBody
from fireside.store.store import Store
from fireside.wire.refusals import RefusalBody
from fireside.wire.v1_history import (
    ChangeHistoryBody,
    HistoryBody,
    HistoryDetailBody,
    HistoryEntryBody,
    HistoryQuery,
    PastPrompt,
    PastPromptInFull,
)

ENDED = JobFilter(states=TERMINAL_STATES)
AT_ONCE = 25

HistoryDetail = dict[str, HistoryDetailBody]


async def list_history(request: Request) -> Response:
    """List the caller's jobs that have ended, newest first."""
    query = read_query(request, HistoryQuery)
    store = services_of(request).store
    page = await store.list_jobs(user_of(request).id, ENDED, Window(offset=query.offset, limit=query.max_items))
    entries: list[HistoryEntryBody] = []
    # A few at a time, because the graphs and workflows that come along are heavy and are not kept.
    for start in range(0, len(page.jobs), AT_ONCE):
        entries += [_entry(parts) for parts in await parts_of(store, page.jobs[start : start + AT_ONCE])]
    return json_answer(HistoryBody(history=entries))


async def show_history(request: Request) -> Response:
    """Show a job that has ended, by its id; one that has not is no history yet."""
    job_id = job_id_of(request.path_params["prompt_id"])
    parts = await read_job(services_of(request).desk, user_of(request).id, job_id)
    if not parts.job.is_terminal:
        raise NotFound(f"job {job_id} has not ended yet")
    return json_answer({str(job_id): _detail(parts)})


async def change_history(request: Request) -> Response:
    """Remove the jobs that are named, or all, of those of the caller's that have ended."""
    wanted = await read_body(request, ChangeHistoryBody)
    store, user_id = services_of(request).store, user_of(request).id
    if wanted.clear:
        await store.delete_jobs(user_id, None)
    elif wanted.delete:
        await store.delete_jobs(user_id, job_ids_of(wanted.delete))
    return Response()


async def parts_of(store: Store, jobs: Sequence[Job]) -> list[JobParts]:
    """Read the parts of some jobs; a few, because they are heavy."""
    bodies = await store.job_bodies([job.id for job in jobs])
    # A job that was removed meanwhile has no body any more.
    return await asyncio.gather(*(_parts(store, job, bodies[job.id]) for job in jobs if job.id in bodies))


async def _parts(store: Store, job: Job, body: JobBody) -> JobParts:
    outputs = await store.job_outputs(job.id)
    return JobParts(job=job, body=body, outputs=outputs, timeline=await store.job_timeline(job.id))


def _entry(parts: JobParts) -> HistoryEntryBody:
    job = parts.job
    prompt = PastPrompt(priority=job.number, prompt_id=str(job.id), extra_data=light_extra_data_of(job, parts.body))
    return HistoryEntryBody(
        prompt_id=str(job.id),
        create_time=unix_time(job.created_at, MILLISECOND),
        workflow_id=job.workflow_id or UNSET,
        prompt=prompt,
        outputs=outputs_of(parts.outputs),
        status=execution_status_of(parts),
        meta=meta_of(parts.outputs),
    )


def _detail(parts: JobParts) -> HistoryDetailBody:
    job = parts.job
    prompt = PastPromptInFull(
        priority=job.number,
        prompt_id=str(job.id),
        prompt=msgspec.Raw(parts.body.graph),
        extra_data=extra_data_of(job, parts.body),
        outputs_to_execute=list(parts.body.outputs),
    )
    return HistoryDetailBody(
        prompt=prompt,
        outputs=outputs_of(parts.outputs),
        status=execution_status_of(parts),
        meta=meta_of(parts.outputs),
    )


_MALFORMED = Answer(text="A parameter or the body is not as it should be", body=RefusalBody)

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/history_v2",
        handler=list_history,
        name="getHistory",
        text="List jobs that have ended",
        tag="job",
        query=HistoryQuery,
        answers={200: Answer(text="The history", body=HistoryBody), 400: _MALFORMED},
    ),
    Route(
        method="GET",
        path="/api/history_v2/{prompt_id}",
        handler=show_history,
        name="getHistoryForPrompt",
        text="Show a job that has ended",
        tag="job",
        answers={
            200: Answer(text="The job, by its id", body=HistoryDetail),
            404: Answer(text="The caller has no such job, or it has not ended", body=RefusalBody),
        },
    ),
    Route(
        method="POST",
        path="/api/history",
        handler=change_history,
        name="manageHistory",
        text="Remove jobs that have ended from the history, with the files they made",
        tag="job",
        body=ChangeHistoryBody,
        answers={
            200: Answer(text="Done, also when there was nothing to remove"),
            400: _MALFORMED,
            413: Answer(text="The body is too large", body=RefusalBody),
        },
    ),
)
