"""`GET /api/jobs/{job_id}`: one job in full."""

from typing import Any
from uuid import uuid4

import pytest
from tests.server.v1.house import BOOM, GRAPH, OUTPUTS, PICTURE, Caller, House

from fireside.domain.jobs import Job

ENDED_ONLY = {"outputs", "execution_status", "execution_meta", "outputs_count", "preview_output", "execution_end_time"}
SECRETS = {"api_key_comfy_org": "comfyui-0123456789", "auth_token_comfy_org": "eyJ0b2tlbiI6MX0"}
ODD_IDS = (
    "x",
    "0",
    "None",
    "%00",
    "%ff",
    "..",
    "a" * 5000,
    "{}",
    "cancel",
    "%E2%82%AC",
    "00000000000000000000000000000000",
)


def _milliseconds(job: Job) -> tuple[int, int]:
    assert job.started_at is not None
    assert job.ended_at is not None
    return int(job.started_at.timestamp() * 1000), int(job.ended_at.timestamp() * 1000)


async def _status(ann: Caller, job_id: str) -> dict[str, Any]:
    return (await ann.detail(job_id))["execution_status"]


@pytest.mark.statement(53, 58)
async def test_a_pending_job_shows_what_was_submitted_and_nothing_of_a_run(ann: Caller) -> None:
    job_id = await ann.submit()

    detail = await ann.detail(job_id)

    assert (detail["id"], detail["status"]) == (job_id, "pending")
    assert detail["update_time"] >= detail["create_time"]
    assert detail["workflow"]["prompt"] == GRAPH
    assert not ENDED_ONLY & set(detail)
    assert "execution_start_time" not in detail


