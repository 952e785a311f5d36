"""What ran a job: ComfyUI, node packs and packages of the worker of each attempt, so that a result can be traced.

A route of our own, because the published job detail has no place for it.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.routes import Answer, Route
from fireside.server.v1.rendering import job_id_of
from fireside.store.records import Attempt
from fireside.wire.refusals import RefusalBody
from fireside.wire.v1_snapshot import AttemptBody, JobSnapshotBody


async def show_snapshot(request: Request) -> Response:
    """Say what ran each attempt at a job."""
    services = services_of(request)
    job = await services.desk.job_of(user_of(request).id, job_id_of(str(request.path_params["job_id"])))
    attempts = await services.store.job_attempts(job.id)
    return json_answer(JobSnapshotBody(job_id=job.id, attempts=[_body_of(one) for one in attempts]))


def _body_of(attempt: Attempt) -> AttemptBody:
    return AttemptBody(
        attempt=attempt.attempt,
        worker=attempt.worker_id,
        assigned_at=attempt.assigned_at,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        outcome=attempt.outcome,
        snapshot=None if attempt.snapshot is None else msgspec.json.decode(attempt.snapshot),
    )


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/jobs/{job_id}/snapshot",
        handler=show_snapshot,
        name="getJobSnapshot",
        text="Say what ran a job: versions, node packs and packages of the worker of each attempt",
        tag="job",
        answers={
            200: Answer(text="The attempts, the first one first", body=JobSnapshotBody),
            404: Answer(text="The caller has no such job", body=RefusalBody),
        },
    ),
)
