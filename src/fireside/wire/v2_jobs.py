"""Jobs as the API v2 shows and takes them. What a job has not got is null there, never left out.

Fields that the published document has not: `metadata`, as the official SDKs send and read it, and `fireside`, which is
ours.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from fireside.wire.queues import JobExtrasBody
from fireside.wire.requiring import Require, check_require

JobStatus = Literal["queued", "running", "succeeded", "canceling", "canceled", "failed", "expired"]
OutputType = Literal["image", "video", "audio", "text", "file", "latent"]

MAX_LABELS = 16
MAX_LABEL_FILTERS = 3
MAX_KEY_CHARACTERS = 40
MAX_VALUE_BYTES = 256
MAX_PAGE = 100

Uri = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
Link = Annotated[str, Meta(extra_json_schema={"format": "uri-reference"})]


class ExtraDataBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Credentials for partner nodes: sealed beside the job, and gone when it ends."""

    api_key_comfy_org: str | None = None
    auth_token_comfy_org: str | None = None


class FiresideBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What only Fireside knows."""

    require: Require = {}
    max_run_seconds: Annotated[float, Meta(gt=0, description="Seconds after which the run is stopped.")] | None = None
    webhook_url: (
        Annotated[str, Meta(max_length=4096, description="A URL that hears of this job; see webhooks.")] | None
    ) = None
    workflow: (
        Annotated[
            str,
            Meta(min_length=1, max_length=2048, description="The name of a saved workflow to run, instead of a graph."),
        ]
        | None
    ) = None
    inputs: Annotated[dict[str, Any], Meta(description="Values for the saved workflow's inputs, by name.")] | None = (
        None
    )
    reuse: Annotated[bool, Meta(description="Whether the job may be answered with what an equal one has made.")] = True

    def __post_init__(self) -> None:
        """Look at what no schema says; msgspec makes its own error of a `ValueError`."""
        check_require(self.require)


class SubmitBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `POST /api/v2/jobs`; other fields are ignored, but `webhook_url` and `inputs` are refused.

    There is either a `workflow` or the name of a saved one in `fireside.workflow`.
    """

    workflow: Annotated[
        dict[str, Any] | None,
        Meta(description="The workflow in API format; `core/ASSET` objects stand for the caller's assets."),
    ] = None
    extra_data: ExtraDataBody | None = None
    metadata: Annotated[
        dict[str, str] | None,
        Meta(description=f"Up to {MAX_LABELS} labels by which the job can be found in the list."),
    ] = None
    fireside: FiresideBody | None = None


class ProgressBody(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is; each one says all."""

    value: Annotated[float, Meta(ge=0, le=1)]
    nodes_done: int
    nodes_total: int
    current_node: str | None = None
    current_node_class: str | None = None
    step: int | None = None
    steps: int | None = None
    message: str | None = None


class OutputBody(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a node has made; it is an asset."""

    node_id: str
    name: str
    type: OutputType
    content_type: str
    size_bytes: int
    id: UUID
    hash: str | None
    url: Uri
    url_expires_at: datetime
    job_id: UUID | None = None


class JobErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a job failed of; the node's fields are null when it was no node."""

    code: str
    message: str
    node_id: str | None = None
    class_type: str | None = None
    traceback: str | None = None


class JobUrlsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go on, relative to this server."""

    self: Link
    events: Link
    cancel: Link


class JobFiresideBody(JobExtrasBody, frozen=True, kw_only=True):
    """What only Fireside says of a job; what it ran by name is null where that was no saved workflow."""

    workflow_id: Annotated[str | None, Meta(description="The workflow that the job is listed by.")]
    workflow: Annotated[str | None, Meta(description="The saved workflow's name when the job was submitted.")]
    inputs: Annotated[
        dict[str, Any] | None,
        Meta(description="All named inputs with the values of this run; files are references to assets."),
    ]
    outputs: Annotated[
        dict[str, list[UUID]] | None,
        Meta(description="The ids of those of the job's `outputs` that each named output has so far."),
    ]


class JobBody(msgspec.Struct, frozen=True, kw_only=True):
    """A job."""

    id: UUID
    status: JobStatus
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime
    queue_position: int | None
    progress: ProgressBody | None
    outputs: list[OutputBody]
    error: JobErrorBody | None
    urls: JobUrlsBody
    metrics: dict[str, int | None]
    metadata: dict[str, str]
    fireside: JobFiresideBody | None = None


class ListedJobBody(JobBody, frozen=True, kw_only=True):
    """A job in the list: with the names that the SDKs read beside its own."""

    create_time: datetime
    update_time: datetime
    deployment_id: str | None = None


class JobsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/v2/jobs`; a page can be short, also empty, and is the last one only without `next_cursor`."""

    jobs: list[ListedJobBody]
    next_cursor: str | None
    truncated: bool


class JobsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /api/v2/jobs`."""

    status: Annotated[str, Meta(description="Keep jobs of these statuses, comma-separated. Absent or empty: all.")] = ""
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE, description="Most jobs of a page.")] = 50
    cursor: Annotated[str, Meta(description="Where the page before ended: its `next_cursor`.")] = ""
    workflow_id: Annotated[str, Meta(description="Keep jobs of this workflow, exactly.")] = ""
    label: Annotated[
        str,
        Meta(description=f"Keep jobs that have the label `key` with this value; up to {MAX_LABEL_FILTERS} of these."),
    ] = msgspec.field(default="", name="metadata[key]")


class WorkflowBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/v2/jobs/{id}/workflow`: the graph that runs, with names of files in place of references."""

    workflow: Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})]
    format: Literal["save", "api"] = "api"
