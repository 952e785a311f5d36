"""`GET /api/jobs` by cursors: each job once, whatever comes and goes between the pages."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from tests.server.v1.house import Caller, House


async def _pages(caller: Caller, **query: Any) -> list[list[str]]:
    pages: list[list[str]] = []
    while True:
        body = await caller.get("/api/jobs", **query)
        pages.append([job["id"] for job in body["jobs"]])
        cursor = body["pagination"].get("next_cursor")
        assert body["pagination"]["has_more"] is (cursor is not None)
        if cursor is None:
            return pages
        query["after"] = cursor


@pytest.mark.statement(52)
async def test_cursors_lead_through_every_job_once(ann: Caller) -> None:
    ids = [await ann.submit() for _ in range(7)]

    assert await _pages(ann, limit=3) == [ids[:3:-1], ids[3:0:-1], ids[:1]]
    assert await _pages(ann, limit=3, sort_order="asc") == [ids[:3], ids[3:6], ids[6:]]


async def test_a_page_after_a_cursor_is_the_same_when_jobs_come_and_go(ann: Caller, house: House) -> None:
    ids = [await ann.submit() for _ in range(6)]
    await house.succeed(ids[4])
    first = await ann.get("/api/jobs", limit=2)
    await ann.submit()
    await ann.http.post("/api/history", json={"delete": [ids[4]]})

    second = await ann.get("/api/jobs", limit=2, after=first["pagination"]["next_cursor"])

    assert [job["id"] for job in second["jobs"]] == [ids[3], ids[2]]
    assert second["pagination"] | {"next_cursor": ""} == {
        "offset": 0, "limit": 2, "total": 6, "has_more": True, "next_cursor": "",
    }  # fmt: skip


async def test_a_cursor_keeps_to_the_filter(ann: Caller, house: House) -> None:
    ids = [await ann.submit() for _ in range(6)]
    for job_id in ids[::2]:
        await house.succeed(job_id)

    assert await _pages(ann, limit=1, status="completed") == [[ids[4]], [ids[2]], [ids[0]]]


async def test_a_cursor_stands_instead_of_the_offset(ann: Caller) -> None:
    ids = [await ann.submit() for _ in range(4)]
    cursor = (await ann.get("/api/jobs", limit=1))["pagination"]["next_cursor"]

    body = await ann.get("/api/jobs", limit=1, offset=3, after=cursor)

    assert [job["id"] for job in body["jobs"]] == [ids[2]]
    assert body["pagination"]["offset"] == 0


async def test_sorted_by_run_time_a_cursor_has_no_effect_and_none_is_given(ann: Caller) -> None:
    for _ in range(3):
        await ann.submit()

    body = await ann.get("/api/jobs", limit=1, sort_by="execution_time", offset=1, after="nonsense")

    assert body["pagination"] == {"offset": 1, "limit": 1, "total": 3, "has_more": True}


@pytest.mark.statement(52)
@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "%00",
        "é",
        "A" * 5000,
        urlsafe_b64encode(b'{"s":"create_time","v":-1}').decode(),
        urlsafe_b64encode(b'{"s":"create_time","v":1e300}').decode(),
        urlsafe_b64encode(b'{"s":"create_time","v":1099511627776}').decode(),
        urlsafe_b64encode(b'{"s":"execution_time","v":1}').decode(),
        urlsafe_b64encode(b'{"s":"create_time","v":1,"x":1}').decode(),
        urlsafe_b64encode(b"[]").decode(),
    ],
)
async def test_a_bad_cursor_is_refused_in_words(ann: Caller, cursor: str) -> None:
    answer = await ann.http.get("/api/jobs", params={"after": cursor})

    assert answer.status_code == 400
    assert "next_cursor" in answer.json()["message"]
