"""Files that workers bring to the bucket itself: where to, and that they have come.

A worker shows the lease of the job that the bytes are for, each time. What it may write is a place of its own that we
name, and what we note of it travels with the worker, signed; so any server can take up what another one began.
"""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.uploads import hold_blob
from fireside.blobs.base import BegunUpload, DirectBlobs, UploadGone, is_blob_hash
from fireside.blobs.signing import DirectClaims
from fireside.blobs.unfinished import check_size
from fireside.domain.errors import BadRequest, NotFound, StaleLease, Unauthenticated
from fireside.domain.ids import BlobHash
from fireside.jobs.report import held_job
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, worker_of
from fireside.server.fleet_rows import fleet_route
from fireside.server.reading import read_body
from fireside.server.routes import Answer
from fireside.server.services import Services
from fireside.wire.fleet_uploads import BlobBody, UploadBody, UploadedBody, UploadPartBody, UploadReply

_SENDING = timedelta(hours=6)
"""How long the parts of a large file may be on their way."""


async def begin_upload(request: Request) -> Response:
    """Say where the bytes of a hash go, unless they are here; then they stay until the record."""
    services, body = services_of(request), await read_body(request, UploadBody)
    direct, wanted = _direct(services), BlobHash(body.hash)
    if not is_blob_hash(wanted):
        raise BadRequest("A hash is 64 lowercase hexadecimal digits.")
    if body.size_bytes < 0:
        raise BadRequest("size_bytes is how many bytes there are.")
    check_size(body.size_bytes, services.config.max_upload_bytes)
    await held_job(services.desk, worker_of(request), body.lease.lease())
    if await _is_there(services, wanted, body.size_bytes):
        return json_answer(UploadReply())
    begun = await direct.begin(wanted, body.size_bytes, body.sha256)
    claims = DirectClaims(
        worker_id=worker_of(request),
        job_id=body.lease.lease().job_id,
        name=begun.name,
        hash=wanted,
        size_bytes=begun.size_bytes,
        sha256=tuple(begun.sha256),
        upload_id=begun.upload_id,
        expires_at=services.clock() + _SENDING,
    )
    parts = tuple(
        UploadPartBody(url=part.url, headers=dict(part.headers), start=part.start, size_bytes=part.size_bytes)
        for part in direct.parts(begun, int(_SENDING.total_seconds()))
    )
    return json_answer(UploadReply(upload=services.signer.sign(claims), parts=parts))


async def finish_upload(request: Request) -> Response:
    """Make a blob of the bytes that a worker has brought; of what nobody wants any more nothing stays."""
    services, body = services_of(request), await read_body(request, UploadedBody)
    direct, claims = _direct(services), _claims(request, body)
    begun = BegunUpload(
        name=claims.name,
        hash=claims.hash,
        size_bytes=claims.size_bytes,
        sha256=claims.sha256,
        upload_id=claims.upload_id,
    )
    try:
        await held_job(services.desk, worker_of(request), body.lease.lease())
    except StaleLease:
        await direct.discard(begun)
        raise
    async with hold_blob(begun.hash):
        if await _is_stored(services, begun.hash, begun.size_bytes):
            await direct.discard(begun)
        else:
            await direct.finish(begun, body.etags)
    return json_answer(BlobBody(hash=begun.hash, size_bytes=begun.size_bytes))


def _direct(services: Services) -> DirectBlobs:
    if services.blobs.direct is None:
        raise NotFound("Files are brought to this server, by PUT /fleet/blobs/{hash}.")
    return services.blobs.direct


def _claims(request: Request, body: UploadedBody) -> DirectClaims:
    services = services_of(request)
    try:
        claims = services.signer.verify_direct(body.upload, services.clock())
    except Unauthenticated as error:
        raise UploadGone("This upload is none of this server, or its time is over. Begin anew.") from error
    if (claims.worker_id, claims.job_id) != (worker_of(request), body.lease.lease().job_id):
        raise UploadGone("This upload is another worker's, or another job's. Begin anew.")
    return claims


async def _is_there(services: Services, blob_hash: BlobHash, size_bytes: int) -> bool:
    async with hold_blob(blob_hash):
        return await _is_stored(services, blob_hash, size_bytes)


async def _is_stored(services: Services, blob_hash: BlobHash, size_bytes: int) -> bool:
    found = await services.blobs.claim(blob_hash)
    return found is not None and found.size_bytes == size_bytes


ROUTES = (
    fleet_route(
        "POST",
        "/fleet/uploads",
        begin_upload,
        "beginUpload",
        "Ask where bytes go",
        {200: Answer(text="There, or not needed", body=UploadReply)},
    ),
    fleet_route(
        "PUT",
        "/fleet/uploads",
        finish_upload,
        "finishUpload",
        "Say that bytes have come",
        {200: Answer(text="Stored", body=BlobBody)},
    ),
)
