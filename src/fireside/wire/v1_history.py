"""The bodies of `/api/history` and `/api/history_v2`: jobs that have ended, in ComfyUI's older form."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fireside.wire.v1_jobs import ExecutionStatusBody, JsonObject, NodeMetaBody

MAX_HISTORY_ITEMS = 1000
MAX_HISTORY_OFFSET = 2**63 - 1
MAX_HISTORY_IDS = 10_000


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /api/history_v2`."""

    max_items: Annotated[int, Meta(ge=1, le=MAX_HISTORY_ITEMS, description="Entries to give at most.")] = 100
    offset: Annotated[int, Meta(ge=0, le=MAX_HISTORY_OFFSET, description="Entries to skip.")] = 0


class PastPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """What was submitted, without the graph and the editor's workflow."""

    priority: float
    prompt_id: str
    extra_data: dict[str, msgspec.Raw]


class HistoryEntryBody(msgspec.Struct, frozen=True, kw_only=True):
    """A job in the history."""

    prompt_id: str
    create_time: Annotated[int, Meta(description="Unix time in milliseconds.")]
    workflow_id: str | UnsetType = UNSET
    prompt: PastPrompt
    outputs: dict[str, Any]
    status: ExecutionStatusBody
    meta: dict[str, NodeMetaBody]


class HistoryBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/history_v2`, newest first."""

    history: list[HistoryEntryBody]


class PastPromptInFull(msgspec.Struct, frozen=True, kw_only=True):
    """What was submitted, secrets excepted."""

    priority: float
    prompt_id: str
    prompt: JsonObject
    extra_data: dict[str, msgspec.Raw]
    outputs_to_execute: list[str]


class HistoryDetailBody(msgspec.Struct, frozen=True, kw_only=True):
    """A job of the history in full."""

    prompt: PastPromptInFull
    outputs: dict[str, Any]
    status: ExecutionStatusBody
    meta: dict[str, NodeMetaBody]


class ChangeHistoryBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /api/history`: jobs to remove from the history, or all of them. Only ended jobs are removed."""

    delete: Annotated[list[str], Meta(max_length=MAX_HISTORY_IDS)] = []
    clear: bool = False
