"""`GET /api/view`: the caller's files by name.

A program with a key is sent on to a signed address, as the published contract says and its documented clients insist
on. A browser with a session gets the bytes at once, so that it can keep thumbnails. A name may mean other bytes
tomorrow, so clients ask again each time, and hear only that nothing has changed.
"""

from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.finding import find_file
from fireside.domain.accounts import PrincipalKind
from fireside.domain.assets import Folder
from fireside.server.callers import caller_of, services_of
from fireside.server.content import IMMUTABLE, content_headers
from fireside.server.giving import give_blob, link_to
from fireside.server.reading import read_query
from fireside.server.routes import Answer, Route
from fireside.server.signed_urls import fresh_url
from fireside.server.v1.files_library import library_of
from fireside.server.v1.views_transforms import serve_transform, wanted_transform
from fireside.wire.refusals import RefusalBody
from fireside.wire.v1_files import ViewQuery

MEDIA_TYPES = ("application/octet-stream", "image/*", "video/*", "audio/*")
_ASK_AGAIN = "private, no-cache"
_FOUND = 302


async def view(request: Request) -> Response:
    """Give a file, or tell a program with a key where it is."""
    return await _view(request, is_redirected=caller_of(request).kind is PrincipalKind.KEY)


async def view_bytes(request: Request) -> Response:
    """Give a file, whoever asks."""
    return await _view(request, is_redirected=False)


async def _view(request: Request, *, is_redirected: bool) -> Response:
    asked, caller = read_query(request, ViewQuery), caller_of(request)
    library = library_of(request)
    asset = await find_file(
        library.store, caller.user.id, filename=asked.filename, subfolder=asked.subfolder, folder=Folder(asked.type)
    )
    services_of(request).accesses.note(asset)
    cache = IMMUTABLE if asked.filename.startswith("blake3:") else _ASK_AGAIN
    transform = wanted_transform(asked)
    if transform is not None:
        return await serve_transform(request, library, asset, transform, cache=cache)
    if is_redirected:
        headers = content_headers(asset.file.name, asset.content_type)
        link = await link_to(request, asset.hash, headers, cache=IMMUTABLE)
        location = link or fresh_url(services_of(request), asset).url
        return Response(status_code=_FOUND, headers={"location": location, "cache-control": "no-store"})
    return await give_blob(
        request,
        asset.hash,
        filename=asset.file.name,
        content_type=asset.content_type,
        size_bytes=asset.size_bytes,
        cache=cache,
        is_sent_on=False,
    )


ROUTES = (
    Route(
        method="GET",
        path="/api/view",
        handler=view,
        name="viewFile",
        text="View a file, or a picture made of it",
        tag="file",
        query=ViewQuery,
        answers={
            200: Answer(
                text="The picture that `channel`, `res` or `preview` make; to a session any file",
                media_types=MEDIA_TYPES,
            ),
            206: Answer(text="To a session: the range that was asked for", media_types=MEDIA_TYPES),
            302: Answer(text="The file is at Location, for a while and for anybody who knows it"),
            304: Answer(text="The client has it already"),
            400: Answer(text="A parameter is not as it should be, or the file is no picture", body=RefusalBody),
            404: Answer(text="The caller has no such file", body=RefusalBody),
            416: Answer(text="To a session: the range lies outside of the file"),
        },
    ),
)
