"""The page of models: what workers may fetch, who has it, and how more of them come and go. Admins only.

The bytes of an upload do not come by a form: the page's script sends them to the admin's own route.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import Principal
from fireside.domain.errors import BadRequest, Refused
from fireside.domain.models import SAFETENSORS, ModelName, ModelOnItsWay
from fireside.domain.usage import bytes_in_words
from fireside.server.admin_models import read_models, register_model, remove_from_registry
from fireside.server.callers import services_of
from fireside.server.pages.rendering import form_of, redirect
from fireside.server.pages.rows import page_rows
from fireside.server.pages.shell import changed, framed, shown
from fireside.server.pages.words import ago
from fireside.server.refusals import status_of
from fireside.server.waiting import coming_model
from fireside.wire.admin import ModelBody, NewModelBody

PLACE = "/dashboard/models"
_FOLDERS = (
    "checkpoints",
    "clip_vision",
    "controlnet",
    "diffusion_models",
    "loras",
    "text_encoders",
    "upscale_models",
    "vae",
)
"""Suggested beside those that are in the registry."""
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A worker that has a model."""

    worker: str
    is_warm: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """A model as the page shows it; `source` is an address without what may be a secret in it, or empty."""

    model: ModelBody
    source: str
    holders: Sequence[Holder]
    coming: Sequence[ModelOnItsWay]


async def show_models(request: Request, principal: Principal) -> Response:
    """Show the registry, and the ways into it."""
    return await _models(request, principal)


async def register(request: Request, principal: Principal) -> Response:
    """Register a file that lies at an address, or whose bytes are here."""
    form = await form_of(request)
    try:
        model = await register_model(services_of(request), _asked_for(form))
    except Refused as error:
        return await _models(request, principal, status_of(error), form=form, problem=error.message)
    return redirect(f"{PLACE}?added={quote(str(model.name), safe='')}")


async def remove(request: Request, principal: Principal) -> Response:
    """Let a model be fetched no more."""
    form = await form_of(request)
    try:
        name = ModelName.checked(form.get("folder", ""), form.get("name", ""))
        await remove_from_registry(services_of(request), name)
    except Refused as error:
        return await _models(request, principal, status_of(error), list_problem=error.message)
    return redirect(PLACE)


async def _models(
    request: Request,
    principal: Principal,
    status: int = 200,
    *,
    form: Mapping[str, str] | None = None,
    problem: str = "",
    list_problem: str = "",
) -> Response:
    services = services_of(request)
    config, models = services.config, await read_models(services)
    blank = dict.fromkeys(("source_url", "folder", "name", "blake3", "size_bytes"), "")
    names = {f"{one.folder}/{one.name}" for one in models}
    added = request.query_params.get("added", "")
    return framed(
        principal,
        "models.html",
        PLACE,
        status,
        groups=[(folder, [_row(one) for one in of]) for folder, of in groupby(models, key=lambda one: one.folder)],
        total=len(models),
        size_of_all=bytes_in_words(sum({one.blake3: one.size_bytes for one in models}.values())),
        size_here=bytes_in_words(sum({o.blake3: o.size_bytes for o in models if o.source_url is None}.values())),
        can_fetch=any(kind.can_fetch for kind in services.desk.definitions.known.kinds.values()),
        hosts=config.model_hosts,
        formats=sorted({*SAFETENSORS, *(one.lower() for one in config.model_formats)}),
        most_bytes=config.max_model_bytes,
        folders=sorted({*_FOLDERS, *(one.folder for one in models)}),
        form={**blank, **(form or {})},
        problem=problem,
        list_problem=list_problem,
        added=added if added in names else "",
        size=bytes_in_words,
        ago=ago,
        now=services.clock(),
    )


def _asked_for(form: Mapping[str, str]) -> NewModelBody:
    asked = {name: form.get(name, "").strip() for name in ("source_url", "folder", "name", "blake3", "size_bytes")}
    return NewModelBody(
        source_url=asked["source_url"],
        folder=asked["folder"],
        name=asked["name"],
        blake3=asked["blake3"].lower(),
        size_bytes=_whole(asked["size_bytes"]),
    )


def _whole(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise BadRequest("Size: write how many bytes the file has, in digits alone.")
    return int(text)


def _row(model: ModelBody) -> ModelRow:
    warm = set(model.warm_on)
    return ModelRow(
        model=model,
        source=_shown(model.source_url) if model.source_url else "",
        holders=[Holder(worker=one, is_warm=one in warm) for one in sorted({*model.workers, *warm})],
        coming=[coming_model(one) for one in model.fetching],
    )


def _shown(url: str) -> str:
    """Leave away what may be a secret in an address."""
    parts = urlsplit(url)
    return f"{parts.hostname or ''}{parts.path}"


ROUTES = page_rows(
    (
        ("GET", PLACE, shown(show_models, for_admins=True), "showModels", "The registry of models as a page"),
        (
            "POST",
            PLACE,
            changed(register, for_admins=True),
            "registerModelFromPage",
            "Register a model that lies at an address, or whose bytes are here already",
        ),
        (
            "POST",
            f"{PLACE}/remove",
            changed(remove, for_admins=True),
            "removeModelFromPage",
            "Let a model be fetched no more",
        ),
    )
)
"""Anybody may call the pages; each looks for itself who it is."""
