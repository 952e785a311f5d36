"""What went wrong, told from what was said: memory, disk, the graph itself, or ComfyUI as a whole. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fireside.runtimes.base import Failed, NodeOutput
from fireside.runtimes.comfyui.connection import Refusal
from fireside.runtimes.comfyui.messages import NodeErrors, PromptAnswer

OUT_OF_MEMORY = "OOMError"
# torch.OutOfMemoryError, torch.cuda.OutOfMemoryError, DefaultCPUAllocator's RuntimeError, CUDA's own words, ComfyUI's.
_MEMORY_TYPES = ("OutOfMemoryError", "MemoryError")
_MEMORY_WORDS = (
    "out of memory",
    "ran out of memory on your GPU",
    "DefaultCPUAllocator: can't allocate memory",
    "not enough memory: you tried to allocate",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
_DISK_WORDS = ("[Errno 28]", "No space left on device", "[Errno 122]", "Disk quota exceeded")
_REFUSED = "ValidationError"


def is_out_of_memory(failed: Failed) -> bool:
    """Whether the same run may succeed when memory is freed first."""
    kind, message = failed.exception_type, failed.exception_message
    return kind.endswith(_MEMORY_TYPES) or any(words.lower() in message.lower() for words in _MEMORY_WORDS)


def out_of_memory(failed: Failed) -> Failed:
    """Name the failure as clients know it, keeping ComfyUI's words."""
    return replace(failed, exception_type=OUT_OF_MEMORY)


def is_disk_full(failed: Failed) -> bool:
    """Whether a node could not write for want of room."""
    return any(words in failed.exception_message for words in _DISK_WORDS)


def disk_full(failed: Failed) -> Failed:
    """Say that it is the machine's fault, not the graph's."""
    message = "The disk that ComfyUI writes to is full; what the run had left there was removed. "
    return replace(failed, exception_message=message + failed.exception_message, is_breakdown=True)


def refused(refusal: Refusal, graph: Mapping[str, Any]) -> Failed:
    """Give ComfyUI's refusal of a graph, at the first node that it blames."""
    errors = _node_errors(refusal.answer)
    message = _words_of(errors)
    if not message:
        error = refusal.answer.error
        message = str(error) if error else f"ComfyUI answered {refusal.status}: {refusal.text}"
    return _refused_at(errors, message, graph)


def left_out(answer: PromptAnswer, graph: Mapping[str, Any]) -> Failed | None:
    """Give the failure of those outputs that ComfyUI has left out of a graph it took; None when it took all."""
    errors = _node_errors(answer)
    return _refused_at(errors, _words_of(errors), graph) if errors else None


def lost_files(lost: list[tuple[NodeOutput, str]], graph: Mapping[str, Any]) -> Failed:
    """Give the failure of a run whose outputs name files that cannot be had, or not be kept."""
    event, _ = lost[0]
    entry: Mapping[str, Any] = graph.get(event.node_id) or graph.get(event.display_node_id) or {}
    return Failed(
        node_id=event.node_id,
        node_type=str(entry.get("class_type", "")),
        exception_type="FileNotFoundError",
        exception_message="\n".join(message for _, message in lost),
    )


def _node_errors(answer: PromptAnswer) -> Mapping[str, NodeErrors]:
    # An empty one may be a list.
    return answer.node_errors if isinstance(answer.node_errors, dict) else {}


def _words_of(errors: Mapping[str, NodeErrors]) -> str:
    lines = [
        f"{entry.class_type} {node_id}: {complaint}" for node_id, entry in errors.items() for complaint in entry.errors
    ]
    return "\n".join(lines)


def _refused_at(errors: Mapping[str, NodeErrors], message: str, graph: Mapping[str, Any]) -> Failed:
    node_id = next(iter(errors), "")
    node_type = errors[node_id].class_type if node_id else ""
    return Failed(
        node_id=node_id,
        node_type=node_type or str(graph.get(node_id, {}).get("class_type", "")),
        exception_type=_REFUSED,
        exception_message=message,
    )
