"""`/api/history` and `/api/history_v2`: what has ended, in the older form, and removing it."""

from typing import Any
from uuid import uuid4

import pytest
from tests.server.v1.house import GRAPH, OUTPUTS, Caller, House

WORKFLOW = {"id": "w-1", "nodes": []}
EXTRA_DATA = {"extra_pnginfo": {"workflow": WORKFLOW, "note": "kept"}, "mine": 1}
BAD_CHANGES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"remove":[]}',
    b'{"delete":"x"}',
    b'{"delete":[1]}',
    b'{"clear":1}',
    b"\xff",
)


async def _history(caller: Caller, **params: Any) -> list[str]:
    return [entry["prompt_id"] for entry in (await caller.get("/api/history_v2", **params))["history"]]


async def _forget(caller: Caller, **change: Any) -> None:
    answer = await caller.http.post("/api/history", json=change)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.statement(81)
async def test_the_history_has_what_has_ended_newest_first(ann: Caller, house: House) -> None:
    done, failed, canceled, waiting, running = [await ann.submit() for _ in range(5)]
    await house.fail(failed)
    await house.succeed(done)
    await ann.http.post(f"/api/jobs/{canceled}/cancel")
    await house.start(running)
    await house.show(running, OUTPUTS)

    assert await _history(ann) == [canceled, failed, done]
    assert waiting in await ann.listed()


@pytest.mark.statement(81)
async def test_the_history_comes_in_parts(ann: Caller, house: House) -> None:
    ids = [await ann.submit() for _ in range(30)]
    for job_id in ids:
        await house.succeed(job_id, {})

    assert await _history(ann) == ids[::-1]
    assert await _history(ann, max_items=2) == [ids[29], ids[28]]
    assert await _history(ann, max_items=2, offset=29) == [ids[0]]
    assert await _history(ann, max_items=1000, offset=2**63 - 1) == []


async def test_an_entry_is_light_and_whole(ann: Caller, house: House) -> None:
    job_id = await ann.submit(extra_data=EXTRA_DATA, client_id="c", number=3)
    await house.succeed(job_id)

    (entry,) = (await ann.get("/api/history_v2"))["history"]

    created = entry["create_time"]
    assert created // 1000 == (await ann.entry(job_id))["create_time"]
    assert entry["workflow_id"] == "w-1"
    extra_data = {"extra_pnginfo": {"note": "kept"}, "mine": 1, "client_id": "c", "create_time": created}
    assert entry["prompt"] == {"priority": 3, "prompt_id": job_id, "extra_data": extra_data}
    assert entry["outputs"] == OUTPUTS
    assert (entry["status"]["status_str"], entry["status"]["completed"]) == ("success", True)
    assert set(entry["meta"]) == {"2"}


async def test_an_entry_of_a_job_without_a_workflow_has_no_workflow_id(ann: Caller, house: House) -> None:
    for extra_data in ({}, {"extra_pnginfo": None}, {"extra_pnginfo": "text"}, {"extra_pnginfo": [1]}):
        await house.succeed(await ann.submit(extra_data=extra_data))

    entries = (await ann.get("/api/history_v2"))["history"]

    assert len(entries) == 4
    assert not any("workflow_id" in entry for entry in entries)
    assert entries[0]["prompt"]["extra_data"]["extra_pnginfo"] == [1]


@pytest.mark.statement(82)
async def test_one_job_is_shown_in_full_by_its_id(ann: Caller, house: House) -> None:
    job_id = await ann.submit(extra_data=EXTRA_DATA)
    await house.fail(job_id)

    body = await ann.get(f"/api/history_v2/{job_id}")

    assert list(body) == [job_id]
    prompt = body[job_id]["prompt"]
    assert (prompt["prompt_id"], prompt["prompt"], prompt["outputs_to_execute"]) == (job_id, GRAPH, ["2"])
    assert prompt["extra_data"]["extra_pnginfo"]["workflow"] == WORKFLOW
    assert body[job_id]["status"]["status_str"] == "error"
    assert (body[job_id]["outputs"], body[job_id]["meta"]) == ({}, {})


