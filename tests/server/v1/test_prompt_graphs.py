"""`POST /api/prompt`: graphs that cannot run, told in the open-source server's words, and what is taken of others."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import msgspec
import pytest
from PIL import Image
from tests.publishing import publish
from tests.server.v1.house import Caller, House

# Judged by the nodes that are known; what a store does with a job that is taken is proven where jobs are.
pytestmark = pytest.mark.once

EMPTY: dict[str, Any] = {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}}
INVERT = {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}}
MASK = {"class_type": "SolidMask", "inputs": {"value": 1.0, "width": 8, "height": 8}}
MANY = {
    "ManyChoices": {
        "input": {"required": {"choice": [[f"choice-{n}" for n in range(25)]]}},
        "output": [],
        "name": "ManyChoices",
        "output_node": True,
    }
}


def _save(images: Any) -> dict[str, Any]:
    return {"class_type": "SaveImage", "inputs": {"images": images, "filename_prefix": "a"}}


def _empty(**inputs: Any) -> dict[str, Any]:
    return {**EMPTY, "inputs": {**EMPTY["inputs"], **inputs}}


def _scaled(**inputs: Any) -> dict[str, Any]:
    given = {"image": ["1", 0], "upscale_method": "bilinear", "width": 4, "height": 4, "crop": "disabled"}
    scale = {"class_type": "ImageScale", "inputs": given | inputs}
    return {"1": EMPTY, "2": scale, "3": _save(["2", 0])}


async def _refused(ann: Caller, graph: Any, **fields: Any) -> Mapping[str, Any]:
    answer = await ann.http.post("/api/prompt", json={"prompt": graph, **fields})
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert {"code", "message", "error", "node_errors"} == set(body)
    assert await ann.listed() == []
    return body


async def _problem(ann: Caller, graph: Any, node_id: str) -> dict[str, Any]:
    """Give the one thing that is wrong with a node of a graph that is refused."""
    body = await _refused(ann, graph)
    assert body["error"]["type"] == "prompt_outputs_failed_validation"
    (problem,) = body["node_errors"][node_id]["errors"]
    assert set(problem) == {"type", "message", "details", "extra_info"}
    return problem


@pytest.mark.statement(93)
async def test_an_unknown_class_is_named_with_its_node(ann: Caller) -> None:
    body = await _refused(ann, {"7": {"class_type": "NoSuchNode", "inputs": {}, "_meta": {"title": "Mine"}}})

    assert body["error"]["type"] == "missing_node_type"
    assert body["error"]["extra_info"] == {"node_id": "7", "class_type": "NoSuchNode", "node_title": "Mine"}
    assert body["node_errors"] == {}


@pytest.mark.statement(94)
@pytest.mark.parametrize("node", [{"inputs": {}}, {}, 5, None, []])
async def test_a_node_without_a_class_is_named(ann: Caller, node: Any) -> None:
    error = (await _refused(ann, {"7": node}))["error"]

    assert error["type"] == "missing_node_type"
    assert (error["extra_info"]["node_id"], error["extra_info"]["class_type"]) == ("7", None)


@pytest.mark.statement(95)
@pytest.mark.parametrize("graph", [{}, {"1": EMPTY}])
async def test_a_graph_without_outputs_is_refused(ann: Caller, graph: Any) -> None:
    assert (await _refused(ann, graph))["error"]["type"] == "prompt_no_outputs"


@pytest.mark.parametrize("graph", [None, [], "x", 5, {"1": {"class_type": "EmptyImage", "inputs": []}}])
async def test_what_is_no_graph_is_refused(ann: Caller, graph: Any) -> None:
    assert (await _refused(ann, graph))["error"]["type"] == "invalid_prompt"


async def test_a_workflow_as_the_editor_saves_it_is_refused_with_what_to_do(ann: Caller) -> None:
    error = (await _refused(ann, {"nodes": [], "links": []}))["error"]

    assert "Export" in error["details"]


@pytest.mark.statement(96, 97)
async def test_a_missing_input_is_told_at_its_node(ann: Caller) -> None:
    graph = {"1": EMPTY, "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "a"}}}

    body = await _refused(ann, graph)

    assert body["error"]["type"] == "prompt_outputs_failed_validation"
    node = body["node_errors"]["2"]
    assert (node["class_type"], node["dependent_outputs"]) == ("SaveImage", ["2"])
    (problem,) = node["errors"]
    assert problem["type"] == "required_input_missing"
    assert problem["extra_info"]["input_name"] == "images"


@pytest.mark.statement(98)
@pytest.mark.parametrize("link", [["1"], ["1", 0, 0], []])
async def test_a_link_is_a_pair(ann: Caller, link: Any) -> None:
    assert (await _problem(ann, {"1": EMPTY, "2": _save(link)}, "2"))["type"] == "bad_linked_input"


@pytest.mark.statement(99)
async def test_a_link_of_another_type_is_told_with_both(ann: Caller) -> None:
    problem = await _problem(ann, {"1": MASK, "2": _save(["1", 0])}, "2")

    assert problem["type"] == "return_type_mismatch"
    assert (problem["extra_info"]["received_type"], problem["extra_info"]["linked_node"]) == ("MASK", ["1", 0])


@pytest.mark.statement(100)
async def test_a_text_is_no_whole_number(ann: Caller) -> None:
    problem = await _problem(ann, _scaled(width="abc"), "2")

    assert problem["type"] == "invalid_input_type"
    assert problem["extra_info"]["received_value"] == "abc"


@pytest.mark.statement(101)
@pytest.mark.parametrize(("width", "kind"), [(-1, "value_smaller_than_min"), (10**6, "value_bigger_than_max")])
async def test_a_number_out_of_its_range_is_told(ann: Caller, width: int, kind: str) -> None:
    problem = await _problem(ann, _scaled(width=width), "2")

    assert (problem["type"], problem["extra_info"]["input_name"]) == (kind, "width")


@pytest.mark.statement(102)
async def test_a_choice_that_is_not_offered_is_told_with_those_that_are(ann: Caller) -> None:
    problem = await _problem(ann, _scaled(upscale_method="magic"), "2")

    assert problem["type"] == "value_not_in_list"
    assert "'magic' not in [" in problem["details"]
    assert problem["extra_info"]["input_config"]


@pytest.mark.statement(102)
async def test_many_choices_are_only_counted(ann: Caller, house: House) -> None:
    await publish(house.services.store, msgspec.json.encode(MANY), worker="other", runtime="other")

    problem = await _problem(ann, {"1": {"class_type": "ManyChoices", "inputs": {"choice": "none"}}}, "1")

    assert (problem["type"], problem["extra_info"]["input_config"]) == ("value_not_in_list", None)
    assert "list of length 25" in problem["details"]


@pytest.mark.statement(103)
async def test_a_cycle_is_told_at_each_of_its_nodes(ann: Caller) -> None:
    turn = {"1": {**INVERT, "inputs": {"image": ["2", 0]}}, "2": INVERT, "3": _save(["2", 0])}

    body = await _refused(ann, turn)

    for node_id in ("1", "2"):
        problem = next(one for one in body["node_errors"][node_id]["errors"] if one["type"] == "dependency_cycle")
        assert set(problem["extra_info"]["cycle_nodes"]) == {"1", "2"}


@pytest.mark.statement(104)
async def test_a_link_to_no_node_is_told_where_it_stands(ann: Caller) -> None:
    outer = await _problem(ann, {"1": EMPTY, "2": _save(["99", 0])}, "2")
    inner = await _problem(ann, {"1": {**INVERT, "inputs": {"image": ["99", 0]}}, "2": _save(["1", 0])}, "1")

    assert outer["type"] == "exception_during_validation"
    assert inner["type"] == "exception_during_inner_validation"


@pytest.mark.statement(105)
async def test_a_number_as_text_is_taken_as_the_number(ann: Caller) -> None:
    job_id = await ann.submit({"1": _empty(width="20"), "2": _save(["1", 0])})

    assert (await ann.detail(job_id))["workflow"]["prompt"]["1"]["inputs"]["width"] == 20


@pytest.mark.statement(106)
async def test_of_a_good_and_a_bad_branch_the_good_one_runs(ann: Caller) -> None:
    graph = {"1": EMPTY, "2": _save(["1", 0]), "3": _save(["99", 0])}

    answer = await ann.http.post("/api/prompt", json={"prompt": graph})

    assert answer.status_code == 200
    assert set(answer.json()) == {"prompt_id", "number", "node_errors"}
    assert set(answer.json()["node_errors"]) == {"3"}
    (item,) = (await ann.get("/api/queue"))["queue_pending"]
    assert (set(item[2]), item[3]) == ({"1", "2"}, ["2"])


@pytest.mark.statement(107)
async def test_targets_choose_among_the_outputs(ann: Caller) -> None:
    graph = {"1": EMPTY, "2": _save(["1", 0]), "3": _save(["1", 0])}

    await ann.submit(graph, partial_execution_targets=["3", "1", "nothing"])

    (item,) = (await ann.get("/api/queue"))["queue_pending"]
    assert item[3] == ["3"]


@pytest.mark.statement(107)
@pytest.mark.parametrize("targets", [["1"], ["nothing"], []])
async def test_targets_that_are_no_outputs_leave_nothing_to_run(ann: Caller, targets: list[str]) -> None:
    graph = {"1": EMPTY, "2": _save(["1", 0])}

    body = await _refused(ann, graph, partial_execution_targets=targets)

    assert body["error"]["type"] == "prompt_no_outputs"


@pytest.mark.statement(108)
async def test_inputs_and_fields_that_nobody_asked_for_are_passed_over(ann: Caller) -> None:
    save = {**_save(["1", 0]), "_meta": {"title": "Save"}, "is_changed": ["x"], "note": None}

    await ann.submit({"1": _empty(mood="good"), "2": save})


async def test_a_file_of_another_user_is_no_choice(ann: Caller, bob: Caller) -> None:
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}}, "2": _save(["1", 0])}
    picture = BytesIO()
    Image.new("RGB", (2, 2)).save(picture, "PNG")
    uploaded = await bob.http.post("/api/upload/image", files={"image": ("x.png", picture.getvalue())})
    assert uploaded.status_code == 200

    body = await _refused(ann, graph)

    assert set(body["node_errors"]) == {"1"}
    assert await bob.submit(graph)
