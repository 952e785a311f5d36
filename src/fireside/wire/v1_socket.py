"""The messages of the websocket `/ws`: text frames `{"type", "data"}` and binary previews.

They are ComfyUI's own. Times are Unix milliseconds, node ids are texts, and every message about a job names it in
`prompt_id`. Numbers in binary frames are unsigned, of four bytes, big-endian.
"""

import struct
from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from fireside.wire.live import TaskWord

_PREVIEW = 1
_TEXT = 3
_PREVIEW_WITH_METADATA = 4
_FORMATS = {"image/jpeg": 1, "image/png": 2}
_TWO_NUMBERS = struct.Struct(">II")
_MOST_WHOLE = 2**53
"""Up to here every whole number is a float too."""
_encoder = msgspec.json.Encoder()


class SocketMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The data of a text frame of the type `kind`."""

    kind: ClassVar[str]


class QueueInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the user's jobs wait or run."""

    queue_remaining: int


class StatusInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the user's queue."""

    exec_info: QueueInfo


class StatusMessage(SocketMessage, frozen=True, kw_only=True, omit_defaults=True):
    """The queue has changed; `sid` names the socket, in its first message alone."""

    kind = "status"
    status: StatusInfo
    sid: str | None = None


class ExecutionStartMessage(SocketMessage, frozen=True, kw_only=True):
    """The job runs."""

    kind = "execution_start"
    prompt_id: UUID
    timestamp: int


class ExecutionCachedMessage(SocketMessage, frozen=True, kw_only=True):
    """These nodes need not run; always told, right after the start."""

    kind = "execution_cached"
    nodes: tuple[str, ...]
    prompt_id: UUID
    timestamp: int


class ExecutingMessage(SocketMessage, frozen=True, kw_only=True):
    """A node is about to run; the last one of a job has the node null and no `display_node`."""

    kind = "executing"
    node: str | None
    display_node: str | msgspec.UnsetType = msgspec.UNSET
    prompt_id: UUID


class ProgressMessage(SocketMessage, frozen=True, kw_only=True):
    """A node's own step counter."""

    kind = "progress"
    value: float
    max: float
    prompt_id: UUID
    node: str

    def __post_init__(self) -> None:
        """Tell whole numbers as ComfyUI does, without a fraction."""
        _make_whole(self)


class NodeProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a node is; `state` is running, finished or error."""

    value: float
    max: float
    state: str
    node_id: str
    prompt_id: UUID
    display_node_id: str
    parent_node_id: str | None
    real_node_id: str
    class_type: str

    def __post_init__(self) -> None:
        """Tell whole numbers as ComfyUI does, without a fraction."""
        _make_whole(self)


class ProgressStateMessage(SocketMessage, frozen=True, kw_only=True):
    """All nodes that are not pending any more."""

    kind = "progress_state"
    prompt_id: UUID
    nodes: Mapping[str, NodeProgress]


class ExecutedMessage(SocketMessage, frozen=True, kw_only=True):
    """A node has shown something."""

    kind = "executed"
    node: str
    display_node: str
    output: Mapping[str, Any]
    prompt_id: UUID


class ExecutionSuccessMessage(SocketMessage, frozen=True, kw_only=True):
    """The job is done."""

    kind = "execution_success"
    prompt_id: UUID
    timestamp: int


class ExecutionErrorMessage(SocketMessage, frozen=True, kw_only=True):
    """The job has failed; the node's texts are empty when it was not a node."""

    kind = "execution_error"
    prompt_id: UUID
    node_id: str
    node_type: str
    executed: tuple[str, ...]
    exception_message: str
    exception_type: str
    traceback: tuple[str, ...]
    current_inputs: Mapping[str, Any]
    current_outputs: Mapping[str, Any]
    timestamp: int


class ExecutionInterruptedMessage(SocketMessage, frozen=True, kw_only=True):
    """The job was canceled, before or while it ran; the node is null when none ran."""

    kind = "execution_interrupted"
    prompt_id: UUID
    node_id: str | None
    node_type: str | None
    executed: tuple[str, ...]
    timestamp: int


class AssetDownloadMessage(SocketMessage, frozen=True, kw_only=True, omit_defaults=True):
    """How far a file is that is fetched from a URL; `progress` is in percent, zero while the size is not known."""

    kind = "asset_download"
    task_id: UUID
    asset_name: str
    bytes_total: int
    bytes_downloaded: int
    progress: float
    status: TaskWord
    asset_id: UUID | None = None
    error: str | None = None


class PreviewMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a preview with metadata says of itself; `image_type` is its content type."""

    node_id: str
    prompt_id: UUID
    display_node_id: str
    parent_node_id: str | None
    real_node_id: str
    image_type: str


class ClientFlags(msgspec.Struct, frozen=True, kw_only=True, tag="feature_flags"):
    """What a client can do, as its first message may tell; without data, nothing more than others."""

    data: Mapping[str, Any] = {}

    @property
    def supports_preview_metadata(self) -> bool:
        """Whether previews may come with metadata; only a plain true says so."""
        return self.data.get("supports_preview_metadata") is True


def encode_message(message: SocketMessage) -> str:
    """Encode a text frame."""
    return encode_text_frame(message.kind, message)


def encode_text_frame(kind: str, data: msgspec.Struct) -> str:
    """Encode a text frame whose data is a body of another dialect's page, such as the server's features."""
    return _encoder.encode({"type": kind, "data": data}).decode()


def encode_preview(mime: str, picture: bytes) -> bytes:
    """Encode a preview for clients that know nothing of metadata."""
    return _TWO_NUMBERS.pack(_PREVIEW, _FORMATS.get(mime, _FORMATS["image/jpeg"])) + picture


def encode_text(node_id: str, text: str) -> bytes:
    """Encode what a node says of its work.

    Without the id of its job, which clients read only where the server says `supports_progress_text_metadata`.
    """
    node = node_id.encode()
    return _TWO_NUMBERS.pack(_TEXT, len(node)) + node + text.encode("utf-8", "replace")


def encode_preview_with_metadata(metadata: PreviewMetadata, picture: bytes) -> bytes:
    """Encode a preview that says which node of which job it is of."""
    head = _encoder.encode(metadata)
    return _TWO_NUMBERS.pack(_PREVIEW_WITH_METADATA, len(head)) + head + picture


def decode_client_flags(text: str) -> ClientFlags | None:
    """Decode what a client says of itself; None for any other message, whatever it is."""
    try:
        return msgspec.json.decode(text, type=ClientFlags)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _make_whole(steps: ProgressMessage | NodeProgress) -> None:
    for name in ("value", "max"):
        number: float = getattr(steps, name)
        if abs(number) <= _MOST_WHOLE and number == int(number):
            msgspec.structs.force_setattr(steps, name, int(number))
