"""The exact name of a graph's work: what changes an output changes it, and what does not does not."""

import copy
import random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fireside.domain.workers import WorkerWish
from fireside.graphs.node_sets import read_node_set
from fireside.graphs.reuse import DETERMINISTIC, Work, are_core, model_names, work_of
from fireside.runtimes.builtin.definitions import definitions_of
from fireside.runtimes.builtin.nodes import NODES

Graph = dict[str, Any]
FILES = {"cat.png": "a" * 64}
ALLOWED = sorted(DETERMINISTIC)
literals = (
    st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.text(st.characters(codec="utf-8", exclude_characters="%:"), max_size=20)
    | st.lists(st.integers(), max_size=3).map(lambda values: {"__value__": values})
)
NAMES = st.text("abcdef", min_size=1, max_size=3)


def work(graph: Graph, outputs: tuple[str, ...] = ("0",), files: dict[str, str] = FILES, **labels: str) -> Work | None:
    return work_of(graph, outputs, files, WorkerWish(labels=labels))


def test_work_that_asks_for_memory_is_other_work() -> None:
    graph = {"0": {"class_type": ALLOWED[0], "inputs": {"x": 1}}}
    names = {
        found.name
        for wish in (WorkerWish(), WorkerWish(vram_bytes=1), WorkerWish(vram_bytes=2))
        if (found := work_of(graph, ("0",), FILES, wish)) is not None
    }

    assert len(names) == 3


def named(graph: Graph, *others: Any, **labels: str) -> bytes:
    found = work(graph, *others, **labels)
    assert found is not None
    return found.name


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Give a chain of nodes of allowed classes, each with literals and some with links."""
    graph: Graph = {}
    for number in range(draw(st.integers(1, 6))):
        given_inputs = st.dictionaries(NAMES, literals, min_size=0 if number else 1, max_size=4)
        inputs: dict[str, Any] = draw(given_inputs)
        if number:
            inputs["link"] = [str(draw(st.integers(0, number - 1))), draw(st.integers(0, 2))]
        graph[str(number)] = {"class_type": draw(st.sampled_from(ALLOWED)), "inputs": inputs}
    return graph


def shuffled(value: Any, order: random.Random) -> Any:
    """Give an equal object whose keys come in another order."""
    if not isinstance(value, dict):
        return value
    items = list(value.items())
    order.shuffle(items)
    return {key: shuffled(child, order) for key, child in items}


@given(graphs(), st.randoms(use_true_random=False), st.text())
def test_order_and_titles_mean_nothing(graph: Graph, order: random.Random, title: str) -> None:
    other = shuffled(graph, order)
    for node in other.values():
        node["_meta"] = {"title": title}

    assert named(other) == named(graph)


@given(graphs(), st.data())
def test_another_literal_is_other_work(graph: Graph, data: st.DataObject) -> None:
    places = [(n, name) for n, node in graph.items() for name in node["inputs"] if name != "link"]
    node_id, name = data.draw(st.sampled_from(places))
    value, other = data.draw(literals), copy.deepcopy(graph)
    before = graph[node_id]["inputs"][name]
    assume((type(value), repr(value)) != (type(before), repr(before)))
    other[node_id]["inputs"][name] = value

    assert named(other) != named(graph)


@given(graphs(), st.data())
def test_another_link_class_id_or_input_is_other_work(graph: Graph, data: st.DataObject) -> None:
    node_id = data.draw(st.sampled_from(sorted(graph)))
    relinked, renamed, more, less = [copy.deepcopy(graph) for _ in range(4)]
    relinked[node_id]["inputs"]["link"] = [node_id, 9]
    other_class = data.draw(st.sampled_from(ALLOWED))
    assume(other_class != graph[node_id]["class_type"])
    renamed[node_id]["class_type"] = other_class
    more[node_id]["inputs"]["zz"] = 0
    less["x"] = less.pop(node_id)

    assert len({named(one) for one in (graph, relinked, renamed, more, less)}) == 5


@given(graphs(), st.sampled_from("0123456789abcdef"))
def test_other_bytes_outputs_or_labels_are_other_work(graph: Graph, digit: str) -> None:
    assume(digit != "a")

    others = [
        named(graph),
        named(graph, ("0",), {"cat.png": digit + "a" * 63}),
        named(graph, ("0",), {"dog.png": "a" * 64}),
        named(graph, ("0",), {}),
        named(graph, ("0", "1")),
        named(graph, gpu="h100"),
    ]

    assert len(set(others)) == len(others)


@given(graphs(), st.data())
def test_a_class_that_was_not_read_has_no_name(graph: Graph, data: st.DataObject) -> None:
    node_id = data.draw(st.sampled_from(sorted(graph)))
    graph[node_id]["class_type"] = "RandomThing"

    assert work(graph) is None
    assert work_of(graph, ("0",), FILES, WorkerWish(), more_classes=("RandomThing",)) is not None


@pytest.mark.parametrize(
    "value",
    ["at %hour%", "%Year%/a", "a cat, embedding:bad", {"__value__": ["ok", "%day%"]}, float("nan"), float("inf")],
)
def test_what_stands_for_something_else_the_next_time_has_no_name(value: Any) -> None:
    assert work({"0": {"class_type": "SaveImage", "inputs": {"filename_prefix": value}}}) is None


def test_equal_numbers_of_other_types_are_not_taken_for_each_other() -> None:
    def of(value: Any) -> bytes:
        return named({"0": {"class_type": "PrimitiveInt", "inputs": {"value": value}}})

    assert len({of(value) for value in (1, 1.0, True, "1", [1], {"__value__": 1})}) == 6


def test_a_node_pack_that_stands_in_a_core_nodes_place_is_not_taken_for_it() -> None:
    core = read_node_set(definitions_of(NODES.values()))
    pack = read_node_set(definitions_of(NODES.values()).replace(b'"nodes"', b'"custom_nodes.evil"'))

    assert are_core({"SaveImage", "ImageBlur"}, core)
    assert not are_core({"SaveImage"}, pack)
    assert not are_core({"Unknown"}, core)
    assert are_core({"SaveImage"}, pack, more_classes=("SaveImage",))


def test_model_files_are_those_that_loaders_name() -> None:
    graph: Graph = {
        "0": {"class_type": "DualCLIPLoader", "inputs": {"clip_name1": "a.st", "clip_name2": "b.st", "type": "sdxl"}},
        "1": {"class_type": "CLIPTextEncode", "inputs": {"text": "c.st", "clip": ["0", 0]}},
        "2": {"class_type": "LoraLoader", "inputs": {"lora_name": "a.st"}},
    }

    assert model_names(graph) == ["a.st", "b.st"]
    found = work(graph)
    assert found is not None
    assert found.reads_models
