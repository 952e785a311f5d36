"""The admin's pauses: of one user's queue, or of all."""

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.ids import UserId
from fireside.domain.pauses import PauseOrigin
from fireside.jobs.queues import pause_queue, resume_queue
from fireside.server.answers import json_answer
from fireside.server.callers import services_of
from fireside.server.reading import read_body
from fireside.server.routes import Access, Answer, Route
from fireside.server.services import Services
from fireside.server.waiting import pause_body
from fireside.wire.queues import AdminPauseBody, AdminResumeBody, PauseBody, PausesBody, ResumedBody

_BODY_BYTES = 64 * 1024


async def pause(request: Request) -> Response:
    """Hand out nothing of a user's queue, or of nobody's, until an admin resumes it."""
    services = services_of(request)
    body = await read_body(request, AdminPauseBody, limit=_BODY_BYTES)
    user_id, names = await _whose(services, body.user)
    return json_answer(pause_body(await pause_queue(services.desk, user_id, PauseOrigin.ADMIN, body.reason), names))


async def resume(request: Request) -> Response:
    """End an admin's pause."""
    services = services_of(request)
    body = await read_body(request, AdminResumeBody, limit=_BODY_BYTES)
    user_id, _ = await _whose(services, body.user)
    resumed = await resume_queue(services.desk, user_id, PauseOrigin.ADMIN)
    return json_answer(ResumedBody(resumed=resumed, pauses=await _pauses(services)))


async def list_pauses(request: Request) -> Response:
    """List all pauses, users' own ones too."""
    return json_answer(PausesBody(pauses=await _pauses(services_of(request))))


async def _whose(services: Services, name: str | None) -> tuple[UserId | None, dict[UserId, str]]:
    if name is None:
        return None, {}
    user = await services.accounts.user_named(name)
    return user.id, {user.id: user.name}


async def _pauses(services: Services) -> list[PauseBody]:
    names = {user.id: user.name for user in await services.accounts.users()}
    return [pause_body(one, names) for one in await services.store.pauses()]


ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/admin/api/pause",
        handler=pause,
        name="pauseQueues",
        text="Hand out nothing of a user's queue, or of nobody's; what runs goes on",
        tag="admin",
        access=Access.ADMIN,
        body=AdminPauseBody,
        answers={200: Answer(text="The pause", body=PauseBody)},
    ),
    Route(
        method="POST",
        path="/admin/api/resume",
        handler=resume,
        name="resumeQueues",
        text="End an admin's pause of a user's queue, or of all",
        tag="admin",
        access=Access.ADMIN,
        body=AdminResumeBody,
        answers={200: Answer(text="Whether this call ended one, and what is paused still", body=ResumedBody)},
    ),
    Route(
        method="GET",
        path="/admin/api/pauses",
        handler=list_pauses,
        name="listPauses",
        text="List all pauses, users' own ones too",
        tag="admin",
        access=Access.ADMIN,
        answers={200: Answer(text="The pauses", body=PausesBody)},
    ),
)
