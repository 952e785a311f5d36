"""The models of the fleet: all files that any known worker has, folder by folder.

The published contract lets anybody ask. What the fleet has is nobody's business all the same, so strangers are shown
nothing unless the setting `v1_public_models` says so.
"""

from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import NotFound
from fireside.jobs.definitions import Models
from fireside.server.answers import json_answer
from fireside.server.callers import principal_of, services_of
from fireside.server.routes import Access, Answer, Route
from fireside.wire.refusals import RefusalBody
from fireside.wire.v1_models import ModelFile, ModelFolder

_NO_MODELS = frozenset({"configs", "custom_nodes"})
"""Folders of ComfyUI's that its newer list leaves out."""
_EMBEDDINGS = "embeddings"


async def list_folders(request: Request) -> Response:
    """List the folders of models."""
    models: Models = await _models(request) if _may_see(request) else {}
    return json_answer([ModelFolder(name=name, folders=[name]) for name in models if name not in _NO_MODELS])


async def list_files(request: Request) -> Response:
    """List the models of a folder."""
    if not _may_see(request):
        return json_answer([])
    files = (await _models(request)).get(_folder(request))
    if not files:
        raise _no_folder(request)
    return json_answer([ModelFile(name=name, path_index=0, size=size) for name, size in files.items()])


async def list_folder_names(request: Request) -> Response:
    """List the folders by name alone."""
    return json_answer(list(await _models(request)))


async def list_file_names(request: Request) -> Response:
    """List the models of a folder by name alone."""
    files = (await _models(request)).get(_folder(request))
    if files is None:
        raise _no_folder(request)
    return json_answer(list(files))


async def list_embeddings(request: Request) -> Response:
    """List the embeddings as prompts name them."""
    files = (await _models(request)).get(_EMBEDDINGS, {})
    return json_answer([str(PurePosixPath(name).with_suffix("")) for name in files])


def _may_see(request: Request) -> bool:
    return principal_of(request) is not None or services_of(request).config.v1_public_models


async def _models(request: Request) -> Models:
    return await services_of(request).desk.definitions.models()


def _folder(request: Request) -> str:
    return str(request.path_params["folder"])


def _no_folder(request: Request) -> NotFound:
    return NotFound(f"no worker has models in a folder {_folder(request)}")


_NAMES = {200: Answer(text="The names", body=list[str])}
_NOT_THERE = Answer(text="No worker has such a folder", body=RefusalBody)

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/experiment/models",
        handler=list_folders,
        name="getModelFolders",
        text="List the folders of models; to strangers an empty list, unless v1_public_models is set",
        tag="model",
        access=Access.PUBLIC,
        answers={200: Answer(text="The folders", body=list[ModelFolder])},
    ),
    Route(
        method="GET",
        path="/api/experiment/models/{folder}",
        handler=list_files,
        name="getModelsInFolder",
        text="List the models of a folder; to strangers an empty list, unless v1_public_models is set",
        tag="model",
        access=Access.PUBLIC,
        answers={200: Answer(text="The models", body=list[ModelFile]), 404: _NOT_THERE},
    ),
    Route(
        method="GET",
        path="/api/models",
        handler=list_folder_names,
        name="getModelTypes",
        text="List the folders of models by name",
        tag="model",
        answers=_NAMES,
    ),
    Route(
        method="GET",
        path="/api/models/{folder}",
        handler=list_file_names,
        name="getModelNames",
        text="List the models of a folder by name",
        tag="model",
        answers={**_NAMES, 404: _NOT_THERE},
    ),
    Route(
        method="GET",
        path="/api/embeddings",
        handler=list_embeddings,
        name="getEmbeddings",
        text="List the embeddings as prompts name them",
        tag="model",
        answers=_NAMES,
    ),
)
