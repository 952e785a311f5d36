"""The caller's queue in their own hands: its state, pause and resume, and another place for a job.

Routes of our own beside `/api/queue` and `/api/jobs`, because the published contract has none for this.
"""

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import User
from fireside.domain.errors import BadRequest
from fireside.domain.ids import JobId
from fireside.domain.moves import Move
from fireside.domain.pauses import PauseOrigin
from fireside.jobs.queues import move_job, pause_queue, resume_queue
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.reading import read_body
from fireside.server.routes import Answer, Route
from fireside.server.services import Services
from fireside.server.v1.rendering import job_id_of
from fireside.server.waiting import pause_body
from fireside.wire.queues import MovedJobBody, MoveJobBody, PauseBody, PauseQueueBody, QueueStateBody, ResumedBody
from fireside.wire.refusals import RefusalBody

_BODY_BYTES = 64 * 1024


async def show_state(request: Request) -> Response:
    """Say how much waits, and what pauses it."""
    services, user = services_of(request), user_of(request)
    counts = await services.store.queue_counts(user.id)
    pauses = await _pauses(services, user)
    return json_answer(QueueStateBody(waiting=counts.queued, with_workers=counts.held, pauses=pauses))


async def pause(request: Request) -> Response:
    """Hand out nothing of the caller's queue until they resume it."""
    services, user = services_of(request), user_of(request)
    body = await read_body(request, PauseQueueBody, limit=_BODY_BYTES, if_empty=b"{}")
    paused = await pause_queue(services.desk, user.id, PauseOrigin.OWNER, body.reason)
    return json_answer(pause_body(paused, {user.id: user.name}))


async def resume(request: Request) -> Response:
    """End the caller's own pause."""
    services, user = services_of(request), user_of(request)
    resumed = await resume_queue(services.desk, user.id, PauseOrigin.OWNER)
    return json_answer(ResumedBody(resumed=resumed, pauses=await _pauses(services, user)))


async def move(request: Request) -> Response:
    """Put a job that waits at another place of the caller's queue."""
    services, user = services_of(request), user_of(request)
    job_id = job_id_of(str(request.path_params["job_id"]))
    # Before the body is looked at: of a job of nobody's there is nothing to say about a body.
    await services.desk.job_of(user.id, job_id)
    wanted = _move_of(await read_body(request, MoveJobBody, limit=_BODY_BYTES))
    job = await move_job(services.desk, user.id, job_id, wanted)
    places = await services.store.queue_places(user.id, [job.id])
    return json_answer(MovedJobBody(id=job.id, priority=job.number, position=places.get(job.id, 1)))


def _move_of(body: MoveJobBody) -> Move:
    if sum(one is not None for one in (body.to, body.before, body.after)) != 1:
        raise BadRequest("Say where it is to go: `to` (front or back), or `before` or `after` (the id of a job).")
    if body.to is not None:
        return Move(to=body.to)
    anchor = body.before or body.after
    assert anchor is not None
    return Move(to="before" if body.before is not None else "after", anchor=JobId(anchor))


async def _pauses(services: Services, user: User) -> list[PauseBody]:
    return [pause_body(one, {user.id: user.name}) for one in await services.store.pauses(user.id)]


_MALFORMED = Answer(text="The body is not as it should be", body=RefusalBody)

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/queue/state",
        handler=show_state,
        name="getQueueState",
        text="Say how many of the caller's jobs wait and run, and what pauses the queue",
        tag="job",
        answers={200: Answer(text="The state", body=QueueStateBody)},
    ),
    Route(
        method="POST",
        path="/api/queue/pause",
        handler=pause,
        name="pauseQueue",
        text="Hand out nothing of the caller's queue; what runs goes on",
        tag="job",
        body=PauseQueueBody,
        body_is_optional=True,
        answers={200: Answer(text="The pause", body=PauseBody), 400: _MALFORMED},
    ),
    Route(
        method="POST",
        path="/api/queue/resume",
        handler=resume,
        name="resumeQueue",
        text="End the caller's own pause of their queue; an admin's stays",
        tag="job",
        answers={200: Answer(text="Whether this call ended it", body=ResumedBody)},
    ),
    Route(
        method="POST",
        path="/api/jobs/{job_id}/move",
        handler=move,
        name="moveJob",
        text="Put a job that waits at another place of the caller's queue",
        tag="job",
        body=MoveJobBody,
        answers={
            200: Answer(text="Where it waits now", body=MovedJobBody),
            400: _MALFORMED,
            404: Answer(text="The caller has no such job", body=RefusalBody),
            409: Answer(text="One of the jobs does not wait any more", body=RefusalBody),
        },
    ),
)
