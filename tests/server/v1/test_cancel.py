"""Canceling jobs: one by its path, several by a list."""

from typing import Any
from uuid import uuid4

import pytest
from tests.server.v1.house import Caller, House


async def _cancel(caller: Caller, job_id: str, **request: Any) -> Any:
    answer = await caller.http.post(f"/api/jobs/{job_id}/cancel", **request)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _status(caller: Caller, job_id: str) -> str:
    return (await caller.entry(job_id))["status"]


@pytest.mark.statement(66)
async def test_a_pending_job_is_canceled_at_once(ann: Caller) -> None:
    job_id = await ann.submit()

    assert await _cancel(ann, job_id) == {"cancelled": True}
    assert await _status(ann, job_id) == "cancelled"


async def test_a_job_that_a_worker_has_taken_and_not_begun_is_canceled_at_once(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.hold(job_id)

    assert await _cancel(ann, job_id) == {"cancelled": True}
    assert await _status(ann, job_id) == "cancelled"


@pytest.mark.statement(67)
async def test_a_running_job_ends_as_canceled_whatever_its_worker_reports(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.start(job_id)

    assert await _cancel(ann, job_id) == {"cancelled": True}
    await house.end(job_id, "succeeded")

    assert await _status(ann, job_id) == "cancelled"


async def test_a_second_cancel_changes_nothing(ann: Caller, house: House) -> None:
    waiting, running = await ann.submit(), await ann.submit()
    await house.start(running)

    for job_id in (waiting, running):
        assert await _cancel(ann, job_id) == {"cancelled": True}
        assert await _cancel(ann, job_id) == {"cancelled": False}


@pytest.mark.statement(68)
async def test_a_job_that_has_ended_stays_as_it_is(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.succeed(job_id)

    assert await _cancel(ann, job_id) == {"cancelled": False}
    assert await _status(ann, job_id) == "completed"


@pytest.mark.statement(70)
@pytest.mark.parametrize(
    "request_parts",
    [{}, {"content": b"", "headers": {"Content-Type": ""}}, {"content": b"{{{"}, {"json": {"x": 1}}],
    ids=["no body", "no content type", "no JSON", "a body"],
)
async def test_the_body_of_a_cancel_is_not_looked_at(ann: Caller, request_parts: dict[str, Any]) -> None:
    assert await _cancel(ann, await ann.submit(), **request_parts) == {"cancelled": True}


@pytest.mark.statement(69)
async def test_a_job_that_is_not_there_or_not_mine_is_not_found_and_goes_on(ann: Caller, bob: Caller) -> None:
    theirs = await bob.submit()

    for job_id in (theirs, str(uuid4()), "x", "%00"):
        answer = await ann.http.post(f"/api/jobs/{job_id}/cancel")
        assert answer.status_code == 404
        assert {"code", "message", "error"} <= set(answer.json())

    assert await _status(bob, theirs) == "pending"


@pytest.mark.statement(71)
async def test_several_jobs_are_canceled_and_those_that_had_ended_are_left_out(ann: Caller, house: House) -> None:
    waiting, running, done, untouched = [await ann.submit() for _ in range(4)]
    await house.start(running)
    await house.succeed(done)

    answer = await ann.http.post("/api/jobs/cancel", json={"job_ids": [waiting, done, running, waiting]})

    assert (answer.status_code, answer.json()) == (200, {"cancelled": [waiting, running]})
    assert await _status(ann, untouched) == "pending"


@pytest.mark.statement(72)
async def test_one_job_that_is_not_mine_keeps_all_of_them(ann: Caller, bob: Caller) -> None:
    mine, theirs = await ann.submit(), await bob.submit()

    for foreign in (theirs, str(uuid4())):
        answer = await ann.http.post("/api/jobs/cancel", json={"job_ids": [mine, foreign]})
        assert answer.status_code == 404
        assert {"code", "message", "error"} <= set(answer.json())

    assert await _status(ann, mine) == "pending"
    assert await _status(bob, theirs) == "pending"


@pytest.mark.statement(72)
async def test_a_hundred_jobs_are_the_most(ann: Caller) -> None:
    ids = [await ann.submit() for _ in range(100)]

    too_many = await ann.http.post("/api/jobs/cancel", json={"job_ids": [*ids, str(uuid4())]})
    just_enough = await ann.http.post("/api/jobs/cancel", json={"job_ids": ids})

    assert too_many.status_code == 400
    assert just_enough.json() == {"cancelled": ids}


BAD_BULK = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"{}",
    b'{"job_ids":[]}',
    b'{"job_ids":null}',
    b'{"job_ids":"x"}',
    b'{"job_ids":["x"]}',
    b'{"job_ids":[1]}',
    b'{"job_ids":["\\u0000"]}',
    b'{"job_ids":["00000000-0000-4000-8000-000000000000"],"all":true}',
    b"\xff",
    b"[" * 10_000,
)


@pytest.mark.statement(72)
async def test_a_body_that_is_no_list_of_ids_is_refused(ann: Caller) -> None:
    for content in BAD_BULK:
        answer = await ann.http.post("/api/jobs/cancel", content=content)
        assert answer.status_code == 400, content
        assert {"code", "message", "error"} <= set(answer.json())


async def test_a_body_of_more_than_a_list_of_ids_is_not_read_to_its_end(ann: Caller) -> None:
    assert (await ann.http.post("/api/jobs/cancel", content=b" " * 100_000)).status_code == 413
