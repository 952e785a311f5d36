"""What a graph asks of a worker."""

from typing import Any

import msgspec
from tests.publishing import one_class

from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.requirements import can_run, decode_requirement, has_labels, requirement_id, requirement_of


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

    names = [requirement_id(requirement_of(graph, known, {"gpu": "a"}).encoded()) for graph in (one, two)]

    assert names[0] == names[1]
    assert names[0] != requirement_id(requirement_of(one, known, {}).encoded())
    assert names[0] != requirement_id(requirement_of({"1": load(model="a")}, known, {"gpu": "a"}).encoded())


def test_what_is_asked_for_is_nodes_choices_and_labels() -> None:
    graph = {"1": load(model="a", several={"__value__": ["a", "b"]}, image="x.png"), "2": load(model=["1", 0])}

    requirement = requirement_of(graph, nodes("a", "b"), {"gpu": "a"})

    assert requirement.classes == ("Load",)
    assert set(requirement.choices) == {("Load", "model", "a"), ("Load", "several", "a"), ("Load", "several", "b")}
    assert requirement.labels == (("gpu", "a"),)
    assert decode_requirement(requirement.encoded()) == requirement


def test_a_kind_suits_that_has_the_nodes_and_offers_the_choices() -> None:
    requirement = requirement_of({"1": load(model="a")}, nodes("a"), {})

    assert can_run(requirement, nodes("b", "a"))
    assert not can_run(requirement, nodes("b"))
    assert not can_run(requirement, NodeDefinitions.parse(b"{}"))


def test_a_kind_that_takes_anything_or_ignores_the_input_suits() -> None:
    requirement = requirement_of({"1": load(model="a")}, nodes("a"), {})
    anything, ignoring = one_class("Load", model=["STRING", {}]), one_class("Load")

    for definitions in (anything, ignoring):
        assert can_run(requirement, NodeDefinitions.parse(msgspec.json.encode(definitions)))


def test_labels_are_had_with_their_values() -> None:
    assert has_labels({"gpu": "a", "rack": "1"}, {"gpu": "a"})
    assert has_labels({}, {})
    assert not has_labels({"gpu": "b"}, {"gpu": "a"})
    assert not has_labels({}, {"gpu": ""})
