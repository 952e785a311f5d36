"""`GET /history`, bare and below `/api`: jobs that have ended, as ComfyUI keeps them, the oldest first.

ComfyUI forgets all but its last ten thousand; here the history may be endless, so what one answer shows is bounded, by
jobs and by the bytes of their graphs. Without an offset it is the newest that are shown.
"""

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import NotFound
from fireside.domain.listing import Window
from fireside.jobs.read import JobDetail as JobParts
from fireside.jobs.read import read_job
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.local.queue import local_prompt
from fireside.server.reading import read_query
from fireside.server.routes import Answer, Route
from fireside.server.v1.history import AT_ONCE, ENDED, parts_of
from fireside.server.v1.rendering import job_id_of
from fireside.server.v1.rendering_details import execution_status_of, meta_of, outputs_of
from fireside.wire.local import LocalHistoryEntry, LocalHistoryQuery
from fireside.wire.refusals import RefusalBody

MAX_ITEMS = 1000
MAX_GRAPH_BYTES = 64 * 1024 * 1024
"""How much one answer shows at most."""

LocalHistory = dict[str, LocalHistoryEntry]


async def list_history(request: Request) -> Response:
    """List jobs that have ended, the oldest first: from an offset on, or the newest ones."""
    query = read_query(request, LocalHistoryQuery)
    if query.max_items == 0:
        return json_answer({})
    limit = MAX_ITEMS if query.max_items is None else min(query.max_items, MAX_ITEMS)
    is_newest = query.offset < 0
    store = services_of(request).store
    window = Window(offset=0 if is_newest else query.offset, limit=limit, descending=is_newest)
    jobs = (await store.list_jobs(user_of(request).id, ENDED, window)).jobs
    entries: list[tuple[str, LocalHistoryEntry]] = []
    size_bytes = 0
    for start in range(0, len(jobs), AT_ONCE):
        for parts in await parts_of(store, jobs[start : start + AT_ONCE]):
            size_bytes += len(parts.body.graph) + len(parts.body.extra_data)
            if size_bytes > MAX_GRAPH_BYTES:
                break
            entries.append((str(parts.job.id), _entry(parts)))
        if size_bytes > MAX_GRAPH_BYTES:
            break
    return json_answer(dict(reversed(entries) if is_newest else entries))


async def show_history(request: Request) -> Response:
    """Show a job that has ended, by its id as it was asked for; of any other nothing is said."""
    asked_for = str(request.path_params["prompt_id"])
    try:
        parts = await read_job(services_of(request).desk, user_of(request).id, job_id_of(asked_for))
    except NotFound:
        return json_answer({})
    return json_answer({asked_for: _entry(parts)} if parts.job.is_terminal else {})


def _entry(parts: JobParts) -> LocalHistoryEntry:
    return LocalHistoryEntry(
        prompt=local_prompt(parts.job, parts.body),
        outputs=outputs_of(parts.outputs),
        status=execution_status_of(parts),
        meta=meta_of(parts.outputs),
    )


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/history",
        handler=list_history,
        name="getLocalHistory",
        text="List jobs that have ended as ComfyUI keeps them, the oldest first",
        tag="job",
        query=LocalHistoryQuery,
        answers={
            200: Answer(text="The jobs by id", body=LocalHistory),
            400: Answer(text="A parameter is not as it should be", body=RefusalBody),
        },
    ),
    Route(
        method="GET",
        path="/api/history/{prompt_id}",
        handler=show_history,
        name="getLocalHistoryOfPrompt",
        text="Show a job that has ended as ComfyUI keeps it; an empty object while it has not, or where there is none",
        tag="job",
        answers={200: Answer(text="The job by its id, or nothing", body=LocalHistory)},
    ),
)
