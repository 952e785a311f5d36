"""Literal values: how they are converted, and each fault with its exact texts."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fireside.graphs.errors import InvalidGraph
from fireside.graphs.validate import ValidGraph

Faults = Callable[..., list[Mapping[str, Any]]]
Refuse = Callable[..., InvalidGraph]
Validate = Callable[..., ValidGraph]
MANY = [f"model-{number}" for number in range(21)]


@pytest.mark.parametrize(
    ("name", "written", "used"),
    [
        ("count", "7", 7),
        ("count", 3.9, 3),
        ("count", True, 1),
        ("count", " 5 ", 5),
        ("strength", "0.5", 0.5),
        ("strength", 1, 1.0),
        ("text", 5, "5"),
        ("text", None, "None"),
        ("text", True, "True"),
        ("text", 0.5, "0.5"),
        ("text", {"a": ["b"]}, "{'a': ['b']}"),
        ("flag", 1, True),
        ("flag", "false", True),
        ("flag", "", False),
        ("flag", None, False),
        ("count", {"__value__": "7"}, 7),
        ("text", {"__value__": ["a", 1]}, "['a', 1]"),
        ("flag", {"__value__": []}, False),
    ],
)
def test_values_become_what_their_input_wants(validate: Validate, name: str, written: Any, used: Any) -> None:
    valid = validate({"1": {"class_type": "Numbers", "inputs": {name: written}}})

    value = valid.graph["1"]["inputs"][name]
    assert (value, type(value)) == (used, type(used))


def test_what_was_submitted_is_left_as_it_was(validate: Validate) -> None:
    submitted = {"1": {"class_type": "Numbers", "inputs": {"count": "7"}}}

    validate(submitted)

    assert submitted == {"1": {"class_type": "Numbers", "inputs": {"count": "7"}}}


@pytest.mark.parametrize(
    ("name", "kind", "value", "text"),
    [
        ("count", "INT", "abc", "invalid literal for int() with base 10: 'abc'"),
        (
            "count",
            "INT",
            None,
            "int() argument must be a string, a bytes-like object or a real number, not 'NoneType'",
        ),
        ("strength", "FLOAT", "x", "could not convert string to float: 'x'"),
        ("strength", "FLOAT", {}, "float() argument must be a string or a real number, not 'dict'"),
        ("strength", "FLOAT", 2**1023 * 2 - 1, "int too large to convert to float"),
        ("strength", "FLOAT", "nan", "nan is not a finite number, which JSON cannot carry"),
        ("strength", "FLOAT", "-inf", "-inf is not a finite number, which JSON cannot carry"),
    ],
)
def test_a_value_that_cannot_be_converted_is_an_invalid_type(
    faults: Faults, name: str, kind: str, value: Any, text: str
) -> None:
    limits = {"min": 1, "max": 10} if kind == "INT" else {"min": 0.0, "max": 1.0}
    assert faults("Numbers", {name: value}) == [
        {
            "type": "invalid_input_type",
            "message": f"Failed to convert an input value to a {kind} value",
            "details": f"{name}, {value}, {text}",
            "extra_info": {
                "input_name": name,
                "input_config": [kind, limits],
                "received_value": value,
                "exception_message": text,
            },
        }
    ]


def test_a_value_below_the_least_is_too_small(faults: Faults) -> None:
    assert faults("Numbers", {"count": "0"}) == [
        {
            "type": "value_smaller_than_min",
            "message": "Value 0 smaller than min of 1",
            "details": "count",
            "extra_info": {"input_name": "count", "input_config": ["INT", {"min": 1, "max": 10}], "received_value": 0},
        }
    ]


def test_a_value_above_the_most_is_too_big(faults: Faults) -> None:
    assert faults("Numbers", {"strength": 2}) == [
        {
            "type": "value_bigger_than_max",
            "message": "Value 2.0 bigger than max of 1.0",
            "details": "strength",
            "extra_info": {
                "input_name": "strength",
                "input_config": ["FLOAT", {"min": 0.0, "max": 1.0}],
                "received_value": 2.0,
            },
        }
    ]


@pytest.mark.parametrize("value", [1, 10])
def test_the_limits_themselves_are_allowed(validate: Validate, value: int) -> None:
    assert validate({"1": {"class_type": "Numbers", "inputs": {"count": value}}}).outputs == ("1",)


def test_a_limit_that_the_value_cannot_be_compared_with_breaks_the_validation(faults: Faults) -> None:
    text = "'<' not supported between instances of 'str' and 'int'"
    assert faults("Numbers", {"long": "abc"}) == [
        {
            "type": "exception_during_validation",
            "message": "Exception when validating node",
            "details": text,
            "extra_info": {"exception_type": "TypeError", "traceback": []},
        }
    ]


@pytest.mark.parametrize(
    ("name", "value", "details"),
    [
        ("method", "c", "method: 'c' not in ['a', 'b']"),
        ("method", "it's", "method: \"it's\" not in ['a', 'b']"),
        ("method", 5, "method: 5 not in ['a', 'b']"),
        ("method", None, "method: None not in ['a', 'b']"),
        ("modern", "c", "modern: 'c' not in ['a', 'b']"),
        ("modern", {"x": 1}, "modern: {'x': 1} not in ['a', 'b']"),
        ("empty", "c", "empty: 'c' not in []"),
        ("model", "c", "model: 'c' not in (list of length 21)"),
    ],
)
def test_a_choice_that_is_not_offered_is_not_in_the_list(faults: Faults, name: str, value: Any, details: str) -> None:
    [fault] = faults("Choices", {name: value})

    assert fault["type"] == "value_not_in_list"
    assert fault["message"] == "Value not in list"
    assert fault["details"] == details
    assert fault["extra_info"]["received_value"] == value


def test_a_short_list_is_shown_and_a_long_one_is_not(faults: Faults) -> None:
    [short], [long] = faults("Choices", {"method": "c"}), faults("Choices", {"model": "c"})

    assert short["extra_info"]["input_config"] == [["a", "b"], {"default": "a"}]
    assert long["extra_info"]["input_config"] is None


def test_each_value_of_a_multiple_choice_is_checked(faults: Faults, validate: Validate) -> None:
    [fault] = faults("Choices", {"several": {"__value__": ["a", "x", "b", 5]}})
    assert fault["details"] == "several: 'x', 5 not in ['a', 'b']"
    assert fault["extra_info"]["received_value"] == ["a", "x", "b", 5]

    written = {"several": {"__value__": ["a", "b"]}}
    valid = validate({"1": {"class_type": "Choices", "inputs": written}})
    # Without its wrapper the list would be a link to whoever reads the graph next.
    assert valid.graph["1"]["inputs"] == written


def test_a_list_of_choices_where_one_is_wanted_is_not_in_the_list(faults: Faults) -> None:
    [fault] = faults("Choices", {"method": {"__value__": ["a"]}})

    assert fault["details"] == "method: ['a'] not in ['a', 'b']"


@pytest.mark.parametrize(
    "inputs",
    [
        {"method": "a"},
        {"modern": "b"},
        {"elsewhere": "whatever"},
        {"older": {"__value__": ["b", "a", "b"]}},
        {"model": MANY[-1]},
        {"several": "a"},
        {},
    ],
)
def test_choices_that_are_offered_or_unknown_to_us_are_taken(validate: Validate, inputs: Any) -> None:
    assert validate({"1": {"class_type": "Choices", "inputs": inputs}}).graph["1"]["inputs"] == inputs


@pytest.mark.parametrize(
    ("class_type", "name", "kind"),
    [
        ("Load", "image", "image"),
        ("LoadVideo", "file", "video"),
        ("LoadAudio", "audio", "audio"),
        ("LoadLatent", "latent", "latent"),
        ("LoadOutput", "image", "image"),
    ],
)
@pytest.mark.parametrize("value", ["cat.png", "../cat.png", "", 5, None, {}])
def test_a_file_that_is_not_the_callers_is_refused_by_its_loader(
    refuse: Refuse, class_type: str, name: str, kind: str, value: Any
) -> None:
    graph = {
        "1": {"class_type": class_type, "inputs": {name: value}},
        "2": {"class_type": "Any", "inputs": {"value": ["1", 0]}},
    }
    assert refuse(graph, known_files={"dog.png"}).node_errors["1"]["errors"] == [
        {
            "type": "custom_validation_failed",
            "message": "Custom validation failed for node",
            "details": f"{name} - Invalid {kind} file: {value}",
            "extra_info": {"input_name": name},
        }
    ]


@pytest.mark.parametrize("value", ["cat.png", "sub/cat.png [output]", "blake3:" + "0" * 64])
def test_a_file_of_the_caller_is_taken_as_it_is_written(validate: Validate, value: str) -> None:
    graph = {
        "1": {"class_type": "Load", "inputs": {"image": value}},
        "2": {"class_type": "Save", "inputs": {"images": ["1", 0]}},
    }

    assert validate(graph, known_files={value}).graph["1"]["inputs"] == {"image": value}


def test_a_list_of_files_where_one_is_wanted_is_refused(refuse: Refuse) -> None:
    graph = {
        "1": {"class_type": "Load", "inputs": {"image": {"__value__": ["cat.png"]}}},
        "2": {"class_type": "Save", "inputs": {"images": ["1", 0]}},
    }

    [fault] = refuse(graph, known_files={"cat.png"}).node_errors["1"]["errors"]

    assert fault["type"] == "custom_validation_failed"


def test_a_file_whose_loader_has_no_validator_is_not_in_the_list(refuse: Refuse) -> None:
    graph = {
        "1": {"class_type": "LoadModel", "inputs": {"model_file": "x.glb"}},
        "2": {"class_type": "Any", "inputs": {"value": ["1", 0]}},
    }

    [fault] = refuse(graph).node_errors["1"]["errors"]

    assert (fault["type"], fault["details"]) == ("value_not_in_list", "model_file: 'x.glb' not in []")


def test_all_faults_of_a_node_are_told(faults: Faults) -> None:
    told = faults("Numbers", {"count": 99, "strength": "x", "text": "fine"})

    assert {fault["type"] for fault in told} == {"value_bigger_than_max", "invalid_input_type"}


def test_undeclared_inputs_and_titles_are_ignored_and_kept(validate: Validate) -> None:
    node = {
        "class_type": "Numbers",
        "inputs": {"count": 1, "extra": {"__value__": 5}, "more": "x"},
        "_meta": {"title": "T"},
    }

    assert validate({"1": node}).graph == {"1": node}
