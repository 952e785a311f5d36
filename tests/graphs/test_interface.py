"""Named inputs and outputs: names that apps get, and values that stand in place of a file's."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.graphs.editor import cases
from tests.graphs.editor.building import node, workflow
from tests.graphs.editor.test_convert import OBJECT_INFO

from fireside.graphs.editor.convert import Opened, Surroundings
from fireside.graphs.interface.app_mode import interface_of_app
from fireside.graphs.interface.declared import read_interface
from fireside.graphs.interface.signature import is_choice, is_of_type
from fireside.graphs.limits import GraphLimits

NOON = datetime(2026, 3, 4, 12, 5, 6, tzinfo=UTC)


def opened(value: Any) -> Opened:
    limits = GraphLimits(max_nodes=1000, max_depth=64)
    return Opened(value, Surroundings(object_info=OBJECT_INFO, limits=limits, now=NOON, choose=lambda many: many[-1]))


def names_of(*labels: str, title: str | None = None) -> list[str]:
    """The names of inputs with these labels, and of an output with this title."""
    nodes = [
        node(n, "LoadImage", {"name": "image", "widget": {"name": "image"}, "label": label})
        for n, label in enumerate(labels)
    ]
    more: dict[str, Any] = {} if title is None else {"title": title}
    nodes.append(node(99, "SaveImage", **more))
    picked = {"inputs": [[n, "image"] for n in range(len(labels))], "outputs": ["99"]}
    made = interface_of_app(workflow(*nodes, extra={"linearData": picked}))
    assert made is not None
    return [*(one.name for one in made.inputs), *(one.name for one in made.outputs)]


def test_names_are_made_of_what_people_read() -> None:
    assert names_of("Character Image", "2nd Größe!", "", "日本", title="The Final: Cut") == [
        "character_image",
        "_2nd_grosse",
        "image",
        "image_3",
        "the_final_cut",
    ]


def test_of_two_alike_the_second_is_called_by_its_node_too() -> None:
    assert names_of("a", "a", "A") == ["a", "a_1", "a_2", "save_image"]


@pytest.mark.parametrize(
    "picked",
    [None, [], {}, {"inputs": [], "outputs": []}, {"inputs": [[], [1], 5, [None, "x"], [True, "x"], [1, ""]]}],
)
def test_a_file_in_which_nothing_is_picked_declares_nothing(picked: Any) -> None:
    assert interface_of_app(workflow(extra={"linearData": picked})) is None


def test_a_value_is_taken_as_it_is_and_one_of_the_file_as_the_editor_takes_it() -> None:
    file = opened(cases.plain())
    text = "a // {b|c}"

    given = file.convert({("2", "text"): text, ("4", "seed"): 9}).graph
    untouched = file.convert().graph

    assert (given["2"]["inputs"]["text"], given["4"]["inputs"]["seed"]) == (text, 9)
    assert (untouched["2"]["inputs"]["text"] != text, untouched["4"]["inputs"]["seed"]) == (True, 7)


def test_a_declaration_keeps_what_can_be_read_of_it() -> None:
    interface, faults = read_interface({"inputs": [{"name": "a", "node": 1, "input": "x"}, {"name": "b"}], "more": 1})

    assert [(one.name, one.node) for one in interface.inputs] == [("a", "1")]
    assert [fault.input for fault in faults] == [None, "b"]


@pytest.mark.parametrize(
    ("value", "kind", "is_one"),
    [
        *((1, "integer", True), (1.0, "integer", True), (1.5, "integer", False), (True, "integer", False)),
        *((1, "number", True), (False, "number", False), ("1", "number", False)),
        *((0, "boolean", False), (True, "boolean", True), (None, "string", False), ("", "string", True)),
    ],
)
def test_types_are_those_of_json(value: Any, kind: Any, is_one: bool) -> None:
    assert is_of_type(value, kind) is is_one


def test_true_is_not_the_choice_one() -> None:
    assert [is_choice(value, [1, 2]) for value in (1, True, 3)] == [True, False, False]
