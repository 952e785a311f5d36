"""Saved workflows as endpoints: listed, shown, declared in the file or beside it, moved and removed."""

from typing import Any

import pytest
from tests.server.v2.house import Caller, caller_of, error_of
from tests.server.v2.saved import (
    APP,
    DECLARED,
    GRAPH_ID,
    SCALE,
    WORKFLOWS,
    api_file,
    call,
    editor_file,
    faults_of,
    move,
    save,
)

CALLS = [
    ("GET", ""),
    ("GET", "/openapi.json"),
    ("POST", "/jobs"),
    ("PUT", "/interface"),
    ("DELETE", "/interface"),
]


async def shown(caller: Caller, name: str) -> dict[str, Any]:
    return await caller.get(f"{WORKFLOWS}/{name}")


async def test_a_workflow_is_shown_with_what_its_nodes_take(ann: Caller) -> None:
    await save(ann, "scale", api_file(DECLARED))

    workflow = await shown(ann, "scale")

    photo, width, method, prefix = workflow["inputs"]
    assert (workflow["format"], workflow["source"], workflow["description"]) == ("api", "file", "Scales a picture.")
    assert photo == {
        "name": "photo", "type": "image", "node": "1", "input": "image", "required": True,
        "description": "What is scaled.",
    }  # fmt: skip
    assert (width["type"], width["minimum"], width["maximum"], width["default"]) == ("integer", 0, 64, 8)
    assert method["choices"] == ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]
    assert (method["type"], method["default"], method["title"]) == ("enum", "bilinear", "How")
    assert (prefix["type"], prefix["default"]) == ("string", "by-name")
    assert "How the file's name begins" in prefix["description"]
    assert workflow["outputs"] == [{"name": "picture", "node": "3"}]
    assert workflow["faults"] == workflow["left_out"] == []
    assert workflow["urls"] == {
        "self": f"{WORKFLOWS}/scale",
        "jobs": f"{WORKFLOWS}/scale/jobs",
        "openapi": f"{WORKFLOWS}/scale/openapi.json",
        "interface": f"{WORKFLOWS}/scale/interface",
        "runs": "/api/v2/jobs?workflow_id=scale",
    }


async def test_what_is_picked_in_the_editors_app_builder_is_an_endpoint(ann: Caller) -> None:
    await save(ann, "app", editor_file(**APP))

    workflow = await shown(ann, "app")

    assert (workflow["format"], workflow["source"], workflow["workflow_id"]) == ("save", "app", GRAPH_ID)
    assert [(one["name"], one["type"], one["node"]) for one in workflow["inputs"]] == [
        ("breite_in_grosse", "integer", "1"),
        ("value", "integer", "5"),
        ("filename_prefix", "string", "3"),
    ]
    assert workflow["inputs"][0]["description"] == "In pixels."
    assert workflow["inputs"][1]["random"] is True
    assert "default" not in workflow["inputs"][1]
    assert workflow["outputs"] == [{"name": "the_picture", "node": "3", "title": "The Picture"}]
    assert faults_of({"details": {"errors": workflow["left_out"]}}) == [
        ("node_gone", "gone"),
        ("input_linked", "color"),
        ("node_gone", "output"),
    ]
    assert workflow["faults"] == []


async def test_workflows_are_listed_by_name_a_page_at_a_time(ann: Caller, bob: Caller) -> None:
    for name in ("b", "a/one", "c"):
        await save(ann, name, api_file(DECLARED))
    await save(ann, ".index", {})
    await save(ann, "a/odd", {"no": "workflow"})
    await save(bob, "bobs", api_file())

    page = await ann.get(WORKFLOWS, limit=3)
    rest = await ann.get(WORKFLOWS, limit=3, cursor=page["next_cursor"])

    assert [one["name"] for one in page["workflows"]] == ["a/odd", "a/one", "b"]
    assert [one["name"] for one in rest["workflows"]] == ["c"]
    assert rest["next_cursor"] is None
    odd, one, _ = page["workflows"]
    assert (odd["format"], odd["inputs"], odd["urls"]["runs"]) == (None, [], None)
    assert "holds no workflow" in odd["problem"]
    assert (one["inputs"], one["outputs"], one["problem"]) == (
        ["photo", "width", "method", "prefix"],
        ["picture"],
        None,
    )
    assert (await shown(ann, one["urls"]["self"].rpartition("/")[2]))["name"] == "a/one"


