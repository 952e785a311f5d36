"""`GET /api/job/{job_id}/status`: the words that pollers wait for."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.server.v1.house import WORKER, Caller, House

from fireside.domain.ids import JobId, UserId
from fireside.domain.jobs import Job, JobState
from fireside.server.v1.rendering import status_of
from fireside.wire.fleet import NodeFailure

FINAL_WORDS = {"success", "completed", "error", "non_retryable_error", "lost", "cancelled"}
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EXPIRED = Job(
    id=JobId(uuid4()),
    user_id=UserId(1),
    state=JobState.EXPIRED,
    number=1.0,
    attempt=0,
    losses=0,
    fence=1,
    worker_id=None,
    created_at=NOW,
    changed_at=NOW,
    ended_at=NOW,
)


async def _status(ann: Caller, job_id: str) -> dict[str, Any]:
    return await ann.get(f"/api/job/{job_id}/status")


@pytest.mark.statement(61, 64)
async def test_a_waiting_job_is_pending_and_has_dates_with_a_zone(ann: Caller) -> None:
    job_id = await ann.submit()

    status = await _status(ann, job_id)

    assert (status["id"], status["status"]) == (job_id, "pending")
    assert status["assigned_inference"] is None
    assert status["error_message"] is None
    for name in ("created_at", "updated_at", "last_state_update"):
        assert datetime.fromisoformat(status[name]).tzinfo is not None


@pytest.mark.statement(64)
async def test_no_word_for_a_job_in_flight_ends_a_poll(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    words = [(await _status(ann, job_id))["status"]]
    await house.hold(job_id)
    words.append((await _status(ann, job_id))["status"])
    running = await ann.submit()
    await house.start(running)
    words.append((await _status(ann, running))["status"])
    await ann.http.post(f"/api/jobs/{running}/cancel")
    words.append((await _status(ann, running))["status"])

    assert words == ["pending", "pending", "in_progress", "in_progress"]
    assert not FINAL_WORDS & set(words)
    assert (await _status(ann, running))["assigned_inference"] == WORKER


@pytest.mark.statement(62)
async def test_a_finished_job_reports_success(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.succeed(job_id)

    status = await _status(ann, job_id)

    assert (status["status"], status["error_message"], status["assigned_inference"]) == ("success", None, None)
    assert datetime.fromisoformat(status["updated_at"]) > datetime.fromisoformat(status["created_at"])


@pytest.mark.statement(63)
async def test_a_failed_job_reports_error_and_why(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.fail(job_id)

    status = await _status(ann, job_id)

    assert (status["status"], status["error_message"]) == ("error", "boom")


@pytest.mark.parametrize(("kind", "told"), [("KeyError", "KeyError"), ("", "The job failed.")])
async def test_an_error_without_a_message_is_still_told(ann: Caller, house: House, kind: str, told: str) -> None:
    job_id = await ann.submit()
    silent = NodeFailure(node_id="2", node_type="SaveImage", exception_type=kind, exception_message=" \n")
    await house.fail(job_id, silent)

    assert (await _status(ann, job_id))["error_message"] == told


@pytest.mark.statement(63)
async def test_a_canceled_job_reports_cancelled(ann: Caller) -> None:
    job_id = await ann.submit()
    await ann.http.post(f"/api/jobs/{job_id}/cancel")

    status = await _status(ann, job_id)

    assert (status["status"], status["error_message"]) == ("cancelled", None)


async def test_a_job_whose_workers_were_lost_reports_lost(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.lose(job_id)

    status = await _status(ann, job_id)

    assert status["status"] == "lost"
    assert "worker" in status["error_message"]


async def test_a_node_that_speaks_like_a_lost_worker_has_failed(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.fail(
        job_id,
        NodeFailure(node_id="2", node_type="N", exception_type="PanicError", exception_message="lost: my way"),
    )

    assert (await _status(ann, job_id))["status"] == "error"


def test_an_expired_job_reports_an_error_that_no_retry_mends() -> None:
    status = status_of(EXPIRED, strict=False)

    assert status.status == "non_retryable_error"
    assert status.error_message
    assert status_of(EXPIRED, strict=True).status == "error"
    explained = replace(EXPIRED, error=msgspec.json.encode({"exception_message": "too late"}))
    assert status_of(explained, strict=False).error_message == "too late"


@pytest.mark.statement(65)
async def test_a_job_that_is_not_there_or_not_mine_is_not_found(ann: Caller, bob: Caller) -> None:
    for job_id in (await bob.submit(), str(uuid4())):
        answer = await ann.http.get(f"/api/job/{job_id}/status")
        assert answer.status_code == 404
        assert {"code", "message"} <= set(answer.json())


class TestStrictly:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"v1_strict_status": True}

    @pytest.mark.statement(62)
    async def test_only_words_of_the_published_enum_are_said(self, ann: Caller, house: House) -> None:
        done, failed, lost, canceled, waiting = [await ann.submit() for _ in range(5)]
        await house.succeed(done)
        await house.fail(failed)
        await house.lose(lost)
        await ann.http.post(f"/api/jobs/{canceled}/cancel")

        words = [(await _status(ann, job_id))["status"] for job_id in (done, failed, lost, canceled, waiting)]

        assert words == ["completed", "error", "error", "cancelled", "pending"]
