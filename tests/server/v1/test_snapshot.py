"""`GET /api/jobs/{id}/snapshot`: what ran a job."""

from uuid import UUID, uuid4

from tests.publishing import publish
from tests.server.v1.house import Caller, House

from fireside.domain.ids import JobId, WorkerId
from fireside.domain.lifecycle import Verb, advance

EMPTY = {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}}
GRAPH = {"1": EMPTY, "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}}}


async def test_what_ran_each_attempt_is_told(house: House, ann: Caller) -> None:
    store, job_id = house.services.store, await ann.submit(GRAPH)
    for version in ("1", "2"):
        await publish(store, worker="gpu-1", snapshot={"comfyui": {"commit": version}})
        job = await store.job(JobId(UUID(job_id)))
        assert job is not None
        if job.attempt:
            job = await store.change_job(job, advance(job, Verb.RESCUE, job.changed_at))
        await store.change_job(job, advance(job, Verb.ASSIGN, job.changed_at, worker_id=WorkerId("gpu-1")))

    body = await ann.get(f"/api/jobs/{job_id}/snapshot")

    assert body["job_id"] == job_id
    assert [(one["worker"], one["outcome"]) for one in body["attempts"]] == [("gpu-1", "queued"), ("gpu-1", None)]
    assert [one["snapshot"] for one in body["attempts"]] == [{"comfyui": {"commit": version}} for version in ("1", "2")]


async def test_a_job_that_nobody_ran_has_no_attempts(ann: Caller) -> None:
    job_id = await ann.submit(GRAPH)

    assert (await ann.get(f"/api/jobs/{job_id}/snapshot"))["attempts"] == []


async def test_what_is_anothers_or_nobodys_is_not_found(ann: Caller, bob: Caller) -> None:
    job_id = await ann.submit(GRAPH)

    for wanted in (job_id, str(uuid4()), "nonsense"):
        assert (await bob.http.get(f"/api/jobs/{wanted}/snapshot")).status_code == 404
