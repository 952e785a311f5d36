"""A job as the plain page shows it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from fireside.domain.ids import JobId, UserId
from fireside.domain.jobs import Job, JobState
from fireside.server.pages.job_cards import card_of, view_address

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(
    id=JobId(UUID(int=1)),
    user_id=UserId(1),
    state=JobState.SUCCEEDED,
    number=1,
    attempt=1,
    losses=0,
    fence=1,
    worker_id=None,
    created_at=NOW,
    changed_at=NOW,
    started_at=NOW,
    ended_at=NOW + timedelta(seconds=1.5),
)


def test_a_picture_has_a_thumbnail_and_an_address() -> None:
    preview = {"filename": "a b&c.png", "subfolder": "s", "type": "temp", "mediaType": "images", "nodeId": "9"}

    card = card_of(replace(JOB, preview=msgspec.json.encode(preview)), NOW)

    assert view_address(preview) == "/api/view?filename=a+b%26c.png&subfolder=s&type=temp"
    assert card.thumbnail == f"{view_address(preview)}&res=256"
    assert card.took == "1.5 s"


def test_a_film_has_no_thumbnail() -> None:
    card = card_of(replace(JOB, preview=b'{"filename": "a.mp4", "mediaType": "video"}'), NOW)

    assert (card.thumbnail, card.media) == ("", "video")


def test_a_text_is_shown_by_its_beginning() -> None:
    card = card_of(replace(JOB, preview=msgspec.json.encode({"content": "x" * 1000, "mediaType": "text"})), NOW)

    assert (len(card.text), card.thumbnail) == (280, "")


def test_an_error_says_where_and_what() -> None:
    error = b'{"node_type": "ImageScale", "exception_message": "too large\\n"}'

    assert card_of(replace(JOB, error=error), NOW).error == "ImageScale: too large"


@pytest.mark.parametrize("preview", [None, b"null", b"[]", b'{"filename": 5, "content": {}}'])
def test_an_odd_preview_is_none(preview: bytes | None) -> None:
    card = card_of(replace(JOB, preview=preview), NOW)

    assert (card.media, card.thumbnail, card.text) == ("", "", "")


def test_a_card_says_that_its_job_has_changed() -> None:
    assert card_of(JOB, NOW).stamp == card_of(JOB, NOW).stamp
    assert card_of(replace(JOB, state=JobState.RUNNING), NOW).stamp != card_of(JOB, NOW).stamp
