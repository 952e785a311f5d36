"""The subgraph blueprints that the fleet's node packs bring along for the editor.

The published contract lets anybody ask. What the fleet has is nobody's business all the same, so strangers are shown
nothing unless the setting `v1_public_models` says so.
"""

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import NotFound
from fireside.jobs.definitions import Subgraphs
from fireside.server.answers import json_answer
from fireside.server.callers import principal_of, services_of
from fireside.server.routes import Access, Answer, Route
from fireside.wire.fleet_joining import SubgraphBody
from fireside.wire.refusals import RefusalBody
from fireside.wire.v1_editor import GlobalSubgraph, GlobalSubgraphInfo, SubgraphSource

_SOURCE = "custom_node"


async def list_subgraphs(request: Request) -> Response:
    """List the blueprints without what is in them."""
    return json_answer({name: _listed(one) for name, one in (await _subgraphs(request)).items()})


async def get_subgraph(request: Request) -> Response:
    """Give a blueprint."""
    found = (await _subgraphs(request)).get(str(request.path_params["id"]))
    if found is None:
        raise NotFound("There is no such blueprint.")
    info = SubgraphSource(node_pack=found.node_pack)
    return json_answer(GlobalSubgraph(source=_SOURCE, name=found.name, info=info, data=found.data))


async def _subgraphs(request: Request) -> Subgraphs:
    services = services_of(request)
    if principal_of(request) is None and not services.config.v1_public_models:
        return {}
    return await services.desk.definitions.subgraphs()


def _listed(one: SubgraphBody) -> GlobalSubgraphInfo:
    return GlobalSubgraphInfo(source=_SOURCE, name=one.name, info=SubgraphSource(node_pack=one.node_pack))


ROUTES = (
    Route(
        method="GET",
        path="/api/global_subgraphs",
        handler=list_subgraphs,
        name="getGlobalSubgraphs",
        text="List the blueprints of node packs; to strangers none, unless v1_public_models is set",
        tag="workflow",
        access=Access.PUBLIC,
        answers={200: Answer(text="The blueprints by id", body=dict[str, GlobalSubgraphInfo])},
    ),
    Route(
        method="GET",
        path="/api/global_subgraphs/{id}",
        handler=get_subgraph,
        name="getGlobalSubgraph",
        text="Give a blueprint of a node pack; to strangers none, unless v1_public_models is set",
        tag="workflow",
        access=Access.PUBLIC,
        answers={
            200: Answer(text="The blueprint", body=GlobalSubgraph),
            404: Answer(text="There is no such blueprint", body=RefusalBody),
        },
    ),
)
