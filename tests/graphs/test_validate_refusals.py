"""The refusals of a whole submit: each row of the catalogue with its exact texts."""

from collections.abc import Callable
from typing import Any

import pytest

from fireside.graphs.errors import InvalidGraph, no_graph
from fireside.graphs.validate import ValidGraph

Refuse = Callable[..., InvalidGraph]
Validate = Callable[..., ValidGraph]


def test_a_submit_without_a_graph_says_so() -> None:
    assert no_graph().body() == {
        "error": {
            "type": "no_prompt",
            "message": "No prompt provided",
            "details": "No prompt provided",
            "extra_info": {},
        },
        "node_errors": {},
    }


@pytest.mark.parametrize("node", [{"inputs": {}}, "text", None, [], 5])
def test_a_node_that_does_not_say_what_it_is_ends_validation(refuse: Refuse, node: Any) -> None:
    assert refuse({"7": node}).body() == {
        "error": {
            "type": "missing_node_type",
            "message": "Node 'ID #7' has no class_type. The workflow may be corrupted or a custom node is missing.",
            "details": "Node ID '#7'",
            "extra_info": {"node_id": "7", "class_type": None, "node_title": None},
        },
        "node_errors": {},
    }


def test_an_unknown_class_ends_validation(refuse: Refuse) -> None:
    assert refuse({"7": {"class_type": "Nowhere", "inputs": {}}}).body() == {
        "error": {
            "type": "missing_node_type",
            "message": "Node 'Nowhere' not found. The custom node may not be installed.",
            "details": "Node ID '#7'",
            "extra_info": {"node_id": "7", "class_type": "Nowhere", "node_title": None},
        },
        "node_errors": {},
    }


def test_a_nodes_title_names_it_in_both_refusals(refuse: Refuse) -> None:
    meta = {"title": "My node"}

    without_class = refuse({"7": {"_meta": meta}})
    unknown = refuse({"7": {"class_type": "Nowhere", "_meta": meta}})

    assert without_class.message.startswith("Node 'My node' has no class_type.")
    assert unknown.message == "Node 'My node' not found. The custom node may not be installed."
    assert without_class.extra_info["node_title"] == unknown.extra_info["node_title"] == "My node"


@pytest.mark.parametrize("class_type", [None, 5, [], {}, ["Image"]])
def test_a_class_that_is_no_name_is_unknown(refuse: Refuse, class_type: Any) -> None:
    refused = refuse({"7": {"class_type": class_type}})

    assert refused.type == "missing_node_type"
    assert refused.extra_info["class_type"] == class_type


def test_the_first_node_in_graph_order_with_a_wrong_class_is_told(refuse: Refuse, image: Any) -> None:
    graph = {"9": image, "2": {"class_type": "Nowhere"}, "1": {}}

    assert refuse(graph).extra_info["node_id"] == "2"


def test_a_wrong_class_that_nothing_needs_is_told_too(refuse: Refuse, image: Any) -> None:
    graph = {"1": image, "2": {"class_type": "Save", "inputs": {"images": ["1", 0]}}, "3": {"class_type": "Nowhere"}}

    assert refuse(graph).extra_info["node_id"] == "3"


@pytest.mark.parametrize("graph", [{}, {"1": {"class_type": "Image", "inputs": {}}}])
def test_a_graph_that_asks_for_nothing_has_no_outputs(refuse: Refuse, graph: Any) -> None:
    assert refuse(graph).body() == {
        "error": {"type": "prompt_no_outputs", "message": "Prompt has no outputs", "details": "", "extra_info": {}},
        "node_errors": {},
    }


def test_a_fault_at_the_only_output_is_told_with_its_reasons(refuse: Refuse) -> None:
    fault = {
        "type": "required_input_missing",
        "message": "Required input is missing",
        "details": "images",
        "extra_info": {"input_name": "images"},
    }

    assert refuse({"5": {"class_type": "Save", "inputs": {}}}).body() == {
        "error": {
            "type": "prompt_outputs_failed_validation",
            "message": "Prompt outputs failed validation",
            "details": "Required input is missing: images",
            "extra_info": {},
        },
        "node_errors": {"5": {"errors": [fault], "dependent_outputs": ["5"], "class_type": "Save"}},
    }


