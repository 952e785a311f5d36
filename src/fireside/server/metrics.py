"""`/metrics`: what this server measures of itself, for a Prometheus that comes by."""

import asyncio
import shutil
from collections import Counter

from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from fireside.server.callers import services_of
from fireside.server.fleet_list import WORKER_STATES, read_fleet
from fireside.server.meters import Standing
from fireside.server.routes import Access, Answer, Route
from fireside.server.services import Services

PROMETHEUS = "text/plain; version=0.0.4"
OPEN_METRICS = "application/openmetrics-text"


async def show_metrics(request: Request) -> Response:
    """Give all measures, in the form that is asked for."""
    services = services_of(request)
    services.meters.stand(await _standing(services))
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(services.meters.registry), headers={"Content-Type": media_type, "Cache-Control": "no-store"})


async def _standing(services: Services) -> Standing:
    workers = Counter(worker.state for worker in await read_fleet(services))
    disk = await asyncio.to_thread(shutil.disk_usage, services.config.data_dir)
    return Standing(
        jobs=await services.store.count_jobs(),
        workers={state: workers[state] for state in WORKER_STATES},
        desired={pool: one.workers for pool, one in services.figures.now().items()},
        is_on_bus=services.bus.is_connected,
        is_leading=services.election.is_leading,
        free_bytes=disk.free,
        total_bytes=disk.total,
    )


ROUTES = (
    Route(
        method="GET",
        path="/metrics",
        handler=show_metrics,
        name="showMetrics",
        text="What this server measures of itself, for Prometheus",
        tag="health",
        access=Access.METRICS,
        answers={200: Answer(text="The measures", media_types=(PROMETHEUS, OPEN_METRICS))},
    ),
)
