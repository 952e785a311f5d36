"""How assets come to be over the Cloud API v1: by a form with the bytes, by an address, or by a hash.

A form is read as it comes, its file straight into a blob; whatever of it has no record in the end is removed again,
however the request ends.
"""

import re
from contextlib import suppress
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.records import Wish, has_content, record_by_hash, record_upload_as_asset
from fireside.assets.uploads import discard_unrecorded
from fireside.blobs.base import HashMismatch
from fireside.domain.assets import Recorded
from fireside.domain.errors import BadRequest, NotFound, WrongMediaType
from fireside.domain.ids import AssetId, BlobHash, UserId
from fireside.domain.tags import normalize_tags
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.multipart import Form, FormLimits, UploadedFile, read_form
from fireside.server.reading import read_body
from fireside.server.routes import JSON, Answer, FormPart, Route
from fireside.server.v1.assets import MALFORMED, asset_route
from fireside.server.v1.assets_query import InvalidHash, hash_of
from fireside.server.v1.assets_rendering import created_body_of
from fireside.server.v1.files_library import library_of
from fireside.server.v1.imports import import_named
from fireside.wire.refusals import AssetRefusalBody
from fireside.wire.tasks import ImportBody
from fireside.wire.v1_assets import CreatedAssetBody, FromHashBody

_FORM = "multipart/form-data"
# An answer to HEAD has no body, and so no reason for it.
_NOT_KEPT = {"cache-control": "no-store"}
_LIST = re.compile(r"\s*\[")


class MissingFile(BadRequest):
    """The form has neither a file nor the hash of one that the caller has."""

    code = "missing_file"


class EmptyUpload(BadRequest):
    """The file has no bytes."""

    code = "empty_upload"


