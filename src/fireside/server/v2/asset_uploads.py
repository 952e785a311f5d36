"""`POST /api/v2/assets`: bytes on their way in, straight into a blob, whatever their size.

A form may name its fields after the file, so a file is stored before it can be refused; whatever of a form has no
record in the end is removed again, however the request ends.
"""

import contextlib
from collections.abc import AsyncGenerator
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.library import Library
from fireside.assets.records import Wish, has_content, record_by_hash, record_upload_as_asset
from fireside.assets.uploads import discard_unrecorded
from fireside.blobs.base import HashMismatch
from fireside.domain.assets import Recorded
from fireside.domain.errors import BadRequest, NotFound, Unprocessable
from fireside.domain.ids import UserId
from fireside.jobs.submit import KEYS_LAST
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.multipart import Form, FormLimits, UploadedFile, read_form
from fireside.server.routes import Answer, FormPart, Refusal, Route
from fireside.server.services import Services
from fireside.server.v1.files_library import library_of
from fireside.server.v2.assets import CREATED, checked_path, expiry, show_asset
from fireside.server.v2.submits import idempotency_key_of
from fireside.store.records import IdempotencyKey
from fireside.wire.refusals import EnvelopeBody
from fireside.wire.v2_assets import LONGEST_SECONDS, SHORTEST_SECONDS, AssetBody

_OK = 200
_ROUTE = "assets"


async def upload(request: Request) -> Response:
    """Take a file; one whose bytes the caller has is found and not stored again."""
    services, user = services_of(request), user_of(request)
    key = idempotency_key_of(request)
    library = library_of(request)
    async with _received(request, library) as form:
        file = _file(form)
        wish = _wish(services, form, user.id, key)
        expected = form.field("expected_hash")
        if expected is not None and expected.lower() != f"blake3:{file.blob.hash}":
            raise HashMismatch(f"The bytes that came are blake3:{file.blob.hash}.")
        is_known = await has_content(services.store, user.id, file.blob.hash)
        recorded = await _record(library, wish, file, is_known=is_known)
    return json_answer(
        await show_asset(services, recorded.asset, created_new=not is_known), _OK if is_known else CREATED
    )


async def _record(library: Library, wish: Wish, file: UploadedFile, *, is_known: bool) -> Recorded:
    try:
        if is_known:
            with contextlib.suppress(NotFound):  # of an asset that was deleted just now
                return await record_by_hash(library, wish, file.blob.hash)
        return await record_upload_as_asset(library, wish, file.blob, filename=file.filename)
    except BadRequest as error:
        raise Unprocessable(error.message) from error


@contextlib.asynccontextmanager
async def _received(request: Request, library: Library) -> AsyncGenerator[Form]:
    """Read the form; at the end of the block its files without a record are removed."""
    limits = FormLimits(max_files=1, max_file_bytes=services_of(request).config.max_upload_bytes)
    form = Form()
    try:
        await read_form(request, library.blobs, limits=limits, into=form)
        yield form
    finally:
        for file in (file for files in form.files.values() for file in files):
            await discard_unrecorded(library, file.blob)


def _file(form: Form) -> UploadedFile:
    file = form.file("file")
    if file is None:
        raise Unprocessable("Send the bytes as the part `file` of the form, with a file name.")
    return file


def _wish(services: Services, form: Form, user_id: UserId, key: str | None) -> Wish:
    file_path, content_type = form.field("file_path"), form.field("content_type")
    if not file_path or not content_type:
        raise Unprocessable("The form needs the fields `file`, `content_type` and `file_path`.")
    return Wish(
        user_id=user_id,
        name=checked_path(file_path),
        mime_type=content_type,
        tags=form.fields.get("tags", ()),
        expires_at=expiry(services, _seconds(form.field("expires_in"))),
        key=None if key is None else _key(key, services.clock()),
    )


def _key(key: str, now: datetime) -> IdempotencyKey:
    return IdempotencyKey(route=_ROUTE, key=key, expired_at=now - KEYS_LAST)


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()) or not SHORTEST_SECONDS <= int(text[:9]) <= LONGEST_SECONDS:
        raise Unprocessable(f"expires_in is a whole number of seconds from {SHORTEST_SECONDS} to {LONGEST_SECONDS}.")
    return int(text)


ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/v2/assets",
        handler=upload,
        name="postAssets",
        text="Upload a file",
        tag="api v2",
        refusal=Refusal.ENVELOPE,
        form=(
            FormPart(name="file", text="The bytes, with a file name", is_file=True, required=True),
            FormPart(name="content_type", text="What they are, as the caller says", required=True),
            FormPart(name="file_path", text="Its name, with folders before it if wished", required=True),
            FormPart(name="expected_hash", text="`blake3:` and the hash that the bytes must have"),
            FormPart(name="tags", text="A tag; the field can come several times"),
            FormPart(name="expires_in", text="Seconds after which it is forgotten, 60 to 604800; never without"),
        ),
        answers={
            200: Answer(text="The caller had these bytes", body=AssetBody),
            201: Answer(text="Stored", body=AssetBody),
            400: Answer(text="The form cannot be read", body=EnvelopeBody),
            409: Answer(text="The bytes have another hash", body=EnvelopeBody),
            413: Answer(text="The file is too large", body=EnvelopeBody),
            422: Answer(text="A field is missing or not as it should be, or the key was used", body=EnvelopeBody),
        },
    ),
)
