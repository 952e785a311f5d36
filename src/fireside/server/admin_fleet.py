"""The admin's routes for the fleet: tokens that workers join with, and workers that rest, work again, or go."""

from datetime import timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import BadRequest, Conflict, NotFound
from fireside.domain.ids import WorkerId
from fireside.domain.workers import JoinToken, is_own_name
from fireside.server.answers import json_answer
from fireside.server.callers import services_of
from fireside.server.enrolling import tell_fleet_changed
from fireside.server.fleet_list import list_workers
from fireside.server.reading import read_body
from fireside.server.routes import Access, Answer, Handler, Route
from fireside.server.services import Services
from fireside.wire.admin import (
    CreatedJoinTokenBody,
    JoinTokenBody,
    JoinTokensBody,
    NewJoinTokenBody,
    RevokedBody,
    WorkersBody,
)

_BODY_BYTES = 65536
_ID_DIGITS = 19
_LONGEST_SECONDS = 100 * 365 * 24 * 3600


async def create_token(request: Request) -> Response:
    """Make a token that a worker joins with, and show it, this once."""
    body = await read_body(request, NewJoinTokenBody, limit=_BODY_BYTES, if_empty=b"{}")
    enrollments = services_of(request).enrollments
    token, secret = await enrollments.create_token(
        label=body.label, is_reusable=body.reusable, works_for=_span(body, enrollments.usual_span)
    )
    return json_answer(CreatedJoinTokenBody(**msgspec.structs.asdict(_token_body(token)), token=secret), 201)


async def list_tokens(request: Request) -> Response:
    """List the tokens, those that are over included."""
    tokens = await services_of(request).enrollments.tokens()
    return json_answer(JoinTokensBody(tokens=[_token_body(token) for token in tokens]))


async def revoke_token(request: Request) -> Response:
    """End a token; who has joined with it stays."""
    return json_answer(
        RevokedBody(revoked=await revoke_join_token(services_of(request), str(request.path_params["token_id"])))
    )


async def revoke_join_token(services: Services, wanted: str) -> bool:
    """End a token by the number that somebody wrote; raises `NotFound`."""
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= _ID_DIGITS):
        raise NotFound(f"there is no join token {wanted}")
    return await services.enrollments.revoke_token(int(wanted))


async def drain(request: Request) -> Response:
    """Let a worker finish what it has and take no more, until it is resumed; also over restarts."""
    await drain_worker(services_of(request), str(request.path_params["name"]))
    return Response(status_code=204)


async def resume(request: Request) -> Response:
    """Let a worker take jobs again."""
    await resume_worker(services_of(request), str(request.path_params["name"]))
    return Response(status_code=204)


async def remove(request: Request) -> Response:
    """Send a worker away for good: its credentials are worth nothing from now on, and its job goes to another."""
    await remove_worker(services_of(request), str(request.path_params["name"]))
    return Response(status_code=204)


async def remove_worker(services: Services, name: str) -> None:
    """Send a worker away for good; raises `NotFound`, or `Conflict` for one that a server starts itself."""
    worker_id = await _known_worker(services, name)
    if is_own_name(worker_id) and worker_id in services.fleet.presences():
        raise Conflict(f"{worker_id} is started by a server itself: start that with fewer `workers`, then remove it")
    enrollment = await services.store.enrollment_of(worker_id)
    await services.store.remove_worker(worker_id, services.clock())
    if enrollment is not None:
        services.revoke_bus_key(services.authority.worker_key(worker_id, enrollment.number))
    services.passages.send_away(worker_id)
    await tell_fleet_changed(services)
    await services.desk.definitions.refresh()


async def drain_worker(services: Services, name: str) -> None:
    """Let a worker take no more jobs; raises `NotFound`."""
    await services.store.drain_worker(await _known_worker(services, name), services.clock())
    await tell_fleet_changed(services)


async def resume_worker(services: Services, name: str) -> None:
    """Let a worker take jobs again; raises `NotFound`."""
    await services.store.resume_worker(await _known_worker(services, name))
    await tell_fleet_changed(services)


async def _known_worker(services: Services, name: str) -> WorkerId:
    worker_id = WorkerId(name)
    if worker_id in services.fleet.presences() or await services.store.worker(worker_id) is not None:
        return worker_id
    if await services.store.enrollment_of(worker_id) is None:
        raise NotFound(f"there is no worker {worker_id}: `fireside workers` lists them")
    return worker_id


def _span(body: NewJoinTokenBody, usual: timedelta) -> timedelta | None:
    seconds = body.expires_seconds
    if isinstance(seconds, msgspec.UnsetType):
        return usual
    if seconds is None:
        return None
    if not 1 <= seconds <= _LONGEST_SECONDS:
        raise BadRequest(f"expires_seconds is 1 to {_LONGEST_SECONDS}, or null for a token that never expires")
    return timedelta(seconds=seconds)


def _token_body(token: JoinToken) -> JoinTokenBody:
    return JoinTokenBody(
        id=token.id,
        prefix=token.prefix,
        label=token.label,
        reusable=token.is_reusable,
        uses=token.uses,
        created_at=token.created_at,
        expires_at=token.expires_at,
        used_at=token.used_at,
        revoked_at=token.revoked_at,
    )


def _route(method: str, path: str, handler: Handler, name: str, text: str, **more: Any) -> Route:
    return Route(
        method=method, path=path, handler=handler, name=name, text=text, tag="admin", access=Access.ADMIN, **more
    )


ROUTES = (
    _route(
        "GET",
        "/admin/api/workers",
        list_workers,
        "listWorkers",
        "List the workers, and say how they are",
        answers={200: Answer(text="All that belong to the fleet, those that are away included", body=WorkersBody)},
    ),
    _route(
        "POST",
        "/admin/api/workers/{name}/drain",
        drain,
        "drainWorker",
        "Let a worker finish what it has and take no more",
        answers={204: Answer(text="It takes no more")},
    ),
    _route(
        "POST",
        "/admin/api/workers/{name}/resume",
        resume,
        "resumeWorker",
        "Let a worker take jobs again",
        answers={204: Answer(text="It takes jobs")},
    ),
    _route(
        "DELETE",
        "/admin/api/workers/{name}",
        remove,
        "removeWorker",
        "Send a worker away for good",
        answers={204: Answer(text="It is gone")},
    ),
    _route(
        "POST",
        "/admin/api/worker-tokens",
        create_token,
        "createWorkerToken",
        "Make a token that workers join with",
        body=NewJoinTokenBody,
        body_is_optional=True,
        answers={201: Answer(text="The token, shown this once", body=CreatedJoinTokenBody)},
    ),
    _route(
        "GET",
        "/admin/api/worker-tokens",
        list_tokens,
        "listWorkerTokens",
        "List the tokens that workers join with",
        answers={200: Answer(text="All, those that are over included", body=JoinTokensBody)},
    ),
    _route(
        "POST",
        "/admin/api/worker-tokens/{token_id}/revoke",
        revoke_token,
        "revokeWorkerToken",
        "End a token that workers join with",
        answers={200: Answer(text="Whether it was good until now", body=RevokedBody)},
    ),
)
"""Only admins may call them."""