@pytest.mark.parametrize("cursor", ["!", "YQo", "a" * 5000, "AA", "%00"])
async def test_a_cursor_that_the_list_did_not_give_is_refused(ann: Caller, cursor: str) -> None:
    error_of(await ann.http.get(WORKFLOWS, params={"cursor": cursor}), 400, "invalid_cursor")


async def test_a_name_with_slashes_is_one_segment_or_several(ann: Caller) -> None:
    await save(ann, "a/b", api_file(DECLARED))
    await save(ann, "a/b/jobs", api_file())

    assert (await shown(ann, "a%2Fb"))["name"] == (await shown(ann, "a/b"))["name"] == "a/b"
    assert (await shown(ann, "a%2Fb%2Fjobs"))["name"] == "a/b/jobs"
    # Encoded, it is the name of a workflow and no part of another.
    error_of(await ann.http.post(f"{WORKFLOWS}/a%2Fb%2Fjobs", json={}), 404, "not_found")


@pytest.mark.parametrize(
    "name", ["nope", "..%2Fscale", "%2Fscale", "%00", "%FF", "a" * 3000, ".index", "scale.json.json", "x%0Ay"]
)
@pytest.mark.parametrize(("method", "rest"), CALLS)
async def test_a_workflow_that_is_not_there_is_not_found(ann: Caller, method: str, rest: str, name: str) -> None:
    await save(ann, "scale", api_file())
    await save(ann, ".index", {})

    answer = await ann.http.request(method, f"{WORKFLOWS}/{name}{rest}", json={} if method in ("POST", "PUT") else None)

    error_of(answer, 404, "not_found")


async def test_a_name_that_is_almost_right_gets_the_right_one(ann: Caller) -> None:
    await save(ann, "portrait", api_file())

    answer = await ann.http.get(f"{WORKFLOWS}/portraits")

    assert "did you mean 'portrait'?" in error_of(answer, 404, "not_found")["message"]
    assert (await shown(ann, "portrait.json"))["name"] == "portrait"


async def test_somebody_elses_workflow_is_not_found(ann: Caller, bob: Caller) -> None:
    await save(ann, "scale", api_file(DECLARED))

    error_of(await bob.http.get(f"{WORKFLOWS}/scale"), 404, "not_found")
    error_of(await call(bob, "scale"), 404, "not_found")
    error_of(await bob.http.put(f"{WORKFLOWS}/scale/interface", json={}), 404, "not_found")
    error_of(await bob.http.post("/api/v2/jobs", json={"fireside": {"workflow": "scale"}}), 404, "not_found")


async def test_a_file_that_is_no_workflow_is_refused(ann: Caller) -> None:
    for name, content in (("a", []), ("b", {"x": 1}), ("c", "text")):
        await save(ann, name, content)
        error = error_of(await ann.http.get(f"{WORKFLOWS}/{name}"), 422, "invalid_workflow")
        assert error["details"]["type"] == "not_a_workflow"


async def test_a_workflow_of_nodes_that_nobody_has_is_refused_with_all_of_them(ann: Caller) -> None:
    await save(ann, "graph", api_file(DECLARED, {**SCALE, "8": {"class_type": "Nope"}, "9": {"class_type": "NopeToo"}}))
    editors = editor_file(**APP)
    editors["nodes"][0]["type"] = "Unheard"
    await save(ann, "editors", editors)

    error = error_of(await ann.http.get(f"{WORKFLOWS}/graph"), 422, "invalid_workflow")
    other = error_of(await call(ann, "editors"), 422, "invalid_workflow")

    assert list(error["details"]["node_errors"]) == ["8", "9"]
    assert (other["details"]["type"], "'Unheard'" in other["message"]) == ("missing_node_type", True)


