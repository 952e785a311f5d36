"""Jobs in the words of the API v2: of which kind an output is, and what a job failed of."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from fireside.domain.assets import Asset, FileName, Folder, OutputOrigin
from fireside.domain.ids import AssetId, BlobHash, JobId, UserId
from fireside.domain.jobs import Job, JobState
from fireside.server.v2.rendering import error_of, type_of

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def output(key: str | None, name: str, content_type: str) -> Asset:
    origin = None if key is None else OutputOrigin(job_id=JobId(uuid4()), node_id="1", key=key, index=0)
    return Asset(
        id=AssetId(uuid4()),
        user_id=UserId(1),
        file=FileName(folder=Folder.OUTPUT, subfolder="", name=name),
        hash=BlobHash("a" * 64),
        size_bytes=1,
        content_type=content_type,
        created_at=NOW,
        origin=origin,
    )


@pytest.mark.parametrize(
    ("key", "name", "content_type", "kind"),
    [
        ("images", "a.png", "image/png", "image"),
        ("images", "a.webm", "video/webm", "video"),
        ("gifs", "a.gif", "image/gif", "video"),
        ("video", "a.bin", "application/octet-stream", "video"),
        ("videos", "a.bin", "application/octet-stream", "video"),
        ("audio", "a.bin", "application/octet-stream", "audio"),
        ("text", "a.txt", "application/octet-stream", "text"),
        ("latents", "a.bin", "application/octet-stream", "latent"),
        ("3d", "a.glb", "model/gltf-binary", "file"),
        ("files", "a.png", "image/png", "file"),
        ("whatever", "a.latent", "application/octet-stream", "latent"),
        ("whatever", "a.png", "image/png", "image"),
        ("whatever", "a.xyz", "application/octet-stream", "file"),
        (None, "a.flac", "audio/flac", "audio"),
    ],
)
def test_every_output_is_of_a_kind_and_none_is_left_out(
    key: str | None, name: str, content_type: str, kind: str
) -> None:
    assert type_of(output(key, name, content_type)) == kind


def ended(state: JobState, error: dict[str, Any] | None = None) -> Job:
    return Job(
        id=JobId(uuid4()),
        user_id=UserId(1),
        state=state,
        number=1,
        attempt=1,
        losses=0,
        fence=1,
        worker_id=None,
        created_at=NOW,
        changed_at=NOW,
        ended_at=NOW,
        error=None if error is None else json.dumps(error).encode(),
    )


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({"node_id": "3", "exception_message": " boom\n"}, "node_execution_error", "boom"),
        ({"exception_type": "TimeoutError", "exception_message": "too long"}, "timeout", "too long"),
        ({"exception_message": "lost: its worker died"}, "lost", "lost: its worker died"),
        ({"exception_type": "RuntimeError"}, "execution_error", "RuntimeError"),
        ({}, "execution_error", "The job failed."),
        (None, "execution_error", "The job failed."),
    ],
)
def test_a_failed_job_says_of_what(error: dict[str, Any] | None, code: str, message: str) -> None:
    told = error_of(ended(JobState.FAILED, error))

    assert told is not None
    assert (told.code, told.message) == (code, message)


def test_a_job_that_waited_too_long_says_so_and_others_have_no_error() -> None:
    told = error_of(ended(JobState.EXPIRED))

    assert told is not None
    assert told.code == "expired"
    assert error_of(ended(JobState.SUCCEEDED)) is None
    assert error_of(ended(JobState.CANCELED)) is None
