"""`POST /api/prompt` where workers are of several kinds, and where a submit asks for labels."""

from typing import Any

import msgspec
import pytest
from tests.publishing import one_class, publish
from tests.server.v1.house import Caller, House

# Judged by what workers have said of themselves; a job that is taken is a job as any other.
pytestmark = pytest.mark.once


def loading(**inputs: Any) -> dict[str, Any]:
    return {"1": {"class_type": "Load", "inputs": inputs}}


@pytest.fixture
async def kinds(house: House, nodes: None) -> None:
    """Beside the builtin worker, one that has models."""
    body = msgspec.json.encode(one_class("Load", model=[["a.safetensors"], {}]))
    await publish(
        house.services.store, body, worker="gpu-1", runtime="comfyui", labels={"gpu": "big", "rack": "1"}, vram_gb=24.0
    )


async def refuse(caller: Caller, **body: Any) -> Any:
    answer = await caller.http.post("/api/prompt", json=body)
    assert answer.status_code == 400
    return answer.json()


@pytest.mark.usefixtures("kinds")
async def test_a_graph_is_taken_that_one_kind_can_run(ann: Caller) -> None:
    await ann.submit(loading(model="a.safetensors"))
    empty = {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}}
    save = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}}
    await ann.submit({"1": empty, "2": save})


@pytest.mark.usefixtures("kinds")
async def test_a_graph_that_no_single_kind_can_run_is_refused_with_what_each_lacks(ann: Caller) -> None:
    both = {**loading(model="a.safetensors"), "2": {"class_type": "InvertMask", "inputs": {}}}

    body = await refuse(ann, prompt=both)

    assert body["error"]["type"] == "missing_node_type"
    assert "builtin (worker-1) lacks the node Load" in body["error"]["details"]
    assert "comfyui (gpu-1) lacks the node InvertMask" in body["error"]["details"]
    assert body["node_errors"] == {}


@pytest.mark.usefixtures("kinds")
async def test_a_model_that_no_kind_has_is_refused_as_ever(ann: Caller) -> None:
    body = await refuse(ann, prompt=loading(model="b.safetensors"))

    (problem,) = body["node_errors"]["1"]["errors"]
    assert (problem["type"], problem["extra_info"]["received_value"]) == ("value_not_in_list", "b.safetensors")


@pytest.mark.usefixtures("kinds")
async def test_labels_that_a_worker_has_are_taken(ann: Caller) -> None:
    await ann.submit(loading(model="a.safetensors"), extra_data={"fireside": {"require": {"gpu": "big"}}})


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize("require", [{"gpu": "small"}, {"gpu": "big", "rack": "2"}, {"colour": "blue"}])
async def test_labels_that_no_worker_ever_had_together_are_refused_with_those_there_are(
    ann: Caller, require: dict[str, str]
) -> None:
    body = await refuse(ann, prompt=loading(model="a.safetensors"), extra_data={"fireside": {"require": require}})

    assert body["error"]["type"] == "no_such_worker"
    assert "gpu=big, rack=1" in body["error"]["details"]


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize("vram_gb", [24, 0.5], ids=["all", "less"])
async def test_memory_that_a_worker_has_is_taken(ann: Caller, vram_gb: float) -> None:
    require = {"gpu": "big", "vram_gb": vram_gb}

    await ann.submit(loading(model="a.safetensors"), extra_data={"fireside": {"require": require}})


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize(
    ("require", "message"),
    [
        ({"vram_gb": 24.5}, "No worker has ever had 24.5 GB of VRAM"),
        ({"vram_gb": 8, "gpu": "small"}, "No worker has ever had the labels gpu=small and 8 GB of VRAM together"),
    ],
    ids=["too much", "elsewhere"],
)
async def test_memory_that_no_worker_ever_had_is_refused_with_what_there_is(
    ann: Caller, require: dict[str, Any], message: str
) -> None:
    body = await refuse(ann, prompt=loading(model="a.safetensors"), extra_data={"fireside": {"require": require}})

    assert (body["error"]["type"], body["error"]["message"]) == ("no_such_worker", message)
    assert "The most VRAM of one is 24 GB" in body["error"]["details"]
    assert body["error"]["extra_info"] == {"require": require}


@pytest.mark.parametrize("vram_gb", ["16", "16GB", True, None, 0, -1, [16], 1e9, {"gte": 16}], ids=[*"abcdefghi"])
async def test_memory_is_a_number_of_gigabytes(ann: Caller, vram_gb: Any) -> None:
    body = await refuse(
        ann, prompt=loading(model="x"), extra_data={"fireside": {"require": {"gpu": "big", "vram_gb": vram_gb}}}
    )

    assert body["error"]["type"] == "invalid_request"
    assert "require" in body["error"]["message"]


@pytest.mark.usefixtures("kinds")
async def test_a_graph_must_run_on_a_worker_with_the_labels(ann: Caller) -> None:
    mask = {"1": {"class_type": "InvertMask", "inputs": {}}}

    body = await refuse(ann, prompt=mask, extra_data={"fireside": {"require": {"gpu": "big"}}})

    assert (body["error"]["type"], body["error"]["extra_info"]["class_type"]) == ("missing_node_type", "InvertMask")


@pytest.mark.usefixtures("kinds")
async def test_labels_and_a_limit_may_stand_side_by_side(ann: Caller) -> None:
    wishes = {"require": {"gpu": "big"}, "max_run_seconds": 60}

    await ann.submit(loading(model="a.safetensors"), extra_data={"fireside": wishes})


@pytest.mark.parametrize(
    "fireside",
    [None, [], "gpu", {"require": None}, {"require": ["gpu"]}, {"require": {"gpu": 1}}, {"require": {"": "x"}},
     {"requires": {}}, {"require": {str(n): "x" for n in range(21)}}, {"require": {"gpu": "x" * 101}}],
    ids=str,
)  # fmt: skip
async def test_what_is_not_understood_is_refused(ann: Caller, fireside: Any) -> None:
    body = await refuse(ann, prompt=loading(model="x"), extra_data={"fireside": fireside})

    assert body["error"]["type"] == "invalid_request"
    assert "extra_data.fireside" in body["error"]["message"]
