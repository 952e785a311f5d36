"""The fleet as an admin sees it: what workers have said when they joined, and what they say now."""

from collections.abc import Mapping
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.ids import WorkerId
from fireside.domain.workers import Worker
from fireside.server.answers import json_answer
from fireside.server.callers import services_of
from fireside.wire.admin import FleetWorkerBody, WorkersBody
from fireside.wire.fleet import Presence

State = Literal["ready", "busy", "starting", "draining", "away"]


async def list_workers(request: Request) -> Response:
    """List the workers, also those that are away."""
    services = services_of(request)
    joined = {worker.id: worker for worker in await services.store.workers()}
    return json_answer(WorkersBody(workers=fleet_list(joined, services.fleet.presences())))


def fleet_list(joined: Mapping[WorkerId, Worker], present: Mapping[WorkerId, Presence]) -> list[FleetWorkerBody]:
    """Put together what is known of each worker, by name."""
    return [
        _body(worker_id, joined.get(worker_id), present.get(worker_id)) for worker_id in sorted({*joined, *present})
    ]


def _body(worker_id: WorkerId, worker: Worker | None, said: Presence | None) -> FleetWorkerBody:
    devices = said.devices if said is not None and said.devices else worker.devices if worker is not None else ()
    return FleetWorkerBody(
        id=worker_id,
        state=_state(said),
        reason=said.reason if said is not None else "",
        runtime=worker.runtime if worker is not None else "",
        version=worker.version if worker is not None else "",
        labels=dict(worker.labels) if worker is not None else {},
        devices=[dict(device) for device in devices],
        jobs=[lease.job_id for lease in said.leases] if said is not None else [],
        joined_at=worker.joined_at if worker is not None else None,
    )


def _state(said: Presence | None) -> State:
    if said is None:
        return "away"
    if said.draining:
        return "draining"
    if said.leases:
        return "busy"
    return "ready" if said.ready else "starting"
