"""Converting a workflow that the editor saved into the graph that a submit takes; nothing of it is kept or run."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import Scope
from fireside.domain.errors import BadRequest
from fireside.graphs.editor.convert import Converted, convert_workflow
from fireside.graphs.errors import InvalidGraph
from fireside.jobs.conversion import surroundings_of
from fireside.server.answers import json_answer
from fireside.server.callers import services_of
from fireside.server.reading import read_json
from fireside.server.routes import Answer, Refusal, Route
from fireside.wire.refusals import PromptRefusalBody
from fireside.wire.v1_workflows import ConversionWarning, ConvertedBody, EditorWorkflowBody


async def convert(request: Request) -> Response:
    """Convert a workflow with the nodes that the fleet has."""
    try:
        workflow = await read_json(request)
    except BadRequest as error:
        raise InvalidGraph("invalid_json", error.message, details=error.message) from error
    services = services_of(request)
    converted = await asyncio.to_thread(convert_workflow, workflow, await surroundings_of(services.desk))
    return json_answer(_body(converted))


def _body(converted: Converted) -> ConvertedBody:
    warnings = [ConversionWarning(node_id=one.node_id, message=one.message) for one in converted.warnings]
    prompt: dict[str, Any] = converted.graph
    return ConvertedBody(prompt=prompt, warnings=warnings)


ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/workflows/convert",
        needs=Scope.READ,
        handler=convert,
        name="convertWorkflow",
        text="Convert a workflow of the editor's into API format",
        tag="workflow",
        refusal=Refusal.PROMPT,
        body=EditorWorkflowBody,
        answers={
            200: Answer(text="The graph, and what to know about it", body=ConvertedBody),
            400: Answer(text="This is no workflow of the editor's, or no worker has its nodes", body=PromptRefusalBody),
            413: Answer(text="The body or the workflow is too large", body=PromptRefusalBody),
            503: Answer(text="No worker was ever here", body=PromptRefusalBody),
        },
    ),
)
