"""How many workers each pool should have, for whoever starts and stops them: launchers, and KEDA."""

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import NotFound, Unavailable
from fireside.domain.ids import WorkerId
from fireside.domain.pools import Pool
from fireside.server.answers import json_answer
from fireside.server.callers import services_of
from fireside.server.reading import read_query
from fireside.server.routes import Access, Answer, Route
from fireside.server.services import Services
from fireside.wire.admin import PoolBody, PoolQuery, PoolsBody
from fireside.wire.fleet import Presence


async def list_pools(request: Request) -> Response:
    """List the pools, in the order in which they are filled."""
    services = services_of(request)
    return json_answer(PoolsBody(pools=[_body(services, pool) for pool in services.figures.pools]))


async def show_pool(request: Request) -> Response:
    """Show one pool; a launcher that asks says how it stands, and is told its share."""
    services, name = services_of(request), str(request.path_params["name"])
    query = read_query(request, PoolQuery)
    for pool in services.figures.pools:
        if pool.name == name:
            if query.launcher:
                await services.launchers.hear(name, query)
            return json_answer(_body(services, pool, query.launcher))
    raise NotFound(f"there is no pool {name}: the setting `pools` of the server names them")


def _body(services: Services, pool: Pool, launcher: str = "") -> PoolBody:
    figure = services.figures.now().get(pool.name)
    if figure is None:
        raise Unavailable("no server has counted of late what there is to do; try again in a few seconds")
    there = _workers_of(services, pool)
    idle = sorted(worker_id for worker_id, said in there.items() if not said.leases)
    return PoolBody(
        name=pool.name,
        labels=dict(pool.labels),
        min=pool.least,
        max=pool.most,
        wanted=figure.wanted,
        desired=figure.workers,
        workers=len(there),
        busy=len(there) - len(idle),
        idle=list(idle),
        launchers=len(services.launchers.names(pool.name)),
        share=services.launchers.share(pool.name, launcher, figure.workers) if launcher else None,
    )


def _workers_of(services: Services, pool: Pool) -> dict[WorkerId, Presence]:
    """Give the workers of a pool that are there and stay; one that matches several is of the first."""
    profiles, pools = services.desk.definitions.known.profiles, services.figures.pools
    return {
        worker_id: said
        for worker_id, said in services.fleet.presences().items()
        if worker_id in profiles
        and not said.draining
        and next((one for one in pools if one.holds(profiles[worker_id].labels)), None) == pool
    }


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/admin/api/pools",
        handler=list_pools,
        name="listPools",
        text="List the pools of workers, and say how many each should have",
        tag="admin",
        access=Access.METRICS,
        answers={200: Answer(text="The pools of the setting `pools`", body=PoolsBody)},
    ),
    Route(
        method="GET",
        path="/admin/api/pools/{name}",
        handler=show_pool,
        name="showPool",
        text="Say how many workers a pool should have",
        tag="admin",
        access=Access.METRICS,
        query=PoolQuery,
        answers={200: Answer(text="The pool", body=PoolBody)},
    ),
)
