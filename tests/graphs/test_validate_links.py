"""Links: their shape, their types, links to nowhere and loops, each fault with its exact texts."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fireside.graphs.errors import InvalidGraph
from fireside.graphs.link_types import types_match
from fireside.graphs.validate import ValidGraph

Faults = Callable[..., list[Mapping[str, Any]]]
Refuse = Callable[..., InvalidGraph]
Validate = Callable[..., ValidGraph]
CONFIG = ["IMAGE", {"tooltip": "what to save"}]


@pytest.mark.parametrize("link", [[], ["2"], ["2", 0, 1]])
def test_a_link_has_two_parts(faults: Faults, link: Any) -> None:
    assert faults("Save", {"images": link}) == [
        {
            "type": "bad_linked_input",
            "message": "Bad linked input, must be a length-2 list of [node_id, slot_index]",
            "details": "images",
            "extra_info": {"input_name": "images", "input_config": CONFIG, "received_value": link},
        }
    ]


def test_a_link_to_something_of_another_type_is_a_mismatch(faults: Faults, image: Any) -> None:
    told = faults("Save", {"images": ["2", 1]}, **{"2": image})

    assert told == [
        {
            "type": "return_type_mismatch",
            "message": "Return type mismatch between linked nodes",
            "details": "images, received_type(MASK) mismatch input_type(IMAGE)",
            "extra_info": {
                "input_name": "images",
                "input_config": CONFIG,
                "received_type": "MASK",
                "linked_node": ["2", 1],
            },
        }
    ]


def test_what_is_behind_a_mismatched_link_is_not_looked_at(refuse: Refuse) -> None:
    refused = refuse(
        {
            "1": {"class_type": "Save", "inputs": {"images": ["2", 0]}},
            "2": {"class_type": "Union", "inputs": {}},
        },
        targets=["1"],
    )

    assert list(refused.node_errors) == ["1"]


def test_a_long_list_of_choices_is_not_printed_in_a_mismatch(faults: Faults, image: Any) -> None:
    [fault] = faults("Choices", {"model": ["2", 0]}, **{"2": image})

    assert fault["details"] == "model, received_type(IMAGE) mismatch input_type((list of length 21))"
    assert fault["extra_info"]["input_config"] is None


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("IMAGE", "IMAGE"),
        ("*", "IMAGE"),
        ("IMAGE", "*"),
        ("INT", "INT,FLOAT"),
        ("STRING, INT", "FLOAT,INT"),
        ("IMAGE,*", "MASK"),
        ("COMFY_MATCHTYPE_V3", "IMAGE"),
        ("IMAGE", "COMFY_MATCHTYPE_V3"),
        (["a"], ["a"]),
        (["a"], ["b"]),
        (["a"], "COMBO"),
        ("COMBO", ["a"]),
        ([], []),
    ],
)
def test_types_that_fit(given: Any, taken: Any) -> None:
    assert types_match(given, taken)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("IMAGE", "MASK"),
        ("STRING", ["a"]),
        (["a"], "STRING"),
        ("INT,FLOAT", "STRING"),
        (None, "IMAGE"),
        ("image", "IMAGE"),
    ],
)
def test_types_that_do_not_fit(given: Any, taken: Any) -> None:
    assert not types_match(given, taken)


def test_unions_wildcards_and_choices_link(validate: Validate) -> None:
    graph = {
        "1": {"class_type": "Numbers", "inputs": {}},
        "2": {"class_type": "Union", "inputs": {"value": ["1", 1]}},
        "3": {"class_type": "Any", "inputs": {"value": ["2", 0]}},
        "4": {"class_type": "Match", "inputs": {"value": ["3", 0]}},
        "5": {"class_type": "Numbers", "inputs": {"count": ["4", 0]}},
        "6": {"class_type": "Choices", "inputs": {"method": ["7", 0]}},
        "7": {"class_type": "Choices", "inputs": {}},
    }

    assert validate(graph).outputs == ("1", "2", "3", "5", "6", "7")


@pytest.mark.parametrize(
    ("link", "kind", "text"),
    [
        (["99", 0], "KeyError", "'99'"),
        ([2, 0], "KeyError", "2"),
        ([None, 0], "KeyError", "None"),
        ([["2"], 0], "TypeError", "unhashable type: 'list'"),
        (["2", 2], "IndexError", "tuple index out of range"),
        (["2", -3], "IndexError", "tuple index out of range"),
        (["2", "0"], "TypeError", "tuple indices must be integers or slices, not str"),
        (["2", 0.0], "TypeError", "tuple indices must be integers or slices, not float"),
        (["2", None], "TypeError", "tuple indices must be integers or slices, not NoneType"),
        (["2", 10**30], "IndexError", "cannot fit 'int' into an index-sized integer"),
    ],
)
def test_a_link_to_nowhere_breaks_the_validation_of_an_output(
    faults: Faults, image: Any, link: Any, kind: str, text: str
) -> None:
    assert faults("Save", {"images": link}, **{"2": image}) == [
        {
            "type": "exception_during_validation",
            "message": "Exception when validating node",
            "details": text,
            "extra_info": {"exception_type": kind, "traceback": []},
        }
    ]


def test_a_link_to_nowhere_further_up_is_told_at_the_node_that_holds_it(refuse: Refuse) -> None:
    refused = refuse(
        {
            "1": {"class_type": "Blur", "inputs": {"image": ["99", 0]}},
            "2": {"class_type": "Save", "inputs": {"images": ["1", 0]}},
        }
    )

    assert refused.details == ""
    assert refused.node_errors == {
        "1": {
            "errors": [
                {
                    "type": "exception_during_inner_validation",
                    "message": "Exception when validating inner node",
                    "details": "'99'",
                    "extra_info": {
                        "input_name": "images",
                        "input_config": CONFIG,
                        "exception_message": "'99'",
                        "exception_type": "KeyError",
                        "traceback": [],
                        "linked_node": ["1", 0],
                    },
                }
            ],
            "dependent_outputs": ["2"],
            "class_type": "Blur",
        }
    }


@pytest.mark.parametrize(("written", "used"), [(-1, 1), (-2, 0), (True, 1), (1, 1)])
def test_slots_are_written_back_as_counted_from_the_first(
    validate: Validate, image: Any, written: Any, used: int
) -> None:
    graph = {"1": image, "2": {"class_type": "Any", "inputs": {"value": ["1", written]}}}

    link = validate(graph).graph["2"]["inputs"]["value"]
    assert link == ["1", used]
    assert type(link[1]) is int


def test_a_loop_is_told_at_each_of_its_nodes(refuse: Refuse) -> None:
    refused = refuse(
        {
            "1": {"class_type": "Save", "inputs": {"images": ["2", 0]}},
            "2": {"class_type": "Blur", "inputs": {"image": ["3", 0]}},
            "3": {"class_type": "Blur", "inputs": {"image": ["2", 0]}},
        }
    )

    assert set(refused.node_errors) == {"2", "3"}
    for node_id in ("2", "3"):
        assert refused.node_errors[node_id] == {
            "errors": [
                {
                    "type": "dependency_cycle",
                    "message": "Dependency cycle detected",
                    "details": "2 (Blur) -> 3 (Blur) -> 2 (Blur)",
                    "extra_info": {"node_id": node_id, "cycle_nodes": ["2", "3"]},
                }
            ],
            "dependent_outputs": ["1"],
            "class_type": "Blur",
        }


def test_a_node_that_feeds_itself_is_a_loop_of_one(faults: Faults) -> None:
    [fault] = faults("Any", {"value": ["1", 0]})

    assert fault["details"] == "1 (Any) -> 1 (Any)"
    assert fault["extra_info"] == {"node_id": "1", "cycle_nodes": ["1"]}


def test_two_loops_through_one_node_are_both_told(refuse: Refuse) -> None:
    graph = {
        "1": {"class_type": "Grow", "inputs": {"images.image0": ["2", 0], "images.image1": ["3", 0]}},
        "2": {"class_type": "Blur", "inputs": {"image": ["2", 0]}},
        "3": {"class_type": "Blur", "inputs": {"image": ["4", 0]}},
        "4": {"class_type": "Blur", "inputs": {"image": ["3", 0]}},
    }

    cycles = {node_id: fault["errors"][0]["details"] for node_id, fault in refuse(graph).node_errors.items()}

    assert cycles == {
        "2": "2 (Blur) -> 2 (Blur)",
        "3": "3 (Blur) -> 4 (Blur) -> 3 (Blur)",
        "4": "3 (Blur) -> 4 (Blur) -> 3 (Blur)",
    }


def test_a_loop_beside_a_sound_branch_is_told_once(refuse: Refuse, image: Any) -> None:
    graph = {
        "1": {"class_type": "Mix", "inputs": {"first": ["2", 0], "second": ["4", 0]}},
        "2": {"class_type": "Blur", "inputs": {"image": ["3", 0]}},
        "3": image,
        "4": {"class_type": "Blur", "inputs": {"image": ["5", 0]}},
        "5": {"class_type": "Blur", "inputs": {"image": ["4", 0]}},
        "6": {"class_type": "Save", "inputs": {"images": ["1", 0]}},
    }

    assert {node_id: len(fault["errors"]) for node_id, fault in refuse(graph).node_errors.items()} == {"4": 1, "5": 1}


def test_faults_are_told_in_the_order_of_the_inputs_that_lead_to_them(refuse: Refuse) -> None:
    graph = {
        "1": {"class_type": "Blur", "inputs": {}},
        "2": {"class_type": "Blur", "inputs": {}},
        "3": {"class_type": "Mix", "inputs": {"second": ["1", 0], "first": ["2", 0]}},
        "4": {"class_type": "Save", "inputs": {"images": ["3", 0]}},
    }

    assert list(refuse(graph).node_errors) == ["2", "1"]


def test_a_loop_spares_the_outputs_that_do_not_need_it(validate: Validate, image: Any) -> None:
    graph = {
        "1": {"class_type": "Any", "inputs": {"value": ["2", 0]}},
        "2": {"class_type": "Any", "inputs": {"value": ["1", 0]}},
        "3": {"class_type": "Save", "inputs": {"images": ["4", 0]}},
        "4": image,
    }

    valid = validate(graph)

    assert (valid.outputs, set(valid.node_errors)) == (("3",), {"1", "2"})
    assert valid.node_errors["1"]["dependent_outputs"] == ["1", "2"]


def test_two_ways_to_one_node_are_no_loop(validate: Validate, image: Any) -> None:
    graph = {
        "1": image,
        "2": {"class_type": "Blur", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "Grow", "inputs": {"images.image0": ["1", 0], "images.image1": ["2", 0]}},
    }

    assert validate(graph).outputs == ("3",)


def chain(length: int, first: Any) -> dict[str, Any]:
    """A row of blurs, each fed by the one before, and a save at its end."""
    blurs = {str(n): {"class_type": "Blur", "inputs": {"image": [str(n - 1), 0]}} for n in range(1, length)}
    return {"0": first, **blurs, "save": {"class_type": "Save", "inputs": {"images": [str(length - 1), 0]}}}


@pytest.mark.parametrize("length", [20_000, 50_000])
def test_a_chain_of_thousands_of_nodes_is_valid(validate: Validate, image: Any, length: int) -> None:
    valid = validate(chain(length, image))

    assert len(valid.graph) == length + 1


def test_a_loop_of_thousands_of_nodes_is_told_in_short(refuse: Refuse) -> None:
    refused = refuse(chain(50_000, {"class_type": "Blur", "inputs": {"image": ["49999", 0]}}))

    [fault] = refused.node_errors["0"]["errors"]
    assert fault["type"] == "dependency_cycle"
    assert fault["details"].startswith("49999 (Blur) -> 49998 (Blur) -> ")
    assert fault["details"].endswith(" -> ... (50000 nodes) -> 49999 (Blur)")
    assert len(fault["extra_info"]["cycle_nodes"]) == 50
    assert len(refused.node_errors) == 1000


def test_thousands_of_loops_through_one_node_cost_no_square(refuse: Refuse) -> None:
    # Each node also needs the first, so that every node of the way closes a loop of its own.
    nodes = {
        str(n): {
            "class_type": "Mix",
            "inputs": {"first": [str((n + 1) % 20_000), 0], "second": ["0", 0]},
        }
        for n in range(20_000)
    }

    refused = refuse({**nodes, "save": {"class_type": "Save", "inputs": {"images": ["0", 0]}}})

    assert len(refused.node_errors) == 1000
    assert {len(fault["errors"]) for fault in refused.node_errors.values()} == {1}


def test_an_undeclared_link_is_not_checked_but_what_it_needs_is_kept(validate: Validate, image: Any) -> None:
    # Switches take any number of inputs under names that only their own code knows.
    graph = {
        "1": {"class_type": "Numbers", "inputs": {"any_01": ["2", 7], "any_02": ["99", 0]}},
        "2": {"class_type": "Blur", "inputs": {"image": ["3", 0]}},
        "3": image,
        "4": image,
    }

    assert validate(graph).graph == {
        "1": {"class_type": "Numbers", "inputs": {"any_01": ["2", 7]}},
        "2": graph["2"],
        "3": image,
    }
