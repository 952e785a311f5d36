"""What went wrong with a job, or keeps its workflow from running again, for people to read. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from fireside.domain.errors import BadRequest
from fireside.domain.jobs import Job, JobState
from fireside.graphs.errors import InvalidGraph
from fireside.server.pages.job_cards import object_of, text_of

_MOST_FAULTS = 5
_MOST_TRACEBACK = 20_000
_EXPIRED = "It waited too long in the queue and has expired."
_UNSAID = "The worker has not said why."


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorView:
    """An error: in which node, what, and where in its code."""

    node_id: str
    node_type: str
    kind: str
    message: str
    traceback: str


def error_view_of(job: Job) -> ErrorView | None:
    """Show what a job failed of; None for any other."""
    if job.state not in (JobState.FAILED, JobState.EXPIRED):
        return None
    error = object_of(job.error)
    lines = error.get("traceback")
    traceback = "".join(_line(line) for line in cast("list[Any]", lines)) if isinstance(lines, list) else ""
    unsaid = _EXPIRED if job.state is JobState.EXPIRED else _UNSAID
    return ErrorView(
        node_id=text_of(error, "node_id"),
        node_type=text_of(error, "node_type"),
        kind=text_of(error, "exception_type"),
        message=text_of(error, "exception_message").strip() or unsaid,
        traceback=traceback[:_MOST_TRACEBACK].strip("\n"),
    )


def why_not(error: InvalidGraph) -> BadRequest:
    """Say in one text why a workflow does not run, node by node."""
    faults = [
        f"{_named(node_id, node)}: {fault}" for node_id, node in error.node_errors.items() for fault in _faults(node)
    ]
    told = "; ".join(faults[:_MOST_FAULTS]) or error.details
    return BadRequest(f"The workflow does not run any more. {error.message}{f': {told}' if told else ''}")


def _line(line: Any) -> str:
    text = str(line)
    return text if text.endswith("\n") else f"{text}\n"


def _named(node_id: str, node: Any) -> str:
    kind = cast("Mapping[str, Any]", node).get("class_type") if isinstance(node, Mapping) else None
    return f"{kind} ({node_id})" if isinstance(kind, str) else f"node {node_id}"


def _faults(node: Any) -> list[str]:
    listed = cast("Mapping[str, Any]", node).get("errors") if isinstance(node, Mapping) else None
    faults = cast("list[Any]", listed) if isinstance(listed, list) else []
    return [_fault(cast("dict[str, Any]", fault)) for fault in faults if isinstance(fault, dict)]


def _fault(fault: dict[str, Any]) -> str:
    message, details = text_of(fault, "message"), text_of(fault, "details")
    return f"{message} ({details})" if message and details else message or details
