"""Body of the route that says what ran a job."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta


class AttemptBody(msgspec.Struct, frozen=True, kw_only=True):
    """One hand-out of a job, and what ran there."""

    attempt: Annotated[int, Meta(ge=1)]
    worker: str
    assigned_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    outcome: Annotated[str | None, Meta(description="The state that the job went into; null while it is held.")]
    snapshot: Annotated[
        dict[str, Any] | None,
        Meta(
            description="Versions, node packs with their commits, and packages, as the worker told; null if it did not."
        ),
    ]


class JobSnapshotBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/jobs/{job_id}/snapshot`; the last attempt is the one whose outputs the job shows."""

    job_id: UUID
    attempts: list[AttemptBody]
