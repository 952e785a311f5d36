"""What listeners hear of a job while it lives: committed facts and live progress, as they travel on the bus.

Both travel on `live.<user>.<job>.<teller>`, and what is told of tasks on `live.<user>.tasks.server`. Facts are told by
the server after the commit they tell of; frames come from the worker and may be lost. A frame is a four-byte big-endian
length, that many bytes of JSON, and the bytes of a picture if there is one. Several frames without pictures may come in
one message, as a JSON list.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec

TaskWord = Literal["created", "running", "completed", "failed", "cancelled"]
EndState = Literal["succeeded", "failed", "canceled", "expired"]

_LENGTH = struct.Struct(">I")


class _Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    job_id: UUID
    at: float
    """Unix time in milliseconds."""
    fence: int
    """The job's fence as committed; what comes with a lower one is older."""


class JobQueued(_Fact, frozen=True, kw_only=True, tag="queued"):
    """A job was accepted, or came back to the queue from a worker."""


class JobAssigned(_Fact, frozen=True, kw_only=True, tag="assigned"):
    """A worker has the job, and does not run it yet."""


class JobStarted(_Fact, frozen=True, kw_only=True, tag="started"):
    """The job runs; frames of this worker under this fence are the ones to believe."""

    worker_id: str


class JobCanceling(_Fact, frozen=True, kw_only=True, tag="canceling"):
    """The job was told to stop, and runs until its worker has heard of it."""


class OutputAdded(_Fact, frozen=True, kw_only=True, tag="output"):
    """A node has shown something, and it can be read now."""

    node_id: str
    display_node_id: str
    output: dict[str, Any]


class JobEnded(_Fact, frozen=True, kw_only=True, tag="ended"):
    """The job is over, as the store shows already. `error` is the `execution_error` object of a failed one.

    `cached` are the nodes of one that never ran, because its outputs were there. `shown` is how many nodes have shown
    something: who has heard as many outputs need not look for others. None where that is not known. `outputs` are those
    that were recorded with the end, and are told by it alone.
    """

    state: EndState
    error: dict[str, Any] | None = None
    executed: tuple[str, ...] = ()
    node_id: str | None = None
    node_type: str | None = None
    cached: tuple[str, ...] = ()
    shown: int | None = None
    outputs: tuple[OutputAdded, ...] = ()


class TaskProgress(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="task"):
    """How far a task in the background is that fetches a file; the last one says how it ended."""

    task_id: UUID
    status: TaskWord
    asset_name: str
    bytes_total: int
    """Zero when the source does not say."""
    bytes_done: int
    asset_id: UUID | None = None
    error: str | None = None


Fact = JobQueued | JobAssigned | JobStarted | JobCanceling | OutputAdded | JobEnded


class _Frame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    fence: int
    sequence: int


class CachedFrame(_Frame, frozen=True, kw_only=True, tag="cached"):
    """Nodes whose results are reused; always sent once, also when empty."""

    nodes: tuple[str, ...]
    at: float


class NodeFrame(_Frame, frozen=True, kw_only=True, tag="node"):
    """A node is about to run."""

    node_id: str
    display_node_id: str


class NodeStateBody(msgspec.Struct, frozen=True, kw_only=True):
    """One node of a `StateFrame`."""

    node_id: str
    display_node_id: str
    parent_node_id: str | None
    real_node_id: str
    class_type: str
    state: str
    value: float
    max: float


class StateFrame(_Frame, frozen=True, kw_only=True, tag="state"):
    """All nodes that are not pending."""

    nodes: tuple[NodeStateBody, ...]


class ProgressFrame(_Frame, frozen=True, kw_only=True, tag="progress"):
    """A node's own step counter."""

    node_id: str
    value: float
    max: float


class TextFrame(_Frame, frozen=True, kw_only=True, tag="text"):
    """What a node says of its work so far, in words."""

    node_id: str
    text: str


class PreviewFrame(_Frame, frozen=True, kw_only=True, tag="preview"):
    """A picture of a node's work so far; its bytes follow the JSON.

    One that is too large for a message comes in several, one after the other: this is the `part`, from 0, of so many.
    """

    node_id: str
    display_node_id: str
    mime: str
    part: int = 0
    parts: int = 1


MOST_PART_BYTES = 512 * 1024
"""Of a picture in one message; the bus carries twice as much."""
MOST_PARTS = 128
"""Of one picture; what is larger is not shown live."""

Frame = CachedFrame | NodeFrame | StateFrame | ProgressFrame | TextFrame | PreviewFrame

_encoder = msgspec.json.Encoder()
_fact_decoder = msgspec.json.Decoder(Fact)
_task_decoder = msgspec.json.Decoder(TaskProgress)
_frame_decoder: msgspec.json.Decoder[Frame | list[Frame]] = msgspec.json.Decoder(Frame | list[Frame])


def encode_fact(fact: Fact) -> bytes:
    """Encode a fact for the bus."""
    return _encoder.encode(fact)


def decode_fact(payload: bytes) -> Fact:
    """Decode a fact; raises msgspec.MsgspecError for anything else."""
    return _fact_decoder.decode(payload)


def encode_task(progress: TaskProgress) -> bytes:
    """Encode the progress of a task for the bus."""
    return _encoder.encode(progress)


def decode_task(payload: bytes) -> TaskProgress:
    """Decode the progress of a task; raises msgspec.MsgspecError for anything else."""
    return _task_decoder.decode(payload)


def encode_frame(frame: Frame, picture: bytes = b"") -> bytes:
    """Encode a live frame and the picture that belongs to it."""
    head = _encoder.encode(frame)
    return _LENGTH.pack(len(head)) + head + picture


def encode_frames(frames: Sequence[Frame]) -> Iterator[bytes]:
    """Encode live frames without pictures: together, in as many messages as the bus needs."""
    together: list[bytes] = []
    size_bytes = 0
    for one in map(_encoder.encode, frames):
        if together and size_bytes + len(one) > MOST_PART_BYTES:
            yield _several(together)
            together, size_bytes = [], 0
        together.append(one)
        size_bytes += len(one)
    if together:
        yield _several(together)


def decode_frames(payload: bytes) -> tuple[Sequence[Frame], bytes]:
    """Decode live frames, and the picture of one that has any; raises what is wrong with anything else.

    That is msgspec.MsgspecError or struct.error.
    """
    (length,) = _LENGTH.unpack_from(payload)
    end = _LENGTH.size + length
    found = _frame_decoder.decode(payload[_LENGTH.size : end])
    return found if isinstance(found, list) else (found,), payload[end:]


def _several(encoded: Sequence[bytes]) -> bytes:
    head = encoded[0] if len(encoded) == 1 else b"[" + b",".join(encoded) + b"]"
    return _LENGTH.pack(len(head)) + head
