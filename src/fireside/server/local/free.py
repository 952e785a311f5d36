"""`POST /free`: a client wishes that memory be given back. Workers see to that themselves, so nothing has to happen."""

from starlette.requests import Request
from starlette.responses import Response

from fireside.server.reading import read_bytes
from fireside.server.routes import Answer, Route
from fireside.wire.local import FreeBody
from fireside.wire.refusals import RefusalBody

_BODY_BYTES = 64 * 1024


async def free(request: Request) -> Response:
    """Take note; whatever the body holds is not looked at."""
    await read_bytes(request, _BODY_BYTES)
    return Response()


ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/free",
        handler=free,
        name="freeMemory",
        text="Wish that memory be given back; workers do that by themselves, so this changes nothing",
        tag="system",
        body=FreeBody,
        body_is_optional=True,
        answers={200: Answer(text="Noted"), 413: Answer(text="The body is too large", body=RefusalBody)},
    ),
)
