"""Answers about jobs, held against the published contract. Where that is not at hand, only this is not examined."""

from typing import Any
from uuid import uuid4

import httpx
import jsonschema_rs
import pytest
from tests.server.v1.house import GRAPH, ORIGIN, Caller, House
from tests.server.v1.published import Published

SOME_ID = "0b0c7a1e-5f3a-4c8e-9a55-2b6f1d0e7c11"
READS = ("/api/jobs", "/api/queue", "/api/prompt", "/api/history_v2")
READS_OF_A_JOB = ("/api/jobs/{}", "/api/job/{}/status", "/api/history_v2/{}")


async def _jobs_of_every_kind(ann: Caller, house: House) -> list[str]:
    waiting, held, running, canceling, done, failed, lost, canceled = [
        await ann.submit(workflow_id=str(uuid4())) for _ in range(8)
    ]
    await house.hold(held)
    await house.start(running)
    await house.start(canceling)
    await house.succeed(done)
    await house.fail(failed)
    await house.lose(lost)
    for job_id in (canceling, canceled):
        await ann.http.post(f"/api/jobs/{job_id}/cancel")
    return [waiting, held, running, canceling, done, failed, lost, canceled]


def _answer(method: str, path: str, status: int, body: Any) -> httpx.Response:
    request = httpx.Request(method, f"{ORIGIN}{path}")
    return httpx.Response(status, json=body, request=request)


async def test_what_is_read_of_jobs_of_every_kind_is_as_published(ann: Caller, house: House, judge: Published) -> None:
    ids = await _jobs_of_every_kind(ann, house)

    paths = [*READS, *(path.format(job_id) for path in READS_OF_A_JOB for job_id in [*ids, str(uuid4())])]
    answers = [await ann.http.get(path) for path in paths]

    for answer in answers:
        judge.check(answer)
    assert {answer.status_code for answer in answers} == {200, 404}


async def test_what_changes_jobs_is_answered_as_published(ann: Caller, judge: Published) -> None:
    job_id = await ann.submit()
    bodies = [
        ("/api/prompt", {"prompt": GRAPH}),
        ("/api/prompt", {}),
        ("/api/prompt", {"prompt": {"1": {"class_type": "NoSuchNode", "inputs": {}}}}),
        ("/api/queue", {"delete": [job_id]}),
        ("/api/queue", {"remove": []}),
        ("/api/interrupt", None),
        ("/api/history", {"delete": [job_id]}),
        ("/api/history", {"remove": []}),
    ]

    for path, body in bodies:
        judge.check(await ann.http.post(path, json=body))


async def test_strangers_are_refused_as_published(house: House, judge: Published) -> None:
    stranger = await house.client({})

    for path in (*READS, *(path.format(uuid4()) for path in READS_OF_A_JOB)):
        answer = await stranger.get(path)
        assert answer.status_code == 401
        judge.check(answer)


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/api/jobs", 200, {"jobs": []}),
        ("GET", "/api/jobs", 200, {"jobs": [{"id": "x"}], "pagination": {}}),
        ("GET", "/api/jobs", 400, {"error": "x"}),
        ("GET", f"/api/jobs/{SOME_ID}", 404, {"message": "x"}),
        ("GET", f"/api/job/{SOME_ID}/status", 200, {"id": SOME_ID, "status": "success"}),
        ("GET", "/api/queue", 200, {"queue_running": [[None]]}),
    ],
)
def test_the_judge_finds_what_is_not_as_published(
    judge: Published, method: str, path: str, status: int, body: Any
) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        judge.check(_answer(method, path, status, body))


def test_the_judge_finds_a_success_that_is_not_published(judge: Published) -> None:
    with pytest.raises(AssertionError):
        judge.check(_answer("GET", "/api/jobs", 203, {}))