async def upload_asset(request: Request) -> Response:
    """Take a file, or the address of one."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == JSON:
        return await created(request, await import_named(request))
    if kind != _FORM:
        raise WrongMediaType("Send the file as multipart/form-data, or its address as application/json.")
    library = library_of(request)
    limits = FormLimits(max_files=1, max_file_bytes=services_of(request).config.max_upload_bytes)
    form = Form()
    try:
        await read_form(request, library.blobs, limits=limits, into=form)
        return await created(request, await _record_form(request, form))
    finally:
        for file in (file for files in form.files.values() for file in files):
            await discard_unrecorded(library, file.blob)


async def create_from_hash(request: Request) -> Response:
    """Record bytes that the caller has already once more."""
    body = await read_body(request, FromHashBody)
    if body.hash.startswith("sha256:"):
        raise NotFound("You have no asset with these bytes; assets are found by blake3.")
    if not normalize_tags(body.tags):
        raise BadRequest("Give at least one tag that is not empty.")
    wish = Wish(
        user_id=user_of(request).id,
        name=body.name or None,
        tags=body.tags,
        mime_type=body.mime_type or None,
        preview_id=AssetId(body.preview_id) if body.preview_id else None,
        user_metadata=msgspec.json.encode(body.user_metadata or {}),
    )
    return await created(request, await record_by_hash(library_of(request), wish, hash_of(body.hash)))


async def check_hash(request: Request) -> Response:
    """Say whether the caller has an asset with these bytes."""
    try:
        blob_hash = hash_of(str(request.path_params["hash"]))
    except InvalidHash:
        return Response(status_code=400, headers=_NOT_KEPT)
    found = await has_content(services_of(request).store, user_of(request).id, blob_hash)
    return Response(status_code=200 if found else 404, headers=_NOT_KEPT)


async def created(request: Request, recorded: Recorded, *, status: int | None = None) -> Response:
    """Answer with an asset that was asked for: 201 when it is new, else 200, unless the route has one status only."""
    services = services_of(request)
    (asset,) = await services.store.with_metadata([recorded.asset])
    body = created_body_of(asset, services.public_url, is_new=recorded.is_new)
    return json_answer(body, status or (201 if recorded.is_new else 200))


async def _record_form(request: Request, form: Form) -> Recorded:
    library = library_of(request)
    wish = _wish(form, user_of(request).id)
    file, said = form.file("file"), form.field("hash")
    expected = hash_of(said) if said else None
    if file is not None:
        _check(file, expected)
        return await record_upload_as_asset(library, wish, file.blob, filename=file.filename)
    if expected is None:
        raise MissingFile("Send the file as the part `file` of the form, or the hash of one that you have as `hash`.")
    return await record_by_hash(library, wish, expected)


def _check(file: UploadedFile, expected: BlobHash | None) -> None:
    if not file.blob.size_bytes:
        raise EmptyUpload("The file has no bytes.")
    if expected is not None and expected != file.blob.hash:
        raise HashMismatch(f"The bytes that came are blake3:{file.blob.hash}.")


def _wish(form: Form, user_id: UserId) -> Wish:
    return Wish(
        user_id=user_id,
        name=form.field("name") or None,
        tags=_tags(form.fields.get("tags", [])),
        user_metadata=(form.field("user_metadata") or "{}").encode(),
        mime_type=form.field("mime_type") or None,
        preview_id=_id(form, "preview_id"),
        asset_id=_id(form, "id"),
    )


def _tags(fields: list[str]) -> list[str]:
    """Read tags as one JSON list, one list by commas, or one a part."""
    tags: list[str] = []
    for field in fields:
        if not _LIST.match(field):
            tags += field.split(",")
            continue
        try:
            tags += msgspec.json.decode(field.encode(), type=list[str])
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise BadRequest("tags is a JSON list of texts, a list by commas, or one tag a part.") from error
    return tags


def _id(form: Form, name: str) -> AssetId | None:
    text = form.field(name)
    if not text:
        return None
    with suppress(ValueError):
        return AssetId(UUID(text))
    raise BadRequest(f"{name} is a UUID.")


_PARTS = (
    FormPart(name="file", text="The file; without it, `hash`", is_file=True, required=True),
    FormPart(name="name", text="What it is called; otherwise by its file's name"),
    FormPart(name="tags", text="Its tags: a JSON list, a list by commas, or one a part"),
    FormPart(name="user_metadata", text="A JSON object that is kept with it"),
    FormPart(name="mime_type", text="What the file is called a kind of"),
    FormPart(name="preview_id", text="An asset that shows it"),
    FormPart(name="id", text="The id it shall have; the same bytes under it again are the same asset"),
    FormPart(name="hash", text="`blake3:` and the hash that the bytes must have"),
)
_NEW = Answer(text="A new asset", body=CreatedAssetBody)
_THERE = Answer(text="The asset was there before", body=CreatedAssetBody)
# Before those of single assets, which would take their paths for ids.
ROUTES: tuple[Route, ...] = (
    asset_route(
        method="POST",
        path="/api/assets",
        handler=upload_asset,
        name="uploadAsset",
        text="Upload an asset, or have one fetched by its URL",
        form=_PARTS,
        body=ImportBody,
        answers={
            200: _THERE,
            201: _NEW,
            400: MALFORMED,
            403: Answer(text="The operator does not allow this host, or the source refuses", body=AssetRefusalBody),
            404: Answer(text="The source has nothing at this URL", body=AssetRefusalBody),
            409: Answer(text="The id is another asset's, or the bytes have another hash", body=AssetRefusalBody),
            413: Answer(text="The file is too large", body=AssetRefusalBody),
            415: Answer(text="The body is neither a form nor JSON", body=AssetRefusalBody),
            422: Answer(text="The source did not answer as it should", body=AssetRefusalBody),
            429: Answer(text="The caller waits for as many fetches as they may", body=AssetRefusalBody),
        },
    ),
    asset_route(
        method="POST",
        path="/api/assets/from-hash",
        handler=create_from_hash,
        name="createAssetFromHash",
        text="Make an asset of bytes that the caller has already",
        body=FromHashBody,
        answers={
            200: _THERE,
            201: _NEW,
            400: MALFORMED,
            404: Answer(text="The caller has no asset with these bytes", body=AssetRefusalBody),
        },
    ),
    asset_route(
        method="HEAD",
        path="/api/assets/hash/{hash}",
        handler=check_hash,
        name="checkAssetByHash",
        text="Say whether the caller has an asset with these bytes",
        answers={
            200: Answer(text="There is one"),
            400: Answer(text="This is no hash"),
            404: Answer(text="There is none"),
        },
    ),
)
