"""Files on their way in: `POST /api/upload/image`, for files of every kind, and `POST /api/upload/mask`.

A form may name the folder after the file, so a file is stored before it can be refused; whatever of a form has no
record in the end is removed again, however the request ends.
"""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.finding import find_file
from fireside.assets.library import Library
from fireside.assets.masks import record_masked
from fireside.assets.uploads import Upload, discard_unrecorded, record_upload, upload_name
from fireside.domain.assets import Asset, Folder
from fireside.domain.errors import BadRequest, NotFound
from fireside.domain.ids import UserId
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.multipart import Form, FormLimits, read_form
from fireside.server.routes import Answer, FormPart, Route
from fireside.server.v1.assets_rendering import uploaded_body_of
from fireside.server.v1.files_library import library_of
from fireside.server.v1.mask_layers import mask_metadata
from fireside.wire.refusals import RefusalBody
from fireside.wire.v1_files import OriginalRef, UploadedBody, UploadedMaskBody

_YES = frozenset({"true", "1"})


async def upload_image(request: Request) -> Response:
    """Take a file, of whatever kind: clients send video, sound and models by this route too."""
    library = library_of(request)
    async with _received(request, library) as form:
        asset = await record_upload(library, _upload(form, user_of(request).id))
    return json_answer(UploadedBody(**_where(asset)))


async def upload_mask(request: Request) -> Response:
    """Take a mask and record the picture it was painted on with the mask as its alpha."""
    library = library_of(request)
    async with _received(request, library) as form:
        upload = _upload(form, user_of(request).id)
        original = await _original(library, upload.user_id, form.field("original_ref"))
        asset = await record_masked(library, upload, original)
        metadata = await mask_metadata(library.store, asset, original)
    return json_answer(UploadedMaskBody(**_where(asset), metadata=metadata))


def _where(asset: Asset) -> dict[str, Any]:
    file = asset.file
    return {
        "name": file.name,
        "subfolder": file.subfolder,
        "type": file.folder.value,
        "asset": uploaded_body_of(asset),
    }


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


def _upload(form: Form, user_id: UserId) -> Upload:
    image = form.file("image")
    if image is None or not image.filename:
        raise BadRequest("Send the file as the part `image` of the form, with a file name.")
    return Upload(
        user_id=user_id,
        file=upload_name(_folder(form.field("type")), form.field("subfolder") or "", image.filename),
        blob=image.blob,
        overwrite=form.field("overwrite") in _YES,
    )


def _folder(name: str | None) -> Folder:
    try:
        return Folder(name or Folder.INPUT)
    except ValueError as error:
        raise BadRequest(f"There is no type {name!r}; it is input, output or temp.") from error


async def _original(library: Library, user_id: UserId, text: str | None) -> Asset:
    if text is None:
        raise BadRequest("Name the picture that gets the mask in the field `original_ref`.")
    try:
        said = msgspec.json.decode(text.encode(), type=OriginalRef)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadRequest(f"original_ref is not as it should be: {error}") from error
    try:
        return await find_file(
            library.store, user_id, filename=said.filename, subfolder=said.subfolder, folder=Folder(said.type)
        )
    except NotFound as error:
        raise BadRequest("There is no such picture as `original_ref` names.") from error


_PARTS = (
    FormPart(name="image", text="The file, with its name", is_file=True, required=True),
    FormPart(name="type", text="The folder it goes into: input (the default), output or temp"),
    FormPart(name="subfolder", text="A folder below that one"),
    FormPart(name="overwrite", text="`true` or `1` replaces a file of that name; otherwise the new one is renamed"),
)
_ORIGINAL = FormPart(
    name="original_ref", text="JSON with `filename`, `subfolder` and `type` of the picture", required=True
)
_REFUSALS = {
    400: Answer(text="The form, a name or a picture is not as it should be", body=RefusalBody),
    413: Answer(text="The file is too large", body=RefusalBody),
}
ROUTES = (
    Route(
        method="POST",
        path="/api/upload/image",
        handler=upload_image,
        name="uploadImage",
        text="Upload a picture, or a file of any other kind",
        tag="file",
        form=_PARTS,
        answers={200: Answer(text="Stored", body=UploadedBody), **_REFUSALS},
    ),
    Route(
        method="POST",
        path="/api/upload/mask",
        handler=upload_mask,
        name="uploadMask",
        text="Give a picture the alpha of an uploaded mask",
        tag="file",
        form=(*_PARTS, _ORIGINAL),
        answers={200: Answer(text="Stored", body=UploadedMaskBody), **_REFUSALS},
    ),
)
