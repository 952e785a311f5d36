"""Submits that are answered with what was made before."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.databases import Databases
from tests.jobs.workshop import NOON, PlayedWorker, Workshop, open_workshop
from tests.publishing import one_class, publish

from fireside.domain.accounts import User
from fireside.domain.assets import Asset, FileName, Folder, OutputOrigin
from fireside.domain.ids import AssetId, BlobHash
from fireside.domain.jobs import Job, JobState
from fireside.domain.pauses import PauseOrigin
from fireside.domain.workers import WorkerWish
from fireside.jobs.report import add_output
from fireside.jobs.submit import Submission, Submitted, submit_job
from fireside.store.records import NodeRecord, QueueCounts
from fireside.store.store import DuplicateJob, KeyReused

SNAPSHOT = {"fireside": {"version": "1"}}


def graph(color: int = 7) -> dict[str, Any]:
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": color}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}},
    }


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


@pytest.fixture
async def shop(databases: Databases, tmp_path: Path, settings: dict[str, Any]) -> AsyncIterator[Workshop]:
    async with open_workshop(databases.config(tmp_path / "data", reuse=True, **settings)) as shop:
        await publish(shop.store, snapshot=SNAPSHOT)
        yield shop


async def submit(shop: Workshop, user: User, of: Any = None, **fields: Any) -> Submitted:
    return await submit_job(shop.desk, Submission(user=user, graph=of or graph(), **fields))


NO_MODELS: dict[str, str] = {}


async def make(
    shop: Workshop,
    worker: PlayedWorker,
    job: Job,
    *,
    models: dict[str, str] | None = NO_MODELS,
    names: Sequence[str] = ("a",),
) -> None:
    """Let the worker run the job, which makes a picture for each name."""
    lease = await shop.started(job, worker)
    held = await shop.job(job)
    items = [{"filename": f"{name}_00001_.png", "subfolder": "", "type": "output"} for name in names]
    record = NodeRecord(node_id="2", display_node_id="2", output={"images": items})
    files = [picture(held, n, str(item["filename"])) for n, item in enumerate(items)]
    await add_output(shop.desk, worker.id, lease, record, files)
    await shop.end(lease, worker, models=models, run_seconds=0.0)
    worker.leases = ()


def picture(job: Job, index: int, name: str) -> Asset:
    return Asset(
        id=AssetId(uuid4()),
        user_id=job.user_id,
        file=FileName(folder=Folder.OUTPUT, subfolder="", name=name),
        hash=BlobHash(f"{index:064x}"),
        size_bytes=5,
        content_type="image/png",
        created_at=NOON,
        origin=OutputOrigin(job_id=job.id, node_id="2", key="images", index=index),
    )


async def test_equal_work_is_done_once(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    first = (await submit(shop, ann)).job
    await make(shop, worker, first, names=("a", "b"))

    again = await submit(shop, ann)

    assert again.reused is not None
    assert (again.job.state, again.job.attempt, again.job.started_at) == (JobState.SUCCEEDED, 0, None)
    assert (again.job.outputs_count, again.job.charged_seconds) == (2, 0.0)
    assert await shop.store.queue_counts(ann.id) == QueueCounts(queued=0, held=0)
    assert await shop.store.reused_job(again.job.id) == first.id
    assert await shop.store.reused_job(first.id) is None
    before, after = [await shop.store.job_assets(one.id) for one in (first, again.job)]
    assert [one.hash for one in before] == [one.hash for one in after]
    assert {one.id for one in before}.isdisjoint(one.id for one in after)
    assert [one.file.name for one in after] == ["a_00002_.png", "b_00002_.png"]
    (record,) = await shop.store.job_outputs(again.job.id)
    assert [item["filename"] for item in record.output["images"]] == ["a_00002_.png", "b_00002_.png"]
    entries = {entry.kind: entry.data for entry in await shop.store.job_timeline(again.job.id)}
    assert entries == {"cached": {"nodes": ["1", "2"]}, "succeeded": {"reused_from": str(first.id)}}
    assert await shop.store.miscounted(ann.id) == 0
    assert await shop.store.miscounted_assets(ann.id) == 0


async def test_what_was_reused_can_be_reused_when_the_first_is_gone(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    first = (await submit(shop, ann)).job
    await make(shop, worker, first)
    second = (await submit(shop, ann)).job
    await shop.store.delete_jobs(ann.id, [first.id])

    third = (await submit(shop, ann)).job

    assert await shop.store.reused_job(third.id) == second.id


PREVIEW = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
SLEEP = {"class_type": "FiresideSleep", "inputs": {"image": ["1", 0], "seconds": 0.0, "steps": 1}}
SAVE = {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "a"}}


@pytest.mark.parametrize("other", [graph(8), {**graph(), "3": PREVIEW}, {**graph(), "2": SAVE, "3": SLEEP}])
async def test_other_work_runs(shop: Workshop, ann: User, worker: PlayedWorker, other: Any) -> None:
    await make(shop, worker, (await submit(shop, ann)).job)

    assert (await submit(shop, ann, other)).job.state is JobState.QUEUED


async def test_what_makes_something_else_each_time_runs_each_time(
    shop: Workshop, ann: User, worker: PlayedWorker
) -> None:
    slept = {**graph(), "2": SAVE, "3": SLEEP}
    await make(shop, worker, (await submit(shop, ann, slept)).job)

    assert (await submit(shop, ann, slept)).job.state is JobState.QUEUED


async def test_a_submit_or_a_user_that_wants_a_run_gets_one(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    await make(shop, worker, (await submit(shop, ann)).job)

    assert (await submit(shop, ann, reuse=False)).job.state is JobState.QUEUED
    assert (await submit(shop, replace(ann, reuse=False))).job.state is JobState.QUEUED
    assert (await submit(shop, replace(ann, reuse=True))).job.state is JobState.SUCCEEDED


async def test_nobody_gets_what_another_made(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    await make(shop, worker, (await submit(shop, ann)).job)

    assert (await submit(shop, await shop.user("bob"))).job.state is JobState.QUEUED


@pytest.mark.parametrize("settings", [{"reuse_across_users": True}])
async def test_the_operator_lets_users_have_what_others_made(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    first = (await submit(shop, ann)).job
    await make(shop, worker, first)
    bob = await shop.user("bob")

    job = (await submit(shop, bob)).job

    assert job.state is JobState.SUCCEEDED
    assert [one.user_id for one in await shop.store.job_assets(job.id)] == [bob.id]


async def test_a_run_that_nobody_vouches_for_is_not_reused(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    await make(shop, worker, (await submit(shop, ann)).job, models=None)

    assert (await submit(shop, ann)).job.state is JobState.QUEUED


async def test_a_failure_is_not_reused(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    lease = await shop.started((await submit(shop, ann)).job, worker)
    await shop.end(lease, worker, "failed", models={})

    assert (await submit(shop, ann)).job.state is JobState.QUEUED


async def test_other_versions_of_nodes_run(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    await make(shop, worker, (await submit(shop, ann)).job)
    await publish(shop.store, snapshot={"fireside": {"version": "2"}}, boot_id="boot-2")
    await shop.desk.definitions.refresh()

    assert (await submit(shop, ann)).job.state is JobState.QUEUED


async def test_a_worker_with_other_labels_is_no_witness(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    await make(shop, worker, (await submit(shop, ann)).job)
    await publish(shop.store, worker="worker-2", labels={"gpu": "h100"})
    await shop.desk.definitions.refresh()

    assert (await submit(shop, ann, wish=WorkerWish(labels={"gpu": "h100"}))).job.state is JobState.QUEUED


async def test_outputs_that_are_gone_are_made_anew(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    first = (await submit(shop, ann)).job
    await make(shop, worker, first, names=("a", "b"))
    gone = (await shop.store.job_assets(first.id))[1]
    await shop.store.remove_asset(gone.id, user_id=ann.id)

    assert (await submit(shop, ann)).job.state is JobState.QUEUED


async def test_a_job_that_was_deleted_is_not_reused(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    first = (await submit(shop, ann)).job
    await make(shop, worker, first)
    await shop.store.delete_jobs(ann.id, [first.id])

    assert (await submit(shop, ann)).job.state is JobState.QUEUED


async def test_an_id_or_a_key_that_is_taken_is_refused_as_ever(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    first = (await submit(shop, ann, key="k")).job
    await make(shop, worker, first)

    with pytest.raises(DuplicateJob):
        await submit(shop, ann, job_id=first.id)
    with pytest.raises(KeyReused):
        await submit(shop, ann, key="k")


async def test_a_pause_holds_up_nothing_that_need_not_run(shop: Workshop, ann: User, worker: PlayedWorker) -> None:
    await make(shop, worker, (await submit(shop, ann)).job)
    await shop.store.pause(ann.id, PauseOrigin.OWNER, "", NOON)

    assert (await submit(shop, ann)).job.state is JobState.SUCCEEDED


LOADER = one_class("UpscaleModelLoader", model_name=[["a.pth"], {}])
LOADER["UpscaleModelLoader"]["python_module"] = "comfy_extras.nodes_upscale_model"
UPSCALE = {"1": {"class_type": "UpscaleModelLoader", "inputs": {"model_name": "a.pth"}}}
SEEN = {"upscale_models/a.pth": "1" * 64}


@pytest.fixture
async def reads_a_model(shop: Workshop, worker: PlayedWorker) -> PlayedWorker:
    """Give a worker that has a model and knows its bytes."""
    models = {"upscale_models": {"a.pth": 5}}
    await publish(shop.store, msgspec.json.encode(LOADER), runtime="comfyui", snapshot=SNAPSHOT, models=models)
    await shop.desk.definitions.refresh()
    worker.models = SEEN
    return worker


async def run_upscale(shop: Workshop, user: User, worker: PlayedWorker) -> None:
    lease = await shop.started((await submit(shop, user, UPSCALE)).job, worker)
    await shop.end(lease, worker, models=SEEN)
    worker.leases = ()


async def test_a_model_file_that_is_what_it_was_is_no_reason_to_run(
    shop: Workshop, ann: User, reads_a_model: PlayedWorker
) -> None:
    await run_upscale(shop, ann, reads_a_model)

    assert (await submit(shop, ann, UPSCALE)).job.state is JobState.SUCCEEDED


@pytest.mark.parametrize(
    "now", [{"upscale_models/a.pth": "2" * 64}, {"other/a.pth": "1" * 64}, {}, None],
    ids=["changed", "elsewhere", "gone", "unknown"],
)  # fmt: skip
async def test_a_model_file_that_has_changed_has_the_job_run(
    shop: Workshop, ann: User, reads_a_model: PlayedWorker, now: dict[str, str] | None
) -> None:
    await run_upscale(shop, ann, reads_a_model)
    reads_a_model.models = now

    assert (await submit(shop, ann, UPSCALE)).job.state is JobState.QUEUED


async def test_a_worker_that_does_not_answer_for_its_models_has_the_job_run(
    shop: Workshop, ann: User, reads_a_model: PlayedWorker
) -> None:
    await run_upscale(shop, ann, reads_a_model)
    await reads_a_model.bus.close()

    assert (await submit(shop, ann, UPSCALE)).job.state is JobState.QUEUED
