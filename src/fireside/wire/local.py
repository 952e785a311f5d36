"""The bodies of ComfyUI's own `/history`, `/queue` and `/free`, where they differ from the Cloud API's."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from fireside.wire.v1_history import MAX_HISTORY_OFFSET
from fireside.wire.v1_jobs import ExecutionStatusBody, JsonObject, NodeMetaBody

_Items = Annotated[int, Meta(ge=0, le=MAX_HISTORY_OFFSET, description="Jobs to give at most.")]


class LocalPrompt(msgspec.Struct, frozen=True, array_like=True):
    """What was submitted, as the five values of ComfyUI's queue; there are no secrets in the extra data."""

    number: float
    prompt_id: str
    prompt: JsonObject
    extra_data: dict[str, msgspec.Raw]
    outputs_to_execute: list[str]


class LocalHistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /history`."""

    max_items: _Items | None = None
    offset: Annotated[
        int, Meta(ge=-1, le=MAX_HISTORY_OFFSET, description="Jobs to skip from the oldest; -1: give the newest.")
    ] = -1


class LocalHistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A job that has ended."""

    prompt: LocalPrompt
    outputs: dict[str, Any]
    status: ExecutionStatusBody
    meta: dict[str, NodeMetaBody]


class LocalQueueBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /queue`."""

    queue_running: list[LocalPrompt]
    queue_pending: list[LocalPrompt]


class FreeBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `POST /free`."""

    unload_models: bool = False
    free_memory: bool = False
