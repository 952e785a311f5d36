"""Tasks as the Cloud API shows them, and what one that fetches a file is given and gives."""

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from msgspec import Meta

from fireside.wire.live import TaskWord

Moment = Annotated[datetime, Meta(tz=True)]
"""A time with its zone, as RFC 3339 wants it."""


class DownloadBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `POST /api/assets/download`."""

    source_url: Annotated[str, Meta(min_length=1, max_length=4096)]
    name: str | None = None
    tags: list[str] | None = None
    user_metadata: dict[str, Any] | None = None
    preview_id: UUID | None = None


class ImportBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `POST /api/assets` that names a URL instead of bringing a file."""

    url: Annotated[str, Meta(min_length=1, max_length=4096)]
    name: str | None = None
    tags: list[str] | None = None
    user_metadata: dict[str, Any] | None = None
    mime_type: str | None = None
    preview_id: UUID | None = None


class DownloadPayload(msgspec.Struct, frozen=True, kw_only=True):
    """What a task that fetches a file is given."""

    source_url: str
    name: str | None = None
    tags: list[str] = []
    user_metadata: dict[str, Any] = {}
    preview_id: UUID | None = None

    @property
    def shown_name(self) -> str:
        """What the file is called until it is here."""
        return self.name or urlsplit(self.source_url).path.rpartition("/")[2] or "file"


class DownloadResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of it, in the words that the editor reads."""

    success: bool
    bytes_downloaded: int = 0
    content_type: str | None = None
    hash: str | None = None
    filename: str | None = None
    asset_id: str | None = None
    error: str | None = None


class DownloadTaskBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `POST /api/assets/download`."""

    task_id: UUID
    status: Literal["created", "running", "completed", "failed"]
    message: str


class TasksQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which tasks are listed."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    task_name: str | None = None
    idempotency_key: str | None = None
    status: Annotated[str, Meta(description="Statuses, separated by commas.")] | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    sort_order: Literal["asc", "desc"] = "desc"


class TaskBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task; what it has not got is left out."""

    id: UUID
    idempotency_key: str
    task_name: str
    payload: Any
    status: TaskWord
    create_time: datetime
    update_time: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    result: Any = None
    error_message: str | None = None


class TasksBody(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks, the newest first unless asked otherwise."""

    tasks: list[TaskBody]


class RemoteProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a file cannot be fetched, or had better not."""

    code: str
    message: str
    field: str


class RemoteValidation(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a file could be fetched."""

    is_valid: bool
    errors: list[RemoteProblem] = []
    warnings: list[RemoteProblem] = []


class RemoteMetadataQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which URL is looked at."""

    url: Annotated[str, Meta(min_length=1, max_length=4096)]


class RemoteMetadataBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a source says of a file; `content_length` is -1 when it does not say."""

    content_length: int
    content_type: str
    filename: str
    name: str
    tags: list[str]
    validation: RemoteValidation
