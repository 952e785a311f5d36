"""Translations and example workflows that the fleet's node packs bring along for the editor.

The published contract lets anybody ask for example workflows. What the fleet has is nobody's business all the same, so
strangers are shown none unless the setting `v1_public_models` says so. The bytes come from workers: a workflow is
given as JSON only if it is, and anything else as what it is found to be.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import msgspec
from blake3 import blake3
from starlette.requests import Request
from starlette.responses import Response

from fireside.blobs.base import HEAD_BYTES
from fireside.blobs.sniff import sniff_content_type
from fireside.domain.errors import NotFound
from fireside.jobs.editor_files import Templates
from fireside.server.answers import json_answer
from fireside.server.callers import principal_of, services_of
from fireside.server.content import SECURITY_HEADERS, content_headers, is_known
from fireside.server.routes import JSON, Access, Answer, Route
from fireside.wire.refusals import RefusalBody

_WORKFLOW = ".json"
_MEDIA_TYPES = (JSON, "image/jpeg", "image/png", "image/webp")


async def get_translations(request: Request) -> Response:
    """Give the translations of all node packs, by language."""
    return json_answer((await services_of(request).desk.definitions.editor_files()).translations)


async def list_templates(request: Request) -> Response:
    """Name the example workflows of each node pack."""
    listed = {
        pack: [PurePosixPath(file).stem for file in files if file.endswith(_WORKFLOW)]
        for pack, files in (await _templates(request)).items()
    }
    return json_answer({pack: names for pack, names in listed.items() if names})


async def get_template(request: Request) -> Response:
    """Give an example workflow, or the picture beside it."""
    pack, file = str(request.path_params["node_pack"]), str(request.path_params["file"])
    content = (await _templates(request)).get(pack, {}).get(file)
    kind = None if content is None else _kind_of(file, content)
    if content is None or kind is None:
        raise NotFound("No node pack has such an example workflow; GET /api/workflow_templates names them.")
    tag = blake3(content).hexdigest()
    headers = {"etag": f'"{tag}"', "cache-control": "private, max-age=300"}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    # The editor reads a workflow as JSON, which no browser shows as anything but text.
    as_it_is = SECURITY_HEADERS | {"content-type": JSON}
    return Response(content, headers=headers | (as_it_is if kind == JSON else content_headers(file, kind)))


async def _templates(request: Request) -> Templates:
    services = services_of(request)
    if principal_of(request) is None and not services.config.v1_public_models:
        return {}
    return (await services.desk.definitions.editor_files()).templates


def _kind_of(file: str, content: bytes) -> str | None:
    if file.endswith(_WORKFLOW):
        return JSON if _is_json(content) else None
    sniffed = sniff_content_type(content[:HEAD_BYTES], file)
    return sniffed if sniffed in _MEDIA_TYPES else None


def _is_json(content: bytes) -> bool:
    try:
        msgspec.json.decode(content, type=Mapping[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return True


ROUTES = (
    Route(
        method="GET",
        path="/api/i18n",
        handler=get_translations,
        name="getTranslations",
        text="Give the translations that node packs bring along",
        tag="node",
        answers={200: Answer(text="By language", body=dict[str, Any])},
    ),
    Route(
        method="GET",
        path="/api/workflow_templates",
        handler=list_templates,
        name="getWorkflowTemplates",
        text="List the workflows that node packs bring along; to strangers none, unless v1_public_models is set",
        tag="workflow",
        access=Access.PUBLIC,
        answers={200: Answer(text="Their names by node pack", body=dict[str, list[str]])},
    ),
    Route(
        method="GET",
        path="/api/workflow_templates/{node_pack}/{file}",
        handler=get_template,
        name="getWorkflowTemplate",
        text="Give such a workflow (`.json`) or its picture (`.jpg`); to strangers only with v1_public_models",
        tag="workflow",
        access=Access.PUBLIC,
        answers={
            200: Answer(text="The file", media_types=_MEDIA_TYPES),
            304: Answer(text="The client has it already"),
            404: Answer(text="There is no such file", body=RefusalBody),
        },
    ),
)
