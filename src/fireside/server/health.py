"""What the server says of itself: whether it is alive, whether it can do its work, and what its API is."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import FiresideError
from fireside.server.answers import json_answer
from fireside.server.callers import services_of
from fireside.server.routes import JSON, Access, Answer, Route
from fireside.wire.health import AliveBody, ReadyBody

_NOT_READY = 503


async def say_alive(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Answer, which is all there is to say."""
    return json_answer(AliveBody())


async def say_ready(request: Request) -> Response:
    """Look whether store, bus and blobs are there, and nobody has told the server to stop.

    What is wrong stays in the log and with `doctor`.
    """
    services = services_of(request)
    body = ReadyBody(
        store=await _is_well(services.store.check),
        bus=services.bus.is_connected,
        blobs=await _is_well(services.blobs.check),
        stopping=services.stopping.is_set(),
        maintenance=services.maintenances.now is not None,
    )
    is_ready = body.store and body.bus and body.blobs and not body.stopping
    return json_answer(body, 200 if is_ready else _NOT_READY)


async def show_openapi(request: Request) -> Response:
    """Give the document of this API."""
    document = await asyncio.to_thread(request.app.state.openapi)
    return Response(document, media_type=JSON, headers={"Cache-Control": "no-cache"})


async def _is_well(check: Callable[[], Awaitable[None]]) -> bool:
    try:
        await check()
    except FiresideError:
        return False
    return True


ROUTES = (
    Route(
        method="GET",
        path="/healthz",
        handler=say_alive,
        name="sayAlive",
        text="Whether the server is alive",
        tag="health",
        access=Access.PUBLIC,
        answers={200: Answer(text="It is", body=AliveBody)},
    ),
    Route(
        method="GET",
        path="/readyz",
        handler=say_ready,
        name="sayReady",
        text="Whether store, bus and the place of files answer, and the server does not stop",
        tag="health",
        access=Access.PUBLIC,
        answers={
            200: Answer(text="All answer", body=ReadyBody),
            503: Answer(text="One does not, or the server stops", body=ReadyBody),
        },
    ),
    Route(
        method="GET",
        path="/openapi.json",
        handler=show_openapi,
        name="showOpenapi",
        text="The document of this API",
        tag="health",
        access=Access.PUBLIC,
        answers={200: Answer(text="OpenAPI 3.1", body=dict[str, Any])},
    ),
)
