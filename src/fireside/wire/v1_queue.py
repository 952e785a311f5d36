"""The bodies of `/api/queue` and `/api/interrupt`."""

from typing import Annotated

import msgspec
from msgspec import Meta

from fireside.wire.v1_jobs import JsonObject

MAX_QUEUE_IDS = 10_000


class QueueMetaBody(msgspec.Struct, frozen=True, kw_only=True):
    """What else is told of a job in the queue; the time is Unix time in milliseconds."""

    create_time: int


QueueItem = tuple[int, str, JsonObject, list[str], QueueMetaBody]
"""Place in its list from 1, job id, graph, ids of the output nodes, and when it was submitted."""


class QueueBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/queue`."""

    queue_running: list[QueueItem]
    queue_pending: list[QueueItem]


class ChangeQueueBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /api/queue`: jobs to cancel, and whether to cancel all that wait."""

    delete: Annotated[list[str], Meta(max_length=MAX_QUEUE_IDS)] = []
    clear: bool = False


class QueueChangedBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /api/queue`: the jobs that this call canceled, and whether it was asked to clear the queue."""

    deleted: list[str]
    cleared: bool


class InterruptBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `POST /api/interrupt`: the job to stop; without one, all that run."""

    prompt_id: str | None = None
