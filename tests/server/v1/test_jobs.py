"""`GET /api/jobs`: what the list holds and what an entry shows."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.server.v1.house import OUTPUTS, PICTURE, Caller, House

from fireside.wire.fleet import NodeFailure

ENDED_KEYS = {"outputs_count", "preview_output", "execution_start_time", "execution_end_time", "execution_error"}


@pytest.mark.statement(9, 10)
async def test_without_parameters_the_newest_hundred_of_all_statuses_come(ann: Caller, house: House) -> None:
    ids = [await ann.submit() for _ in range(101)]
    await house.succeed(ids[100])
    await house.start(ids[99])

    body = await ann.get("/api/jobs")

    assert set(body) == {"jobs", "pagination"}
    assert body["pagination"].pop("next_cursor")
    assert body["pagination"] == {"offset": 0, "limit": 100, "total": 101, "has_more": True}
    assert [job["id"] for job in body["jobs"]] == ids[:0:-1]
    assert [job["status"] for job in body["jobs"][:3]] == ["completed", "in_progress", "pending"]


@pytest.mark.statement(9)
async def test_a_user_without_jobs_gets_an_empty_list(ann: Caller) -> None:
    body = await ann.get("/api/jobs")

    assert body == {"jobs": [], "pagination": {"offset": 0, "limit": 100, "total": 0, "has_more": False}}


@pytest.mark.statement(51)
async def test_each_user_sees_only_their_own(ann: Caller, bob: Caller) -> None:
    mine, theirs = await ann.submit(), await bob.submit()

    assert await ann.listed() == [mine]
    assert await bob.listed() == [theirs]


@pytest.mark.statement(1, 8)
async def test_a_stranger_and_a_wrong_key_are_refused_with_code_and_message(house: House) -> None:
    stranger, mistyped = await house.client({}), await house.client({"X-API-Key": "fs_nobody"})

    for answer in (await stranger.get("/api/jobs"), await mistyped.get("/api/jobs")):
        assert answer.status_code == 401
        assert {type(answer.json()[key]) for key in ("code", "message")} == {str}


@pytest.mark.statement(3)
async def test_a_key_may_come_as_bearer(ann: Caller, house: House) -> None:
    http = await house.client({"Authorization": f"Bearer {ann.http.headers['X-API-Key']}"})

    assert (await http.get("/api/jobs")).status_code == 200


@pytest.mark.statement(6)
async def test_the_path_answers_at_once_and_never_redirects(ann: Caller) -> None:
    assert (await ann.http.get("/api/jobs")).status_code == 200
    assert (await ann.http.get("/api/jobs/")).status_code == 404


@pytest.mark.statement(36, 39)
async def test_a_pending_job_shows_nothing_of_a_run(ann: Caller) -> None:
    job_id = await ann.submit()

    entry = await ann.entry(job_id)

    assert str(UUID(entry["id"])) == job_id
    assert entry["status"] == "pending"
    assert not ENDED_KEYS & set(entry)


async def test_a_job_that_a_worker_has_taken_and_not_begun_is_still_pending(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.hold(job_id)

    assert (await ann.entry(job_id))["status"] == "pending"


async def test_a_running_job_shows_nothing_of_its_end(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.start(job_id)
    await house.show(job_id, OUTPUTS)

    entry = await ann.entry(job_id)

    assert entry["status"] == "in_progress"
    assert not ENDED_KEYS & set(entry)


async def test_a_job_that_is_being_canceled_is_in_progress_until_it_has_stopped(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.start(job_id)
    await ann.http.post(f"/api/jobs/{job_id}/cancel")
    assert (await ann.entry(job_id))["status"] == "in_progress"

    await house.end(job_id, "interrupted")

    assert (await ann.entry(job_id))["status"] == "cancelled"


@pytest.mark.statement(40, 43)
async def test_a_completed_job_shows_its_count_its_preview_and_when_it_ran(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    job = await house.succeed(job_id)

    entry = await ann.entry(job_id)

    assert entry["status"] == "completed"
    assert entry["outputs_count"] == entry["previewable_outputs_count"] == 1
    assert entry["preview_output"] == {**PICTURE, "nodeId": "2", "mediaType": "images"}
    start, end = entry["execution_start_time"], entry["execution_end_time"]
    assert job.started_at is not None
    assert start == int(job.started_at.timestamp() * 1000)
    assert end - start == job.run_time // timedelta(milliseconds=1)
    assert "execution_error" not in entry


@pytest.mark.statement(41)
async def test_a_failed_job_tells_its_error_with_all_seven_fields(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.fail(job_id)

    entry = await ann.entry(job_id)

    assert entry["status"] == "failed"
    assert entry["execution_error"] == {
        "node_id": "2",
        "node_type": "SaveImage",
        "exception_message": "boom\n",
        "exception_type": "RuntimeError",
        "traceback": ["line 1", "line 2"],
        "current_inputs": {"filename_prefix": ["a"]},
        "current_outputs": {},
    }
    assert entry["outputs_count"] == 0
    assert "preview_output" not in entry


@pytest.mark.statement(41)
async def test_a_job_whose_workers_were_lost_has_failed_with_a_whole_error(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.lose(job_id)

    error = (await ann.entry(job_id))["execution_error"]

    assert (error["exception_type"], error["node_id"], error["traceback"]) == ("PanicError", "", [])


@pytest.mark.statement(41, 49, 50)
async def test_a_job_canceled_while_it_waited_stays_listed_and_never_ran(ann: Caller) -> None:
    job_id = await ann.submit()
    await ann.http.post(f"/api/jobs/{job_id}/cancel")

    entry = await ann.entry(job_id)

    assert entry["status"] == "cancelled"
    assert entry["outputs_count"] == 0
    assert not {"execution_start_time", "execution_end_time", "execution_error", "preview_output"} & set(entry)


@pytest.mark.statement(36)
async def test_every_entry_has_an_id_a_status_and_a_time(ann: Caller, house: House) -> None:
    waiting, running, done, failed, canceled = [await ann.submit() for _ in range(5)]
    await house.start(running)
    await house.succeed(done)
    await house.fail(failed)
    await ann.http.post(f"/api/jobs/{canceled}/cancel")

    entries = (await ann.get("/api/jobs", sort_order="asc"))["jobs"]

    assert [entry["id"] for entry in entries] == [waiting, running, done, failed, canceled]
    assert [entry["status"] for entry in entries] == ["pending", "in_progress", "completed", "failed", "cancelled"]
    assert {type(entry["create_time"]) for entry in entries} == {int}


@pytest.mark.statement(38, 42)
async def test_the_list_carries_neither_workflows_nor_outputs_nor_nulls(ann: Caller, house: House) -> None:
    for _ in range(2):
        await house.succeed(await ann.submit(), {})
    await house.fail(await ann.submit(), NodeFailure(node_id="", node_type="", exception_type="", exception_message=""))
    await ann.submit()

    for entry in (await ann.get("/api/jobs"))["jobs"]:
        assert not {"workflow", "outputs", "execution_status", "execution_meta"} & set(entry)
        assert None not in entry.values()


async def test_the_workflow_id_and_the_place_in_the_queue_are_shown(ann: Caller) -> None:
    known, unknown = await ann.submit(workflow_id="w-1", number=7), await ann.submit()

    assert (await ann.entry(known))["workflow_id"] == "w-1"
    assert (await ann.entry(known))["priority"] == 7
    assert "workflow_id" not in await ann.entry(unknown)


@pytest.mark.statement(43, 44, 45, 46, 47, 48)
@pytest.mark.parametrize(
    ("outputs", "preview", "count"),
    [
        pytest.param(
            {"1": {"images": [{"filename": "t.png", "type": "temp"}]}, "2": {"images": [PICTURE]}},
            {**PICTURE, "nodeId": "2", "mediaType": "images"},
            2,
            id="an output picture before an earlier temporary one",
        ),
        pytest.param(
            {"1": {"text": ["hello"]}, "2": {"images": [PICTURE]}},
            {**PICTURE, "nodeId": "2", "mediaType": "images"},
            1,
            id="a picture before a text",
        ),
        pytest.param(
            {"1": {"text": ["x" * 1025]}},
            {"content": "x" * 1024, "truncated": True, "nodeId": "1", "mediaType": "text"},
            0,
            id="a text, cut, where there is nothing else",
        ),
        pytest.param(
            {"1": {"3d": ["mesh.GLB"]}},
            {"filename": "mesh.GLB", "type": "output", "subfolder": "", "mediaType": "3d", "nodeId": "1"},
            1,
            id="a 3D file that is only a name",
        ),
        pytest.param(
            {
                "1": {
                    "images": [{"filename": "t.png", "type": "temp"}],
                    "latents": [{"filename": "l.latent", "type": "output"}],
                    "animated": [True],
                    "text": ["hello"],
                }
            },
            {"filename": "t.png", "type": "temp", "nodeId": "1", "mediaType": "images"},
            2,
            id="temporary files and latents count, flags and texts do not",
        ),
    ],
)
async def test_a_job_shows_the_best_of_its_outputs_and_how_many_there_are(
    ann: Caller, house: House, outputs: dict[str, Any], preview: dict[str, Any], count: int
) -> None:
    job_id = await ann.submit()
    await house.succeed(job_id, outputs)

    entry = await ann.entry(job_id)

    assert entry["preview_output"] == preview
    assert entry["outputs_count"] == count


async def test_only_the_outputs_of_the_attempt_that_ended_count(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    await house.start(job_id)
    await house.show(job_id, {"1": {"images": [PICTURE, PICTURE]}})
    await house.end(job_id, "released")
    await house.succeed(job_id)

    assert (await ann.entry(job_id))["outputs_count"] == 1
