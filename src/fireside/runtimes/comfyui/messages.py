"""What a ComfyUI says: the messages of its websocket and the bodies of its answers, as structs.

Read leniently, because node packs send messages of their own and versions differ: what is not known or not for us is
None, never an error. What a message means to a run is `translating`'s business.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any, cast

import msgspec

_WORD = struct.Struct(">I")
_PREVIEW = 1
_TEXT = 3
_PREVIEW_WITH_METADATA = 4
_PICTURE_TYPES = {1: "image/jpeg", 2: "image/png"}


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    prompt_id: str | None = None


class CachedMessage(_Message, frozen=True, kw_only=True):
    """`execution_cached`: the run begins, and these nodes' results are reused."""

    nodes: list[str | int] = []


class NodeStateEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One node of `progress_state`."""

    state: str = "running"
    value: float = 0.0
    max: float = 1.0
    display_node_id: str | int | None = None
    parent_node_id: str | int | None = None
    real_node_id: str | int | None = None


class StateMessage(_Message, frozen=True, kw_only=True):
    """`progress_state`: all nodes that are not pending."""

    nodes: dict[str, NodeStateEntry] = {}


class ExecutingMessage(_Message, frozen=True, kw_only=True):
    """`executing`: a node begins; with no node: the executor has put the run away."""

    node: str | int | None = None
    display_node: str | int | None = None


class ProgressMessage(_Message, frozen=True, kw_only=True):
    """`progress`: a node's own steps."""

    node: str | int | None = None
    value: float = 0.0
    max: float = 1.0


class ExecutedMessage(_Message, frozen=True, kw_only=True):
    """`executed`: a node shows something, or, without `output`, came from the cache with nothing to show."""

    node: str | int
    display_node: str | int | None = None
    output: dict[str, Any] | None = None


class SuccessMessage(_Message, frozen=True, kw_only=True):
    """`execution_success`."""


class ErrorMessage(_Message, frozen=True, kw_only=True):
    """`execution_error`."""

    node_id: str | int | None = None
    node_type: str | None = None
    exception_type: str = "Exception"
    exception_message: str = ""
    traceback: list[str] | str = []
    current_inputs: Any = None
    executed: list[str | int] = []


class InterruptedMessage(_Message, frozen=True, kw_only=True):
    """`execution_interrupted`."""

    node_id: str | int | None = None
    node_type: str | None = None
    executed: list[str | int] = []


class PreviewMessage(_Message, frozen=True, kw_only=True):
    """A binary frame with a picture; ComfyUIs without preview metadata do not say whose it is."""

    mime: str
    data: bytes
    node_id: str | None = None
    display_node_id: str | None = None


class TextMessage(_Message, frozen=True, kw_only=True):
    """A binary frame with what a node says of its work."""

    node_id: str
    text: str


class FeatureFlagsMessage(_Message, frozen=True, kw_only=True):
    """`feature_flags`: the answer to ours."""


Message = (
    CachedMessage
    | StateMessage
    | ExecutingMessage
    | ProgressMessage
    | ExecutedMessage
    | SuccessMessage
    | ErrorMessage
    | InterruptedMessage
    | PreviewMessage
    | TextMessage
    | FeatureFlagsMessage
)

_KINDS: Mapping[str, type[Message]] = {
    "execution_cached": CachedMessage,
    "progress_state": StateMessage,
    "executing": ExecutingMessage,
    "progress": ProgressMessage,
    "executed": ExecutedMessage,
    "execution_success": SuccessMessage,
    "execution_error": ErrorMessage,
    "execution_interrupted": InterruptedMessage,
    "feature_flags": FeatureFlagsMessage,
}


class HistoryStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended; `messages` are pairs of a websocket message's type and data."""

    status_str: str = ""
    completed: bool = False
    messages: list[tuple[str, dict[str, Any]]] = []


class HistoryMeta(msgspec.Struct, frozen=True, kw_only=True):
    """Whose output it is."""

    display_node: str | int | None = None


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What `/history/{prompt_id}` keeps of a run."""

    outputs: dict[str, dict[str, Any] | None] = {}
    meta: dict[str, HistoryMeta] = {}
    status: HistoryStatus | None = None


class NodeComplaint(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a node's inputs, or with the whole graph."""

    type: str = ""
    message: str = ""
    details: str = ""
    extra_info: Any = None

    def __str__(self) -> str:
        return f"{self.message}: {self.details}" if self.details else self.message


class NodeErrors(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a node, and which outputs are left out for it."""

    errors: list[NodeComplaint] = []
    dependent_outputs: list[str | int] = []
    class_type: str = ""


class PromptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /prompt`; with `error` it was refused. `node_errors` may stand in an acceptance too."""

    prompt_id: str | None = None
    error: NodeComplaint | str | None = None
    node_errors: dict[str, NodeErrors] | list[Any] = {}


def read_text(text: str) -> Message | None:
    """Read a text frame."""
    frame = loads(text)
    if not isinstance(frame, dict):
        return None
    whole = cast("dict[str, Any]", frame)
    return read_event(whole.get("type"), whole.get("data"))


def read_event(kind: Any, data: Any) -> Message | None:
    """Read what stands in a text frame, or in the messages of a history entry."""
    struct_type = _KINDS.get(kind) if isinstance(kind, str) else None
    if struct_type is None:
        return None
    try:
        return msgspec.convert(data, struct_type, strict=False)
    except msgspec.ValidationError:
        # An end in an odd shape is an end all the same.
        return _bare_end(struct_type, cast("dict[str, Any]", data)) if isinstance(data, dict) else None


def read_binary(frame: bytes) -> Message | None:
    """Read a binary frame: a preview with or without metadata, or a text; others are not for us."""
    try:
        (kind,) = _WORD.unpack_from(frame)
        (word,) = _WORD.unpack_from(frame, _WORD.size)
    except struct.error:
        return None
    body = frame[2 * _WORD.size :]
    if kind == _PREVIEW:
        return PreviewMessage(mime=_PICTURE_TYPES.get(word, "image/jpeg"), data=body)
    if kind == _PREVIEW_WITH_METADATA:
        return _read_preview(body[:word], body[word:])
    if kind == _TEXT and word <= len(body):
        return TextMessage(node_id=body[:word].decode(errors="replace"), text=body[word:].decode(errors="replace"))
    return None


def loads(text: str | bytes) -> Any:
    """Decode JSON as Python writes it: with NaN and infinities, which become null; None for what is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        pass
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


def _bare_end(struct_type: type[Message], data: Mapping[str, Any]) -> Message | None:
    prompt_id = data.get("prompt_id")
    if not isinstance(prompt_id, str):
        return None
    if struct_type is ErrorMessage:
        return ErrorMessage(prompt_id=prompt_id, exception_message=str(data.get("exception_message", data)))
    return InterruptedMessage(prompt_id=prompt_id) if struct_type is InterruptedMessage else None


def _read_preview(metadata: bytes, data: bytes) -> PreviewMessage | None:
    said = loads(metadata)
    if not isinstance(said, dict):
        return None
    known = cast("dict[str, Any]", said)
    node_id = known.get("node_id")
    return PreviewMessage(
        prompt_id=known.get("prompt_id"),
        mime=str(known.get("image_type") or "image/jpeg"),
        data=data,
        node_id=None if node_id is None else str(node_id),
        display_node_id=str(known.get("display_node_id") or node_id),
    )
