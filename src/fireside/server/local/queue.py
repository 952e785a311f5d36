"""`GET /queue`: what runs and what waits, each as the five values that ComfyUI's queue holds."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.jobs import Job
from fireside.server.answers import json_answer
from fireside.server.routes import Answer, Route
from fireside.server.v1.queue import queue_of
from fireside.server.v1.rendering_details import extra_data_of
from fireside.store.records import JobBody
from fireside.wire.local import LocalPrompt, LocalQueueBody


async def show_queue(request: Request) -> Response:
    """Show what runs and what waits, the next to run first; as much of each as the queue below `/api` shows."""
    running, pending = await queue_of(request, _item)
    return json_answer(LocalQueueBody(queue_running=running, queue_pending=pending))


def local_prompt(job: Job, body: JobBody) -> LocalPrompt:
    """Write a job as ComfyUI keeps it: number, id, graph, extra data, and the nodes whose outputs are wanted."""
    return LocalPrompt(job.number, str(job.id), msgspec.Raw(body.graph), extra_data_of(job, body), list(body.outputs))


def _item(place: int, job: Job, body: JobBody) -> LocalPrompt:  # noqa: ARG001 - ComfyUI shows the number instead
    return local_prompt(job, body)


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/queue",
        handler=show_queue,
        name="getLocalQueue",
        text="Show what runs and what waits, as ComfyUI's queue holds it",
        tag="job",
        answers={200: Answer(text="The queue", body=LocalQueueBody)},
    ),
)
