"""The bodies of `/api/prompt`: a submit, what answers it, and how much waits."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fireside.wire.requiring import Require, check_require

MAX_NUMBER = 10**15
"""Farthest place in a queue; up to here whole numbers and the store's real ones are the same."""


class FiresideFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands at `extra_data.fireside` of a submit; the limit of a run is looked at with the other limits."""

    require: Require = {}
    max_run_seconds: Any = None
    webhook_url: (
        Annotated[str, Meta(max_length=4096, description="A URL that hears of this job; see webhooks.")] | None
    ) = None
    reuse: Annotated[bool, Meta(description="Whether the job may be answered with what an equal one has made.")] = True

    def __post_init__(self) -> None:
        """Look at what no schema says; msgspec makes its own error of a `ValueError`."""
        check_require(self.require)


class PromptBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `POST /api/prompt`; fields it does not know are ignored."""

    prompt: Annotated[dict[str, Any], Meta(description="The workflow in API format: node id to node.")]
    prompt_id: Annotated[
        UUID | None, Meta(description="Id for the job, chosen by the client; a canonical lowercase UUID.")
    ] = None
    client_id: Annotated[str | None, Meta(description="Id of the websocket that submits.")] = None
    number: (
        Annotated[
            float,
            Meta(
                ge=-MAX_NUMBER,
                le=MAX_NUMBER,
                description="Place in the caller's own queue, lower first. Nobody else is overtaken.",
            ),
        ]
        | None
    ) = None
    front: Annotated[bool | None, Meta(description="Run before the caller's other waiting jobs.")] = None
    extra_data: dict[str, Any] | UnsetType = UNSET
    partial_execution_targets: Annotated[
        list[str] | None, Meta(description="Run only these output nodes, and what they need.")
    ] = None
    workflow_id: Annotated[
        str | None, Meta(description="Id of the workflow; wins over extra_data.extra_pnginfo.workflow.id.")
    ] = None


class SubmittedBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /api/prompt`; `node_errors` tells of branches that were left out because they cannot run."""

    prompt_id: UUID
    number: float
    node_errors: dict[str, Any]


class ExecInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the caller's jobs have not ended."""

    queue_remaining: Annotated[int, Meta(ge=0)]


class PromptInfoBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/prompt`."""

    exec_info: ExecInfo
