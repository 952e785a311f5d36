"""`/history` as ComfyUI has it: the oldest first, and nothing said of what is not there."""

from typing import Any
from uuid import uuid4

import pytest
from tests.server.v1.house import GRAPH, OUTPUTS, Caller, House

from fireside.server.local import history

PATHS = pytest.mark.parametrize("path", ["/history", "/api/history"])


async def ended(caller: Caller, house: House, count: int) -> list[str]:
    ids = [await caller.submit() for _ in range(count)]
    for job_id in ids:
        await house.succeed(job_id)
    return ids


@PATHS
@pytest.mark.statement(85)
async def test_jobs_come_by_their_ids_the_oldest_first(ann: Caller, house: House, path: str) -> None:
    ids = await ended(ann, house, 30)
    waiting = await ann.submit()

    assert list(await ann.get(path)) == ids
    assert list(await ann.get(path, max_items=2)) == ids[-2:]
    assert list(await ann.get(path, max_items=2, offset=-1)) == ids[-2:]
    assert list(await ann.get(path, offset=28)) == ids[28:]
    assert list(await ann.get(path, max_items=2, offset=1)) == ids[1:3]
    assert list(await ann.get(path, max_items=10**9, offset=10**9)) == []
    assert list(await ann.get(path, max_items=0)) == []
    assert waiting not in await ann.get(path)


@PATHS
@pytest.mark.statement(85)
async def test_an_entry_is_as_comfyui_keeps_it(ann: Caller, house: House, path: str) -> None:
    workflow = {"extra_pnginfo": {"workflow": {"id": "w", "nodes": []}}}
    job_id = await ann.submit(
        number=3, client_id="c", extra_data={**workflow, "auth_token_comfy_org": "secret", "create_time": 5}
    )
    await house.succeed(job_id)

    entry = (await ann.get(path))[job_id]

    assert set(entry) == {"prompt", "outputs", "status", "meta"}
    created = entry["prompt"][3].pop("create_time")
    assert entry["prompt"] == [3, job_id, GRAPH, {**workflow, "client_id": "c"}, ["2"]]
    assert created // 1000 == (await ann.entry(job_id))["create_time"]
    assert entry["outputs"] == OUTPUTS
    assert (entry["status"]["status_str"], entry["status"]["completed"]) == ("success", True)
    assert [name for name, _ in entry["status"]["messages"]] == [
        "execution_start",
        "execution_cached",
        "execution_success",
    ]
    assert entry["meta"]["2"]["node_id"] == "2"


async def test_a_failed_and_a_canceled_job_say_how_they_ended(ann: Caller, house: House) -> None:
    failed, canceled = await ann.submit(), await ann.submit()
    await house.fail(failed)
    await ann.http.post("/queue", json={"delete": [canceled]})

    statuses = {job_id: entry["status"] for job_id, entry in (await ann.get("/history")).items()}

    assert [statuses[job_id]["status_str"] for job_id in (failed, canceled)] == ["error", "error"]
    assert statuses[failed]["messages"][-1][0] == "execution_error"
    assert statuses[canceled]["messages"][-1][0] == "execution_interrupted"


@PATHS
@pytest.mark.statement(84)
async def test_of_a_job_that_is_not_there_nothing_is_said(ann: Caller, bob: Caller, house: House, path: str) -> None:
    (theirs,) = await ended(bob, house, 1)
    waiting, running = await ann.submit(), await ann.submit()
    await house.start(running)
    await house.show(running, OUTPUTS)

    for job_id in (str(uuid4()), "x", theirs, waiting, running):
        assert await ann.get(f"{path}/{job_id}") == {}, job_id


@PATHS
async def test_one_job_is_shown_by_its_id_as_in_the_list(ann: Caller, house: House, path: str) -> None:
    (job_id,) = await ended(ann, house, 1)

    assert await ann.get(f"{path}/{job_id}") == await ann.get(path)


@PATHS
async def test_one_job_goes_by_the_id_as_it_was_asked_for(ann: Caller, house: House, path: str) -> None:
    (job_id,) = await ended(ann, house, 1)

    shown = await ann.get(f"{path}/{job_id.upper()}")

    assert shown == {job_id.upper(): (await ann.get(path))[job_id]}


@pytest.mark.parametrize("params", [{"max_items": "x"}, {"max_items": -1}, {"offset": "x"}, {"offset": -2}])
async def test_a_number_that_is_none_is_refused(ann: Caller, params: dict[str, Any]) -> None:
    answer = await ann.http.get("/history", params=params)

    assert answer.status_code == 400
    assert next(iter(params)) in answer.json()["message"]


async def test_one_answer_is_bounded_by_jobs(ann: Caller, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_ITEMS", 2)
    ids = await ended(ann, house, 3)

    assert list(await ann.get("/history")) == ids[-2:]
    assert list(await ann.get("/history", offset=0, max_items=3)) == ids[:2]


async def test_one_answer_is_bounded_by_the_size_of_its_graphs(
    ann: Caller, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await ended(ann, house, 3)
    one = history.MAX_GRAPH_BYTES
    body = await house.services.store.job_body(history.job_id_of(ids[0]))
    assert body is not None
    one = len(body.graph) + len(body.extra_data)
    monkeypatch.setattr(history, "MAX_GRAPH_BYTES", 2 * one)

    assert list(await ann.get("/history")) == ids[-2:]
    assert list(await ann.get("/history", offset=0)) == ids[:2]


@pytest.mark.statement(86)
async def test_what_is_removed_from_the_history_is_in_it_no_more(ann: Caller, house: House) -> None:
    gone, kept, cleared = await ended(ann, house, 3)

    assert (await ann.http.post("/history", json={"delete": [gone]})).content == b""
    assert list(await ann.get("/history")) == [kept, cleared]
    assert (await ann.http.post("/history", json={"clear": True})).status_code == 200
    assert await ann.get("/history") == {}
