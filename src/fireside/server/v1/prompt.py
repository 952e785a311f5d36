"""Submitting a workflow over the Cloud API v1, and how much of the caller's work has not ended.

The body is read leniently where the open-source server is (no content type, unknown fields, nulls for what is left
out) and refused where a value could only be a mistake. What is wrong with the graph itself is said by `graphs`.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import BadRequest, TooLarge
from fireside.graphs.errors import InvalidGraph, no_graph
from fireside.graphs.job_ids import parse_job_id
from fireside.jobs.submit import SECRET_NAMES, Submission, submit_job
from fireside.server.answers import json_answer
from fireside.server.callers import caller_of, services_of, user_of
from fireside.server.news import news_of
from fireside.server.reading import read_json
from fireside.server.routes import Answer, Refusal, Route
from fireside.store.store import DuplicateJob
from fireside.wire.refusals import PromptRefusalBody
from fireside.wire.requiring import wish_of
from fireside.wire.v1_prompt import MAX_NUMBER, ExecInfo, FiresideFields, PromptBody, PromptInfoBody, SubmittedBody

_USAGE_SOURCE = "comfy_usage_source"
_CONTAINERS = (dict, list)
_WORDS = {"true": True, "false": False}
_OURS = "create_time"
"""A field of `extra_data` that the server sets itself."""


async def submit(request: Request) -> Response:
    """Check a workflow in full and queue it; the answer comes when the job is on disk."""
    fields = await _read_fields(request)
    services = services_of(request)
    extra_data = _extra_data(request, fields, max_depth=services.config.max_graph_depth)
    ours = _ours(fields)
    submission = Submission(
        user=user_of(request),
        graph=_graph(fields),
        job_id=parse_job_id(fields.get("prompt_id")),
        extra_data=extra_data,
        number=_number(fields),
        front=_is_front(fields),
        client_id=_text(extra_data, "client_id"),
        workflow_id=_text(fields, "workflow_id"),
        targets=_targets(fields),
        wish=wish_of(ours.require),
        webhook_url=ours.webhook_url,
        reuse=ours.reuse,
        api_key_id=caller_of(request).key_id,
        traceparent=request.headers.get("traceparent"),
    )
    try:
        submitted = await submit_job(services.desk, submission)
    except DuplicateJob as error:
        raise _refusal("duplicate_prompt_id", error.message) from error
    job = submitted.job
    answer = json_answer(SubmittedBody(prompt_id=job.id, number=job.number, node_errors=dict(submitted.node_errors)))
    answer.background = news_of(services, submitted)
    return answer


async def show_prompt_info(request: Request) -> Response:
    """Say how many of the caller's jobs wait or run."""
    counts = await services_of(request).store.queue_counts(user_of(request).id)
    return json_answer(PromptInfoBody(exec_info=ExecInfo(queue_remaining=counts.queued + counts.held)))


async def _read_fields(request: Request) -> Mapping[str, Any]:
    try:
        body = await read_json(request)
    except BadRequest as error:
        raise _refusal("invalid_json", error.message) from error
    if not isinstance(body, dict):
        raise _refusal("invalid_json", "The body must be a JSON object")
    return cast("dict[str, Any]", body)


def _graph(fields: Mapping[str, Any]) -> Any:
    if "prompt" not in fields:
        raise no_graph()
    return fields["prompt"]


def _extra_data(request: Request, fields: Mapping[str, Any], *, max_depth: int) -> dict[str, Any]:
    client_id = _text(fields, "client_id")
    given = fields.get("extra_data", {})
    if not isinstance(given, dict):
        raise _invalid("extra_data must be an object")
    if _is_deeper(given, max_depth):
        raise TooLarge(f"extra_data is nested deeper than {max_depth} levels")
    extra_data = {name: value for name, value in cast("dict[str, Any]", given).items() if name != _OURS}
    for name in SECRET_NAMES:
        _text(extra_data, name)
    if client_id is not None:
        extra_data["client_id"] = client_id
    source = request.headers.get("comfy-usage-source")
    if source and _USAGE_SOURCE not in extra_data:
        extra_data[_USAGE_SOURCE] = source
    return extra_data


def _is_deeper(value: Any, levels: int) -> bool:
    # Level by level and without recursion, so that hostile nesting costs no stack.
    level: list[Any] = [value]
    for _ in range(levels):
        level = [child for container in level for child in _children(container) if isinstance(child, _CONTAINERS)]
        if not level:
            return False
    return True


def _children(container: Any) -> Iterable[Any]:
    return cast("dict[str, Any]", container).values() if isinstance(container, dict) else container


def _number(fields: Mapping[str, Any]) -> float | None:
    number = _converted(fields.get("number"))
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise _invalid("number must be a number")
    if not -MAX_NUMBER <= number <= MAX_NUMBER or math.isnan(number):
        raise _invalid(f"number must be between {-MAX_NUMBER} and {MAX_NUMBER}")
    return float(number)


def _converted(number: Any) -> Any:
    # ComfyUI makes a number of a text that is one.
    try:
        return float(number) if isinstance(number, str) else number
    except ValueError:
        return number


def _is_front(fields: Mapping[str, Any]) -> bool:
    front = fields.get("front")
    if isinstance(front, str):
        front = _WORDS.get(front)
    elif front is None:
        return False
    if front not in (True, False):  # as are 1 and 0
        raise _invalid("front must be true or false")
    return bool(front)


def _targets(fields: Mapping[str, Any]) -> list[str] | None:
    targets = fields.get("partial_execution_targets")
    if targets is None:
        return None
    if not isinstance(targets, list) or not all(isinstance(node, str) for node in cast("list[Any]", targets)):
        raise _invalid("partial_execution_targets must be a list of node ids, which are texts")
    return cast("list[str]", targets)


def _ours(fields: Mapping[str, Any]) -> FiresideFields:
    """Read `extra_data.fireside`, which is ours: what is not known there is a mistake."""
    extra_data = cast("Mapping[str, Any]", fields.get("extra_data", {}))
    try:
        return msgspec.convert(extra_data.get("fireside", {}), FiresideFields)
    except msgspec.ValidationError as error:
        raise _invalid(f"extra_data.fireside is not as it should be: {error}") from error


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if not isinstance(value, str | None):
        raise _invalid(f"{name} must be a text")
    return value or None


def _invalid(message: str) -> InvalidGraph:
    return _refusal("invalid_request", message)


def _refusal(kind: str, message: str) -> InvalidGraph:
    return InvalidGraph(kind, message, details=message)


_REFUSED = PromptRefusalBody

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/prompt",
        handler=submit,
        name="executePrompt",
        text="Submit a workflow",
        tag="workflow",
        refusal=Refusal.PROMPT,
        body=PromptBody,
        answers={
            200: Answer(text="The job is queued", body=SubmittedBody),
            400: Answer(text="The workflow cannot run, or the request is not as it should be", body=_REFUSED),
            402: Answer(text="A monthly quota of the caller is used up", body=_REFUSED),
            413: Answer(text="The body or the workflow is too large", body=_REFUSED),
            429: Answer(
                text="As many of the caller's jobs wait as may; Retry-After says when to come back", body=_REFUSED
            ),
            503: Answer(text="No worker was ever here, or the disk is full", body=_REFUSED),
        },
    ),
    Route(
        method="GET",
        path="/api/prompt",
        handler=show_prompt_info,
        name="getPromptInfo",
        text="Say how many of the caller's jobs have not ended",
        tag="workflow",
        answers={200: Answer(text="How many", body=PromptInfoBody)},
    ),
)
