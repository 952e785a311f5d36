"""Jobs go where their models are warm, over the real store and bus."""

import msgspec
from tests.dispatch.test_dispatcher import look
from tests.dispatch.test_suitability import submit
from tests.jobs.workshop import PlayedWorker, Workshop
from tests.publishing import one_class, publish

from fireside.dispatch.dispatcher import Dispatcher
from fireside.domain.accounts import User
from fireside.jobs.report import start_job

MODELS = {"checkpoints": {"a": 6 * 10**9, "b": 6 * 10**9}}


async def join(shop: Workshop, name: str) -> PlayedWorker:
    body = msgspec.json.encode(one_class("Load", model=[["a", "b"], {}]))
    await publish(shop.store, body, worker=name, runtime="comfyui", models=MODELS)
    await shop.desk.definitions.refresh()
    return await shop.worker(name)


async def run_what_is_held(shop: Workshop, *workers: PlayedWorker) -> None:
    for worker in workers:
        (lease,) = worker.leases
        await start_job(shop.desk, worker.id, lease)
        await shop.end(lease, worker)
        worker.leases = ()


async def test_a_job_goes_to_the_worker_that_ran_its_model_last(shop: Workshop, ann: User, leader: Dispatcher) -> None:
    one, two = await join(shop, "one"), await join(shop, "two")
    for model in ("a", "b"):
        await submit(shop, ann, model)
    await look(shop, leader, one, two)
    await run_what_is_held(shop, one, two)
    jobs = [await submit(shop, ann, model) for model in ("b", "a")]

    await look(shop, leader, one, two)

    assert [(await shop.job(job)).worker_id for job in jobs] == [two.id, one.id]


async def test_a_worker_that_is_a_new_process_holds_nothing(shop: Workshop, ann: User, leader: Dispatcher) -> None:
    one = await join(shop, "one")
    await submit(shop, ann, "a")
    await look(shop, leader, one)
    await run_what_is_held(shop, one)
    one.boot_id = "boot-2"
    cold, warm = await submit(shop, ann, "b"), await submit(shop, ann, "a")

    await look(shop, leader, one)

    assert [lease.job_id for lease in one.offers()[1:]] == [cold.id]
    assert (await shop.job(warm)).worker_id is None


async def test_a_job_waits_for_one_whose_model_is_warm(shop: Workshop, ann: User, leader: Dispatcher) -> None:
    one = await join(shop, "one")
    await submit(shop, ann, "a")
    await look(shop, leader, one)
    await run_what_is_held(shop, one)
    _, warm = await submit(shop, ann, "b"), await submit(shop, ann, "a")

    await look(shop, leader, one)

    assert [lease.job_id for lease in one.offers()[1:]] == [warm.id]


async def test_workers_that_hold_different_models_get_the_jobs_of_theirs(
    shop: Workshop, ann: User, leader: Dispatcher
) -> None:
    one, two = await join(shop, "one"), await join(shop, "two")
    one.warm, two.warm = ("b",), ("a",)
    jobs = [await submit(shop, ann, model) for model in ("a", "b", "a", "b")]

    for _ in range(2):
        await look(shop, leader, one, two)
        await run_what_is_held(shop, one, two)

    assert [(await shop.store.job_attempts(job.id))[0].worker_id for job in jobs] == [two.id, one.id, two.id, one.id]


async def test_what_a_worker_says_it_holds_goes_before_what_it_was_given(
    shop: Workshop, ann: User, leader: Dispatcher
) -> None:
    one = await join(shop, "one")
    await submit(shop, ann, "a")
    await look(shop, leader, one)
    await run_what_is_held(shop, one)
    one.warm = ()
    cold, warm = await submit(shop, ann, "b"), await submit(shop, ann, "a")

    await look(shop, leader, one)

    assert [lease.job_id for lease in one.offers()[1:]] == [cold.id]
    assert (await shop.job(warm)).worker_id is None
