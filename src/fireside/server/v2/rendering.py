"""Jobs in the words of the API v2: statuses, outputs, errors, times. Does no I/O."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath

import msgspec

from fireside.config import MOST_DAYS
from fireside.domain.assets import Asset
from fireside.domain.jobs import Job, JobState
from fireside.server.services import Services
from fireside.server.signed_urls import steady_url
from fireside.server.v2.links import urls_of_job
from fireside.server.v2.workflow_rendering import fireside_of
from fireside.store.records import NamedRun
from fireside.wire.queues import JobExtrasBody
from fireside.wire.v2_jobs import JobBody, JobErrorBody, JobStatus, OutputBody, OutputType, ProgressBody

STATUSES: Mapping[JobState, JobStatus] = {
    JobState.QUEUED: "queued",
    JobState.ASSIGNED: "queued",
    JobState.RUNNING: "running",
    JobState.CANCELING: "canceling",
    JobState.SUCCEEDED: "succeeded",
    JobState.FAILED: "failed",
    JobState.CANCELED: "canceled",
    JobState.EXPIRED: "expired",
}
_BY_KEY: Mapping[str, OutputType] = {
    "images": "image",
    "gifs": "video",
    "video": "video",
    "videos": "video",
    "audio": "audio",
    "text": "text",
    "latents": "latent",
    "files": "file",
    "3d": "file",
}
_BY_MEDIA: Mapping[str, OutputType] = {"image": "image", "video": "video", "audio": "audio", "text": "text"}
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)


class _Error(msgspec.Struct, frozen=True):
    """What the store keeps of an error."""

    node_id: str = ""
    node_type: str = ""
    exception_message: str = ""
    exception_type: str = ""
    traceback: list[str] = []


_labels_decoder = msgspec.json.Decoder(dict[str, str])


def body_of(
    services: Services,
    job: Job,
    assets: Sequence[Asset],
    *,
    keep_days: int,
    queue_position: int | None = None,
    progress: ProgressBody | None = None,
    extras: JobExtrasBody | None = None,
    named_run: NamedRun | None = None,
) -> JobBody:
    """Show a job; `assets` are those that it has made, `keep_days` how long it is kept, 0 for ever.

    `named_run` is what it runs if that is a saved workflow by its name.
    """
    return JobBody(
        id=job.id,
        status=STATUSES[job.state],
        created_at=job.created_at,
        started_at=job.started_at,
        completed_at=job.ended_at,
        expires_at=expires_at(job, keep_days, services.clock()),
        queue_position=queue_position,
        progress=progress,
        outputs=outputs_of(services, assets),
        error=error_of(job),
        urls=urls_of_job(job.id),
        metrics=_metrics(job),
        metadata=labels_of(job),
        fireside=fireside_of(job, extras, named_run, assets),
    )


def has_outputs(job: Job) -> bool:
    """Whether a job can have made files: it has begun, or has taken them from another one."""
    return job.started_at is not None or job.state is JobState.SUCCEEDED


def outputs_of(services: Services, assets: Sequence[Asset]) -> list[OutputBody]:
    """Show the files that a job has made."""
    return [output_of(services, asset) for asset in assets]


def output_of(services: Services, asset: Asset) -> OutputBody:
    """Show a file that a job has made."""
    signed = steady_url(services, asset)
    origin = asset.origin
    return OutputBody(
        node_id=origin.node_id if origin else "",
        name=asset.file.name,
        type=type_of(asset),
        content_type=asset.content_type,
        size_bytes=asset.size_bytes,
        id=asset.id,
        hash=f"blake3:{asset.hash}",
        url=signed.url,
        url_expires_at=signed.expires_at,
        job_id=origin.job_id if origin else None,
    )


def type_of(asset: Asset) -> OutputType:
    """Say of which kind a file is; nodes put moving pictures under `images` too, so the bytes are asked first."""
    media = asset.content_type.partition("/")[0]
    if media in ("video", "audio"):
        return _BY_MEDIA[media]
    key = asset.origin.key if asset.origin else ""
    if key in _BY_KEY:
        return _BY_KEY[key]
    if PurePosixPath(asset.file.name.lower()).suffix == ".latent":
        return "latent"
    return _BY_MEDIA.get(media, "file")


def error_of(job: Job) -> JobErrorBody | None:
    """Say what a job failed of; None for any other."""
    if job.state is JobState.EXPIRED:
        return JobErrorBody(code="expired", message="The job waited too long and has expired.")
    if job.state is not JobState.FAILED:
        return None
    error = msgspec.json.decode(job.error, type=_Error) if job.error else _Error()
    return JobErrorBody(
        code=_error_code(error),
        message=error.exception_message.strip() or error.exception_type or "The job failed.",
        node_id=error.node_id or None,
        class_type=error.node_type or None,
        traceback="\n".join(error.traceback) or None,
    )


def labels_of(job: Job) -> dict[str, str]:
    """Give the labels that the job's owner gave it."""
    return _labels_decoder.decode(job.metadata) if job.metadata else {}


def expires_at(job: Job, keep_days: int, now: datetime) -> datetime:
    """Say until when a job is kept, at least if it has not ended; one that is kept for ever, for a hundred years."""
    kept_for = timedelta(days=keep_days or MOST_DAYS)
    if job.ended_at is not None:
        return job.ended_at + kept_for
    # Nobody knows when it will end; in steps of a day, so that what is shown is the same for a while.
    elapsed = max(timedelta(0), now - job.created_at)
    return job.created_at + elapsed // _DAY * _DAY + kept_for


def _error_code(error: _Error) -> str:
    if error.node_id:
        return "node_execution_error"
    if error.exception_type == "TimeoutError":
        return "timeout"
    return "lost" if error.exception_message.startswith("lost:") else "execution_error"


def _metrics(job: Job) -> dict[str, int | None]:
    left_queue_at = job.started_at or job.ended_at
    has_run = job.started_at is not None and job.ended_at is not None
    return {
        "queue_ms": None if left_queue_at is None else max(0, (left_queue_at - job.created_at) // _MILLISECOND),
        "execution_ms": job.run_time // _MILLISECOND if has_run else None,
    }
