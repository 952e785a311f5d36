"""Which kind of worker a graph is for, and what is said when there is none."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from tests.publishing import one_class

from fireside.graphs.choosing import choose_kind
from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.errors import InvalidGraph
from fireside.graphs.limits import GraphLimits
from fireside.graphs.parse import Graph, parse_graph
from fireside.graphs.validate import validate_graph


@dataclass(frozen=True)
class Kind:
    name: str
    definitions: NodeDefinitions


def kind(name: str, **classes: list[str]) -> Kind:
    """A kind whose classes load one of these models each."""
    body: dict[str, Any] = {}
    for class_type, models in classes.items():
        body |= one_class(class_type, model=[models, {}], steps=["INT", {"max": 10}])
    return Kind(name, NodeDefinitions.parse(msgspec.json.encode(body)))


def graph(*nodes: tuple[str, str], steps: int = 1) -> Graph:
    written = {
        str(number): {"class_type": class_type, "inputs": {"model": model, "steps": steps}}
        for number, (class_type, model) in enumerate(nodes, 1)
    }
    return parse_graph(written, GraphLimits(max_nodes=100, max_depth=10))


def choose(graph: Graph, *kinds: Kind) -> str:
    return choose_kind(graph, kinds, targets=None, known_files=())[0].name


def refused(graph: Graph, *kinds: Kind) -> InvalidGraph:
    with pytest.raises(InvalidGraph) as refusal:
        choose(graph, *kinds)
    return refusal.value


def test_a_graph_goes_to_the_kind_that_has_all_its_nodes_and_models() -> None:
    kinds = kind("one", A=["x"]), kind("two", A=["y"], B=["z"]), kind("three", A=["x", "y"], B=["z"])

    assert choose(graph(("A", "x")), *kinds) == "one"
    assert choose(graph(("A", "y")), *kinds) == "two"
    assert choose(graph(("A", "x"), ("B", "z")), *kinds) == "three"


def test_a_kind_that_takes_the_whole_graph_comes_before_one_that_takes_a_part() -> None:
    kinds = kind("part", A=["x"], B=[]), kind("whole", A=["x"], B=["z"])

    chosen, valid = choose_kind(graph(("A", "x"), ("B", "z")), kinds, targets=None, known_files=())

    assert (chosen.name, valid.outputs, valid.node_errors) == ("whole", ("1", "2"), {})


def test_where_no_kind_takes_all_of_it_the_one_that_takes_most_does() -> None:
    kinds = kind("less", A=["x"], B=[], C=[]), kind("more", A=["x"], B=["z"], C=[])

    chosen, valid = choose_kind(graph(("A", "x"), ("B", "z"), ("C", "q")), kinds, targets=None, known_files=())

    assert (chosen.name, valid.outputs, set(valid.node_errors)) == ("more", ("1", "2"), {"3"})


def test_nodes_that_are_split_over_kinds_are_named_the_closest_kind_first() -> None:
    far, close = kind("far", A=["x"]), kind("close", A=["x"], B=["x"])
    far_more = kind("other", C=["x"])

    error = refused(graph(("A", "x"), ("B", "x"), ("C", "x")), far, far_more, close)

    assert error.type == "missing_node_type"
    assert error.message == "No worker has all nodes of this workflow: close lacks the node C"
    assert error.details.splitlines() == [
        "Node ID '#3'",
        "No worker can run the whole workflow:",
        "close lacks the node C",
        "far lacks the node B, the node C",
        "other lacks the node A, the node B",
    ]
    assert (error.extra_info["node_id"], error.extra_info["class_type"]) == ("3", "C")
    assert [one["workers"] for one in error.extra_info["fireside_kinds"]] == ["close", "far", "other"]
    assert error.extra_info["fireside_kinds"][0]["missing_nodes"] == ["C"]


def test_a_choice_that_only_another_kind_offers_is_named_with_its_input() -> None:
    linked = {
        **one_class("Load", is_output=False, outputs=["M"], model=[["x"], {}]),
        **one_class("Use", source=["M", {}], of=[["y"], {}]),
    }
    other = {
        **one_class("Load", is_output=False, outputs=["M"], model=[["v"], {}]),
        **one_class("Use", source=["M", {}], of=[["w"], {}]),
    }
    kinds = [Kind(name, NodeDefinitions.parse(msgspec.json.encode(of))) for name, of in (("a", linked), ("b", other))]
    written = parse_graph(
        {
            "1": {"class_type": "Load", "inputs": {"model": "x"}},
            "2": {"class_type": "Use", "inputs": {"source": ["1", 0], "of": "w"}},
        },
        GraphLimits(max_nodes=100, max_depth=10),
    )

    error = refused(written, *kinds)

    assert error.type == "prompt_outputs_failed_validation"
    assert "a lacks 'w' (of of Use)" in error.details.splitlines()
    assert "b lacks 'x' (model of Load)" in error.details.splitlines()
    assert error.node_errors["2"]["errors"][0]["type"] == "value_not_in_list"


@pytest.mark.parametrize(
    "wrong",
    [graph(("Nothing", "x")), graph(("A", "no such model")), graph(("A", "x"), steps=99)],
    ids=["node", "model", "number"],
)
def test_what_every_kind_refuses_alike_is_refused_as_by_one(wrong: Graph) -> None:
    kinds = kind("one", A=["x"]), kind("two", A=["x"])
    with pytest.raises(InvalidGraph) as alone:
        validate_graph(wrong, kinds[0].definitions, targets=None, known_files=())

    assert refused(wrong, *kinds).body() == alone.value.body()


def test_a_node_that_nobody_has_is_told_in_the_usual_words() -> None:
    error = refused(graph(("A", "x"), ("Nothing", "x")), kind("one", A=["x"]), kind("two", B=["x"]))

    assert error.message == "Node 'Nothing' not found. The custom node may not be installed."
    assert error.extra_info["class_type"] == "Nothing"


def test_a_node_without_a_class_is_told_as_such() -> None:
    written = parse_graph({"1": {"inputs": {}}}, GraphLimits(max_nodes=9, max_depth=9))

    assert "has no class_type" in refused(written, kind("one", A=["x"]), kind("two", B=["x"])).message
