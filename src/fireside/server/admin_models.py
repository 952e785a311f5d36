"""The admin's routes for the registry of models: what workers may fetch when a job names it."""

from functools import partial
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.library import Library, library_with
from fireside.assets.models import adopt_model, check_format, take_model
from fireside.blobs.base import is_blob_hash
from fireside.domain.errors import BadRequest, NotFound, TooLarge
from fireside.domain.ids import BlobHash
from fireside.domain.models import ModelName, RegisteredModel
from fireside.server.answers import json_answer
from fireside.server.callers import services_of
from fireside.server.enrolling import tell_fleet_changed
from fireside.server.fleet_list import models_on_their_way
from fireside.server.reading import read_body
from fireside.server.routes import Access, Answer, Handler, Route
from fireside.server.services import Services
from fireside.server.waiting import fetched_body
from fireside.store.refusals import DuplicateModel
from fireside.wire.admin import ModelBody, ModelsBody, NewModelBody
from fireside.wire.fleet import MODEL_MARK
from fireside.wire.refusals import RefusalBody

_BODY_BYTES = 65536
_MOST_BYTES = 2**62


async def list_models(request: Request) -> Response:
    """List the models, and which workers have fetched them."""
    return json_answer(ModelsBody(models=await read_models(services_of(request))))


async def show_model(request: Request) -> Response:
    """Tell of one model."""
    services, name = services_of(request), _name_in(request)
    model = await services.store.model(name)
    if model is None:
        raise _not_there(name)
    return json_answer(_body_of(services, model))


async def add_model(request: Request) -> Response:
    """Register a file that lies at an address, from where workers fetch it, or bytes that are here already."""
    services, body = services_of(request), await read_body(request, NewModelBody, limit=_BODY_BYTES)
    return json_answer(_body_of(services, await register_model(services, body)), 201)


async def register_model(services: Services, body: NewModelBody) -> RegisteredModel:
    """Register a file whose bytes do not come along; raises what says why it cannot be."""
    name = ModelName.checked(body.folder, body.name or _name_of(body.source_url))
    check_format(name, services.config.model_formats)
    if not is_blob_hash(body.blake3):
        raise BadRequest("blake3 is the BLAKE3 hash of the file's bytes: 64 lowercase hexadecimal digits.")
    blob_hash = BlobHash(body.blake3)
    if body.source_url:
        _check_size(services, body.size_bytes)
        services.models.check(body.source_url)
        model = await services.store.add_model(name, blob_hash, body.size_bytes, body.source_url, services.clock())
    else:
        model = await adopt_model(_library_of(services), name, blob_hash, partial(_check_size, services))
    await _tell(services)
    return model


async def upload_model(request: Request) -> Response:
    """Take a file's bytes, and register it under this name."""
    services, name = services_of(request), _name_in(request)
    check_format(name, services.config.model_formats)
    if await services.store.model(name) is not None:
        raise DuplicateModel(f"there is a model {name} already; remove it first, or give the new file another name")
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdecimal():
        _check_size(services, int(announced[:20]))
    limit_bytes = services.config.max_model_bytes
    model = await take_model(_library_of(services), name, request.stream(), limit_bytes=limit_bytes)
    await _tell(services)
    return json_answer(_body_of(services, model), 201)


async def remove_model(request: Request) -> Response:
    """Let a model be fetched no more; workers drop it when they tidy up next."""
    await remove_from_registry(services_of(request), _name_in(request))
    return Response(status_code=204)


async def remove_from_registry(services: Services, name: ModelName) -> None:
    """Remove a model; raises `NotFound`. Its bytes go with the next walk of the collector."""
    if await services.store.remove_model(name) is None:
        raise _not_there(name)
    await _tell(services)


async def read_models(services: Services) -> list[ModelBody]:
    """Give the models by folder and name, with the workers that have them."""
    return [_body_of(services, one) for one in await services.store.models()]


