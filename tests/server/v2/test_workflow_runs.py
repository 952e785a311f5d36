"""Saved workflows run by name: what reaches the graph, what the job keeps, and how a call is refused."""

from typing import Any
from uuid import uuid4

import pytest
from tests.graphs.editor.building import node, subgraph, uuid_of, wired, workflow
from tests.server.v2.house import PNG, Caller, error_of
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


async def upload(caller: Caller, name: str = "cat.png", content: bytes = PNG, kind: str = "image/png") -> str:
    form = {"content_type": kind, "file_path": name}
    answer = await caller.http.post("/api/v2/assets", data=form, files={"file": (name, content, kind)})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["id"]


async def graph_of(caller: Caller, job: dict[str, Any]) -> dict[str, Any]:
    return (await caller.get(f"/api/v2/jobs/{job['id']}/workflow"))["workflow"]


async def submitted(caller: Caller, name: str, **inputs: Any) -> dict[str, Any]:
    answer = await call(caller, name, **inputs)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def refused(caller: Caller, name: str, code: str = "invalid_inputs", **inputs: Any) -> dict[str, Any]:
    return error_of(await call(caller, name, **inputs), 422, code)


async def test_a_job_runs_with_what_was_given_what_was_declared_and_what_is_in_the_file(ann: Caller) -> None:
    await save(ann, "scale", api_file(DECLARED))
    photo = await upload(ann)

    job = await submitted(ann, "scale", photo=photo, width=3)

    graph = await graph_of(ann, job)
    assert graph["1"]["inputs"] == {"image": "cat.png"}
    assert graph["2"]["inputs"] == SCALE["2"]["inputs"] | {"width": 3}
    assert graph["3"]["inputs"]["filename_prefix"] == "by-name"
    named = job["fireside"]
    assert (named["workflow"], named["workflow_id"], named["outputs"]) == ("scale", "scale", {"picture": []})
    assert named["inputs"].pop("photo")["info"]["id"] == photo
    assert named["inputs"] == {"width": 3, "method": "bilinear", "prefix": "by-name"}


async def test_what_a_job_ran_with_runs_it_again(ann: Caller) -> None:
    await save(ann, "scale", api_file(DECLARED))
    job = await submitted(ann, "scale", photo=await upload(ann), method="lanczos")

    again = await submitted(ann, "scale", **job["fireside"]["inputs"])

    assert await graph_of(ann, again) == await graph_of(ann, job)


@pytest.mark.parametrize("how", ["id", "reference", "hash", "name"])
async def test_a_file_is_given_in_any_of_the_ways_that_files_are_named(ann: Caller, how: str) -> None:
    await save(ann, "scale", api_file(DECLARED))
    asset = await ann.get(f"/api/v2/assets/{await upload(ann, 'sub/cat.png')}")
    given = {
        "id": asset["id"],
        "reference": {"__type": "core/ASSET", "info": {"id": asset["id"]}},
        "hash": asset["hash"],
        "name": "sub/cat.png",
    }

    job = await submitted(ann, "scale", photo=given[how])

    assert (await graph_of(ann, job))["1"]["inputs"] == {"image": "sub/cat.png"}


async def test_the_saved_workflow_of_a_submit_is_named_in_the_body(ann: Caller) -> None:
    await save(ann, "a/scale", api_file(DECLARED))
    ours = {"workflow": "a/scale", "inputs": {"photo": await upload(ann), "width": 2}, "max_run_seconds": 60}

    answer = await ann.http.post("/api/v2/jobs", json={"fireside": ours, "metadata": {"client": "acme"}})

    job = answer.json()
    assert answer.status_code == 201, answer.text
    assert (job["fireside"]["workflow"], job["metadata"]) == ("a/scale", {"client": "acme"})
    assert (await graph_of(ann, job))["2"]["inputs"]["width"] == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"workflow": SCALE, "fireside": {"workflow": "scale"}},
        {"fireside": {"inputs": {}}},
        {"workflow": SCALE, "fireside": {"inputs": {"width": 1}}},
    ],
)
async def test_a_graph_and_the_name_of_a_workflow_exclude_each_other(ann: Caller, fields: Any) -> None:
    await save(ann, "scale", api_file(DECLARED))

    error_of(await ann.http.post("/api/v2/jobs", json=fields), 422, "invalid_workflow")


