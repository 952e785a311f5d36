"""What the editor's library of models shows of one: the picture beside it, and what its author wrote into it.

Both come from a worker that has the model. Strangers are shown no picture, as they are shown no model, unless
`v1_public_models` is set.
"""

from pathlib import PurePosixPath
from typing import Any

from blake3 import blake3
from starlette.requests import Request
from starlette.responses import Response

from fireside.blobs.base import HEAD_BYTES
from fireside.blobs.sniff import sniff_content_type
from fireside.domain.errors import NotFound
from fireside.server.callers import principal_of, services_of
from fireside.server.content import content_headers, is_known
from fireside.server.reading import read_query
from fireside.server.routes import JSON, Access, Answer, Route
from fireside.wire.refusals import RefusalBody
from fireside.wire.v1_models import ModelMetadataQuery

_WEBP = "image/webp"
_NAMED_AS_PICTURE = ".webp"
_ASK_AGAIN = "private, max-age=300"


async def get_preview(request: Request) -> Response:
    """Give the picture of a model; the last part of the path is the model's name, or that with `.webp` at its end."""
    services, folder = services_of(request), str(request.path_params["folder"])
    if principal_of(request) is None and not services.config.v1_public_models:
        raise _no_preview()
    name = await _model_of(request, folder, str(request.path_params["filename"]))
    is_first = request.path_params["path_index"] == "0"
    picture = await services.desk.model_details.preview(folder, name) if name and is_first else None
    if name is None or picture is None or sniff_content_type(picture[:HEAD_BYTES], _NAMED_AS_PICTURE) != _WEBP:
        raise _no_preview()
    tag = blake3(picture).hexdigest()
    headers = {"etag": f'"{tag}"', "cache-control": _ASK_AGAIN}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    named = PurePosixPath(name).with_suffix(_NAMED_AS_PICTURE).name
    return Response(picture, headers=headers | content_headers(named, _WEBP))


async def get_metadata(request: Request) -> Response:
    """Give the metadata in the header of a model file."""
    asked, folder = read_query(request, ModelMetadataQuery), str(request.path_params["folder"])
    metadata = await services_of(request).desk.model_details.metadata(folder, asked.filename)
    if metadata is None:
        raise NotFound("No worker that is here has such a model, or there is nothing written in it.")
    return Response(metadata, media_type=JSON, headers={"cache-control": "no-store"})


async def _model_of(request: Request, folder: str, said: str) -> str | None:
    """Find the model that is meant: by its name, or by that with the ending exchanged for a picture's, or added."""
    files = (await services_of(request).desk.definitions.models()).get(folder, {})
    if said in files or not said.endswith(_NAMED_AS_PICTURE):
        return said if said in files else None
    stem = said.removesuffix(_NAMED_AS_PICTURE)
    return stem if stem in files else next((name for name in files if name.rpartition(".")[0] == stem), None)


def _no_preview() -> NotFound:
    return NotFound("There is no picture of such a model.")


_NOT_THERE = Answer(text="There is nothing to tell of such a model", body=RefusalBody)
ROUTES = (
    Route(
        method="GET",
        path="/api/experiment/models/preview/{folder}/{path_index}/{filename:path}",
        handler=get_preview,
        name="getModelPreview",
        text="Show the picture beside a model; to strangers none, unless v1_public_models is set",
        tag="model",
        access=Access.PUBLIC,
        answers={
            200: Answer(text="The picture", media_types=(_WEBP,)),
            304: Answer(text="The client has it already"),
            404: _NOT_THERE,
        },
    ),
    Route(
        method="GET",
        path="/api/view_metadata/{folder}",
        handler=get_metadata,
        name="getModelMetadata",
        text="Give what the author of a model wrote into its file",
        tag="model",
        query=ModelMetadataQuery,
        answers={200: Answer(text="What stands there", body=dict[str, Any]), 404: _NOT_THERE},
    ),
)
