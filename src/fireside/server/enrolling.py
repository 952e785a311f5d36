"""Workers of other machines: they come in with a join token, say which process speaks for them, and get on the bus.

`/bus` carries them there when they reach nothing but this server; see `passages`.
"""

from datetime import timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from fireside.accounts.enrollments import Newcomer
from fireside.bus.errors import BusDisconnected, BusError
from fireside.bus.subjects import fleet_changed, work
from fireside.domain.errors import Conflict, Unauthenticated, Unavailable
from fireside.domain.workers import Enrollment
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, worker_of
from fireside.server.reading import read_body
from fireside.server.routes import Access, Answer, Route, SocketRoute
from fireside.server.services import Services
from fireside.wire.fleet import AreYouThere
from fireside.wire.fleet_joining import BootBody, BootReply, EnrollBody, EnrollReply

_BODY_BYTES = 64 * 1024
# Long enough for a machine that is busy: whoever does not answer in time loses its place to another process.
_ANSWER_SECONDS = 3.0


class WorkerIsThere(Conflict):
    """Another process speaks for this worker, and answers."""

    code = "worker_is_there"


async def enroll(request: Request) -> Response:
    """Let a worker in that shows a join token."""
    services, body = services_of(request), await read_body(request, EnrollBody, limit=_BODY_BYTES)
    newcomer = Newcomer(
        secret=body.secret,
        protocol=body.protocol,
        version=body.version,
        name=body.name,
        hostname=body.hostname,
        is_transient=body.is_transient,
    )
    enrollment = await services.enrollments.enroll(request.state.join_token, newcomer)
    await tell_fleet_changed(services)
    return json_answer(EnrollReply(worker_id=enrollment.worker_id), 201)


async def boot(request: Request) -> Response:
    """Let a process speak for its worker, unless another one does, and say how it gets on the bus."""
    services, body = services_of(request), await read_body(request, BootBody, limit=_BODY_BYTES)
    enrollment: Enrollment | None = request.state.enrollment
    if enrollment is None:
        raise Conflict("A worker that a server started itself has all it needs in its ticket.")
    services.enrollments.check_protocol(body.protocol)
    if enrollment.boot_id not in ("", body.boot_id) and await _answers(services, enrollment):
        raise WorkerIsThere(
            f"Another process of the worker {enrollment.worker_id} is there, maybe to finish its last job. Stop it"
            " first; a second worker needs a data folder of its own, and a join token."
        )
    # One that would not ask for more in time goes on as it always has.
    good_for = timedelta(hours=services.config.worker_bus_hours) if body.renews else None
    ends_at = None if good_for is None else services.clock() + good_for
    booted = await services.enrollments.boot(
        enrollment,
        body.boot_id,
        protocol=body.protocol,
        version=body.version,
        is_transient=body.is_transient,
        key_ends_at=ends_at,
    )
    await tell_fleet_changed(services)
    credentials = services.authority.worker_credentials(booted.worker_id, booted.number, good_for=good_for)
    reply = BootReply(
        worker_id=booted.worker_id,
        bus_jwt=credentials.jwt,
        bus_seed=credentials.seed,
        bus_urls=tuple(url.strip() for url in services.config.nats_worker_url.split(",") if url.strip()),
        bus_seconds=None if good_for is None else good_for.total_seconds(),
    )
    return json_answer(reply)


async def leave(request: Request) -> Response:
    """Let a worker go for good: its credentials are worth nothing from now on, what it can run stays known."""
    services, worker_id = services_of(request), worker_of(request)
    enrollment: Enrollment | None = request.state.enrollment
    if enrollment is None:
        raise Conflict("A worker that a server started itself belongs to that server.")
    await services.store.let_worker_leave(worker_id, services.clock())
    await see_off(services, enrollment)
    return Response(status_code=204)


async def see_off(services: Services, left: Enrollment) -> None:
    """Let nobody on the bus any more with the key of a worker that has left, and tell all servers."""
    services.revoke_bus_key(services.authority.worker_key(left.worker_id, left.number))
    services.passages.send_away(left.worker_id)
    await tell_fleet_changed(services)


async def carry(socket: WebSocket) -> None:
    """Carry the bytes of a worker to the bus and back."""
    services, enrollment = services_of(socket), socket.state.enrollment

    async def is_still_welcome() -> None:
        if enrollment is not None and await services.store.enrollment_of(enrollment.worker_id) is None:
            raise Unauthenticated("This worker was sent away.")

    await services.passages.carry(socket, worker_of(socket), is_still_welcome=is_still_welcome)


async def tell_fleet_changed(services: Services) -> None:
    """Let all servers look anew who belongs to the fleet; without this they do so a moment later."""
    try:
        await services.bus.publish(fleet_changed(), b"")
    except BusError:
        return


async def _answers(services: Services, enrollment: Enrollment) -> bool:
    question = msgspec.json.encode(AreYouThere(boot_id=enrollment.boot_id))
    try:
        await services.bus.request(work(enrollment.worker_id), question, timeout=_ANSWER_SECONDS)
    except BusDisconnected as error:
        raise Unavailable("the bus is away; try again", retry_after=1) from error
    except BusError:
        return False
    return True


ROUTES = (
    Route(
        method="POST",
        path="/fleet/enroll",
        handler=enroll,
        name="enrollWorker",
        text="Come in as a worker",
        tag="fleet",
        access=Access.NEWCOMER,
        body=EnrollBody,
        answers={201: Answer(text="Welcome", body=EnrollReply)},
        is_documented=False,
    ),
    Route(
        method="PUT",
        path="/fleet/boot",
        handler=boot,
        name="bootWorker",
        text="Say which process speaks for the worker, and get on the bus",
        tag="fleet",
        access=Access.WORKER,
        body=BootBody,
        answers={200: Answer(text="How to get on the bus", body=BootReply)},
        is_documented=False,
    ),
    Route(
        method="POST",
        path="/fleet/leave",
        handler=leave,
        name="leaveFleet",
        text="Leave the fleet for good",
        tag="fleet",
        access=Access.WORKER,
        answers={204: Answer(text="It is gone")},
        is_documented=False,
    ),
)
SOCKETS = (SocketRoute(path="/bus", handler=carry, name="bus", access=Access.WORKER),)
