"""Why a job waits, as all dialects show it, and pauses in words. Pure, but for the one question it passes on."""

from collections.abc import Mapping

from fireside.domain.ids import UserId
from fireside.domain.jobs import Job, JobState
from fireside.domain.models import ModelOnItsWay
from fireside.domain.pauses import Pause
from fireside.domain.waiting import Lack, Waiting
from fireside.domain.workers import BYTES_PER_GB
from fireside.jobs.waiting import why_waiting
from fireside.server.services import Services
from fireside.wire.queues import FetchedModelBody, JobExtrasBody, MissingBody, PauseBody, WaitingBody


async def extras_of(services: Services, job: Job) -> JobExtrasBody | None:
    """Tell what only we know of a job, as it is now; None where that is nothing."""
    if job.state is JobState.SUCCEEDED and job.started_at is None:
        return JobExtrasBody(reused_from=await services.store.reused_job(job.id))
    waiting = await why_waiting(services.desk, job, services.fleet.presences())
    return JobExtrasBody(waiting=waiting_body(waiting)) if waiting is not None else None


def waiting_body(waiting: Waiting) -> WaitingBody:
    """Shape why a job waits."""
    return WaitingBody(
        position=waiting.position,
        reason=waiting.reason.value,
        message=waiting.message,
        missing=_missing(waiting.lack) if waiting.lack is not None else None,
        starts_at=waiting.starts_at,
        fetching=fetched_body(waiting.fetching) if waiting.fetching is not None else None,
    )


def fetched_body(fetching: ModelOnItsWay) -> FetchedModelBody:
    """Shape how far a worker is with a model."""
    return FetchedModelBody(
        worker=fetching.worker,
        model=fetching.model,
        done_bytes=fetching.done_bytes,
        size_bytes=fetching.size_bytes,
        bytes_per_second=fetching.bytes_per_second,
    )


def coming_model(body: FetchedModelBody) -> ModelOnItsWay:
    """Take such a shape for what it says."""
    return ModelOnItsWay(
        worker=body.worker,
        model=body.model,
        done_bytes=body.done_bytes,
        size_bytes=body.size_bytes,
        bytes_per_second=body.bytes_per_second,
    )


def pause_body(pause: Pause, names: Mapping[UserId, str]) -> PauseBody:
    """Shape a pause; `names` are those of users."""
    return PauseBody(
        by=pause.origin.value,
        user=None if pause.user_id is None else names.get(pause.user_id, ""),
        paused_at=pause.paused_at,
        reason=pause.reason,
    )


def _missing(lack: Lack) -> MissingBody:
    vram_gb = lack.vram_bytes / BYTES_PER_GB or None
    return MissingBody(nodes=list(lack.nodes), models=list(lack.models), labels=dict(lack.labels), vram_gb=vram_gb)
