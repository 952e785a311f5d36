"""Saved workflows, each an endpoint: listed, shown, described for programs, declared, and run by name.

A workflow's name is one segment of the address, its slashes percent-encoded; behind a proxy that decodes addresses,
several segments are a name too. What is not there, is somebody else's, or cannot be by its name, is not found.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import InvalidCursor, NotFound, TooLarge, Unavailable
from fireside.domain.user_files import UserFile
from fireside.graphs.errors import InvalidGraph
from fireside.graphs.interface.declared import read_interface
from fireside.graphs.interface.faults import InvalidInterface
from fireside.graphs.interface.saved import Declared
from fireside.jobs.named_runs import named_submission, open_with, open_workflow
from fireside.jobs.saved_workflows import name_of
from fireside.jobs.submit import submit_job
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.news import news_of
from fireside.server.reading import read_json, read_query
from fireside.server.routes import Answer, Refusal, Route
from fireside.server.services import Services
from fireside.server.v2 import jobs as v2_jobs
from fireside.server.v2.submits import read_named_call
from fireside.server.v2.workflow_openapi import workflow_document
from fireside.server.v2.workflow_rendering import WORKFLOWS, listed, shown
from fireside.wire.refusals import EnvelopeBody
from fireside.wire.v2_interfaces import InterfaceBody
from fireside.wire.v2_jobs import JobBody
from fireside.wire.v2_workflows import (
    ListedWorkflowBody,
    RunQuery,
    SavedWorkflowBody,
    WorkflowsBody,
    WorkflowsQuery,
)

_CREATED = 201
_MOST_DECLARED_BYTES = 256 * 1024
_TRIES = 3
_LONGEST_CURSOR = 4096
_OPENAPI, _INTERFACE, _JOBS = "openapi.json", "interface", "jobs"


async def list_workflows(request: Request) -> Response:
    """List the caller's saved workflows by name."""
    services, query = services_of(request), read_query(request, WorkflowsQuery)
    files = await services.workflows.page(user_of(request).id, _after(query.cursor), limit=query.limit + 1)
    page = files[: query.limit]
    cursor = _cursor(name_of(page[-1])) if len(files) > len(page) else None
    return json_answer(WorkflowsBody(workflows=[await _listed(services, one) for one in page], next_cursor=cursor))


async def show_workflow(request: Request) -> Response:
    """Show a workflow with what it takes and gives by name."""
    services = services_of(request)
    name = "/".join(_segments(request))
    return json_answer(shown(await open_workflow(services.desk, services.workflows, user_of(request).id, name)))


async def describe_workflow(request: Request) -> Response:
    """Describe a workflow's endpoint for programs; one whose declaration does not fit has none."""
    if _segments(request)[-1] != _OPENAPI:
        return await show_workflow(request)
    services = services_of(request)
    opened = await open_workflow(services.desk, services.workflows, user_of(request).id, _name(request, _OPENAPI))
    if opened.signature.faults:
        raise InvalidInterface(opened.signature.faults)
    others = [route for route in v2_jobs.ROUTES if route.name in ("getJobV2", "cancelJobV2")]
    return json_answer(workflow_document(opened, _RUN, others, server_url=services.public_url))


async def declare(request: Request) -> Response:
    """Declare beside the file what its workflow takes and gives; everything that is wrong with it is told at once."""
    services, user = services_of(request), user_of(request)
    name = _name(request, _INTERFACE)
    interface, faults = read_interface(await read_json(request, _MOST_DECLARED_BYTES))
    for _ in range(_TRIES):
        file = await services.workflows.find(user.id, name)
        saved = await services.workflows.read(file)
        declared = Declared(interface=interface, source="request", faults=tuple(faults))
        opened = await open_with(services.desk, file, saved, declared)
        if opened.signature.faults:
            raise InvalidInterface(opened.signature.faults)
        if await services.store.set_interface(file, msgspec.json.encode(interface)) is not None:
            return json_answer(shown(opened))
    raise Unavailable("The workflow is being saved all the time; try again.", retry_after=1)


async def withdraw(request: Request) -> Response:
    """Forget what was declared beside the file; what the file declares itself holds again."""
    services, user = services_of(request), user_of(request)
    name = _name(request, _INTERFACE)
    for _ in range(_TRIES):
        if await services.store.set_interface(await services.workflows.find(user.id, name), None) is not None:
            return Response(status_code=204)
    raise Unavailable("The workflow is being saved all the time; try again.", retry_after=1)


async def run_workflow(request: Request) -> Response:
    """Run a workflow with the inputs in the body; the answer comes when the job is on disk."""
    services, user = services_of(request), user_of(request)
    name = _name(request, _JOBS)
    wanted, given = await read_named_call(request, user)
    submission = await named_submission(services.desk, services.workflows, wanted, name, given)
    submitted = await submit_job(services.desk, submission)
    shown = await v2_jobs.show(services, user, submitted.job, explained=submitted.reused is not None)
    answer = json_answer(shown, _CREATED)
    answer.background = news_of(services, submitted)
    return answer


async def _listed(services: Services, file: UserFile) -> ListedWorkflowBody:
    try:
        return listed(file, await services.workflows.read(file), None)
    except (InvalidGraph, TooLarge, NotFound) as error:
        return listed(file, None, error.message)


