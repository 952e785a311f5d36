"""What a graph asks of a worker."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from tests.publishing import NOON, one_class

from fireside.domain.ids import WorkerId
from fireside.domain.workers import BYTES_PER_GB, WorkerKind, WorkerProfile, WorkerWish, vram_of
from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.requirements import can_run, decode_requirement, requirement_id, requirement_of

GPU_A = WorkerWish(labels={"gpu": "a"})


def nodes(*models: str, **more: Any) -> NodeDefinitions:
    load = one_class(
        "Load", model=[list(models), {}], several=["COMBO", {"options": list(models), "multiselect": True}],
        image=[[], {"image_upload": True}], seed=["INT", {}],
    )  # fmt: skip
    return NodeDefinitions.parse(msgspec.json.encode({**load, **more}))


def load(**inputs: Any) -> dict[str, Any]:
    return {"class_type": "Load", "inputs": inputs}


def test_equal_wants_have_one_name_whatever_else_the_graphs_say() -> None:
    known = nodes("a", "b")
    one = {"1": load(model="a", seed=1, image="x.png"), "2": load(model="b")}
    two = {"9": load(model="b", seed=7, image="y.png"), "8": load(model="a"), "7": load(model="a")}

    names = [requirement_id(requirement_of(graph, known, GPU_A).encoded()) for graph in (one, two)]

    assert names[0] == names[1]
    assert names[0] != requirement_id(requirement_of(one, known, WorkerWish()).encoded())
    assert names[0] != requirement_id(requirement_of({"1": load(model="a")}, known, GPU_A).encoded())


def test_what_is_asked_for_is_nodes_choices_and_labels() -> None:
    graph = {"1": load(model="a", several={"__value__": ["a", "b"]}, image="x.png"), "2": load(model=["1", 0])}

    requirement = requirement_of(graph, nodes("a", "b"), GPU_A)

    assert requirement.classes == ("Load",)
    assert set(requirement.choices) == {("Load", "model", "a"), ("Load", "several", "a"), ("Load", "several", "b")}
    assert requirement.labels == (("gpu", "a"),)
    assert decode_requirement(requirement.encoded()) == requirement


def test_a_kind_suits_that_has_the_nodes_and_offers_the_choices() -> None:
    requirement = requirement_of({"1": load(model="a")}, nodes("a"), WorkerWish())

    assert can_run(requirement, nodes("b", "a"))
    assert not can_run(requirement, nodes("b"))
    assert not can_run(requirement, NodeDefinitions.parse(b"{}"))


def test_a_kind_that_takes_anything_or_ignores_the_input_suits() -> None:
    requirement = requirement_of({"1": load(model="a")}, nodes("a"), WorkerWish())
    anything, ignoring = one_class("Load", model=["STRING", {}]), one_class("Load")

    for definitions in (anything, ignoring):
        assert can_run(requirement, NodeDefinitions.parse(msgspec.json.encode(definitions)))


def worker(vram_bytes: int = 0, **labels: str) -> WorkerProfile:
    kind = WorkerKind("comfyui", "", "")
    return WorkerProfile(
        id=WorkerId("w"), boot_id="", kind=kind, models_hash="", labels=labels, vram_bytes=vram_bytes, seen_at=NOON
    )


def test_labels_are_had_with_their_values() -> None:
    assert GPU_A.is_met_by(worker(gpu="a", rack="1"))
    assert WorkerWish().is_met_by(worker())
    assert not GPU_A.is_met_by(worker(gpu="b"))
    assert not WorkerWish(labels={"gpu": ""}).is_met_by(worker())


def test_a_worker_has_as_much_memory_as_is_asked_for_or_more() -> None:
    wish = WorkerWish(labels={"gpu": "a"}, vram_bytes=24 * BYTES_PER_GB)

    assert wish.is_met_by(worker(24 * BYTES_PER_GB, gpu="a"))
    assert not wish.is_met_by(worker(24 * BYTES_PER_GB - 1, gpu="a"))
    assert not wish.is_met_by(worker(80 * BYTES_PER_GB))


@pytest.mark.parametrize(
    ("devices", "vram_bytes"),
    [
        ([], 0),
        ([{"type": "cpu", "vram_total": 64}], 0),
        ([{"type": "cuda", "vram_total": 8}, {"type": "cuda", "vram_total": 16.0}], 16),
        ([{"type": "mps", "vram_total": 32}], 32),
        ([{"type": "cuda"}, {"type": "cuda", "vram_total": "24"}, {"type": "cuda", "vram_total": float("inf")}], 0),
    ],
    ids=["none", "processor", "several", "shared", "untold"],
)
def test_the_largest_device_counts_and_no_processor(devices: list[dict[str, Any]], vram_bytes: int) -> None:
    assert vram_of(devices) == vram_bytes


def test_a_requirement_without_memory_keeps_the_name_that_it_had() -> None:
    plain = requirement_of({"1": load(model="a")}, nodes("a"), GPU_A)
    large = requirement_of({"1": load(model="a")}, nodes("a"), replace(GPU_A, vram_bytes=5))

    assert msgspec.json.decode(plain.encoded()).keys() == {"classes", "choices", "labels"}
    assert requirement_id(plain.encoded()) != requirement_id(large.encoded())
    assert (plain.wish, decode_requirement(large.encoded()).wish.vram_bytes) == (GPU_A, 5)
