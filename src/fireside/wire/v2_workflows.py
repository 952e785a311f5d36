"""Saved workflows as Fireside shows them below its API v2, each an endpoint of its own.

They are no part of the published API.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fireside.wire.v2_interfaces import Fault, InputType

MAX_PAGE = 100

Link = Annotated[str, Meta(extra_json_schema={"format": "uri-reference"})]
Format = Literal["save", "api"]
Source = Literal["request", "file", "app"]


class WorkflowUrlsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go on, relative to this server; `runs` lists the jobs of the workflow."""

    self: Link
    jobs: Link
    openapi: Link
    interface: Link
    runs: Link | None


class ListedWorkflowBody(msgspec.Struct, frozen=True, kw_only=True):
    """A saved workflow in the list; with `problem` it is none that can be read."""

    name: str
    path: Annotated[str, Meta(description="The file among those that the editor keeps.")]
    workflow_id: Annotated[str | None, Meta(description="What its jobs are listed by.")]
    format: Annotated[Format | None, Meta(description="`save`: the editor's, `api`: a graph that can run.")]
    source: Annotated[
        Source | None,
        Meta(
            description="Who declared its inputs: a `request`, the `file`, or the editor's `app` builder; null: nobody."
        ),
    ]
    inputs: Annotated[list[str], Meta(description="Names of inputs that are declared.")]
    outputs: Annotated[list[str], Meta(description="Names of outputs that are declared.")]
    size_bytes: int
    created_at: datetime
    modified_at: datetime
    problem: str | None
    urls: WorkflowUrlsBody


class WorkflowsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/v2/fireside/workflows`, by name; the last page has no `next_cursor`."""

    workflows: list[ListedWorkflowBody]
    next_cursor: str | None


class NamedInputBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A named input with what its node takes; without `default` it must be given, unless it is `random`."""

    name: str
    type: InputType
    node: str
    input: str
    required: bool
    title: str = ""
    description: str = ""
    default: Any | UnsetType = UNSET
    random: bool = False
    minimum: float | int | None = None
    maximum: float | int | None = None
    choices: list[Any] | None = None


class NamedOutputBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A named output, and the node that makes it."""

    name: str
    node: str
    title: str = ""
    description: str = ""


class SavedWorkflowBody(msgspec.Struct, frozen=True, kw_only=True):
    """A saved workflow with what it takes and gives by name, as the fleet's nodes have it now."""

    name: str
    path: str
    workflow_id: str
    format: Format
    source: Source | None
    description: str
    inputs: list[NamedInputBody]
    outputs: list[NamedOutputBody]
    faults: Annotated[
        list[Fault],
        Meta(description="What of the declaration does not fit the workflow: it cannot be run until it does."),
    ]
    left_out: Annotated[list[Fault], Meta(description="What the editor's app names and its workflow has no more.")]
    size_bytes: int
    created_at: datetime
    modified_at: datetime
    urls: WorkflowUrlsBody


class WorkflowsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /api/v2/fireside/workflows`."""

    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE, description="Most workflows of a page.")] = 50
    cursor: Annotated[str, Meta(description="Where the page before ended: its `next_cursor`.")] = ""


class RunQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `POST /api/v2/fireside/workflows/{name}/jobs`."""

    label: Annotated[
        str, Meta(description="Gives the job the label `key`; several of these give several, as `metadata` elsewhere.")
    ] = msgspec.field(default="", name="metadata[key]")