@pytest.mark.statement(83)
async def test_a_job_is_no_history_until_it_has_ended(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    assert (await ann.http.get(f"/api/history_v2/{job_id}")).status_code == 404
    await house.start(job_id)
    await house.show(job_id, OUTPUTS)
    assert (await ann.http.get(f"/api/history_v2/{job_id}")).status_code == 404

    await house.end(job_id, "succeeded")

    assert (await ann.get(f"/api/history_v2/{job_id}"))[job_id]["outputs"] == OUTPUTS


@pytest.mark.statement(82)
async def test_a_job_that_is_not_there_or_not_mine_is_not_found(ann: Caller, bob: Caller, house: House) -> None:
    theirs = await bob.submit()
    await house.succeed(theirs)

    for job_id in (theirs, str(uuid4())):
        answer = await ann.http.get(f"/api/history_v2/{job_id}")
        assert answer.status_code == 404
        assert {"code", "message"} <= set(answer.json())
    assert await _history(ann) == []


async def test_parts_are_of_one_to_a_thousand_entries_from_a_place_that_can_be(ann: Caller) -> None:
    for params in ({"max_items": 0}, {"max_items": 1001}, {"max_items": "x"}, {"offset": -1}, {"offset": 2**63}):
        answer = await ann.http.get("/api/history_v2", params=params)
        assert answer.status_code == 400, params
        assert {"code", "message", "error"} <= set(answer.json())
        assert str(next(iter(params.values()))) in answer.json()["message"]


@pytest.mark.statement(86)
async def test_the_jobs_that_are_named_are_removed_everywhere(ann: Caller, house: House) -> None:
    gone, kept = await ann.submit(), await ann.submit()
    for job_id in (gone, kept):
        await house.succeed(job_id)

    await _forget(ann, delete=[gone, str(uuid4()), "x"])

    assert await _history(ann) == [kept]
    assert await ann.listed() == [kept]
    assert (await ann.http.get(f"/api/jobs/{gone}")).status_code == 404


@pytest.mark.statement(86)
async def test_clearing_removes_all_of_mine_that_has_ended(ann: Caller, bob: Caller, house: House) -> None:
    done, canceled, waiting, running, theirs = *[await ann.submit() for _ in range(4)], await bob.submit()
    await house.succeed(done)
    await ann.http.post(f"/api/jobs/{canceled}/cancel")
    await house.start(running)
    await house.succeed(theirs)

    await _forget(ann, clear=True)

    assert await ann.listed(sort_order="asc") == [waiting, running]
    assert await _history(ann) == []
    assert await _history(bob) == [theirs]


async def test_what_has_not_ended_or_is_not_mine_is_not_removed(ann: Caller, bob: Caller, house: House) -> None:
    waiting, running, theirs = await ann.submit(), await ann.submit(), await bob.submit()
    await house.start(running)
    await house.succeed(theirs)

    await _forget(ann, delete=[waiting, running, theirs])

    assert await ann.listed(sort_order="asc") == [waiting, running]
    assert await bob.listed() == [theirs]


async def test_nothing_is_removed_where_nothing_is_asked(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.succeed(job_id)

    for change in ({}, {"clear": False}, {"delete": []}):
        await _forget(ann, **change)

    assert await _history(ann) == [job_id]


@pytest.mark.statement(86)
async def test_an_unknown_key_or_a_wrong_type_is_refused_and_nothing_is_removed(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.succeed(job_id)

    for content in (*BAD_CHANGES, b'{"clear":true,"all":true}'):
        answer = await ann.http.post("/api/history", content=content)
        assert answer.status_code == 400, content
        assert {"code", "message", "error"} <= set(answer.json())

    assert await _history(ann) == [job_id]