async def test_all_that_is_wrong_with_the_inputs_is_told_at_once(ann: Caller) -> None:
    declared = DECLARED["inputs"] + [{"name": "tall", "node": "2", "input": "height", "required": True}]
    await save(ann, "scale", api_file({"inputs": declared}))

    error = await refused(ann, "scale", photo=str(uuid4()), widths=5, width=65, method="cubic", prefix=["x"], nothing=1)

    assert sorted(faults_of(error), key=str) == [
        ("missing_asset", "photo"),
        ("missing_input", "tall"),
        ("not_a_choice", "method"),
        ("out_of_range", "width"),
        ("unknown_input", "nothing"),
        ("unknown_input", "widths"),
        ("wrong_type", "prefix"),
    ]
    said = " ".join(one["message"] for one in error["details"]["errors"])
    assert "did you mean 'width'?" in said
    assert "at most 64" in said
    assert "'bicubic'" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("width", value) for value in ("8", 8.5, True, None, [8], {})),
        *(("method", value) for value in (1, None, True)),
        *(("prefix", value) for value in (1, None, {}, False)),
        *(("photo", value) for value in (1, "", None, {}, {"__type": "core/ASSET"}, {"id": "x"}, ["cat.png"])),
    ],
)
async def test_values_are_never_converted(ann: Caller, name: str, value: Any) -> None:
    await save(ann, "scale", api_file(DECLARED))
    inputs = {"photo": await upload(ann)} | {name: value}

    error = await refused(ann, "scale", **inputs)

    assert [one[1] for one in faults_of(error)] == [name]


async def test_a_whole_number_may_be_written_with_a_point(ann: Caller) -> None:
    await save(ann, "scale", api_file(DECLARED))

    job = await submitted(ann, "scale", photo=await upload(ann), width=4.0)

    assert repr((await graph_of(ann, job))["2"]["inputs"]["width"]) == "4"


async def test_a_file_of_another_kind_or_of_somebody_else_is_refused(ann: Caller, bob: Caller) -> None:
    await save(ann, "scale", api_file(DECLARED))
    sound = await upload(ann, "a.wav", b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(32), "audio/wav")

    for photo, code in ((sound, "wrong_type"), (await upload(bob), "missing_asset"), ("../x", "missing_asset")):
        assert faults_of(await refused(ann, "scale", photo=photo)) == [(code, "photo")]


async def test_a_file_that_the_workflow_names_stands_in_for_one_while_it_is_there(ann: Caller) -> None:
    await save(ann, "scale", api_file(DECLARED))
    assert faults_of(await refused(ann, "scale")) == [("missing_input", "photo")]

    await upload(ann, "missing.png")

    assert (await ann.get(f"{WORKFLOWS}/scale"))["inputs"][0]["default"] == "missing.png"
    job = await submitted(ann, "scale")
    assert (await graph_of(ann, job))["1"]["inputs"] == {"image": "missing.png"}


async def test_an_app_of_the_editors_runs_as_it_would_there(ann: Caller) -> None:
    await save(ann, "app", editor_file(**APP))

    first = await submitted(ann, "app", breite_in_grosse=2, filename_prefix="%date:yyyy% // {a|b}")
    second = await submitted(ann, "app")

    graph = await graph_of(ann, first)
    drawn = [job["fireside"]["inputs"]["value"] for job in (first, second)]
    assert graph["1"]["inputs"]["width"] == 2
    assert graph["5"]["inputs"]["value"] == drawn[0] != drawn[1]
    assert graph["3"]["inputs"] == {"images": ["1", 0], "filename_prefix": "%date:yyyy% // {a|b}"}
    assert "2" not in graph
    assert first["fireside"]["workflow_id"] == GRAPH_ID
    assert first["fireside"]["outputs"] == {"the_picture": []}


async def test_a_value_reaches_all_that_a_subgraph_feeds_with_it(ann: Caller) -> None:
    inner = [
        node(1, "EmptyImage", wired("width", "INT", 11, widget=True), out=("IMAGE",), values=[8, 8, 1, 0]),
        node(2, "SaveImage", wired("images", "IMAGE", 12), values=["%EmptyImage.width%"]),
    ]
    sub = subgraph(
        "size", *inner, inputs=[("pixels", "INT")], links=[(11, -10, 0, 1, 0, "INT"), (12, 1, 0, 2, 0, "IMAGE")]
    )
    hosts = [node(one, uuid_of("size"), wired("pixels", "INT", widget=True), values=[8]) for one in (7, 8)]
    declared = {
        "inputs": [{"name": "a", "node": 7, "input": "pixels"}, {"name": "b", "node": "8:1", "input": "height"}],
        "outputs": [{"name": "out", "node": "7:2"}],
    }
    file = workflow(*hosts, definitions={"subgraphs": [sub]}, extra={"fireside": declared})
    await save(ann, "sub", file)

    job = await submitted(ann, "sub", a=5, b=6)

    graph = await graph_of(ann, job)
    sizes = {one: graph[f"{one}:1"]["inputs"] for one in (7, 8)}
    assert [(sizes[one]["width"], sizes[one]["height"]) for one in (7, 8)] == [(5, 8), (8, 6)]
    assert job["fireside"]["workflow_id"] == "sub"