async def test_what_is_declared_beside_a_file_holds_instead_of_what_is_in_it(ann: Caller) -> None:
    await save(ann, "scale", api_file(DECLARED))
    only = {"inputs": [{"name": "size", "node": "2", "input": "height"}]}

    answer = await ann.http.put(f"{WORKFLOWS}/scale/interface", json=only)

    assert answer.status_code == 200, answer.text
    assert (answer.json()["source"], [one["name"] for one in answer.json()["inputs"]]) == ("request", ["size"])
    assert (await shown(ann, "scale")) == answer.json()
    await save(ann, "scale", api_file(DECLARED, {**SCALE, "4": SCALE["3"]}))
    assert (await shown(ann, "scale"))["source"] == "request"
    assert (await ann.http.delete(f"{WORKFLOWS}/scale/interface")).status_code == 204
    assert (await shown(ann, "scale"))["source"] == "file"


async def test_a_declaration_is_refused_with_everything_that_is_wrong_with_it(ann: Caller) -> None:
    await save(ann, "scale", api_file())
    inputs: list[Any] = [
        {"name": "a", "node": "9", "input": "image"},
        {"name": "b", "node": "2", "input": "nope"},
        {"name": "c", "node": "2", "input": "image"},
        {"name": "d", "node": "2", "input": "width", "type": "string"},
        {"name": "e", "node": "2", "input": "width", "default": -1},
        {"name": "f", "node": "2", "input": "crop", "choices": ["nope"]},
        {"name": "2g", "node": "2", "input": "width"},
        {"name": "h", "node": 2, "input": "width", "required": True, "default": 5},
        {"name": "h", "node": "2", "input": "width"},
        {"node": "2"},
        5,
    ]
    outputs = [{"name": "o", "node": "2"}, {"name": "p", "node": "77"}]

    answer = await ann.http.put(f"{WORKFLOWS}/scale/interface", json={"inputs": inputs, "outputs": outputs, "more": 1})

    error = error_of(answer, 422, "invalid_interface")
    assert sorted(faults_of(error), key=str) == sorted(
        [
            ("node_gone", "a"),
            ("input_gone", "b"),
            ("input_linked", "c"),
            ("type_mismatch", "d"),
            *(("invalid_declaration", name) for name in ("e", "f", "2g", "h", "h", None, None, None)),
            ("not_an_output", "o"),
            ("node_gone", "p"),
        ],
        key=str,
    )
    assert (await shown(ann, "scale"))["source"] is None


@pytest.mark.parametrize("body", [[], 5, "x", {"inputs": {}}, {"outputs": 5}, {"description": 5}])
async def test_what_is_no_declaration_is_refused(ann: Caller, body: Any) -> None:
    await save(ann, "scale", api_file())

    error_of(await ann.http.put(f"{WORKFLOWS}/scale/interface", json=body), 422, "invalid_interface")


async def test_too_many_or_too_large_declarations_are_refused(ann: Caller) -> None:
    await save(ann, "scale", api_file())
    many = {"inputs": [{"name": f"n{n}", "node": "2", "input": "width"} for n in range(101)]}

    error_of(await ann.http.put(f"{WORKFLOWS}/scale/interface", json=many), 422, "invalid_interface")
    large = {"description": "x" * 300_000}
    error_of(await ann.http.put(f"{WORKFLOWS}/scale/interface", json=large), 413, "payload_too_large")


async def test_a_renamed_workflow_takes_its_endpoint_along_and_a_removed_one_has_none(ann: Caller) -> None:
    await save(ann, "old", api_file())
    await ann.http.put(f"{WORKFLOWS}/old/interface", json=DECLARED)

    await move(ann, "old", "new")

    error_of(await ann.http.get(f"{WORKFLOWS}/old"), 404, "not_found")
    assert (await shown(ann, "new"))["source"] == "request"
    assert (await ann.http.delete("/api/userdata/workflows%2Fnew.json")).status_code == 204
    error_of(await call(ann, "new"), 404, "not_found")
    await save(ann, "new", api_file())
    assert (await shown(ann, "new"))["source"] is None


async def test_nothing_can_be_said_of_nodes_before_a_worker_was_here(house: Any, contract: Any) -> None:
    caller = await caller_of(house, contract, "early")
    await save(caller, "scale", api_file(DECLARED))

    answer = await caller.http.get(f"{WORKFLOWS}/scale")

    error_of(answer, 503, "upstream_unreachable")
    assert answer.headers["retry-after"].isdecimal()
    assert len((await caller.get(WORKFLOWS))["workflows"]) == 1
