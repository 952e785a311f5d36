import asyncio
from dataclasses import replace
from uuid import uuid4

import msgspec
import pytest
from tests.jobs.workshop import BODY, PlayedWorker, Workshop

from fireside.domain.accounts import User
from fireside.domain.assets import Asset, FileName, Folder, OutputOrigin
from fireside.domain.errors import IllegalTransition, StaleLease
from fireside.domain.ids import AssetId, BlobHash, WorkerId
from fireside.domain.jobs import JobState, Lease
from fireside.jobs.desk import HeldJobs
from fireside.jobs.read import read_job, read_work
from fireside.jobs.report import add_output, held_job, start_job
from fireside.jobs.rescue import rescue_job
from fireside.store.records import JobBody, NodeRecord, QueueCounts
from fireside.wire.fleet import NodeFailure

SHOWN = {"images": [{"filename": "a_00001_.png", "subfolder": "", "type": "output"}]}
BOOM = NodeFailure(node_id="2", node_type="SaveImage", exception_type="ValueError", exception_message="boom")


def record(node_id: str = "9") -> NodeRecord:
    return NodeRecord(node_id=node_id, display_node_id=node_id, output=SHOWN)


def picture(shop: Workshop, user: User, lease: Lease, node_id: str = "9") -> Asset:
    return Asset(
        id=AssetId(uuid4()), user_id=user.id, file=FileName(folder=Folder.OUTPUT, subfolder="", name="a_00001_.png"),
        hash=BlobHash("a" * 64), size_bytes=1, content_type="image/png", created_at=shop.clock(),
        origin=OutputOrigin(job_id=lease.job_id, node_id=node_id, key="images", index=0),
    )  # fmt: skip


