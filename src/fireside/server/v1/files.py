"""The routes of users' files: uploads, views, and downloads by signed address.

A signed address is its own credential: it names bytes, not a caller, and ends by itself. Workers stage their inputs
by it too.
"""

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import NotFound
from fireside.server.callers import services_of
from fireside.server.giving import give_blob
from fireside.server.routes import Access, Answer, Route
from fireside.server.v1 import mask_layers, uploads, views
from fireside.wire.refusals import RefusalBody


async def download(request: Request) -> Response:
    """Give the bytes that the address was signed for; raises `Unauthenticated` for one that is altered or over."""
    services = services_of(request)
    claims = services.signer.verify(str(request.path_params["token"]), services.clock())
    found = await services.blobs.stat(claims.hash)
    if found is None:
        raise NotFound("The file of this link was removed.")
    return await give_blob(
        request,
        claims.hash,
        filename=claims.filename,
        content_type=claims.content_type,
        size_bytes=found.size_bytes,
        disposition=claims.disposition,
        is_seen=True,
        is_for_machine=claims.is_for_machine,
    )


DOWNLOAD = Route(
    method="GET",
    path="/files/{token}",
    handler=download,
    name="downloadFile",
    text="Download by a signed address",
    tag="file",
    access=Access.PUBLIC,
    answers={
        200: Answer(text="The file", media_types=views.MEDIA_TYPES),
        206: Answer(text="The range that was asked for", media_types=views.MEDIA_TYPES),
        302: Answer(text="Where files are in a bucket: the file is at Location, for a while"),
        304: Answer(text="The client has it already"),
        401: Answer(text="The address is none of this server, or its time is over", body=RefusalBody),
        404: Answer(text="The file was removed", body=RefusalBody),
        416: Answer(text="The range lies outside of the file"),
    },
)
ROUTES: tuple[Route, ...] = (
    *views.ROUTES,
    *uploads.ROUTES,
    *mask_layers.ROUTES,
    DOWNLOAD,
)
