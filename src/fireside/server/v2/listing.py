"""`GET /api/v2/jobs`: the caller's jobs, newest first, in the shape that the SDKs' `list_jobs` reads.

A page costs the same however long the history is. It can end early where few jobs match (see `store.walk_verbs`); the
cursor then leads on.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import BadRequest, InvalidCursor
from fireside.domain.jobs import Job, JobState
from fireside.domain.listing import ALL_STATES, JobWalk
from fireside.events.following import Standing
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.reading import read_query
from fireside.server.routes import Answer, Refusal, Route
from fireside.server.services import Services
from fireside.server.v1.cursors import read_cursor, write_cursor
from fireside.server.v2.jobs import keep_days_of, named_runs, queue_positions
from fireside.server.v2.progress import classes_of, measure
from fireside.server.v2.rendering import STATUSES, body_of, has_outputs
from fireside.server.v2.submits import LABEL, MetadataInvalid, check_label
from fireside.wire.refusals import EnvelopeBody
from fireside.wire.v2_jobs import MAX_LABEL_FILTERS, JobsBody, JobsQuery, ListedJobBody, ProgressBody

_RUNNING = frozenset({JobState.RUNNING, JobState.CANCELING})
_SHOWN_CHARACTERS = 80


class InvalidMetadataFilter(BadRequest):
    """A filter of labels that no job could meet, or more of them than are taken."""

    code = "invalid_metadata_filter"


async def list_jobs(request: Request) -> Response:
    """List the caller's jobs that match."""
    services, user = services_of(request), user_of(request)
    query = read_query(request, JobsQuery)
    wanted = JobWalk(
        states=_states(query.status),
        labels=_labels(request),
        workflow_id=query.workflow_id or None,
        after=_after(query.cursor),
        limit=query.limit,
    )
    page = await services.store.walk_jobs(user.id, wanted)
    assets = await services.store.assets_of_jobs([job.id for job in page.jobs if has_outputs(job)])
    positions = await queue_positions(services, user.id, page.jobs)
    runs = await named_runs(services, page.jobs)
    listed: list[ListedJobBody] = []
    for job in page.jobs:
        shown = body_of(
            services,
            job,
            assets.get(job.id, ()),
            keep_days=keep_days_of(services, user),
            queue_position=positions.get(job.id),
            progress=await _progress(services, job) if job.state in _RUNNING else None,
            named_run=runs.get(job.id),
        )
        listed.append(
            ListedJobBody(**msgspec.structs.asdict(shown), create_time=job.created_at, update_time=job.changed_at)
        )
    cursor = None if page.next_after is None else write_cursor(page.next_after)
    return json_answer(JobsBody(jobs=listed, next_cursor=cursor, truncated=cursor is not None))


async def _progress(services: Services, job: Job) -> ProgressBody:
    """Say what is known of a run's progress without asking its worker."""
    standing = services.hub.standing_of(job.user_id, job.id)
    return measure(standing or Standing(), await classes_of(services, job.id))


def _states(text: str) -> frozenset[JobState]:
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in STATUSES.values()]
    if unknown:
        known = ", ".join(dict.fromkeys(STATUSES.values()))
        raise BadRequest(f"There is no status {unknown[0][:_SHOWN_CHARACTERS]!r}; there are {known}.")
    return frozenset(state for state, word in STATUSES.items() if word in words) if words else ALL_STATES


def _labels(request: Request) -> dict[str, str]:
    labels: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        found = LABEL.fullmatch(name)
        if found is None:
            continue
        if found[1] in labels:
            raise InvalidMetadataFilter(f"The filter {name[:_SHOWN_CHARACTERS]} is there twice; a label has one value.")
        try:
            check_label(found[1], value)
        except MetadataInvalid as error:
            raise InvalidMetadataFilter(error.message) from error
        labels[found[1]] = value
    if len(labels) > MAX_LABEL_FILTERS:
        raise InvalidMetadataFilter(f"There are {len(labels)} metadata filters; at most {MAX_LABEL_FILTERS} are taken.")
    return labels


def _after(cursor: str) -> int | None:
    try:
        return read_cursor(cursor) if cursor else None
    except BadRequest as error:
        raise InvalidCursor("This is no cursor of this list; take the next_cursor of the page before.") from error


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/v2/jobs",
        handler=list_jobs,
        name="listJobsV2",
        text="List the caller's jobs, newest first, by status, labels and workflow",
        tag="api v2",
        refusal=Refusal.ENVELOPE,
        query=JobsQuery,
        answers={
            200: Answer(text="A page of them", body=JobsBody),
            400: Answer(text="A parameter is not as it should be", body=EnvelopeBody),
        },
    ),
)
