from typing import Any

import pytest

from fireside.domain.errors import TooLarge
from fireside.graphs.errors import EditorFormat, InvalidGraph
from fireside.graphs.limits import GraphLimits
from fireside.graphs.parse import parse_graph

LIMITS = GraphLimits(max_nodes=3, max_depth=8)


def test_a_graph_keeps_its_nodes_in_the_order_they_were_written() -> None:
    graph = parse_graph({"b": {"class_type": "X", "_meta": {"title": "B"}}, "a": {"class_type": "Y"}}, LIMITS)

    assert list(graph.nodes) == ["b", "a"]
    assert (graph.nodes["b"].class_type, graph.nodes["b"].title, graph.nodes["a"].title) == ("X", "B", None)


@pytest.mark.parametrize("value", [None, [], "text", 1, True])
def test_what_is_no_object_is_no_graph(value: Any) -> None:
    with pytest.raises(InvalidGraph) as refused:
        parse_graph(value, LIMITS)
    assert refused.value.type == "invalid_prompt"


def test_a_workflow_in_the_editors_own_format_has_an_error_of_its_own() -> None:
    with pytest.raises(EditorFormat) as refused:
        parse_graph({"nodes": [{"id": 1, "type": "LoadImage"}], "links": [], "version": 0.4}, LIMITS)
    assert (refused.value.type, refused.value.code) == ("workflow_format_ui", "workflow_format_ui")
    assert "API" in refused.value.body()["error"]["details"]


def test_as_many_nodes_as_allowed_are_taken_and_one_more_is_not() -> None:
    nodes = {str(number): {"class_type": "X"} for number in range(4)}

    with pytest.raises(TooLarge, match="4 nodes; at most 3"):
        parse_graph(nodes, LIMITS)
    del nodes["3"]
    assert len(parse_graph(nodes, LIMITS).nodes) == 3


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_nesting_as_deep_as_allowed_is_taken_and_deeper_is_not() -> None:
    # The graph, its node and the node's inputs are three levels.
    parse_graph({"1": {"class_type": "X", "inputs": {"x": nested(5)}}}, LIMITS)

    with pytest.raises(TooLarge, match="deeper than 8"):
        parse_graph({"1": {"class_type": "X", "inputs": {"x": nested(6)}}}, LIMITS)


def test_hostile_nesting_costs_no_stack() -> None:
    with pytest.raises(TooLarge):
        parse_graph({"1": {"x": nested(200_000)}}, LIMITS)


@pytest.mark.parametrize("inputs", [[], "text", 1, False])
def test_inputs_that_are_no_object_are_refused(inputs: Any) -> None:
    with pytest.raises(InvalidGraph) as refused:
        parse_graph({"7": {"class_type": "X", "inputs": inputs}}, LIMITS)
    assert refused.value.details == "Node ID '#7': inputs must be an object"


@pytest.mark.parametrize("node", [{"class_type": "X"}, {"class_type": "X", "inputs": None}])
def test_missing_inputs_are_no_inputs(node: Any) -> None:
    assert parse_graph({"1": node}, LIMITS).nodes["1"].inputs == {}


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), 2**1024, -(2**1024), "\ud800", {"\udc00": 1}, {1: 2}, b"bytes"]
)
def test_values_that_json_cannot_carry_are_refused(value: Any) -> None:
    with pytest.raises(InvalidGraph) as refused:
        parse_graph({"1": {"class_type": "X", "inputs": {"x": [value]}}}, LIMITS)
    assert refused.value.type == "invalid_prompt"


@pytest.mark.parametrize("value", [2**64, -(2**64), 1e308, "ä😀", "", None, True])
def test_values_that_json_can_carry_are_taken(value: Any) -> None:
    graph = parse_graph({"1": {"class_type": "X", "inputs": {"x": value}}}, LIMITS)

    assert graph.nodes["1"].inputs["x"] == value


@pytest.mark.parametrize("meta", [None, [], "x", {"title": 5}, {"title": ""}, {}])
def test_a_title_that_is_no_text_is_no_title(meta: Any) -> None:
    assert parse_graph({"1": {"class_type": "X", "_meta": meta}}, LIMITS).nodes["1"].title is None
