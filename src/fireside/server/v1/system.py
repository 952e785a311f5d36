"""The catalogue routes: which nodes there are, what the server can do, what the fleet is, and who the caller is."""

from typing import Any, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.assets import Folder
from fireside.graphs.definitions import fill_input_files
from fireside.server.answers import json_answer
from fireside.server.callers import is_browsers, services_of, user_of
from fireside.server.content import is_known
from fireside.server.encodings import takes_gzip
from fireside.server.routes import JSON, Access, Answer, Route
from fireside.server.v1.system_catalogue import Catalogue
from fireside.server.v1.system_features import features_of
from fireside.server.v1.system_stats import system_stats
from fireside.wire.v1_system import CurrentUserBody, FeaturesBody, NodeInfo, SystemStatsBody

_MAX_NAMES = 5000
"""More names than this no list of the editor can show; a graph may name any file all the same."""

_NO_NEWS = "--disable-api-nodes"

# What it keeps is named by its content, so several servers in one process can share it.
_catalogue = Catalogue()


async def get_object_info(request: Request) -> Response:
    """Describe all nodes."""
    services = services_of(request)
    object_info = await services.desk.definitions.object_info()
    names = await services.store.asset_names(user_of(request).id, Folder.INPUT, limit=_MAX_NAMES)
    tag = await _catalogue.tag(object_info, names)
    headers = {"etag": f'W/"{tag}"', "cache-control": "private, no-cache", "vary": "Accept-Encoding"}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    written = await _catalogue.written(tag, object_info, names)
    if not takes_gzip(request):
        return Response(written.plain, media_type=JSON, headers=headers)
    return Response(written.packed, media_type=JSON, headers=headers | {"content-encoding": "gzip"})


async def get_node_info(request: Request) -> Response:
    """Describe one node and say who has it; of an unknown one nothing is said."""
    services = services_of(request)
    fleet = await services.desk.definitions.fleet()
    name = str(request.path_params["node_class"])
    if name not in fleet.object_info:
        return json_answer({})
    names = await services.store.asset_names(user_of(request).id, Folder.INPUT, limit=_MAX_NAMES)
    shown = fill_input_files({name: fleet.object_info[name]}, names)[name]
    if isinstance(shown, dict):
        shown = {**cast("dict[str, Any]", shown), "fireside_workers": fleet.workers_with(name)}
    return json_answer({name: shown})


async def get_features(request: Request) -> Response:
    """Say what the server can do."""
    return json_answer(features_of(services_of(request).config))


async def get_system_stats(request: Request) -> Response:
    """Describe the machines of the workers that are there."""
    services = services_of(request)
    present = services.fleet.presences()
    shown = system_stats(worker for worker in await services.store.workers() if worker.id in present)
    if is_browsers(request):
        # By this word the editor knows that it is not to ask its maker's server for news.
        shown = msgspec.structs.replace(shown, system=msgspec.structs.replace(shown.system, argv=[_NO_NEWS]))
    return json_answer(shown)


async def get_user(request: Request) -> Response:
    """Say who the caller is."""
    return json_answer(CurrentUserBody(status="active", id=str(user_of(request).id)))


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/object_info",
        handler=get_object_info,
        name="getNodeInfo",
        text="Describe all nodes, with the caller's files in the lists that name files",
        tag="node",
        answers={
            200: Answer(text="The nodes by class", body=dict[str, NodeInfo]),
            304: Answer(text="The client has it already"),
        },
    ),
    Route(
        method="GET",
        path="/api/object_info/{node_class:path}",
        handler=get_node_info,
        name="getNodeInfoOfClass",
        text="Describe one class of nodes, and name the workers that have it; of an unknown one nothing is said",
        tag="node",
        answers={200: Answer(text="The node by its class", body=dict[str, NodeInfo])},
    ),
    Route(
        method="GET",
        path="/api/features",
        handler=get_features,
        name="getFeatures",
        text="Say what the server can do",
        tag="node",
        access=Access.PUBLIC,
        answers={200: Answer(text="The flags", body=FeaturesBody)},
    ),
    Route(
        method="GET",
        path="/api/system_stats",
        handler=get_system_stats,
        name="getSystemStats",
        text="Describe the machines that jobs run on",
        tag="system",
        access=Access.PUBLIC,
        answers={200: Answer(text="The machines", body=SystemStatsBody)},
    ),
    Route(
        method="GET",
        path="/api/user",
        handler=get_user,
        name="getUser",
        text="Say who the caller is",
        tag="user",
        answers={200: Answer(text="The caller", body=CurrentUserBody)},
    ),
)