async def test_a_running_job_shows_since_when(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    job = await house.start(job_id)
    await house.show(job_id, OUTPUTS)

    detail = await ann.detail(job_id)

    assert job.started_at is not None
    assert detail["execution_start_time"] == int(job.started_at.timestamp() * 1000)
    assert not ENDED_ONLY & set(detail)


@pytest.mark.statement(56)
async def test_a_completed_job_shows_its_outputs_node_by_node(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.succeed(job_id, {"2": {"images": [PICTURE], "animated": [False]}, "1": {"text": ["hi"]}})

    detail = await ann.detail(job_id)

    assert detail["outputs"] == {"2": {"images": [PICTURE], "animated": [False]}, "1": {"text": ["hi"]}}
    assert detail["outputs_count"] == 1
    assert detail["preview_output"] == {**PICTURE, "nodeId": "2", "mediaType": "images"}
    assert set(detail["execution_meta"]) == {"1", "2"}
    assert detail["execution_meta"]["2"] == {
        "node_id": "2",
        "display_node": "2",
        "parent_node": None,
        "real_node_id": "2",
    }


@pytest.mark.statement(47)
async def test_a_3d_file_that_is_only_a_name_is_shown_as_a_file(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.succeed(job_id, {"1": {"3d": ["mesh.glb", None]}})

    outputs = (await ann.detail(job_id))["outputs"]

    assert outputs["1"]["3d"] == [{"filename": "mesh.glb", "subfolder": "", "type": "output", "mediaType": "3d"}]


async def test_the_detail_says_what_the_list_says(ann: Caller, house: House) -> None:
    waiting, done, failed = [await ann.submit(workflow_id="w") for _ in range(3)]
    await house.succeed(done)
    await house.fail(failed)

    for job_id in (waiting, done, failed):
        entry = await ann.entry(job_id)
        detail = await ann.detail(job_id)
        assert {key: detail[key] for key in entry} == entry


@pytest.mark.statement(17, 57)
async def test_what_came_with_the_graph_comes_back_whole(ann: Caller) -> None:
    workflow = {"id": "w-1", "nodes": [{"id": 1, "type": "EmptyImage", "pos": [1.5, -2]}], "extra": {"ü": None}}
    job_id = await ann.submit(
        client_id="c-1", extra_data={"extra_pnginfo": {"workflow": workflow}, "preview_method": "auto", "mine": [1]}
    )

    detail = await ann.detail(job_id)

    extra_data = detail["workflow"]["extra_data"]
    assert extra_data["extra_pnginfo"]["workflow"] == workflow
    assert (extra_data["client_id"], extra_data["preview_method"], extra_data["mine"]) == ("c-1", "auto", [1])
    assert detail["workflow_id"] == "w-1"


@pytest.mark.statement(112)
async def test_when_it_was_submitted_is_for_the_server_to_say(ann: Caller) -> None:
    job_id = await ann.submit(extra_data={"create_time": 5})

    detail = await ann.detail(job_id)

    assert detail["workflow"]["extra_data"]["create_time"] // 1000 == detail["create_time"] > 5


@pytest.mark.statement(59)
async def test_no_answer_ever_holds_a_secret(ann: Caller, house: House) -> None:
    waiting = await ann.submit(extra_data=SECRETS)
    done = await ann.submit(extra_data=SECRETS)
    await house.succeed(done)

    paths = [f"/api/jobs/{waiting}", f"/api/jobs/{done}", f"/api/job/{done}/status", f"/api/history_v2/{done}"]
    for path in (*paths, "/api/jobs", "/api/queue", "/api/history_v2"):
        text = (await ann.http.get(path)).text
        assert waiting in text or done in text
        assert not any(secret in text for secret in (*SECRETS, *SECRETS.values()))


@pytest.mark.statement(56, 60)
async def test_a_success_is_told_in_the_messages_of_its_run(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    start, end = _milliseconds(await house.succeed(job_id, cached=["1"]))

    status = await _status(ann, job_id)

    assert (status["status_str"], status["completed"]) == ("success", True)
    assert [name for name, _ in status["messages"]] == ["execution_start", "execution_cached", "execution_success"]
    assert [data["prompt_id"] for _, data in status["messages"]] == [job_id] * 3
    assert status["messages"][1][1]["nodes"] == ["1"]
    assert status["messages"][0][1]["timestamp"] == start
    assert 0 <= end - status["messages"][2][1]["timestamp"] <= 1


@pytest.mark.statement(60)
async def test_a_failure_is_told_with_its_error(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.start(job_id)
    await house.end(job_id, "failed", failure=BOOM, executed=("1",))

    detail = await ann.detail(job_id)

    status = detail["execution_status"]
    assert (status["status_str"], status["completed"]) == ("error", False)
    name, data = status["messages"][-1]
    assert name == "execution_error"
    assert data.items() >= detail["execution_error"].items()
    assert (data["prompt_id"], data["exception_message"], data["executed"]) == (job_id, BOOM.exception_message, ["1"])


async def test_an_interruption_is_told_with_the_node_it_came_to(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.start(job_id)
    await ann.http.post(f"/api/jobs/{job_id}/cancel")
    await house.end(job_id, "interrupted", interrupted_at="2", executed=("1",))

    status = await _status(ann, job_id)

    assert (status["status_str"], status["completed"]) == ("error", False)
    name, data = status["messages"][-1]
    assert name == "execution_interrupted"
    assert (data["node_id"], data["node_type"], data["executed"]) == ("2", "SaveImage", ["1"])


async def test_a_job_canceled_while_it_waited_has_only_its_interruption_to_tell(ann: Caller) -> None:
    job_id = await ann.submit()
    await ann.http.post(f"/api/jobs/{job_id}/cancel")

    detail = await ann.detail(job_id)

    assert [name for name, _ in detail["execution_status"]["messages"]] == ["execution_interrupted"]
    assert (detail["outputs"], detail["execution_meta"]) == ({}, {})


async def test_only_the_last_attempt_is_told(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.start(job_id)
    await house.end(job_id, "released", cached=("1", "2"))
    await house.lose(job_id)

    messages = (await _status(ann, job_id))["messages"]

    assert [name for name, _ in messages] == ["execution_start", "execution_cached", "execution_error"]
    assert messages[1][1]["nodes"] == []


async def test_an_id_is_read_regardless_of_case(ann: Caller) -> None:
    job_id = await ann.submit()

    assert (await ann.detail(job_id.upper()))["id"] == job_id


@pytest.mark.statement(5, 54)
async def test_a_job_that_is_not_there_or_not_mine_is_not_found(ann: Caller, bob: Caller) -> None:
    theirs = await bob.submit()

    for job_id in (theirs, str(uuid4())):
        answer = await ann.http.get(f"/api/jobs/{job_id}")
        assert answer.status_code == 404
        assert answer.json() == {
            "code": "not_found",
            "message": f"there is no job {job_id}",
            "error": f"there is no job {job_id}",
        }


@pytest.mark.statement(55)
@pytest.mark.parametrize("path", ["/api/jobs/{}", "/api/job/{}/status", "/api/history_v2/{}"])
async def test_what_is_no_id_is_not_found(ann: Caller, path: str) -> None:
    for job_id in ODD_IDS:
        answer = await ann.http.get(path.format(job_id))
        assert answer.status_code == 404, job_id
        assert {"code", "message", "error"} <= set(answer.json())
        assert len(answer.text) < 20_000
