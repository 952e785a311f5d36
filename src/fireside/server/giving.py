"""Users' bytes for whoever may read them: from here, or by a link to the bucket that they are in.

Programs are sent on. Browsers with a session are not: their pages draw pictures of their own origin alone, and keep
them by their tags.
"""

from starlette.requests import Request
from starlette.responses import Response

from fireside.blobs.base import CHUNK_BYTES
from fireside.blobs.signing import Disposition
from fireside.domain.errors import NotFound
from fireside.domain.ids import BlobHash
from fireside.server.callers import services_of
from fireside.server.content import IMMUTABLE, content_headers, serve_blob

_FOUND = 302
_BYTES = frozenset({200, 206})


async def give_blob(
    request: Request,
    blob_hash: BlobHash,
    *,
    filename: str,
    content_type: str,
    size_bytes: int,
    cache: str = IMMUTABLE,
    disposition: Disposition = "auto",
    is_sent_on: bool = True,
    is_seen: bool = False,
    is_for_machine: bool = False,
) -> Response:
    """Answer a GET or HEAD for a blob as `serve_blob` does, or with a link to it; a link is for GET alone.

    `is_seen` says that the blob was looked at a moment ago, `is_for_machine` that the bytes alone are of interest.
    """
    services = services_of(request)
    answer = serve_blob(
        request,
        services.blobs,
        blob_hash,
        filename=filename,
        content_type=content_type,
        size_bytes=size_bytes,
        cache=cache,
        disposition=disposition,
        accel_prefix=accel_prefix_for(request, size_bytes),
    )
    if not is_sent_on or answer.status_code not in _BYTES:
        return answer
    headers = content_headers(filename, content_type, disposition)
    link = await link_to(request, blob_hash, headers, cache=cache, is_seen=is_seen, is_for_machine=is_for_machine)
    if link is None:
        return answer
    kept = f"private, max-age={services.config.blobs_link_seconds // 2}" if cache == IMMUTABLE else "no-store"
    return Response(status_code=_FOUND, headers={"location": link, "cache-control": kept})


async def link_to(
    request: Request,
    blob_hash: BlobHash,
    headers: dict[str, str],
    *,
    cache: str,
    is_seen: bool = False,
    is_for_machine: bool = False,
) -> str | None:
    """Sign a link to the bucket that is answered with the headers that it lets us choose; None where we cannot.

    One for a machine may come without them. Raises `NotFound` when the bytes are gone.
    """
    services = services_of(request)
    direct = services.blobs.direct
    if request.method != "GET" or (direct is None and not is_for_machine):
        return None
    # One that is set aside is not where the link leads, and comes back when it is looked at.
    if not is_seen and await services.blobs.stat(blob_hash) is None:
        raise NotFound("These bytes are not stored here.")
    if direct is None:
        return await services.blobs.plain_link(blob_hash, services.config.blobs_link_seconds)
    answered = {name: headers[name] for name in ("content-type", "content-disposition")} | {"cache-control": cache}
    return direct.link(blob_hash, answered, services.config.blobs_link_seconds)


def accel_prefix_for(request: Request, size_bytes: int) -> str:
    """Say whether a proxy is to send the bytes; small ones are sent sooner than the proxy would have found them."""
    return services_of(request).config.accel_prefix if size_bytes >= CHUNK_BYTES else ""
