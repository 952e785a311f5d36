"""The queue over the Cloud API v1: what waits and what runs, taking jobs out of it, and interrupting those that run."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import BadRequest, NotFound
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Job
from fireside.jobs.cancel import cancel_job
from fireside.jobs.desk import Desk
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.reading import decode_json, read_body, read_bytes
from fireside.server.routes import Answer, Route
from fireside.server.v1.rendering import MILLISECOND, STATUSES, job_ids_of, unix_time
from fireside.store.records import JobBody
from fireside.store.store import Store
from fireside.wire.refusals import RefusalBody
from fireside.wire.v1_queue import (
    ChangeQueueBody,
    InterruptBody,
    QueueBody,
    QueueChangedBody,
    QueueItem,
    QueueMetaBody,
)

Item = TypeVar("Item")

MAX_LISTED = 500
MAX_GRAPH_BYTES = 64 * 1024 * 1024
"""What each list of the queue shows at most: every job comes with its whole graph."""

_INTERRUPT_BYTES = 64 * 1024
_CANCELED_AT_ONCE = 100
_READ_AT_ONCE = 25


class _AnyId(msgspec.Struct, frozen=True):
    prompt_id: Any = None


async def show_queue(request: Request) -> Response:
    """Show the jobs that run and those that wait, the next to run first; of each the first 500, or 64 MiB of graphs."""
    running, pending = await queue_of(request, _item)
    return json_answer(QueueBody(queue_running=running, queue_pending=pending))


async def queue_of(request: Request, item: Callable[[int, Job, JobBody], Item]) -> tuple[list[Item], list[Item]]:
    """Give what runs and what waits of the caller's jobs, each as `item` writes it from its place, counted from 1."""
    store = services_of(request).store
    active = await store.active_jobs(user_of(request).id)
    running = (job for job in active if STATUSES[job.state] == "in_progress")
    pending = (job for job in active if STATUSES[job.state] == "pending")
    return await _items(store, running, item), await _items(store, pending, item)


async def change_queue(request: Request) -> Response:
    """Cancel the jobs that are named, and with `clear` all that wait; ids that are not the caller's are passed over."""
    desk, user_id = services_of(request).desk, user_of(request).id
    wanted = await read_body(request, ChangeQueueBody)
    canceled = await _cancel_all(desk, user_id, await _own(desk, user_id, wanted.delete))
    if wanted.clear:
        active = await desk.store.active_jobs(user_id)
        canceled += await _cancel_all(desk, user_id, [job.id for job in active if STATUSES[job.state] == "pending"])
    return json_answer(QueueChangedBody(deleted=[str(job_id) for job_id in canceled], cleared=wanted.clear))


async def interrupt(request: Request) -> Response:
    """Cancel the job that is named, or all of the caller's that workers work on; there may be none."""
    desk, user_id = services_of(request).desk, user_of(request).id
    named = await _named(request)
    if named:
        await _cancel_all(desk, user_id, await _own(desk, user_id, [named]))
    else:
        held = [held.job for held in await desk.store.held_jobs()]
        await _cancel_all(desk, user_id, [job.id for job in _worked_on(held) if job.user_id == user_id])
    return Response()


def _worked_on(held: Iterable[Job]) -> Iterator[Job]:
    """Give the jobs that run, and of each worker that runs none the one it has had longest; others are made ready."""
    of_workers: dict[WorkerId | None, list[Job]] = {}
    for job in held:
        of_workers.setdefault(job.worker_id, []).append(job)
    for jobs in of_workers.values():
        running = [job for job in jobs if STATUSES[job.state] == "in_progress"]
        yield from running or [min(jobs, key=lambda job: job.changed_at)]


async def _items(store: Store, jobs: Iterable[Job], item: Callable[[int, Job, JobBody], Item]) -> list[Item]:
    shown, items, size_bytes = list(islice(jobs, MAX_LISTED)), list[Item](), 0
    for start in range(0, len(shown), _READ_AT_ONCE):
        some = shown[start : start + _READ_AT_ONCE]
        bodies = await store.job_bodies([job.id for job in some])
        # A job that was removed meanwhile has no body any more.
        for job, body in ((job, bodies[job.id]) for job in some if job.id in bodies):
            size_bytes += len(body.graph)
            if size_bytes > MAX_GRAPH_BYTES:
                return items
            items.append(item(len(items) + 1, job, body))
    return items


def _item(place: int, job: Job, body: JobBody) -> QueueItem:
    about = QueueMetaBody(create_time=unix_time(job.created_at, MILLISECOND))
    return place, str(job.id), msgspec.Raw(body.graph), list(body.outputs), about


async def _own(desk: Desk, user_id: UserId, texts: Iterable[str]) -> Sequence[JobId]:
    """Give those of the ids that are the user's jobs."""
    return [job.id for job in await desk.store.jobs(job_ids_of(texts), user_id=user_id)]


async def _cancel_all(desk: Desk, user_id: UserId, job_ids: Sequence[JobId]) -> list[JobId]:
    canceled: list[JobId] = []
    for start in range(0, len(job_ids), _CANCELED_AT_ONCE):
        some = job_ids[start : start + _CANCELED_AT_ONCE]
        done = await asyncio.gather(*(_cancel(desk, user_id, job_id) for job_id in some))
        canceled += [job_id for job_id, is_done in zip(some, done, strict=True) if is_done]
    return canceled


async def _cancel(desk: Desk, user_id: UserId, job_id: JobId) -> bool:
    try:
        return await cancel_job(desk, user_id, job_id)
    except NotFound:  # it ended and was removed from the history meanwhile
        return False


async def _named(request: Request) -> str | None:
    """Read which job is meant; small clients send all sorts of bodies with this, and none of them is refused."""
    content = await read_bytes(request, _INTERRUPT_BYTES)
    try:
        job_id = decode_json(content, _AnyId).prompt_id
    except BadRequest:
        return None
    # Whatever else than a text was sent as an id, it did not mean everything that runs.
    return str(job_id) if job_id else None


_MALFORMED = Answer(text="The body is not as it should be", body=RefusalBody)
_TOO_LARGE = Answer(text="The body is too large", body=RefusalBody)

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/queue",
        handler=show_queue,
        name="getQueueInfo",
        text="Show what runs and what waits",
        tag="job",
        answers={200: Answer(text="The queue", body=QueueBody)},
    ),
    Route(
        method="POST",
        path="/api/queue",
        handler=change_queue,
        name="manageQueue",
        text="Cancel jobs, or all that wait",
        tag="job",
        body=ChangeQueueBody,
        answers={
            200: Answer(text="What was canceled", body=QueueChangedBody),
            400: _MALFORMED,
            413: _TOO_LARGE,
        },
    ),
    Route(
        method="POST",
        path="/api/interrupt",
        handler=interrupt,
        name="interruptJob",
        text="Cancel one job, or all that run",
        tag="job",
        body=InterruptBody,
        body_is_optional=True,
        answers={200: Answer(text="Done, also when there was nothing to do"), 413: _TOO_LARGE},
    ),
)
