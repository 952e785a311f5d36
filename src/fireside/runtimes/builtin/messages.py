"""What travels between the worker and the child: JSON bodies, each behind its length in four bytes.

JSON and not msgpack, because graphs hold whole numbers of any size.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from fireside.runtimes.base import (
    CachedNodes,
    Failed,
    Finished,
    Interrupted,
    NodeOutput,
    NodeStarted,
    Preview,
    Progress,
    ProgressState,
    ProgressText,
    RunEvent,
    RuntimeInfo,
    Task,
)

LENGTH_BYTES = 4
MAX_FRAME_BYTES = 64 * 1024 * 1024
_EVENTS: dict[str, type[RunEvent]] = {
    kind.__name__: kind
    for kind in (
        CachedNodes,
        NodeStarted,
        ProgressState,
        Progress,
        ProgressText,
        Preview,
        NodeOutput,
        Finished,
        Failed,
        Interrupted,
    )
}


class Execute(msgspec.Struct, tag=True, frozen=True):
    """Execute this task after those that were sent before."""

    task: Task


class Interrupt(msgspec.Struct, tag=True, frozen=True):
    """Stop this task, wherever it is; of no effect when it has ended."""

    task_id: str


class Settings(msgspec.Struct, frozen=True):
    """What the child is told before anything else."""

    cache_bytes: int
    memory_bytes: int | None


class Told(msgspec.Struct, frozen=True):
    """One event of a task."""

    task_id: str
    kind: str
    event: msgspec.Raw


Request = Execute | Interrupt


class TooLongError(ValueError):
    """A message that no pipe should carry."""


def encode(message: Execute | Interrupt | Settings | RuntimeInfo) -> bytes:
    """Write a message as one frame."""
    return _frame(_encoder.encode(message))


def encode_event(task_id: str, event: RunEvent) -> bytes:
    """Write an event as one frame."""
    told = Told(task_id, type(event).__name__, msgspec.Raw(_encoder.encode(event)))
    return _frame(_encoder.encode(told))


def decode_request(body: bytes) -> Request:
    """Read what the worker asks."""
    return _requests.decode(body)


def decode_settings(body: bytes) -> Settings:
    """Read the first message to the child."""
    return _settings.decode(body)


def decode_info(body: bytes) -> RuntimeInfo:
    """Read the first message from the child."""
    return _infos.decode(body)


def decode_event(body: bytes) -> tuple[str, RunEvent]:
    """Read an event and the id of its task."""
    told = _told.decode(body)
    return told.task_id, msgspec.json.decode(told.event, type=_EVENTS[told.kind], dec_hook=_from_plain)


def length_of(prefix: bytes) -> int:
    """Read how long the body behind this prefix is."""
    length = int.from_bytes(prefix, "big")
    if length > MAX_FRAME_BYTES:
        raise TooLongError(f"a message of {length} bytes")
    return length


def _frame(body: bytes) -> bytes:
    if len(body) > MAX_FRAME_BYTES:
        raise TooLongError(f"A message of {len(body)} bytes is longer than the {MAX_FRAME_BYTES} that are carried.")
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def _to_plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - any mapping
    raise NotImplementedError(f"{type(value).__name__} cannot be sent")


def _from_plain(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(f"{kind.__name__} cannot be read")


_encoder = msgspec.json.Encoder(enc_hook=_to_plain)
_requests = msgspec.json.Decoder[Request](Execute | Interrupt, dec_hook=_from_plain)
_settings = msgspec.json.Decoder(Settings)
_infos = msgspec.json.Decoder(RuntimeInfo)
_told = msgspec.json.Decoder(Told)
