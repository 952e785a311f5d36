"""What the server answers, as far as the client reads it, and the words it puts jobs' states in.

The answers are the Cloud API's; fields the client has no use for are skipped, so that newer servers stay readable.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, cast

import msgspec

ENDED_STATUSES = frozenset({"completed", "failed", "cancelled"})
FILE_TYPES = frozenset({"image", "mask", "video", "audio", "file"})
STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")


class SubmitAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow was queued; `node_errors` tell which of its chains were left out."""

    prompt_id: str
    node_errors: dict[str, Any] = {}


class ConversionWarning(msgspec.Struct, frozen=True, kw_only=True):
    """Something to know about a workflow that was converted."""

    node_id: str
    message: str


class ConvertAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow of the editor's as a graph in API format."""

    prompt: dict[str, Any]
    warnings: list[ConversionWarning] = []


class SavedInput(msgspec.Struct, frozen=True, kw_only=True):
    """A named input of a saved workflow."""

    name: str
    type: str
    choices: list[Any] | None = None

    @property
    def is_file(self) -> bool:
        """Whether its values are files."""
        return self.type in FILE_TYPES


class SavedWorkflowAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow that is saved on the server, with what it takes."""

    name: str
    inputs: list[SavedInput]


class NamedJobAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A saved workflow was queued."""

    id: str


class GraphAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The graph that a job runs."""

    workflow: dict[str, Any]


class UploadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A file was stored, maybe under another name."""

    name: str
    subfolder: str = ""
    type: str = "input"

    @property
    def value(self) -> str:
        """The file as a loader node's input writes it."""
        return f"{self.subfolder}/{self.name}" if self.subfolder else self.name


class ExecutionError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed."""

    exception_message: str = ""
    exception_type: str = ""
    node_id: str = ""
    node_type: str = ""
    traceback: list[str] = []

    def __str__(self) -> str:
        where = f"node {self.node_id} ({self.node_type}): " if self.node_id else ""
        return f"{where}{' '.join(self.exception_message.split())}"


class FetchedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a worker fetches before the job begins."""

    model: str
    done_bytes: int
    size_bytes: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job waits, and when it may begin."""

    position: int
    reason: str
    message: str
    starts_at: datetime | None = None
    fetching: FetchedModel | None = None


class JobExtras(msgspec.Struct, frozen=True, kw_only=True):
    """What only Fireside tells of a job."""

    waiting: Waiting | None = None


class JobAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One job in full."""

    id: str
    status: str
    create_time: float
    outputs: dict[str, Any] | None = None
    execution_error: ExecutionError | None = None
    fireside: JobExtras | None = None

    @property
    def fetched(self) -> FetchedModel | None:
        """The model that comes before it runs."""
        waiting = self.fireside.waiting if self.fireside is not None else None
        return waiting.fetching if waiting is not None else None

    @property
    def has_ended(self) -> bool:
        """Whether nothing can change any more."""
        return self.status in ENDED_STATUSES


class OutputFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file a job made, as `/api/view` wants it named."""

    filename: str
    subfolder: str = ""
    type: str = "output"


class Pagination(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a page stands."""

    offset: int
    limit: int
    total: int
    has_more: bool
    next_cursor: str = ""


class JobsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the job list, its entries untouched."""

    jobs: list[dict[str, Any]]
    pagination: Pagination


class CancelAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the call canceled the job."""

    cancelled: bool


def output_files(job: JobAnswer) -> list[OutputFile]:
    """List the files a job made: the saved ones, or its previews when it saved none."""
    files = list(_files(job.outputs or {}))
    saved = [file for file in files if file.type == "output"]
    return saved or files


def _files(outputs: Mapping[str, Any]) -> Iterator[OutputFile]:
    for node in outputs.values():
        for items in cast("dict[str, Any]", node).values() if isinstance(node, dict) else ():
            for item in cast("list[Any]", items) if isinstance(items, list) else ():
                if isinstance(item, dict) and "filename" in item:
                    yield msgspec.convert(item, OutputFile)