def test_a_fault_further_up_is_told_at_its_node_and_not_among_the_reasons(refuse: Refuse) -> None:
    graph = {
        "1": {"class_type": "Blur", "inputs": {}},
        "2": {"class_type": "Blur", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "Save", "inputs": {"images": ["2", 0]}},
        "4": {"class_type": "Save", "inputs": {"images": ["1", 0]}},
    }

    refused = refuse(graph)

    assert refused.details == ""
    assert list(refused.node_errors) == ["1"]
    assert refused.node_errors["1"]["dependent_outputs"] == ["3", "4"]


def test_the_reasons_of_several_outputs_stand_on_lines_of_their_own(refuse: Refuse) -> None:
    graph = {"1": {"class_type": "Save", "inputs": {}}, "2": {"class_type": "Numbers", "inputs": {"count": 0}}}

    assert refuse(graph).details == ("Required input is missing: images\nValue 0 smaller than min of 1: count")


def test_one_good_output_is_enough_and_the_bad_chain_is_left_out(validate: Validate, image: Any) -> None:
    graph = {
        "1": image,
        "2": {"class_type": "Save", "inputs": {"images": ["1", 0]}},
        "3": {"class_type": "Blur", "inputs": {}},
        "4": {"class_type": "Save", "inputs": {"images": ["3", 0]}},
    }

    valid = validate(graph)

    assert valid.outputs == ("2",)
    assert list(valid.graph) == ["1", "2"]
    assert valid.node_errors_body() == {
        "3": {
            "errors": [
                {
                    "type": "required_input_missing",
                    "message": "Required input is missing",
                    "details": "image",
                    "extra_info": {"input_name": "image"},
                }
            ],
            "dependent_outputs": ["4"],
            "class_type": "Blur",
        }
    }


def test_a_node_of_a_good_chain_is_not_blamed_for_a_bad_one(validate: Validate, image: Any) -> None:
    graph = {
        "1": image,
        "2": {"class_type": "Save", "inputs": {"images": ["1", 0]}},
        "4": {"class_type": "Save", "inputs": {"images": ["1", 1]}},
    }

    valid = validate(graph)

    assert list(valid.graph) == ["1", "2"]
    assert list(valid.node_errors) == ["4"]


def test_targets_choose_among_the_outputs_and_the_others_are_not_even_checked(validate: Validate, image: Any) -> None:
    graph = {
        "1": image,
        "2": {"class_type": "Save", "inputs": {"images": ["1", 0]}},
        "3": {"class_type": "Save", "inputs": {}},
    }

    valid = validate(graph, targets=["2", "1", "99"])

    assert (valid.outputs, list(valid.graph), valid.node_errors) == (("2",), ["1", "2"], {})


@pytest.mark.parametrize("targets", [[], ["1"], ["99"], [5, None, [], {}]])
def test_targets_that_are_no_outputs_leave_none(refuse: Refuse, image: Any, targets: Any) -> None:
    graph = {"1": image, "2": {"class_type": "Save", "inputs": {"images": ["1", 0]}}}

    assert refuse(graph, targets=targets).type == "prompt_no_outputs"


def test_many_outputs_of_one_faulty_node_are_not_all_listed(refuse: Refuse) -> None:
    saves = {str(n): {"class_type": "Save", "inputs": {"images": ["bad", 0]}} for n in range(200)}

    refused = refuse({"bad": {"class_type": "Blur", "inputs": {}}, **saves})

    assert refused.node_errors["bad"]["dependent_outputs"] == [str(n) for n in range(50)]


def test_a_graph_of_thousands_of_faults_is_answered_with_the_first_of_them(refuse: Refuse) -> None:
    refused = refuse({str(number): {"class_type": "Save", "inputs": {}} for number in range(1500)})

    assert len(refused.node_errors) == 1000
