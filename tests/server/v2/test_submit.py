"""`POST /api/v2/jobs`: what is taken, what answers it, and how it is refused."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from tests.databases import Databases
from tests.server.v1.house import GRAPH, House
from tests.server.v2.house import PNG, Caller, caller_of, error_of
from tests.server.v2.published import Published

from fireside.domain.assets import FileName, Folder
from fireside.domain.ids import AssetId, JobId

REQUIRED = {
    *("id", "status", "created_at", "started_at", "completed_at", "expires_at", "queue_position", "progress"),
    *("outputs", "error", "urls"),
}
BROKEN: dict[str, Any] = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1}},
    "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "a"}},
}
UNKNOWN: dict[str, Any] = {**GRAPH, "7": {"class_type": "Nope"}, "8": {"class_type": "NopeToo"}}


def load(reference: Any) -> dict[str, Any]:
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": reference}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}},
    }


def asset(asset_id: Any, **hints: Any) -> dict[str, Any]:
    return {"__type": "core/ASSET", "info": {"id": asset_id, **hints}}


async def upload(caller: Caller, name: str = "cat.png") -> str:
    answer = await caller.http.post("/api/upload/image", files={"image": (name, PNG)})
    assert answer.status_code == 200, answer.text
    return answer.json()["name"]


async def asset_id_of(house: House, caller: Caller, name: str) -> AssetId:
    file = FileName(folder=Folder.INPUT, subfolder="", name=name)
    found = await house.services.store.asset_by_file(caller.user.id, file)
    assert found is not None
    return found.id


@pytest.mark.statement(145)
async def test_a_good_workflow_is_answered_with_its_job_in_full(ann: Caller) -> None:
    answer = await ann.post()

    job = answer.json()
    assert answer.status_code == 201
    assert set(job) >= REQUIRED
    assert (job["status"], job["queue_position"]) == ("queued", 1)
    assert [job[name] for name in ("started_at", "completed_at", "progress", "error")] == [None] * 4
    assert job["expires_at"].endswith("Z")
    polled = await ann.job(job["id"])
    assert (polled | {"fireside": None}) == job
    assert polled["fireside"]["waiting"]["reason"] == "no_worker"


@pytest.mark.statement(146)
async def test_a_workflow_of_the_editor_is_refused_with_a_code_of_its_own(ann: Caller) -> None:
    error_of(await ann.post({"nodes": [], "links": [], "version": 0.4}), 422, "workflow_format_ui")


@pytest.mark.statement(146)
async def test_every_node_of_an_unknown_class_is_named(ann: Caller) -> None:
    error = error_of(await ann.post(UNKNOWN), 422, "invalid_workflow")

    assert {node_id: said[0]["class_type"] for node_id, said in error["details"]["node_errors"].items()} == {
        "7": "Nope",
        "8": "NopeToo",
    }


async def test_what_is_wrong_with_a_node_is_said_as_published_and_as_comfyui_does(ann: Caller) -> None:
    error = error_of(await ann.post(BROKEN), 422, "invalid_workflow")

    (problem,) = error["details"]["node_errors"]["2"]
    assert (problem["field"], problem["reason"]) == ("images", "missing_input")
    assert (problem["type"], problem["class_type"]) == ("required_input_missing", "SaveImage")


async def test_a_workflow_of_which_only_a_part_can_run_is_refused(ann: Caller) -> None:
    partly = {**GRAPH, "3": {"class_type": "SaveImage", "inputs": {"filename_prefix": "b"}}}

    error = error_of(await ann.post(partly), 422, "invalid_workflow")

    assert list(error["details"]["node_errors"]) == ["3"]


@pytest.mark.statement(146)
@pytest.mark.parametrize("body", [{}, {"workflow": None}, {"workflow": []}, {"workflow": "x"}, {"workflow": {}}, [], 5])
async def test_a_body_without_a_workflow_is_refused(ann: Caller, body: Any) -> None:
    error_of(await ann.http.post("/api/v2/jobs", json=body), 422, "invalid_workflow")


@pytest.mark.parametrize("content", [b"", b"{", b"nope", b"\xff", b'{"workflow":NaN}', b"[" * 100_000])
async def test_what_is_no_json_is_refused(ann: Caller, content: bytes) -> None:
    error_of(await ann.http.post("/api/v2/jobs", content=content), 400, "invalid_request")


@pytest.mark.statement(147)
@pytest.mark.parametrize("name", ["webhook_url", "inputs"])
@pytest.mark.parametrize("value", ["x", {}, False])
async def test_what_is_reserved_is_refused(ann: Caller, name: str, value: Any) -> None:
    error_of(await ann.post(**{name: value}), 422, "invalid_workflow")


async def test_what_is_reserved_and_null_and_what_is_not_known_is_passed_over(ann: Caller) -> None:
    await ann.submit(webhook_url=None, inputs=None, priority=5, whatever={"a": 1})


@pytest.mark.statement(147)
@pytest.mark.parametrize("extra_data", [{"other": 1}, {"api_key_comfy_org": 5}, [], "x"])
async def test_extra_data_is_closed(ann: Caller, extra_data: Any) -> None:
    error_of(await ann.post(extra_data=extra_data), 422, "invalid_request")


async def test_credentials_are_sealed_beside_the_job_and_shown_nowhere(house: House, ann: Caller) -> None:
    secrets = {"api_key_comfy_org": "comfy-secret-1", "auth_token_comfy_org": "comfy-secret-2"}
    job = await ann.submit(extra_data=secrets)

    body = await house.services.store.job_body(JobId(UUID(job["id"])))

    assert body is not None
    assert body.sealed_secrets is not None
    opened = house.services.desk.sealer.open(body.sealed_secrets, context=job["id"])
    assert msgspec.json.decode(opened) == secrets
    assert body.extra_data == b"{}"
    for path in (f"/api/v2/jobs/{job['id']}", f"/api/v2/jobs/{job['id']}/workflow", f"/api/jobs/{job['id']}"):
        assert "comfy-secret" not in (await ann.http.get(path)).text


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ("text", "object"),
        ([], "object"),
        ({"a b": "x"}, "a b"),
        ({"": "x"}, "''"),
        ({"k" * 41: "x"}, "kkk"),
        ({"k": 5}, "'k'"),
        ({"k": None}, "'k'"),
        ({"k": "x" * 257}, "256 bytes"),
        ({"k": "é" * 129}, "256 bytes"),
        ({"k": "a\x00b"}, "cannot be seen"),
        ({"k": "a\nb"}, "cannot be seen"),
        ({"k": "a\u202eb"}, "cannot be seen"),
        ({str(n): "x" for n in range(17)}, "16"),
    ],
)
async def test_labels_that_are_not_taken_are_named(ann: Caller, metadata: Any, says: str) -> None:
    error = error_of(await ann.post(metadata=metadata), 422, "metadata_invalid")

    assert says in error["message"]


async def test_labels_come_back_with_the_job(ann: Caller) -> None:
    labels = {f"k.{n}-_": "é" * 128 for n in range(16)}

    job = await ann.submit(metadata=labels)

    assert job["metadata"] == labels
    assert (await ann.job(job["id"]))["metadata"] == labels


async def test_a_worker_with_labels_can_be_asked_for(ann: Caller) -> None:
    error_of(await ann.post(fireside={"require": {"gpu": "big"}}), 422, "invalid_workflow")
    error_of(await ann.post(fireside={"require": {"vram_gb": 16}}), 422, "invalid_workflow")
    error_of(await ann.post(fireside={"other": 1}), 422, "invalid_request")
    for malformed in ({"vram_gb": "16"}, {"gpu": 16}, {"vram_gb": 0}, {"vram_gb": None}):
        error = error_of(await ann.post(fireside={"require": malformed}), 422, "invalid_request")
        assert "require" in error["message"]
    await ann.submit(fireside={"max_run_seconds": 5})


@pytest.mark.statement(148)
async def test_a_reference_stands_for_the_callers_file_wherever_it_is(house: House, ann: Caller) -> None:
    asset_id = await asset_id_of(house, ann, await upload(ann))
    reference = asset(str(asset_id), hash="blake3:" + "0" * 64, file_path="other.png")

    job = await ann.submit(load(reference))

    body = await house.services.store.job_body(JobId(UUID(job["id"])))
    assert body is not None
    assert [one.value for one in body.inputs] == ["cat.png"]
    graph = (await ann.get(f"/api/v2/jobs/{job['id']}/workflow"))["workflow"]
    assert graph["1"]["inputs"]["image"] == "cat.png"


@pytest.mark.statement(148)
async def test_references_that_lead_nowhere_are_all_told_and_what_else_is_wrong(
    house: House, ann: Caller, bob: Caller
) -> None:
    foreign = str(await asset_id_of(house, bob, await upload(bob)))
    unknown = str(uuid4())
    graph = load(asset(foreign))
    graph["3"] = {"class_type": "LoadImage", "inputs": {"image": [asset(unknown), asset("nonsense"), asset(None)]}}
    graph["4"] = {"class_type": "SaveImage", "inputs": {"filename_prefix": "b"}}

    error = error_of(await ann.post(graph), 422, "missing_asset")

    assert error["details"]["missing_ids"] == [foreign, unknown, "nonsense", None]
    assert list(error["details"]["node_errors"]) == ["4"]


@pytest.mark.statement(149)
async def test_a_key_is_used_up_by_a_job_and_by_nothing_else(ann: Caller, bob: Caller) -> None:
    error_of(await ann.post(BROKEN, key="k"), 422, "invalid_workflow")
    assert (await ann.post(key="k")).status_code == 201

    error_of(await ann.post(key="k"), 422, "idempotency_key_reuse")
    error_of(await ann.post({**GRAPH}, key="k", metadata={"a": "b"}), 422, "idempotency_key_reuse")
    assert (await bob.post(key="k")).status_code == 201


async def test_a_key_is_as_good_as_new_after_a_day(ann: Caller, databases: Databases, tmp_path: Path) -> None:
    await ann.submit(key="k")

    def let_pass(span: timedelta) -> None:
        microseconds = span // timedelta(microseconds=1)
        with databases.raw(tmp_path / "data") as execute:
            execute(f"UPDATE idempotency_key SET claimed_at = claimed_at - {microseconds}")

    let_pass(timedelta(hours=23, minutes=59))
    error_of(await ann.post(key="k"), 422, "idempotency_key_reuse")
    let_pass(timedelta(minutes=1))
    assert (await ann.post(key="k")).status_code == 201


@pytest.mark.statement(150)
async def test_of_submits_at_once_with_one_key_one_makes_a_job(house: House, ann: Caller) -> None:
    answers = await asyncio.gather(*(ann.post(key="k") for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 5
    assert (await house.services.store.queue_counts(ann.user.id)).queued == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 256])
async def test_a_key_that_is_none_is_refused(ann: Caller, key: str) -> None:
    error_of(await ann.post(key=key), 400, "invalid_request")


async def test_a_key_of_255_characters_is_taken(ann: Caller) -> None:
    assert (await ann.post(key="x" * 255)).status_code == 201


class TestFullQueue:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"max_queued": 1}

    @pytest.mark.statement(149, 160)
    async def test_a_full_queue_says_when_to_come_back_and_leaves_the_key(self, house: House, ann: Caller) -> None:
        first = await ann.submit()
        full = await ann.post(key="k")
        error_of(full, 429, "queue_full")
        assert full.headers["retry-after"] == "1", "the one before it was just submitted"

        await ann.http.post(f"/api/v2/jobs/{first['id']}/cancel")

        assert (await ann.post(key="k")).status_code == 201
        assert (await ann.post()).headers["retry-after"] == "1"

    async def test_the_time_to_wait_is_that_of_the_jobs_that_ended_lately(self, house: House, ann: Caller) -> None:
        for _ in range(20):
            await house.succeed((await ann.submit())["id"])
        await ann.submit()

        assert (await ann.post()).headers["retry-after"] == "1"


async def test_a_server_that_has_never_known_a_worker_says_so(house: House, contract: Published | None) -> None:
    eve = await caller_of(house, contract, "eve")

    answer: httpx.Response = await eve.post()

    error_of(answer, 503, "upstream_unreachable")
    assert answer.headers["retry-after"].isdecimal()
