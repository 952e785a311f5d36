"""The fleet as an admin sees it: what workers have said when they joined, and what they say now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

import fireside
from fireside.domain.ids import WorkerId
from fireside.domain.models import ModelOnItsWay
from fireside.domain.workers import Enrollment, Worker
from fireside.jobs.waiting import model_on_its_way
from fireside.server.answers import json_answer
from fireside.server.callers import services_of
from fireside.server.services import Services
from fireside.server.waiting import fetched_body
from fireside.wire.admin import FleetWorkerBody, WorkersBody
from fireside.wire.fleet import Presence

State = Literal["ready", "busy", "starting", "draining", "drained", "away"]
WORKER_STATES: tuple[State, ...] = get_args(State)
_BY_AN_ADMIN = "an admin lets it take no more jobs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What is remembered of workers."""

    joined: Mapping[WorkerId, Worker] = field(default_factory=dict[WorkerId, Worker])
    enrolled: Mapping[WorkerId, Enrollment] = field(default_factory=dict[WorkerId, Enrollment])
    removed: Collection[WorkerId] = ()
    drained: Collection[WorkerId] = ()


async def list_workers(request: Request) -> Response:
    """List the workers, also those that are away."""
    return json_answer(WorkersBody(workers=await read_fleet(services_of(request))))


async def read_fleet(services: Services) -> list[FleetWorkerBody]:
    """Give the workers, also those that are away."""
    store = services.store
    books = Books(
        joined={worker.id: worker for worker in await store.workers()},
        enrolled={one.worker_id: one for one in await store.enrollments()},
        removed={one.worker_id for one in await store.removed_workers()},
        drained=await store.drained_workers(),
    )
    return fleet_list(books, services.fleet.presences())


def fleet_list(books: Books, present: Mapping[WorkerId, Presence]) -> list[FleetWorkerBody]:
    """Put together what is known of each worker, by name."""
    # The last of all workers stays known after it was sent away, for what it could run.
    gone = {one for one in books.removed if one not in books.enrolled and one not in present}
    names = {*books.joined, *books.enrolled, *present} - gone
    return [_body(worker_id, books, present.get(worker_id)) for worker_id in sorted(names)]


def _body(worker_id: WorkerId, books: Books, said: Presence | None) -> FleetWorkerBody:
    worker, enrollment = books.joined.get(worker_id), books.enrolled.get(worker_id)
    devices = said.devices if said is not None and said.devices else worker.devices if worker is not None else ()
    is_drained = worker_id in books.drained
    return FleetWorkerBody(
        id=worker_id,
        state=_state(said, is_drained=is_drained),
        reason=(said.reason if said is not None else "") or (_BY_AN_ADMIN if is_drained else ""),
        runtime=worker.runtime if worker is not None else "",
        version=worker.version if worker is not None else "",
        labels=dict(worker.labels) if worker is not None else {},
        devices=[dict(device) for device in devices],
        jobs=[lease.job_id for lease in said.leases] if said is not None else [],
        joined_at=worker.joined_at if worker is not None else None,
        origin="own" if enrollment is None else "joined",
        fireside=fireside.__version__ if enrollment is None else enrollment.version,
        warm=list(said.warm) if said is not None and said.warm is not None else None,
        up_seconds=said.up_seconds if said is not None else None,
        enrolled_at=enrollment.enrolled_at if enrollment is not None else None,
        ready=ready_jobs(said) if said is not None else [],
        fetching=[fetched_body(one) for one in models_on_their_way(worker_id, said)] if said is not None else [],
    )


def ready_jobs(said: Presence) -> list[UUID]:
    """Give the jobs that a worker has made ready: those behind the one that it computes."""
    return [lease.job_id for lease in said.leases if lease not in said.finishing][1:]


def models_on_their_way(worker_id: WorkerId, said: Presence) -> list[ModelOnItsWay]:
    """Give the models that a worker fetches; each once, whatever jobs it is for."""
    return list({(one.folder, one.name): model_on_its_way(worker_id, one) for one in said.fetching}.values())


def _state(said: Presence | None, *, is_drained: bool) -> State:
    if said is None:
        return "away"
    if said.draining:
        return "draining"
    if is_drained:
        return "draining" if said.leases else "drained"
    if said.leases:
        return "busy"
    return "ready" if said.ready else "starting"
