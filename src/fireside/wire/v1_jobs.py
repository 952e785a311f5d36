"""Jobs as the Cloud API v1 shows them: in the list, in detail, as a status to poll, and the bodies of a cancel.

What a job has not got is left out, never null: the published schemas know no null there. JSON that the store keeps
encoded travels as it is.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fireside.wire.queues import JobExtrasBody

JobStatus = Literal["pending", "in_progress", "completed", "failed", "cancelled"]
PolledStatus = Literal[
    "pending", "in_progress", "success", "completed", "error", "non_retryable_error", "lost", "cancelled"
]

MAX_LIMIT = 1000
MAX_OFFSET = 2**63 - 1
MAX_BULK_IDS = 100

JsonObject = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})]
"""An object that is passed on as it was stored."""


class ExecutionErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """What broke a job; the node's texts are empty when it was no node."""

    node_id: str
    node_type: str
    exception_message: str
    exception_type: str
    traceback: list[str]
    current_inputs: dict[str, Any]
    current_outputs: dict[str, Any]


_ERROR_SCHEMA = msgspec.json.schema_components((ExecutionErrorBody,))[1][ExecutionErrorBody.__name__]

ExecutionError = Annotated[msgspec.Raw, Meta(extra_json_schema=_ERROR_SCHEMA)]
"""An `ExecutionErrorBody` that is passed on as it was stored."""


class JobsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /api/jobs`. The words are read regardless of case, and with spaces around them."""

    status: Annotated[
        str,
        Meta(
            description="Keep jobs of these statuses, comma-separated: "
            "pending, in_progress, completed, failed, cancelled. Absent or empty: all.",
            examples=["pending,in_progress"],
        ),
    ] = ""
    workflow_id: Annotated[str, Meta(description="Keep jobs of the workflow of exactly this id.")] = ""
    output_type: Annotated[
        str,
        Meta(
            description="Keep completed jobs that have an output of this kind.",
            extra_json_schema={"enum": ["", "image", "video", "audio", "3d"]},
        ),
    ] = ""
    sort_by: Annotated[
        str,
        Meta(
            description="By when jobs were submitted, or by how long they ran.",
            extra_json_schema={"enum": ["create_time", "execution_time", "created_at", "execution_duration"]},
        ),
    ] = "create_time"
    sort_order: Annotated[str, Meta(extra_json_schema={"enum": ["asc", "desc"]})] = "desc"
    offset: Annotated[int, Meta(ge=0, le=MAX_OFFSET, description="Jobs to skip.")] = 0
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="Jobs to give at most.")] = 100
    after: Annotated[
        str,
        Meta(
            description="The `next_cursor` of the page before; stands instead of the offset. "
            "Without effect when sorted by execution_time."
        ),
    ] = ""


class JobEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A job in the list; what its run left is told once the job has ended."""

    id: UUID
    status: JobStatus
    create_time: Annotated[
        int,
        Meta(
            description="Unix time: in seconds for API keys, in milliseconds for browser sessions and for requests "
            "with a Comfy-Usage-Source header."
        ),
    ]
    priority: Annotated[float, Meta(description="Place in its user's queue, lower first.")]
    workflow_id: str | UnsetType = UNSET
    execution_start_time: Annotated[int, Meta(description="Unix time in milliseconds.")] | UnsetType = UNSET
    execution_end_time: Annotated[int, Meta(description="Unix time in milliseconds.")] | UnsetType = UNSET
    execution_error: ExecutionError | UnsetType = UNSET
    preview_output: JsonObject | UnsetType = UNSET
    outputs_count: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    previewable_outputs_count: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class PaginationBody(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the list this is; `total` counts all that match the filters."""

    offset: Annotated[int, Meta(ge=0)]
    limit: Annotated[int, Meta(ge=1)]
    total: Annotated[int, Meta(ge=0)]
    has_more: bool
    next_cursor: Annotated[str, Meta(description="Give it as `after` for the next page.")] | UnsetType = UNSET


class JobsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/jobs`."""

    jobs: list[JobEntry]
    pagination: PaginationBody


class WorkflowBody(msgspec.Struct, frozen=True, kw_only=True):
    """What was submitted: the graph as it runs, and what came with it, secrets excepted."""

    prompt: JsonObject
    extra_data: dict[str, msgspec.Raw]


class ExecutionStatusBody(msgspec.Struct, frozen=True, kw_only=True):
    """How a job went; each of the messages is an event's name and its data."""

    status_str: Literal["success", "error"]
    completed: bool
    messages: list[tuple[str, dict[str, Any]]]


class NodeMetaBody(msgspec.Struct, frozen=True, kw_only=True):
    """What the outputs of a node belong to; a node that another one has made shows as that one."""

    node_id: str
    display_node: str
    parent_node: str | None
    real_node_id: str


class JobDetail(JobEntry, frozen=True, kw_only=True):
    """Answer of `GET /api/jobs/{job_id}`."""

    update_time: Annotated[int, Meta(description="Unix time of the last change, in the unit of `create_time`.")]
    workflow: WorkflowBody
    outputs: dict[str, Any] | UnsetType = UNSET
    execution_status: ExecutionStatusBody | UnsetType = UNSET
    execution_meta: dict[str, NodeMetaBody] | UnsetType = UNSET
    fireside: JobExtrasBody | UnsetType = UNSET


class JobStatusBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/job/{job_id}/status`."""

    id: UUID
    status: PolledStatus
    created_at: datetime
    updated_at: datetime
    last_state_update: datetime
    assigned_inference: Annotated[str | None, Meta(description="The worker that has the job now.")]
    error_message: str | None


class CanceledBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /api/jobs/{job_id}/cancel`: whether this call canceled the job."""

    cancelled: bool


class CancelJobsBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /api/jobs/cancel`."""

    job_ids: Annotated[list[UUID], Meta(min_length=1, max_length=MAX_BULK_IDS)]


class CanceledJobsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /api/jobs/cancel`: the jobs that this call canceled."""

    cancelled: list[UUID]