async def test_a_start_that_is_reported_twice_is_one_start(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    job = await shop.submit(ann)
    lease = await shop.started(job, worker)
    shop.clock.go(1)

    again = await start_job(shop.desk, worker.id, lease)

    assert again.started_at == (await shop.job(job)).started_at
    assert await shop.kinds(job) == ["assigned", "started"]


async def test_starts_that_arrive_together_are_one_start(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    job = await shop.submit(ann)
    lease = await shop.assigned(job, worker)

    await asyncio.gather(*(start_job(shop.desk, worker.id, lease) for _ in range(5)))

    assert await shop.kinds(job) == ["assigned", "started"]


async def test_a_run_whose_start_another_server_has_recorded_ends_here(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    job = await shop.submit(ann)
    lease = await shop.assigned(job, worker)
    await start_job(replace(shop.desk, held=HeldJobs()), worker.id, lease)

    ended = await shop.end(lease, worker)

    assert ended.state is JobState.SUCCEEDED


async def test_a_run_is_charged_what_it_took_instead_of_what_was_guessed(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    await shop.submit(ann, number=9)
    lease = await shop.started(await shop.submit(ann), worker, estimate=60.0)
    assert await shop.share(ann) == 60
    shop.clock.go(10)

    job = await shop.end(lease, worker, run_seconds=8.0)

    assert (job.state, job.charged_seconds) == (JobState.SUCCEEDED, 8)
    assert await shop.share(ann) == pytest.approx(8)
    assert await shop.kinds(job) == ["assigned", "started", "cached", "succeeded"]


async def test_when_nodes_began_is_kept_with_the_run(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    lease = await shop.started(await shop.submit(ann), worker)

    job = await shop.end(lease, worker, cached=("1",), began=(("2", 0.0), ("3", 1.5)))

    told = {entry.kind: entry.data for entry in await shop.store.job_timeline(job.id)}
    assert told["cached"] == {"nodes": ["1"], "began": [["2", 0.0], ["3", 1.5]]}


@pytest.mark.parametrize(("said", "charged"), [(1e300, 10.0), (-5.0, 0.0)])
async def test_a_worker_is_not_believed_more_than_the_clock(
    shop: Workshop, ann: User, worker: PlayedWorker, said: float, charged: float
) -> None:
    await shop.submit(ann, number=9)
    lease = await shop.started(await shop.submit(ann), worker)
    shop.clock.go(10)

    await shop.end(lease, worker, run_seconds=said)

    assert await shop.share(ann) == pytest.approx(charged)


async def test_an_end_that_is_reported_twice_is_charged_once(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    await shop.submit(ann, number=9)
    lease = await shop.started(await shop.submit(ann), worker)
    shop.clock.go(10)

    first, *rest = await asyncio.gather(*(shop.end(lease, worker, run_seconds=10.0) for _ in range(4)))

    assert all(job == first for job in rest)
    assert await shop.end(lease, worker, "failed", failure=BOOM) == first
    assert await shop.share(ann) == pytest.approx(10)
    assert (await shop.kinds(first)).count("succeeded") == 1


async def test_a_failure_is_kept_in_the_published_shape(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    job = await shop.submit(ann)
    lease = await shop.started(job, worker)

    ended = await shop.end(lease, worker, "failed", failure=BOOM, executed=("1",))

    assert ended.error is not None
    error = msgspec.json.decode(ended.error)
    assert (error["node_id"], error["exception_message"], error["current_outputs"]) == ("2", "boom", {})
    assert (await shop.last_entry(job)).data["executed"] == ["1"]


async def test_a_failure_that_names_no_reason_has_one_all_the_same(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    lease = await shop.started(await shop.submit(ann), worker)

    ended = await shop.end(lease, worker, "failed")

    assert ended.error is not None
    assert msgspec.json.decode(ended.error)["exception_message"]


async def test_a_job_that_is_given_back_waits_again_without_its_outputs_and_costs_nothing(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    job = await shop.submit(ann)
    lease = await shop.started(job, worker, estimate=30.0)
    await add_output(shop.desk, worker.id, lease, record(), [picture(shop, ann, lease)])
    shop.clock.go(10)

    back = await shop.end(lease, worker, "released", run_seconds=10.0)

    assert (back.state, back.started_at, back.charged_seconds) == (JobState.QUEUED, None, 0)
    assert await shop.share(ann) == 0
    assert await shop.store.job_outputs(job.id) == []
    assert await shop.store.job_assets(job.id) == []
    assert (await shop.kinds(job))[-1] == "released"
    assert (await shop.end(lease, worker, "released")).state is JobState.QUEUED


async def test_a_job_that_keeps_coming_back_fails_with_the_last_reason(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    job = await shop.submit(ann)
    full = msgspec.structs.replace(BOOM, exception_message="No space left on device")

    for _ in range(shop.desk.config.max_attempts):
        assert await shop.state(job) is JobState.QUEUED
        await shop.end(await shop.started(job, worker), worker, "released", failure=full)

    ended = await shop.job(job)
    assert (ended.state, ended.attempt) == (JobState.FAILED, 10)
    assert ended.error is not None
    assert "handed out 10 times" in ended.error.decode()
    assert "No space left on device" in ended.error.decode()


async def test_what_a_node_has_shown_counts_once_however_often_it_is_told(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    job = await shop.submit(ann)
    lease = await shop.started(job, worker)

    for _ in range(3):
        await add_output(shop.desk, worker.id, lease, record(), [picture(shop, ann, lease)])

    assert len(await shop.store.job_outputs(job.id)) == 1
    assert len(await shop.store.job_assets(job.id)) == 1
    ended = await shop.end(lease, worker)
    assert (ended.outputs_count, ended.previewable_count) == (1, 1)


async def test_a_worker_that_lost_its_lease_is_believed_nothing(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    job = await shop.submit(ann)
    lease = await shop.started(job, worker)
    await rescue_job(shop.desk, await shop.held(lease), lost=True)
    other = await shop.worker("worker-2")
    present = await shop.started(job, other)

    for speak in (
        start_job(shop.desk, worker.id, lease),
        add_output(shop.desk, worker.id, lease, record(), []),
        shop.end(lease, worker),
        read_work(shop.desk, worker.id, lease),
    ):
        with pytest.raises(StaleLease):
            await speak

    assert await shop.store.job_outputs(job.id) == []
    assert (await shop.end(present, other)).state is JobState.SUCCEEDED


async def test_a_worker_cannot_speak_under_the_lease_of_another(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    lease = await shop.started(await shop.submit(ann), worker)

    with pytest.raises(StaleLease):
        await held_job(shop.desk, WorkerId("worker-2"), lease)


async def test_a_success_without_a_start_is_refused(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    lease = await shop.assigned(await shop.submit(ann), worker)

    with pytest.raises(IllegalTransition):
        await shop.end(lease, worker)

    assert await shop.state(lease) is JobState.ASSIGNED


async def test_secrets_are_gone_with_the_job_and_not_before(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    sealed = JobBody(graph=BODY.graph, extra_data=BODY.extra_data, outputs=(), sealed_secrets=b"sealed")
    job = await shop.submit(ann, body=sealed)
    await shop.end(await shop.started(job, worker), worker, "released")
    assert (await read_job(shop.desk, ann.id, job.id)).body.sealed_secrets == b"sealed"

    await shop.end(await shop.started(job, worker), worker)

    assert (await read_job(shop.desk, ann.id, job.id)).body.sealed_secrets is None
    assert await shop.store.queue_counts(ann.id) == QueueCounts(queued=0, held=0)