def _segments(request: Request) -> Sequence[str]:
    """Take apart what is behind the prefix, each segment decoded for itself."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    _, _, named = raw.partition(f"{WORKFLOWS}/".encode())
    try:
        return [unquote(segment.decode("ascii"), errors="strict") for segment in named.split(b"/")]
    except UnicodeError as error:
        raise NotFound("The name in the address is not UTF-8, percent-encoded.") from error


def _name(request: Request, last: str) -> str:
    *name, behind = _segments(request)
    if not name or behind != last:
        # An encoded slash: the address is that of a workflow whose own name ends so, and not of a part of another.
        raise NotFound(f"There is nothing at {request.url.path}.")
    return "/".join(name)


def _cursor(name: str) -> str:
    return urlsafe_b64encode(name.encode()).rstrip(b"=").decode()


def _after(cursor: str) -> str:
    try:
        if len(cursor) > _LONGEST_CURSOR:
            raise ValueError
        name = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode()
        if not name.isprintable() or _cursor(name) != cursor:
            raise ValueError
    except ValueError as error:
        raise InvalidCursor("This is no cursor of this list; take the next_cursor of the page before.") from error
    return name


_NOT_FOUND = Answer(text="The caller has no such workflow", body=EnvelopeBody)
_UNFIT = Answer(text="The file is no workflow, or no worker has its nodes", body=EnvelopeBody)
_NO_NODES = Answer(text="No worker was ever here", body=EnvelopeBody)

_RUN = Route(
    method="POST",
    path=f"{WORKFLOWS}/{{name:path}}/{_JOBS}",
    handler=run_workflow,
    name="runWorkflow",
    text="Run a saved workflow with the inputs in the body",
    tag="workflows",
    refusal=Refusal.ENVELOPE,
    query=RunQuery,
    body=dict[str, Any],
    body_is_optional=True,
    answers={
        201: Answer(text="The job is queued", body=JobBody),
        400: Answer(text="The body is no JSON, or the Idempotency-Key is none", body=EnvelopeBody),
        404: _NOT_FOUND,
        413: Answer(text="The body or the workflow is too large", body=EnvelopeBody),
        422: Answer(
            text="Inputs are not as they should be, the declaration does not fit, the workflow cannot run, or the key "
            "was used",
            body=EnvelopeBody,
        ),
        429: Answer(text="Too much waits; Retry-After says when to come back", body=EnvelopeBody),
        503: Answer(text="No worker was ever here, or the disk is full", body=EnvelopeBody),
    },
)

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path=WORKFLOWS,
        handler=list_workflows,
        name="listWorkflows",
        text="List the caller's saved workflows, by name",
        tag="workflows",
        refusal=Refusal.ENVELOPE,
        query=WorkflowsQuery,
        answers={
            200: Answer(text="A page of them", body=WorkflowsBody),
            400: Answer(text="A parameter is not as it should be", body=EnvelopeBody),
        },
    ),
    _RUN,
    # Before the workflow itself, whose name it would be too.
    Route(
        method="GET",
        path=f"{WORKFLOWS}/{{name:path}}/{_OPENAPI}",
        handler=describe_workflow,
        name="describeWorkflow",
        text="Describe a saved workflow's endpoint as OpenAPI",
        tag="workflows",
        refusal=Refusal.ENVELOPE,
        answers={
            200: Answer(text="The OpenAPI document", body=dict[str, Any]),
            404: _NOT_FOUND,
            422: _UNFIT,
            503: _NO_NODES,
        },
    ),
    Route(
        method="PUT",
        path=f"{WORKFLOWS}/{{name:path}}/{_INTERFACE}",
        handler=declare,
        name="declareWorkflow",
        text="Declare what a saved workflow takes and gives by name",
        tag="workflows",
        refusal=Refusal.ENVELOPE,
        body=InterfaceBody,
        answers={
            200: Answer(text="The workflow with what it takes", body=SavedWorkflowBody),
            400: Answer(text="The body is no JSON", body=EnvelopeBody),
            404: _NOT_FOUND,
            413: Answer(text="The declaration is too large", body=EnvelopeBody),
            422: Answer(text="The declaration is not as it should be, or does not fit", body=EnvelopeBody),
            503: _NO_NODES,
        },
    ),
    Route(
        method="DELETE",
        path=f"{WORKFLOWS}/{{name:path}}/{_INTERFACE}",
        handler=withdraw,
        name="withdrawWorkflow",
        text="Forget what was declared beside a saved workflow",
        tag="workflows",
        refusal=Refusal.ENVELOPE,
        answers={204: Answer(text="Forgotten, or never declared"), 404: _NOT_FOUND},
    ),
    Route(
        method="GET",
        path=f"{WORKFLOWS}/{{name:path}}",
        handler=show_workflow,
        name="showWorkflow",
        text="Show a saved workflow with what it takes and gives by name",
        tag="workflows",
        refusal=Refusal.ENVELOPE,
        answers={
            200: Answer(text="The workflow", body=SavedWorkflowBody),
            404: _NOT_FOUND,
            422: _UNFIT,
            503: _NO_NODES,
        },
    ),
)
