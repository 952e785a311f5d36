"""Inputs that come and go: groups that grow, and choices that bring their own inputs."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from fireside.graphs.definitions import NodeDefinition, NodeDefinitions
from fireside.graphs.validate import ValidGraph

Faults = Callable[..., list[Mapping[str, Any]]]
Validate = Callable[..., ValidGraph]


@pytest.mark.parametrize("names", [["image0"], ["image0", "image1", "image2"]])
def test_a_group_grows_by_dotted_names(validate: Validate, image: Any, names: list[str]) -> None:
    graph = {"1": {"class_type": "Grow", "inputs": {f"images.{name}": ["2", 0] for name in names}}, "2": image}

    assert validate(graph).outputs == ("1",)


def test_a_group_has_its_least_number_of_inputs(faults: Faults) -> None:
    [fault] = faults("Grow", {})

    assert (fault["type"], fault["details"]) == ("required_input_missing", "images.image0")


def test_what_a_group_holds_is_checked_like_any_input(faults: Faults, image: Any) -> None:
    [fault] = faults("Grow", {"images.image0": ["2", 0], "images.image1": ["2", 1]}, **{"2": image})

    assert (fault["type"], fault["extra_info"]["input_name"]) == ("return_type_mismatch", "images.image1")


def test_a_group_takes_no_value_under_its_own_name(faults: Faults) -> None:
    [fault] = faults("Grow", {"images": {"image0": ["2", 0]}})

    assert (fault["type"], fault["message"]) == ("invalid_dynamic_input", "Invalid dynamic input")
    assert fault["details"].startswith("Input 'images' is an Autogrow group")
    assert fault["extra_info"] == {"input_name": "images"}


def test_a_choice_brings_its_own_inputs(validate: Validate, faults: Faults) -> None:
    valid = validate({"1": {"class_type": "Format", "inputs": {"format": "mp4", "format.quality": "7"}}})
    assert valid.graph["1"]["inputs"] == {"format": "mp4", "format.quality": 7}

    [fault] = faults("Format", {"format": "mp4"})
    assert (fault["type"], fault["details"]) == ("required_input_missing", "format.quality")


def test_inputs_of_a_choice_that_was_not_made_are_ignored(validate: Validate) -> None:
    inputs = {"format": {"__value__": "auto"}, "format.quality": "many"}

    assert validate({"1": {"class_type": "Format", "inputs": inputs}}).outputs == ("1",)


@pytest.mark.parametrize("chosen", ["gif", 5, None, {}])
def test_a_choice_that_is_not_offered_is_an_invalid_dynamic_input(faults: Faults, chosen: Any) -> None:
    [fault] = faults("Format", {"format": chosen})

    assert fault["type"] == "invalid_dynamic_input"
    assert fault["details"] == f"format: {chosen!r} not in ['auto', 'mp4']"


def test_a_choice_cannot_be_missing_or_linked(faults: Faults, image: Any) -> None:
    [missing], [linked] = faults("Format", {}), faults("Format", {"format": ["2", 0]}, **{"2": image})

    assert (missing["type"], missing["details"]) == ("required_input_missing", "format")
    assert linked["type"] == "return_type_mismatch"


def test_a_slot_brings_its_inputs_once_it_is_linked(validate: Validate, faults: Faults, image: Any) -> None:
    assert validate({"1": {"class_type": "Slot", "inputs": {}}}).outputs == ("1",)

    [fault] = faults("Slot", {"slot": ["2", 0]}, **{"2": image})
    assert (fault["type"], fault["details"]) == ("required_input_missing", "slot.size")

    [fault] = faults("Slot", {"slot": ["2", 1], "slot.size": 1}, **{"2": image})
    assert fault["type"] == "return_type_mismatch"


def test_templates_of_a_kind_we_do_not_know_are_let_through(validate: Validate) -> None:
    inputs = {"rows.0.x": 1, "rows": {"y": 2}}

    assert validate({"1": {"class_type": "Newer", "inputs": inputs}}).graph["1"]["inputs"] == inputs


def node_with(declared: Any) -> NodeDefinition:
    object_info = {"Node": {"input": {"required": {"x": declared}}}}
    node = NodeDefinitions.parse(msgspec.json.encode(object_info)).get("Node")
    assert node is not None
    return node


@pytest.mark.parametrize(
    "names", [{"prefix": "n", "max": 10**12}, {"prefix": "n"}, {"names": [f"n{number}" for number in range(500)]}]
)
def test_a_group_grows_to_a_hundred_at_most(names: Any) -> None:
    template = {"input": {"optional": {"i": ["IMAGE"]}}, **names}

    inputs, _ = node_with(["COMFY_AUTOGROW_V3", {"template": template}]).inputs_for({})

    assert [declared.name for declared in inputs] == [f"x.n{number}" for number in range(100)]


def test_choices_within_choices_are_followed_eight_deep() -> None:
    declared: Any = ["INT", {}]
    for _ in range(20):
        declared = ["COMFY_DYNAMICCOMBO_V3", {"options": [{"key": "k", "inputs": {"required": {"x": declared}}}]}]
    written = {".".join("x" * depth): "k" for depth in range(1, 21)}

    inputs, problems = node_with(declared).inputs_for(written)

    assert (list(inputs), problems) == ([], [])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"template": None},
        {"template": {"prefix": "n", "min": "x", "max": None}},
        {"template": {"names": [1, None]}},
    ],
)
def test_a_group_without_a_sound_template_has_no_inputs(options: Any) -> None:
    inputs, problems = node_with(["COMFY_AUTOGROW_V3", options]).inputs_for({"x.n0": 1})

    assert (list(inputs), problems) == ([], [])
