"""`GET /api/jobs`: which jobs are kept."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.server.v1.house import PICTURE, Caller, House

from fireside.domain.errors import BadRequest
from fireside.domain.jobs import JobState
from fireside.domain.listing import ALL_STATES
from fireside.domain.outputs import Media
from fireside.server.v1.jobs_query import filter_of
from fireside.wire.v1_jobs import JobsQuery

STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")
VIDEO = {"1": {"images": [{"filename": "v.mp4", "subfolder": "", "type": "output"}], "animated": [True]}}
AUDIO = {"1": {"audio": [{"filename": "a.flac", "subfolder": "", "type": "output"}]}}
MESH = {"1": {"3d": ["mesh.glb"]}}


async def _one_of_each(ann: Caller, house: House) -> Mapping[str, str]:
    jobs = {status: await ann.submit() for status in STATUSES}
    await house.start(jobs["in_progress"])
    await house.succeed(jobs["completed"])
    await house.fail(jobs["failed"])
    await ann.http.post(f"/api/jobs/{jobs['cancelled']}/cancel")
    return jobs


@pytest.mark.statement(11, 49)
async def test_each_status_keeps_its_own_jobs(ann: Caller, house: House) -> None:
    jobs = await _one_of_each(ann, house)

    for status, job_id in jobs.items():
        body = await ann.get("/api/jobs", status=status)
        assert [(job["id"], job["status"]) for job in body["jobs"]] == [(job_id, status)]
        assert body["pagination"]["total"] == 1


@pytest.mark.statement(12)
async def test_several_statuses_keep_the_jobs_of_each_of_them(ann: Caller, house: House) -> None:
    jobs = await _one_of_each(ann, house)

    assert set(await ann.listed(status="pending,in_progress")) == {jobs["pending"], jobs["in_progress"]}
    assert set(await ann.listed(status=",".join(STATUSES))) == set(jobs.values())


@pytest.mark.statement(13)
async def test_a_status_may_be_repeated_spaced_and_in_capitals(ann: Caller, house: House) -> None:
    jobs = await _one_of_each(ann, house)
    wanted = {jobs["completed"], jobs["failed"]}

    assert set(await ann.listed(status=" Completed , FAILED,,failed ")) == wanted
    assert set(await ann.listed(status=["completed", "failed"])) == wanted


@pytest.mark.statement(15)
@pytest.mark.parametrize("status", ["", ",", " , "])
async def test_a_status_that_says_nothing_filters_nothing(ann: Caller, status: str) -> None:
    job_id = await ann.submit()

    assert await ann.listed(status=status) == [job_id]


@pytest.mark.statement(14)
async def test_an_unknown_status_is_refused_with_its_name_and_all_that_are_known(ann: Caller) -> None:
    answer = await ann.http.get("/api/jobs", params={"status": "pending,bogus,done"})

    assert answer.status_code == 400
    body = answer.json()
    assert set(body) == {"code", "message", "error"}
    assert body["error"] == body["message"]
    assert "bogus, done" in body["message"]
    assert ", ".join(STATUSES) in body["message"]


@pytest.mark.statement(16)
async def test_a_workflow_id_matches_whole_and_exactly(ann: Caller, house: House) -> None:
    job_id = await ann.submit(workflow_id="ab")
    await ann.submit(workflow_id="abc")
    await ann.submit()

    assert await ann.listed(workflow_id="ab") == [job_id]
    assert await ann.listed(workflow_id="a") == []
    assert await ann.listed(workflow_id="AB") == []
    assert len(await ann.listed(workflow_id="")) == 3
    await house.succeed(job_id)
    assert await ann.listed(workflow_id="ab", status="completed") == [job_id]
    assert await ann.listed(workflow_id="ab", status="pending") == []


async def test_a_workflow_id_that_no_job_can_have_is_refused(ann: Caller) -> None:
    answer = await ann.http.get("/api/jobs", params={"workflow_id": "ab\0"})

    assert answer.status_code == 400
    assert "NUL" in answer.json()["message"]


@pytest.mark.statement(19, 20, 21, 22)
async def test_an_output_type_keeps_completed_jobs_with_such_an_output(ann: Caller, house: House) -> None:
    picture, video, audio, mesh, nothing, both = [await ann.submit() for _ in range(6)]
    await house.succeed(picture)
    for job_id, outputs in (
        (video, VIDEO),
        (audio, AUDIO),
        (mesh, MESH),
        (nothing, {}),
        (both, VIDEO | {"2": AUDIO["1"]}),
    ):
        await house.succeed(job_id, outputs)

    assert await ann.listed(output_type="image") == [picture]
    assert await ann.listed(output_type="video") == [both, video]
    assert await ann.listed(output_type="audio") == [both, audio]
    assert await ann.listed(output_type="3d") == [mesh]
    assert await ann.listed(output_type="AUDIO ", status="completed", sort_order="asc") == [audio, both]
    assert (await ann.get("/api/jobs", output_type="video"))["pagination"]["total"] == 2


@pytest.mark.statement(19, 23)
async def test_jobs_that_have_not_completed_have_no_output_type(ann: Caller, house: House) -> None:
    jobs = await _one_of_each(ann, house)
    await house.show(jobs["in_progress"], {"1": {"images": [PICTURE]}})

    assert await ann.listed(output_type="image") == [jobs["completed"]]
    assert await ann.listed(output_type="image", status="pending,in_progress,failed,cancelled") == []


@pytest.mark.statement(22)
async def test_an_unknown_output_type_is_refused_with_its_name_and_all_that_are_known(ann: Caller) -> None:
    answer = await ann.http.get("/api/jobs", params={"output_type": "hologram"})

    assert answer.status_code == 400
    assert "'hologram'" in answer.json()["message"]
    assert "image, video, audio, 3d" in answer.json()["message"]


async def test_unknown_parameters_are_passed_over(ann: Caller) -> None:
    job_id = await ann.submit()

    assert await ann.listed(colour="red", after="") == [job_id]


def test_expired_jobs_are_found_among_the_failed_ones() -> None:
    assert filter_of(JobsQuery(status="failed")).states == {JobState.FAILED, JobState.EXPIRED}
    assert filter_of(JobsQuery(status="pending")).states == {JobState.QUEUED, JobState.ASSIGNED}
    assert filter_of(JobsQuery(status=",".join(STATUSES))).states == ALL_STATES


def test_no_parameters_filter_nothing() -> None:
    wanted = filter_of(JobsQuery())

    assert (wanted.states, wanted.workflow_id, wanted.media) == (ALL_STATES, None, Media.NONE)


@pytest.mark.parametrize("odd", ["x" * 10_000, "\0", "completed\0", "completed;failed", "ｐending"])  # noqa: RUF001 - odd on purpose
def test_an_odd_word_is_refused_in_a_few_words(odd: str) -> None:
    queries: list[dict[str, Any]] = [{"status": odd}, {"output_type": odd}]
    for query in queries:
        with pytest.raises(BadRequest) as refused:
            filter_of(JobsQuery(**query))
        assert len(refused.value.message) < 300
