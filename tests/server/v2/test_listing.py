"""`GET /api/v2/jobs`: pages by cursor, by status and by labels, in the shape that the SDKs read."""

from typing import Any

import pytest
from tests.server.v1.house import House
from tests.server.v2.house import Caller, error_of
from tests.server.v2.test_jobs import show

RED, BIG, NEW = {"color": "red"}, {"size": "big"}, {"age": "new"}


def filters(labels: dict[str, str]) -> dict[str, str]:
    return {f"metadata[{key}]": value for key, value in labels.items()}


async def ids(caller: Caller, **params: Any) -> list[str]:
    """List to the end, as the SDKs do."""
    seen: list[str] = []
    cursors: set[str] = set()
    while True:
        page = await caller.get("/api/v2/jobs", **params)
        assert set(page) == {"jobs", "next_cursor", "truncated"}
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
        assert page["truncated"] == (cursor is not None)
        if cursor is None:
            return seen
        assert cursor not in cursors
        cursors.add(cursor)
        params["cursor"] = cursor


async def test_pages_lead_from_the_newest_job_to_the_oldest(ann: Caller, bob: Caller) -> None:
    jobs = [(await ann.submit())["id"] for _ in range(5)]
    await bob.submit()

    assert await ids(ann) == jobs[::-1]
    assert await ids(ann, limit=2) == jobs[::-1]


async def test_a_job_in_the_list_is_a_whole_job_with_the_names_that_the_sdks_read(house: House, ann: Caller) -> None:
    job_id = (await ann.submit(metadata=RED))["id"]
    await house.start(job_id)
    await show(house, job_id)
    await house.end(job_id, "succeeded")
    await ann.submit()
    job = await ann.job(job_id)

    waiting, ended = (await ann.get("/api/v2/jobs"))["jobs"]

    assert {name: ended[name] for name in job} == job
    assert len(ended["outputs"]) == 1
    assert (ended["create_time"], ended["deployment_id"]) == (job["created_at"], None)
    assert ended["update_time"] == job["completed_at"]
    assert (waiting["queue_position"], waiting["metadata"]) == (1, {})


async def test_up_to_three_labels_are_all_held_against_the_jobs(ann: Caller) -> None:
    three, two, one = [(await ann.submit(metadata=labels))["id"] for labels in (RED | BIG | NEW, RED | BIG, RED)]

    assert await ids(ann, **filters(RED)) == [one, two, three]
    assert await ids(ann, limit=1, **filters(RED | BIG)) == [two, three]
    assert await ids(ann, limit=1, **filters(RED | BIG | NEW)) == [three]
    assert await ids(ann, **filters({"color": "blue"})) == []


async def test_statuses_and_labels_hold_together(house: House, ann: Caller) -> None:
    queued, running, succeeded, canceling = [(await ann.submit(metadata=RED))["id"] for _ in range(4)]
    await house.start(running)
    await house.succeed(succeeded)
    await house.start(canceling)
    await ann.http.post(f"/api/v2/jobs/{canceling}/cancel")

    assert await ids(ann, status="queued") == [queued]
    assert await ids(ann, status="running") == [running]
    assert await ids(ann, status="canceling", **filters(RED)) == [canceling]
    assert await ids(ann, status="Running, succeeded", limit=1) == [succeeded, running]
    assert await ids(ann, status="failed,expired,canceled") == []
    (entry,) = (await ann.get("/api/v2/jobs", status="running"))["jobs"]
    assert entry["progress"]["nodes_total"] == 2


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"limit": "0"}, "invalid_request"),
        ({"limit": "101"}, "invalid_request"),
        ({"limit": "x"}, "invalid_request"),
        ({"status": "done"}, "invalid_request"),
        ({"cursor": "x"}, "invalid_cursor"),
        ({"cursor": "é"}, "invalid_cursor"),
        (filters({"a": "1", "b": "1", "c": "1", "d": "1"}), "invalid_metadata_filter"),
        (filters({"a b": "1"}), "invalid_metadata_filter"),
        (filters({"": "1"}), "invalid_metadata_filter"),
        (filters({"a": "x" * 257}), "invalid_metadata_filter"),
        ({"metadata[a]": ["1", "2"]}, "invalid_metadata_filter"),
    ],
)
async def test_what_cannot_be_meant_is_refused(ann: Caller, params: dict[str, str], code: str) -> None:
    error_of(await ann.http.get("/api/v2/jobs", params=params), 400, code)