async def _tell(services: Services) -> None:
    await services.desk.definitions.refresh()
    await tell_fleet_changed(services)


def _check_size(services: Services, size_bytes: int) -> None:
    limit = services.config.max_model_bytes
    if size_bytes < 1:
        raise BadRequest("A model has at least one byte; size_bytes is how many there are.")
    if size_bytes > min(limit, _MOST_BYTES):
        raise TooLarge(f"The model is larger than {limit} bytes, the most that the registry takes (max_model_bytes).")


def _library_of(services: Services) -> Library:
    return library_with(services.config, services.store, services.blobs, services.clock)


def _name_of(url: str) -> str:
    try:
        name = PurePosixPath(unquote(urlsplit(url).path)).name
    except ValueError:
        name = ""
    if not name:
        raise BadRequest("Say by `name` what the model is called: there is no address that ends with a file name.")
    return name


def _name_in(request: Request) -> ModelName:
    return ModelName.checked(str(request.path_params["folder"]), str(request.path_params["name"]))


def _body_of(services: Services, model: RegisteredModel) -> ModelBody:
    mark, present = model.hash[:MODEL_MARK], services.fleet.presences()
    return ModelBody(
        folder=model.name.folder,
        name=model.name.name,
        blake3=model.hash,
        size_bytes=model.size_bytes,
        source_url=model.source_url,
        created_at=model.created_at,
        workers=sorted(worker for worker, said in present.items() if mark in said.fetched),
        warm_on=sorted(worker for worker, said in present.items() if str(model.name) in (said.warm or ())),
        fetching=[
            fetched_body(one)
            for worker, said in sorted(present.items())
            for one in models_on_their_way(worker, said)
            if one.model == str(model.name)
        ],
    )


def _not_there(name: ModelName) -> NotFound:
    return NotFound(f"there is no model {name} in the registry; `fireside models list` shows what there is")


def _route(method: str, path: str, handler: Handler, name: str, text: str, **more: Any) -> Route:
    return Route(
        method=method, path=path, handler=handler, name=name, text=text, tag="admin", access=Access.ADMIN, **more
    )


_ONE = "/admin/api/models/{folder}/{name:path}"
_NOT_THERE = Answer(text="There is no such model in the registry", body=RefusalBody)
_TAKEN = Answer(text="There is a model of this name already", body=RefusalBody)
_TOO_LARGE = Answer(text="It is larger than the registry takes", body=RefusalBody)
_FORMAT = Answer(text="Files of this kind are not taken", body=RefusalBody)
ROUTES = (
    _route(
        "GET",
        "/admin/api/models",
        list_models,
        "listModels",
        "List the models that workers may fetch",
        answers={200: Answer(text="The registry, by folder and name", body=ModelsBody)},
    ),
    _route(
        "POST",
        "/admin/api/models",
        add_model,
        "addModel",
        "Register a model that lies at an address, or whose bytes are here already",
        body=NewModelBody,
        answers={
            201: Answer(text="Workers may fetch it", body=ModelBody),
            404: Answer(text="There are no such bytes here", body=RefusalBody),
            409: _TAKEN,
            413: _TOO_LARGE,
            415: _FORMAT,
        },
    ),
    _route(
        "GET",
        _ONE,
        show_model,
        "getModel",
        "Tell of one model",
        answers={200: Answer(text="The model", body=ModelBody), 404: _NOT_THERE},
    ),
    _route(
        "PUT",
        _ONE,
        upload_model,
        "uploadModel",
        "Upload a model and register it",
        raw_body=("application/octet-stream",),
        answers={
            201: Answer(text="Workers may fetch it", body=ModelBody),
            409: _TAKEN,
            413: _TOO_LARGE,
            415: _FORMAT,
        },
    ),
    _route(
        "DELETE",
        _ONE,
        remove_model,
        "removeModel",
        "Let a model be fetched no more",
        answers={204: Answer(text="It is out of the registry"), 404: _NOT_THERE},
    ),
)
"""Only admins may call them."""
