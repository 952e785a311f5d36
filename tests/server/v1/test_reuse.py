"""A submit that is answered with what was made before, as clients see it."""

from typing import Any

import pytest
from tests.publishing import publish
from tests.server.v1.house import OUTPUTS, Caller, House


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"reuse": True}


@pytest.fixture
async def nodes(house: House) -> None:
    await publish(house.services.store, snapshot={"fireside": {"version": "1"}})


async def test_outputs_without_their_files_are_made_anew(house: House, ann: Caller) -> None:
    first = await ann.submit()
    await house.start(first)
    await house.show(first, OUTPUTS)
    await house.end(first, "succeeded", models={})

    assert (await ann.detail(await ann.submit()))["status"] == "pending"


async def test_it_looks_like_a_run_whose_nodes_were_all_cached(house: House, ann: Caller) -> None:
    first = await ann.submit()
    await house.start(first)
    await house.end(first, "succeeded", models={})

    second = await ann.submit()

    shown = await ann.detail(second)
    assert (shown["status"], shown["fireside"]["reused_from"]) == ("completed", first)
    names = [name for name, _ in shown["execution_status"]["messages"]]
    assert names == ["execution_start", "execution_cached", "execution_success"]
    assert shown["execution_status"]["messages"][1][1]["nodes"] == ["1", "2"]
    assert shown["execution_start_time"] == shown["execution_end_time"]
    assert "fireside" not in await ann.detail(first)
    assert second in await ann.listed(status="completed")
    polled = (await ann.http.get(f"/api/v2/jobs/{second}")).json()
    assert (polled["status"], polled["fireside"]["reused_from"]) == ("succeeded", first)
    assert (await ann.detail(await ann.submit(extra_data={"fireside": {"reuse": False}})))["status"] == "pending"


async def test_off_by_submit_in_both_dialects(house: House, ann: Caller) -> None:
    first = await ann.submit()
    await house.start(first)
    await house.end(first, "succeeded", models={})
    graph = (await ann.detail(first))["workflow"]["prompt"]

    for body, status in (({}, "succeeded"), ({"fireside": {"reuse": False}}, "queued")):
        answer = await ann.http.post("/api/v2/jobs", json={"workflow": graph, **body})
        assert answer.json()["status"] == status
    refused = await ann.http.post("/api/prompt", json={"prompt": graph, "extra_data": {"fireside": {"reuse": "maybe"}}})
    assert refused.status_code == 400
