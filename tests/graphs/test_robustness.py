"""Whatever anybody sends ends as a valid graph or as a refusal, and every answer can be sent as JSON."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fireside.domain.errors import BadRequest, TooLarge
from fireside.graphs.asset_references import MissingAsset, replace_asset_references
from fireside.graphs.definitions import NodeDefinitions, blank_input_files, fill_input_files
from fireside.graphs.errors import InvalidGraph
from fireside.graphs.files import file_values, parse_file_value
from fireside.graphs.fingerprint import fingerprint_graph
from fireside.graphs.limits import GraphLimits
from fireside.graphs.parse import parse_graph
from fireside.graphs.validate import validate_graph

LIMITS = GraphLimits(max_nodes=6, max_depth=7)
IDS = st.sampled_from(["1", "2", "3", "4", "nowhere", ""])
NUMBERS = st.integers() | st.integers(-(2**1100), 2**1100) | st.floats()
TEXTS = st.text(st.characters(codec=None), max_size=6) | st.sampled_from(["a", "cat.png", "7", "auto", "mp4", "IMAGE"])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
ODD_KEYS = st.text(max_size=6) | st.sampled_from(
    ["inputs", "class_type", "_meta", "title", "__value__", "__type", "info"]
)
ANYTHING = st.recursive(
    SCALARS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(ODD_KEYS, children, max_size=4),
    max_leaves=12,
)
LINKS = st.tuples(IDS | ANYTHING, st.integers(-3, 3) | ANYTHING).map(list)
NAMES = st.sampled_from(
    [
        "image",
        "images",
        "images.image0",
        "images.image1",
        "count",
        "strength",
        "text",
        "flag",
        "long",
        "method",
        "modern",
        "several",
        "value",
        "file",
        "latent",
        "format",
        "format.quality",
        "slot",
        "slot.size",
        "rows.0.x",
        "first",
    ]
)
INPUTS = st.dictionaries(NAMES | st.text(max_size=4), LINKS | ANYTHING, max_size=6) | ANYTHING
CLASSES = st.sampled_from(
    [
        "Image",
        "Blur",
        "Mix",
        "Save",
        "Load",
        "LoadVideo",
        "LoadOutput",
        "LoadModel",
        "Numbers",
        "Choices",
        "Any",
        "Match",
        "Union",
        "Grow",
        "Format",
        "Slot",
        "Newer",
    ]
)
NODES = st.fixed_dictionaries({"class_type": CLASSES, "inputs": INPUTS}, optional={"_meta": ANYTHING}) | ANYTHING
GRAPHS = st.dictionaries(IDS, NODES, max_size=7) | ANYTHING
SPECS = st.lists(CLASSES | ANYTHING | st.sampled_from(["COMBO", "INT", "COMFY_AUTOGROW_V3", "COMFY_DYNAMICCOMBO_V3"]))
GROUPS = st.dictionaries(st.sampled_from(["required", "optional", "hidden"]), st.dictionaries(NAMES, SPECS) | ANYTHING)
ENTRIES = st.fixed_dictionaries(
    {}, optional={"input": GROUPS | ANYTHING, "output": ANYTHING, "output_node": st.booleans()}
)
DEFINITIONS = st.dictionaries(CLASSES, ENTRIES | ANYTHING, max_size=4)

slow_to_draw = settings(
    max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def submit(graph: Any, definitions: NodeDefinitions, targets: Any = None) -> dict[str, Any]:
    """Do what a submit does and give what is answered or kept; only refusals may come out of it."""
    try:
        parsed = parse_graph(graph, LIMITS)
        values = file_values(parsed, definitions)
        valid = validate_graph(parsed, definitions, targets=targets, known_files={value for value, _ in values})
    except InvalidGraph as refused:
        return refused.body()
    except TooLarge:
        return {}
    assert set(valid.outputs) <= set(valid.graph)
    assert fingerprint_graph(valid.graph)
    return {"graph": valid.graph, "node_errors": valid.node_errors_body()}


@slow_to_draw
@given(graph=GRAPHS, targets=st.none() | st.lists(IDS | SCALARS, max_size=3))
def test_any_json_is_taken_or_refused(definitions: NodeDefinitions, graph: Any, targets: Any) -> None:
    assert msgspec.json.encode(submit(graph, definitions, targets))


@slow_to_draw
@given(graph=GRAPHS, object_info=DEFINITIONS)
def test_any_definitions_can_be_validated_against(graph: Any, object_info: Any) -> None:
    try:
        body = msgspec.json.encode(object_info)
    except UnicodeEncodeError:
        return
    assert msgspec.json.encode(submit(graph, NodeDefinitions.parse(body)))


@slow_to_draw
@given(st.binary(max_size=40) | ANYTHING.map(repr).map(lambda text: text.encode(errors="replace")))
def test_any_bytes_are_definitions_or_refused(body: bytes) -> None:
    with suppress(BadRequest):
        assert len(NodeDefinitions.parse(body)) >= 0


@slow_to_draw
@given(DEFINITIONS)
def test_any_definitions_can_be_blanked_and_filled(object_info: Any) -> None:
    blank = blank_input_files(object_info)

    assert blank_input_files(fill_input_files(blank, ["a.png"])) == blank


@given(TEXTS)
def test_any_text_is_a_file_or_refused(value: str) -> None:
    with suppress(BadRequest):
        assert parse_file_value(value, default_type="input").name


@slow_to_draw
@given(ANYTHING)
def test_references_in_any_json_are_replaced_or_missing(workflow: Any) -> None:
    with suppress(MissingAsset):
        assert replace_asset_references(workflow, {}) == workflow


@st.composite
def valid_graphs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a graph that only links what fits and only writes what is allowed."""
    number = st.integers(1, 10)
    graph: dict[str, Any] = {"0": {"class_type": "Image", "inputs": {}}}
    images = ["0"]
    makers: list[Callable[[], dict[str, Any]]] = [
        lambda: {"class_type": "Blur", "inputs": {"image": [draw(st.sampled_from(images)), 0]}},
        lambda: {
            "class_type": "Mix",
            "inputs": {name: [draw(st.sampled_from(images)), 0] for name in ("first", "second")},
        },
        lambda: {"class_type": "Load", "inputs": {"image": draw(st.sampled_from(["a.png", "b.png [output]"]))}},
    ]
    for place in range(draw(number)):
        graph[str(place + 1)] = draw(st.sampled_from(makers))()
        images.append(str(place + 1))
    for place in range(draw(number)):
        graph[f"save-{place}"] = {"class_type": "Save", "inputs": {"images": [draw(st.sampled_from(images)), 0]}}
    values = {"count": number, "strength": st.floats(0, 1), "text": st.text(), "flag": st.booleans()}
    graph["numbers"] = {"class_type": "Numbers", "inputs": draw(st.fixed_dictionaries({}, optional=values))}
    return graph


@given(valid_graphs())
def test_graphs_made_from_the_definitions_are_valid_and_stay_as_they_are(
    definitions: NodeDefinitions, graph: dict[str, Any]
) -> None:
    parsed = parse_graph(graph, GraphLimits(max_nodes=100, max_depth=10))

    valid = validate_graph(parsed, definitions, targets=None, known_files={"a.png", "b.png [output]"})

    assert valid.node_errors == {}
    assert valid.outputs == tuple(node_id for node_id in graph if node_id.startswith("save") or node_id == "numbers")
    assert valid.graph == {node_id: graph[node_id] for node_id in valid.graph}


@slow_to_draw
@given(graph=GRAPHS)
def test_what_was_taken_is_taken_again_as_it_is(definitions: NodeDefinitions, graph: Any) -> None:
    try:
        first = validate_graph(parse_graph(graph, LIMITS), definitions, targets=None, known_files={"cat.png"})
    except (InvalidGraph, TooLarge):
        return

    again = validate_graph(
        parse_graph(dict(first.graph), LIMITS), definitions, targets=first.outputs, known_files={"cat.png"}
    )

    assert (again.graph, again.outputs, again.node_errors) == (first.graph, first.outputs, {})
