"""Nodes' own validators, asked over the bus before a job is queued."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from tests.jobs.workshop import Workshop
from tests.publishing import publish
from tests.worker.station import Station, WatchedRuntime, empty, node, open_station, save

from fireside.domain.accounts import User
from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.ids import AssetId, BlobHash
from fireside.graphs.errors import InvalidGraph
from fireside.jobs.submit import Submission, Submitted, submit_job
from fireside.runtimes.base import NodeRefusal, RuntimeInfo

REFUSED, SLOW = 13, 14
REFUSAL = NodeRefusal(
    type="custom_validation_failed",
    message="Custom validation failed for node",
    details="color - of ill luck",
    input_name="color",
)


class ChoosyRuntime(WatchedRuntime):
    """A runtime whose nodes refuse a color."""

    asked: ClassVar[list[Sequence[str]]] = []

    async def start(self) -> RuntimeInfo:
        return replace(await super().start(), validators=("EmptyImage", "LoadImage"))

    async def check(self, graph: Mapping[str, Any], node_ids: Sequence[str]) -> Mapping[str, tuple[NodeRefusal, ...]]:
        self.asked.append(tuple(node_ids))
        colors = {node_id: graph[node_id]["inputs"].get("color") for node_id in node_ids}
        if SLOW in colors.values():
            raise TimeoutError("too slow")
        return {node_id: (REFUSAL,) for node_id, color in colors.items() if color == REFUSED}


@pytest.fixture
async def station(shop: Workshop, tmp_path: Path) -> AsyncIterator[Station]:
    ChoosyRuntime.asked.clear()
    async with open_station(shop, tmp_path / "station", ChoosyRuntime) as station:
        await station.is_free()
        yield station


async def submit(shop: Workshop, user: User, **graph: Any) -> Submitted:
    return await submit_job(shop.desk, Submission(user=user, graph={name[1:]: one for name, one in graph.items()}))


@pytest.mark.usefixtures("station")
async def test_what_a_nodes_own_validator_refuses_is_not_queued(shop: Workshop, ann: User) -> None:
    with pytest.raises(InvalidGraph) as refusal:
        await submit(shop, ann, n1=empty(REFUSED), n2=save("1"))

    error = refusal.value
    assert error.type == "prompt_outputs_failed_validation"
    assert error.node_errors["1"]["errors"] == [
        {
            "type": "custom_validation_failed", "message": "Custom validation failed for node",
            "details": "color - of ill luck", "extra_info": {"input_name": "color"},
        }
    ]  # fmt: skip
    assert error.node_errors["1"]["dependent_outputs"] == ["2"]
    assert (await shop.store.queue_counts(ann.id)).queued == 0


@pytest.mark.usefixtures("station")
async def test_what_it_takes_is_queued_and_only_nodes_with_a_validator_are_asked(shop: Workshop, ann: User) -> None:
    submitted = await submit(shop, ann, n1=empty(1), n2=save("1"))

    assert submitted.node_errors == {}
    assert ChoosyRuntime.asked == [("1",)]


@pytest.mark.usefixtures("station")
async def test_a_refused_branch_is_left_out_and_told(shop: Workshop, ann: User) -> None:
    submitted = await submit(shop, ann, n1=empty(REFUSED), n2=save("1"), n3=empty(1), n4=save("3"))

    assert set(submitted.node_errors) == {"1"}
    body = await shop.store.job_body(submitted.job.id)
    assert body is not None
    assert body.outputs == ("4",)


@pytest.mark.usefixtures("station")
async def test_a_validator_that_does_not_answer_refuses_nothing(shop: Workshop, ann: User) -> None:
    await submit(shop, ann, n1=empty(SLOW), n2=save("1"))

    assert ChoosyRuntime.asked == [("1",)]


@pytest.mark.usefixtures("station")
async def test_nodes_that_read_the_callers_files_are_not_asked(shop: Workshop, ann: User) -> None:
    file = FileName(folder=Folder.INPUT, subfolder="", name="photo.png")
    photo = Asset(
        id=AssetId(uuid4()), user_id=ann.id, file=file, hash=BlobHash("a" * 64), size_bytes=7,
        content_type="image/png", created_at=shop.clock(),
    )  # fmt: skip
    await shop.store.add_asset(photo)

    await submit(shop, ann, n1=node("LoadImage", image="photo.png"), n2=save("1"))

    assert ChoosyRuntime.asked == []


@pytest.mark.usefixtures("station")
async def test_a_workflow_too_large_for_the_bus_is_queued_unasked(shop: Workshop, ann: User) -> None:
    noise = "".join(str(uuid4()) for _ in range(60_000))

    await submit(shop, ann, n1=empty(REFUSED), n2=node("SaveImage", images=["1", 0], filename_prefix=noise))

    assert ChoosyRuntime.asked == []


async def test_where_no_worker_of_the_kind_is_there_nobody_is_asked(shop: Workshop, ann: User) -> None:
    for number in range(5):
        await publish(shop.store, worker=f"gone-{number}", validators=["EmptyImage"])

    await submit(shop, ann, n1=empty(REFUSED), n2=save("1"))

    assert (await shop.store.queue_counts(ann.id)).queued == 1