async def test_a_declaration_that_fits_no_more_refuses_every_call(ann: Caller) -> None:
    await save(ann, "scale", api_file())
    await ann.http.put(f"{WORKFLOWS}/scale/interface", json=DECLARED)
    await save(ann, "scale", api_file(graph={**SCALE, "4": SCALE["2"], "2": SCALE["3"]}))

    error = await refused(ann, "scale", "invalid_interface", photo="nope.png")

    assert faults_of(error) == [("input_gone", "width"), ("input_gone", "method"), ("missing_asset", "photo")]
    error_of(await ann.http.get(f"{WORKFLOWS}/scale/openapi.json"), 422, "invalid_interface")
    assert len((await ann.get(f"{WORKFLOWS}/scale"))["faults"]) == 2


async def test_a_workflow_that_declares_nothing_runs_as_it_is(ann: Caller) -> None:
    await upload(ann, "missing.png")
    await save(ann, "scale", api_file())

    answer = await ann.http.post(f"{WORKFLOWS}/scale/jobs")

    assert answer.status_code == 201, answer.text
    assert (answer.json()["fireside"]["inputs"], answer.json()["fireside"]["outputs"]) == ({}, {})
    assert "declares no inputs" in (await refused(ann, "scale", width=1))["message"]


@pytest.mark.parametrize("content", [b"{", b"\xff", b"nope", b'{"\\ud800":1}'])
async def test_what_is_no_json_is_refused(ann: Caller, content: bytes) -> None:
    await save(ann, "scale", api_file(DECLARED))

    error_of(await ann.http.post(f"{WORKFLOWS}/scale/jobs", content=content), 400, "invalid_request")


@pytest.mark.parametrize("body", [[], "x", 5, False])
async def test_inputs_are_an_object(ann: Caller, body: Any) -> None:
    await save(ann, "scale", api_file(DECLARED))

    error_of(await ann.http.post(f"{WORKFLOWS}/scale/jobs", json=body), 422, "invalid_inputs")


async def test_a_key_is_used_up_by_the_job_and_not_by_a_refusal(ann: Caller) -> None:
    await save(ann, "scale", api_file(DECLARED))
    photo = await upload(ann)

    error_of(await call(ann, "scale", key="k"), 422, "invalid_inputs")
    assert (await call(ann, "scale", key="k", photo=photo)).status_code == 201
    error_of(await call(ann, "scale", key="k", photo=photo), 422, "idempotency_key_reuse")


async def test_labels_come_in_the_address(ann: Caller) -> None:
    await save(ann, "scale", api_file(DECLARED))
    inputs, path = {"photo": await upload(ann)}, f"{WORKFLOWS}/scale/jobs"

    job = (await ann.http.post(f"{path}?metadata[client]=acme&metadata[run]=7", json=inputs)).json()

    assert job["metadata"] == {"client": "acme", "run": "7"}
    for query in ("metadata[a%20b]=1", "metadata[a]=1&metadata[a]=2", "metadata[a]=%00"):
        error_of(await ann.http.post(f"{path}?{query}", json=inputs), 422, "metadata_invalid")


async def test_jobs_are_listed_by_their_workflow_in_both_dialects(ann: Caller) -> None:
    await save(ann, "scale", api_file(DECLARED))
    await save(ann, "app", editor_file(**APP))
    scaled = await submitted(ann, "scale", photo=await upload(ann))
    painted = [await submitted(ann, "app") for _ in range(2)]
    other = await ann.submit()

    runs = (await ann.get(f"{WORKFLOWS}/app"))["urls"]["runs"]
    listed = (await ann.http.get(runs)).json()
    v1 = await ann.get("/api/jobs", workflow_id=GRAPH_ID)

    assert [job["id"] for job in listed["jobs"]] == [job["id"] for job in reversed(painted)]
    assert [job["id"] for job in v1["jobs"]] == [job["id"] for job in reversed(painted)]
    assert listed["jobs"][0]["fireside"] == painted[1]["fireside"]
    all_jobs = {job["id"]: job["fireside"] for job in (await ann.get("/api/v2/jobs"))["jobs"]}
    assert all_jobs[scaled["id"]] == scaled["fireside"]
    assert all_jobs[other["id"]] is None


async def test_a_job_keeps_the_name_that_its_workflow_had(ann: Caller) -> None:
    await save(ann, "app", editor_file(**APP))
    job = await submitted(ann, "app")

    await move(ann, "app", "renamed")

    assert (await ann.job(job["id"]))["fireside"]["workflow"] == "app"
    runs = await ann.http.get((await ann.get(f"{WORKFLOWS}/renamed"))["urls"]["runs"])
    assert [one["id"] for one in runs.json()["jobs"]] == [job["id"]]


async def test_a_picture_opens_the_workflow_that_made_it(ann: Caller) -> None:
    await save(ann, "app", editor_file(**APP))

    job = await submitted(ann, "app")

    detail = await ann.get(f"/api/jobs/{job['id']}")
    assert detail["workflow"]["extra_data"]["extra_pnginfo"]["workflow"]["id"] == GRAPH_ID
