"""Jobs over the API v2: submit, poll, list, cancel, and the graph behind one.

A job that is not there, is somebody else's, or cannot be by its name, is not found, everywhere alike.
"""

from collections.abc import Mapping, Sequence

import msgspec
from blake3 import blake3
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import User
from fireside.domain.errors import NotFound
from fireside.domain.ids import JobId, UserId
from fireside.domain.jobs import Job, JobState
from fireside.jobs.cancel import cancel_job
from fireside.jobs.named_runs import named_submission
from fireside.jobs.submit import submit_job
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.content import is_known
from fireside.server.news import news_of
from fireside.server.routes import JSON, Answer, Refusal, Route
from fireside.server.services import Services
from fireside.server.v1.rendering import job_id_of
from fireside.server.v2.progress import progress_of
from fireside.server.v2.rendering import body_of, has_outputs
from fireside.server.v2.submits import read_submission
from fireside.server.waiting import extras_of
from fireside.store.records import NamedRun
from fireside.wire.refusals import EnvelopeBody
from fireside.wire.v2_jobs import JobBody, SubmitBody, WorkflowBody

_CREATED = 201
_encoder = msgspec.json.Encoder()


async def submit(request: Request) -> Response:
    """Check a workflow, sent or saved, in full and queue it; the answer comes when the job is on disk."""
    services, user = services_of(request), user_of(request)
    submission, call = await read_submission(request, user)
    if call is not None:
        submission = await named_submission(services.desk, services.workflows, submission, call.workflow, call.inputs)
    submitted = await submit_job(services.desk, submission)
    answer = json_answer(await show(services, user, submitted.job, explained=submitted.reused is not None), _CREATED)
    answer.background = news_of(services, submitted)
    return answer


async def show_job(request: Request) -> Response:
    """Show a job as it is now; with the entity tag of what the caller has, only if it has changed."""
    services, user = services_of(request), user_of(request)
    content = _encoder.encode(await show(services, user, await job_of(request)))
    entity_tag = blake3(content).hexdigest(length=16)
    headers = {"ETag": f'"{entity_tag}"', "Cache-Control": "private, no-cache"}
    if is_known(request, entity_tag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=JSON, headers=headers)


async def show_workflow(request: Request) -> Response:
    """Give the graph that runs, as it was validated; credentials are no part of it."""
    job = await job_of(request)
    body = await services_of(request).store.job_body(job.id)
    if body is None:
        raise NotFound(f"there is no job {job.id}")
    return json_answer(WorkflowBody(workflow=msgspec.Raw(body.graph)))


async def cancel(request: Request) -> Response:
    """Cancel a job, and show it; one that is over stays as it is."""
    services, user = services_of(request), user_of(request)
    job_id = job_id_of(request.path_params["id"])
    await cancel_job(services.desk, user.id, job_id)
    return json_answer(await show(services, user, await services.desk.job_of(user.id, job_id)))


async def job_of(request: Request) -> Job:
    """Read the job that the path names; raises `NotFound`."""
    job_id = job_id_of(request.path_params["id"])
    return await services_of(request).desk.job_of(user_of(request).id, job_id)


async def show(services: Services, user: User, job: Job, *, explained: bool = True) -> JobBody:
    """Show a job with its outputs so far, its place and its progress, and `explained` why it waits."""
    assets = await services.store.job_assets(job.id) if has_outputs(job) else ()
    return body_of(
        services,
        job,
        assets,
        keep_days=keep_days_of(services, user),
        queue_position=(await queue_positions(services, user.id, [job])).get(job.id),
        progress=await progress_of(services, job),
        extras=await extras_of(services, job) if explained else None,
        named_run=(await named_runs(services, [job])).get(job.id),
    )


async def named_runs(services: Services, jobs: Sequence[Job]) -> Mapping[JobId, NamedRun]:
    """Read what those of the jobs run that were submitted by the name of a saved workflow; all such have its id."""
    return await services.store.named_runs([job.id for job in jobs if job.workflow_id is not None])


async def queue_positions(services: Services, user_id: UserId, jobs: Sequence[Job]) -> Mapping[JobId, int]:
    """Say where in their user's queue jobs wait, from 1 on; one that a worker has and has not begun is at its head."""
    places = {job.id: 1 for job in jobs if job.state is JobState.ASSIGNED}
    waiting = [job.id for job in jobs if job.state is JobState.QUEUED]
    return {**places, **await services.store.queue_places(user_id, waiting)} if waiting else places


def keep_days_of(services: Services, user: User) -> int:
    """Say for how many days the user's ended jobs are kept; 0: for ever."""
    return services.config.keep_days if user.keep_days is None else user.keep_days


NO_JOB = Answer(text="The caller has no such job", body=EnvelopeBody)
_BUSY = Answer(text="Too much waits; Retry-After says when to come back", body=EnvelopeBody)

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/v2/jobs",
        handler=submit,
        name="postJobs",
        text="Submit a workflow",
        tag="api v2",
        refusal=Refusal.ENVELOPE,
        body=SubmitBody,
        answers={
            201: Answer(text="The job is queued", body=JobBody),
            400: Answer(text="The body is no JSON, or the Idempotency-Key is none", body=EnvelopeBody),
            402: Answer(text="A monthly quota of the caller is used up", body=EnvelopeBody),
            404: Answer(text="The caller has no saved workflow of this name", body=EnvelopeBody),
            413: Answer(text="The body or the workflow is too large", body=EnvelopeBody),
            422: Answer(
                text="The workflow cannot run, a field or an input is not as it should be, or the key was used",
                body=EnvelopeBody,
            ),
            429: _BUSY,
            503: Answer(text="No worker was ever here, or the disk is full", body=EnvelopeBody),
        },
    ),
    Route(
        method="GET",
        path="/api/v2/jobs/{id}",
        handler=show_job,
        name="getJobV2",
        text="Show a job",
        tag="api v2",
        refusal=Refusal.ENVELOPE,
        answers={
            200: Answer(text="The job", body=JobBody),
            304: Answer(text="The caller has it already"),
            404: NO_JOB,
        },
    ),
    Route(
        method="GET",
        path="/api/v2/jobs/{id}/workflow",
        handler=show_workflow,
        name="getJobWorkflow",
        text="Give the graph behind a job",
        tag="api v2",
        refusal=Refusal.ENVELOPE,
        answers={200: Answer(text="The graph", body=WorkflowBody), 404: NO_JOB},
    ),
    Route(
        method="POST",
        path="/api/v2/jobs/{id}/cancel",
        handler=cancel,
        name="cancelJobV2",
        text="Cancel a job",
        tag="api v2",
        refusal=Refusal.ENVELOPE,
        answers={200: Answer(text="The job as it is now", body=JobBody), 404: NO_JOB},
    ),
)
