"""Bodies about queues that are ours alone: why a job waits, another place for it, and pauses.

The published contracts have no words for these; what is shown of a job stands in its object `fireside`.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

WaitWord = Literal[
    "starting",
    "ready",
    "fetching_model",
    "equal_job",
    "fleet_paused",
    "paused_by_admin",
    "paused",
    "max_running",
    "no_worker",
    "queue",
    "capacity",
]
Reason = Annotated[str, Meta(max_length=200, description="Why, for people; it is shown to whoever waits.")]


class MissingBody(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker that comes nearest would need to run the job."""

    nodes: list[str]
    models: Annotated[list[str], Meta(description="Names of files, and other choices that a node does not offer.")]
    labels: dict[str, str]
    vram_gb: Annotated[
        float | None, Meta(description="As many GB of video memory as the job asks for; null: the worker has them.")
    ] = None


class FetchedModelBody(msgspec.Struct, frozen=True, kw_only=True):
    """How far a worker is with a model that it fetches before a job begins."""

    worker: str
    model: Annotated[str, Meta(description="Its folder and name.")]
    done_bytes: int
    size_bytes: int
    bytes_per_second: Annotated[
        float | None, Meta(description="How fast it came in the last seconds; null: not known yet.")
    ] = None


class WaitingBody(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job waits. It says what has to change first; more reasons may stand behind it."""

    position: Annotated[
        int, Meta(ge=1, description="Place among the caller's own jobs that wait; 1, too, for one a worker has.")
    ]
    reason: WaitWord
    message: str
    missing: MissingBody | None
    starts_at: Annotated[
        datetime | None, Meta(description="When it may begin, by what jobs like these took; null: nobody can know.")
    ]
    fetching: Annotated[
        FetchedModelBody | None, Meta(description="What the worker fetches; null for any other reason.")
    ] = None


class JobExtrasBody(msgspec.Struct, frozen=True, kw_only=True):
    """What only Fireside tells of a job; `waiting` is null for one that does not wait."""

    waiting: WaitingBody | None = None
    reused_from: Annotated[
        UUID | None, Meta(description="The job that made the outputs; null for a job that ran itself.")
    ] = None


class MoveJobBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /api/jobs/{job_id}/move`: exactly one of the three."""

    to: Annotated[Literal["front", "back"] | None, Meta(description="An end of the caller's queue.")] = None
    before: Annotated[UUID | None, Meta(description="The job that it is to run right before.")] = None
    after: Annotated[UUID | None, Meta(description="The job that it is to run right after.")] = None


class MovedJobBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /api/jobs/{job_id}/move`."""

    id: UUID
    priority: Annotated[float, Meta(description="Its place in the order of the queue, lower first.")]
    position: Annotated[int, Meta(ge=1)]


class PauseQueueBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /api/queue/pause`; it may be empty."""

    reason: Reason = ""


class PauseBody(msgspec.Struct, frozen=True, kw_only=True):
    """A pause: of the user's queue, or of all of them where `user` is null."""

    by: Annotated[Literal["owner", "admin"], Meta(description="Who has paused, and can resume.")]
    user: str | None
    paused_at: datetime
    reason: str


class QueueStateBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /api/queue/state`: jobs are handed out while there are no pauses."""

    waiting: Annotated[int, Meta(ge=0)]
    with_workers: Annotated[int, Meta(ge=0)]
    pauses: list[PauseBody]


class ResumedBody(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this call ended a pause; `pauses` are those that are left."""

    resumed: bool
    pauses: list[PauseBody]


class AdminPauseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /admin/api/pause`: whose queue; null for all."""

    user: str | None
    reason: Reason = ""


class AdminResumeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /admin/api/resume`: whose queue; null for the pause of all."""

    user: str | None


class PausesBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /admin/api/pauses`."""

    pauses: list[PauseBody]
