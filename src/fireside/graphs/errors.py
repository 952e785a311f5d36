"""What can be wrong with a whole submit; what is wrong with one node is in `problems`.

The types, messages and details are those of the open-source server, word by word, because editors and scripts show
and match them.
"""

from collections.abc import Collection, Mapping
from typing import Any

from fireside.domain.errors import BadRequest
from fireside.domain.workers import BYTES_PER_GB, WorkerProfile, WorkerWish, in_gb


class InvalidGraph(BadRequest):
    """A workflow that cannot run: `type` is the public name of the fault, `node_errors` says it node by node."""

    code = "invalid_graph"

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        details: str = "",
        extra_info: Mapping[str, Any] | None = None,
        node_errors: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.type = kind
        self.details = details
        self.extra_info = dict(extra_info or {})
        self.node_errors = dict(node_errors or {})

    def body(self) -> dict[str, Any]:
        """Give the error body of the Cloud API v1."""
        error = {
            "type": self.type,
            "message": self.message,
            "details": self.details,
            "extra_info": self.extra_info,
        }
        return {"error": error, "node_errors": self.node_errors}


class EditorFormat(InvalidGraph):
    """The workflow as the editor saves it, with `nodes` and `links`, where the API format is wanted."""

    code = "workflow_format_ui"

    def __init__(self) -> None:
        super().__init__(
            "workflow_format_ui",
            "This is a workflow as the editor saves it, not a graph that can run",
            details="Send it to POST /api/workflows/convert and submit what that answers, "
            "or export it from the editor with 'Export (API)'",
        )


def no_graph() -> InvalidGraph:
    """Refuse a submit that has no graph at all."""
    return InvalidGraph("no_prompt", "No prompt provided", details="No prompt provided")


def malformed(details: str) -> InvalidGraph:
    """Refuse a graph whose JSON has a shape that no server knows."""
    return InvalidGraph("invalid_prompt", "The prompt is malformed", details=details)


def missing_class(node_id: str, title: str | None) -> InvalidGraph:
    """Refuse a node that does not say what it is."""
    return InvalidGraph(
        "missing_node_type",
        f"Node '{title or f'ID #{node_id}'}' has no class_type. "
        "The workflow may be corrupted or a custom node is missing.",
        details=f"Node ID '#{node_id}'",
        extra_info={"node_id": node_id, "class_type": None, "node_title": title},
    )


def unknown_class(node_id: str, class_type: Any, title: str | None) -> InvalidGraph:
    """Refuse a node of a class that no worker has."""
    return InvalidGraph(
        "missing_node_type",
        f"Node '{title or class_type}' not found. The custom node may not be installed.",
        details=f"Node ID '#{node_id}'",
        extra_info={"node_id": node_id, "class_type": class_type, "node_title": title},
    )


def no_such_worker(wish: WorkerWish, known: Collection[WorkerProfile]) -> InvalidGraph:
    """Refuse a wish for labels and memory that no worker ever had."""
    asked = ", ".join(f"{name}={value}" for name, value in sorted(wish.labels.items()))
    labels = {label for one in known for label in one.labels.items()}
    have = ", ".join(f"{name}={value}" for name, value in sorted(labels)) or "none"
    message, details = f"the labels {asked}" if asked else "", f"The labels of the workers are: {have}"
    require: dict[str, Any] = dict(wish.labels)
    if wish.vram_bytes:
        message = " and ".join([*filter(None, [message]), f"{in_gb(wish.vram_bytes)} of VRAM"])
        details += f". The most VRAM of one is {in_gb(max((one.vram_bytes for one in known), default=0))}"
        require["vram_gb"] = wish.vram_bytes / BYTES_PER_GB
    together = " together" if len(require) > 1 or not wish.vram_bytes else ""
    return InvalidGraph(
        "no_such_worker",
        f"No worker has ever had {message}{together}",
        details=details,
        extra_info={"require": require},
    )


def no_outputs() -> InvalidGraph:
    """Refuse a graph in which nothing asks to be run."""
    return InvalidGraph("prompt_no_outputs", "Prompt has no outputs")


def outputs_failed(reasons: str, node_errors: Mapping[str, Any]) -> InvalidGraph:
    """Refuse a graph of which no output can be made."""
    return InvalidGraph(
        "prompt_outputs_failed_validation", "Prompt outputs failed validation", details=reasons, node_errors=node_errors
    )
