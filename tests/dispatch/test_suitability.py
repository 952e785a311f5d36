"""Jobs go to workers that can run them, and nobody waits behind one that nobody free can run."""

from typing import Any

import msgspec
from tests.jobs.workshop import PlayedWorker, Workshop
from tests.publishing import one_class, publish

from fireside.dispatch.dispatcher import Dispatcher
from fireside.domain.accounts import User
from fireside.domain.jobs import JobState
from fireside.domain.waiting import Lack
from fireside.domain.workers import BYTES_PER_GB, WorkerWish
from fireside.jobs.rerun import rerun_job
from fireside.jobs.submit import Submission, submit_job
from fireside.jobs.waiting import why_waiting


def loading(model: str) -> dict[str, Any]:
    return {"1": {"class_type": "Load", "inputs": {"model": model}}}


async def join(shop: Workshop, name: str, *models: str, vram_gb: float = 0.0, **labels: str) -> PlayedWorker:
    """Bring in a worker that has these models."""
    body = msgspec.json.encode(one_class("Load", model=[list(models), {}]))
    await publish(shop.store, body, worker=name, runtime="comfyui", labels=labels, vram_gb=vram_gb)
    await shop.desk.definitions.refresh()
    return await shop.worker(name)


async def submit(shop: Workshop, user: User, model: str, *, vram_gb: float = 0.0, **require: str) -> Any:
    wish = WorkerWish(labels=require, vram_bytes=int(vram_gb * BYTES_PER_GB))
    return (await submit_job(shop.desk, Submission(user=user, graph=loading(model), wish=wish))).job


async def look(shop: Workshop, leader: Dispatcher, *workers: PlayedWorker) -> None:
    """Have the workers say that they are there, and the leader look once."""
    for worker in workers:
        await worker.say(leader)
    await leader.tick(shop.clock())
    await leader.settle()


async def test_a_job_goes_to_the_worker_that_has_its_model(shop: Workshop, ann: User, leader: Dispatcher) -> None:
    one, two = await join(shop, "one", "a"), await join(shop, "two", "b")
    job = await submit(shop, ann, "b")

    await look(shop, leader, one, two)

    assert (await shop.job(job)).worker_id == two.id


async def test_a_job_waits_for_a_worker_that_can_run_it_and_holds_up_none_behind_it(
    shop: Workshop, ann: User, leader: Dispatcher
) -> None:
    one, two = await join(shop, "one", "a"), await join(shop, "two", "b")
    waiting = [await submit(shop, ann, "b") for _ in range(5)]
    behind = await submit(shop, ann, "a")

    await look(shop, leader, one)
    assert (await shop.job(behind)).worker_id == one.id
    assert {await shop.state(job) for job in waiting} == {JobState.QUEUED}

    await look(shop, leader, one, two)
    assert (await shop.job(waiting[0])).worker_id == two.id


async def test_a_job_goes_only_to_a_worker_with_the_labels_it_asks_for(
    shop: Workshop, ann: User, leader: Dispatcher
) -> None:
    plain, big = await join(shop, "plain", "a"), await join(shop, "big", "a", gpu="big")
    job = await submit(shop, ann, "a", gpu="big")

    await look(shop, leader, plain)
    assert await shop.state(job) is JobState.QUEUED

    await look(shop, leader, plain, big)
    assert (await shop.job(job)).worker_id == big.id


async def test_a_job_goes_only_to_a_worker_with_as_much_memory_as_it_asks_for(
    shop: Workshop, ann: User, leader: Dispatcher
) -> None:
    untold, small = await join(shop, "untold", "a"), await join(shop, "small", "a", vram_gb=12.0)
    large = await join(shop, "large", "a", vram_gb=24.0)
    job = await submit(shop, ann, "a", vram_gb=16.0)
    behind = await submit(shop, ann, "a")

    await look(shop, leader, small)
    assert (await shop.job(behind)).worker_id == small.id
    await look(shop, leader, untold)
    assert await shop.state(job) is JobState.QUEUED

    await look(shop, leader, untold, large)
    assert (await shop.job(job)).worker_id == large.id


async def test_why_a_job_waits_names_the_memory_that_the_nearest_worker_lacks(
    shop: Workshop, ann: User, leader: Dispatcher
) -> None:
    small, large = await join(shop, "small", "a", vram_gb=12.0), await join(shop, "large", "a", vram_gb=24.0)
    job = await submit(shop, ann, "a", vram_gb=23.5)
    await look(shop, leader, small)
    present = leader._presences.present(shop.clock())
    waiting = await why_waiting(shop.desk, job, present)
    assert waiting is not None
    assert waiting.message == "large could run it and is away."

    # It comes back with a smaller card.
    body = msgspec.json.encode(one_class("Load", model=[["a"], {}]))
    await publish(shop.store, body, worker=large.id, runtime="comfyui", vram_gb=16.0)
    await shop.desk.definitions.refresh()
    waiting = await why_waiting(shop.desk, job, present)

    assert waiting is not None
    assert waiting.message == "No worker that is there has 23.5 GB of VRAM."
    assert waiting.lack == Lack(vram_bytes=23_500_000_000)


async def test_a_job_that_is_run_once_more_asks_for_the_same(shop: Workshop, ann: User) -> None:
    await join(shop, "large", "a", vram_gb=24.0, gpu="big")
    job = await submit(shop, ann, "a", vram_gb=16.0, gpu="big")

    again = (await rerun_job(shop.desk, ann, job.id)).job

    asked = [await shop.store.queue_facts(one, unknown_seconds=1.0) for one in (job, again)]
    assert asked[0].requirement == asked[1].requirement
    assert b"16000000000" in (asked[0].requirement or b"")


async def test_a_worker_that_came_back_with_the_model_gets_the_job_without_a_refresh_of_ours(
    shop: Workshop, ann: User, leader: Dispatcher
) -> None:
    one = await join(shop, "one", "a", "b")
    job = await submit(shop, ann, "b")
    await join_again(shop, one, "a", boot_id="boot-2")
    await look(shop, leader, one)
    assert await shop.state(job) is JobState.QUEUED

    await join_again(shop, one, "a", "b", boot_id="boot-3")
    await look(shop, leader, one)

    assert (await shop.job(job)).worker_id == one.id


async def join_again(shop: Workshop, worker: PlayedWorker, *models: str, boot_id: str) -> None:
    """Have the worker join by another server process, as a new process of its own."""
    body = msgspec.json.encode(one_class("Load", model=[list(models), {}]))
    await publish(shop.store, body, worker=worker.id, runtime="comfyui", boot_id=boot_id)
    worker.boot_id = boot_id


async def test_what_waits_over_a_restart_still_asks_for_the_same(shop: Workshop, ann: User) -> None:
    one, two = await join(shop, "one", "a"), await join(shop, "two", "b")
    job = await submit(shop, ann, "b")

    await look(shop, await shop.leader("another"), one, two)

    assert (await shop.job(job)).worker_id == two.id
