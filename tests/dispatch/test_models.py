"""Models of the registry: whoever can fetch one can run a job that names it, and whoever has it is preferred."""

from typing import Any

import msgspec
import pytest
from tests.dispatch.test_suitability import loading, look, submit
from tests.jobs.workshop import PlayedWorker, Workshop
from tests.publishing import one_class, publish

from fireside.dispatch.dispatcher import Dispatcher
from fireside.domain.accounts import User
from fireside.domain.ids import BlobHash
from fireside.domain.models import ModelName
from fireside.graphs.errors import InvalidGraph
from fireside.graphs.node_sets import FETCHES
from fireside.jobs.submit import Submission, submit_job
from fireside.jobs.waiting import why_waiting
from fireside.jobs.work import work_of
from fireside.wire.fleet import MODEL_MARK, WorkBody

GB = 10**9
HASHES = {"big": BlobHash("a" * 64), "small": BlobHash("b" * 64)}


async def join(shop: Workshop, name: str, *models: str, fetches: bool = True, **own: int) -> PlayedWorker:
    """Bring in a worker whose loader lists these models, and can have others fetched."""
    nodes: dict[str, Any] = one_class("Load", model=[list(models), {}])
    if fetches:
        nodes["Load"][FETCHES] = {"model": "checkpoints"}
    folders = {"checkpoints": own} if own else None
    await publish(shop.store, msgspec.json.encode(nodes), worker=name, runtime="comfyui", models=folders)
    await shop.desk.definitions.refresh()
    return await shop.worker(name)


async def register(shop: Workshop, name: str, *, folder: str = "checkpoints", url: str | None = None) -> None:
    size = 50 * GB if name == "big" else GB
    await shop.store.add_model(ModelName(folder, name), HASHES[name], size, url, shop.clock())
    await shop.desk.definitions.refresh()


async def remove(shop: Workshop, name: str) -> None:
    await shop.store.remove_model(ModelName("checkpoints", name))
    await shop.desk.definitions.refresh()


async def test_a_model_that_nobody_has_is_fetched_by_whoever_can(shop: Workshop, ann: User, leader: Dispatcher) -> None:
    one, two = await join(shop, "one", "a", fetches=False), await join(shop, "two", "a")
    await register(shop, "big")
    job = await submit(shop, ann, "big")

    await look(shop, leader, one, two)

    assert (await shop.job(job)).worker_id == two.id


async def test_it_is_refused_where_nobody_can_fetch(shop: Workshop, ann: User) -> None:
    await join(shop, "one", "a", fetches=False)
    await register(shop, "big")

    with pytest.raises(InvalidGraph):
        await submit(shop, ann, "big")


async def test_it_is_refused_by_a_list_of_another_folder(shop: Workshop, ann: User) -> None:
    await join(shop, "one", "a")
    await register(shop, "big", folder="loras")

    with pytest.raises(InvalidGraph):
        await submit(shop, ann, "big")


async def test_whoever_has_fetched_a_model_is_preferred(shop: Workshop, ann: User, leader: Dispatcher) -> None:
    workers = [await join(shop, name) for name in ("one", "two", "three")]
    workers[1].fetched = (HASHES["big"][:MODEL_MARK],)
    await register(shop, "big")
    job = await submit(shop, ann, "big")

    await look(shop, leader, *workers)

    assert (await shop.job(job)).worker_id == workers[1].id


async def test_whoever_has_a_file_of_that_name_is_preferred(shop: Workshop, ann: User, leader: Dispatcher) -> None:
    one, two = await join(shop, "one", "a"), await join(shop, "two", "a", "big", big=50 * GB)
    await register(shop, "big")
    job = await submit(shop, ann, "big")

    await look(shop, leader, one, two)

    assert (await shop.job(job)).worker_id == two.id


async def test_what_has_to_be_fetched_is_in_the_estimate(shop: Workshop, ann: User, leader: Dispatcher) -> None:
    one = await join(shop, "one")
    await register(shop, "big")
    job = await submit(shop, ann, "big")

    await look(shop, leader, one)

    # At 100 MB a second, and loading comes on top.
    assert (await shop.job(job)).charged_seconds > 50 * GB / 100e6


async def test_a_job_whose_model_left_the_registry_waits_and_says_for_what(
    shop: Workshop, ann: User, leader: Dispatcher
) -> None:
    one = await join(shop, "one", "a")
    await register(shop, "big")
    await look(shop, leader, one)
    job = await submit(shop, ann, "big")
    await remove(shop, "big")

    await look(shop, leader, one)

    assert one.offers() == []
    waiting = await why_waiting(shop.desk, await shop.job(job), leader._lookout.presences())
    assert waiting is not None
    assert waiting.lack is not None
    assert waiting.lack.models == ("big",)


async def test_models_are_listed_while_somebody_can_fetch_them(shop: Workshop) -> None:
    await join(shop, "one", "a", a=5)
    await register(shop, "big")
    await register(shop, "small", folder="loras")

    assert await shop.desk.definitions.models() == {
        "checkpoints": {"a": 5, "big": 50 * GB}, "loras": {"small": GB},
    }  # fmt: skip
    (spec, *_) = (await shop.desk.definitions.object_info())["Load"]["input"]["required"]["model"]
    assert spec == ["a", "big"]
    assert FETCHES not in (await shop.desk.definitions.object_info())["Load"]


async def work(shop: Workshop, ann: User, *models: str) -> WorkBody:
    graph = {str(number): loading(model)["1"] for number, model in enumerate(models)}
    job = (await submit_job(shop.desk, Submission(user=ann, graph=graph))).job
    body, user = await shop.store.job_work(job)
    assert body is not None
    return work_of(shop.desk, job, body, user)


async def test_the_work_names_each_model_once_and_where_it_is(shop: Workshop, ann: User) -> None:
    await join(shop, "one", "a")
    await register(shop, "big", url="https://models.example/big")
    await register(shop, "small")

    work_body = await work(shop, ann, "a", "big", "small", "big")

    assert [(one.name, one.node_id, one.node_type) for one in work_body.models] == [
        ("big", "1", "Load"), ("small", "2", "Load"),
    ]  # fmt: skip
    assert work_body.models[0].url == "https://models.example/big"
    assert work_body.models[1].url.startswith("/files/")


async def test_hosts_go_along_only_where_they_are_needed(shop: Workshop, ann: User) -> None:
    await join(shop, "one", "a")
    await register(shop, "small")

    work_body = await work(shop, ann, "small")

    assert (work_body.model_hosts.hosts, work_body.model_hosts.private_hosts) == ((), ())
