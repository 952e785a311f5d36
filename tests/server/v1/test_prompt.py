"""`/api/prompt`: what a submit may hold, what answers it, and how it is refused. The graph's own faults are apart."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from tests.server.v1.house import GRAPH, Caller, House

from fireside.domain.errors import NoDefinitions

DEEP = b"[" * 70 + b"]" * 70
HUGE = b"1" + b"0" * 5000
WRONG_TYPES = (
    ("client_id", b'"client_id":5'),
    ("client_id", b'"client_id":{}'),
    ("client_id", b'"extra_data":{"client_id":5}'),
    ("number", b'"number":"five"'),
    ("number", b'"number":""'),
    ("number", b'"number":"nan"'),
    ("number", b'"number":"inf"'),
    ("number", b'"number":"1000000000000001"'),
    ("number", b'"number":true'),
    ("number", b'"number":[1]'),
    ("number", b'"number":1e300'),
    ("number", b'"number":-1000000000000001'),
    ("number", b'"number":1' + b"0" * 400),
    ("front", b'"front":2'),
    ("front", b'"front":"yes"'),
    ("front", b'"front":[1]'),
    ("extra_data", b'"extra_data":null'),
    ("extra_data", b'"extra_data":[]'),
    ("extra_data", b'"extra_data":"x"'),
    ("api_key_comfy_org", b'"extra_data":{"api_key_comfy_org":5}'),
    ("auth_token_comfy_org", b'"extra_data":{"auth_token_comfy_org":["x"]}'),
    ("partial_execution_targets", b'"partial_execution_targets":"2"'),
    ("partial_execution_targets", b'"partial_execution_targets":{"2":1}'),
    ("partial_execution_targets", b'"partial_execution_targets":["2",2]'),
    ("workflow_id", b'"workflow_id":5'),
)
NO_JSON = (b"", b"{", b"nope", b"\xff\xfe", b'{"prompt":{}}x', b'{"prompt":NaN}', b'{"a":"\\ud800"}', b"[" * 100_000)
NO_OBJECT = (b"[]", b"null", b'"x"', b"5", b"true")
BAD_IDS = ("ABC", "", "x" * 100_000, str(uuid4()).upper(), "{" + str(uuid4()) + "}", uuid4().hex, 5, [], {}, False)


async def _refused(caller: Caller, status: int, **request: Any) -> dict[str, Any]:
    """Submit what is to be refused, and give the error when it has the shape that clients read."""
    answer = await caller.http.post("/api/prompt", **request)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["node_errors"] == {}
    assert {type(body[key]) for key in ("code", "message")} == {str}
    assert {key: type(value) for key, value in body["error"].items()} == {
        "type": str,
        "message": str,
        "details": str,
        "extra_info": dict,
    }
    return body["error"]


async def _extra_data(caller: Caller, job_id: str) -> Mapping[str, Any]:
    return (await caller.detail(job_id))["workflow"]["extra_data"]


@pytest.mark.statement(87)
async def test_a_good_graph_is_queued_and_answered_with_its_id_and_number(ann: Caller) -> None:
    answer = await ann.http.post("/api/prompt", json={"prompt": GRAPH})

    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"prompt_id", "number", "node_errors"}
    assert (str(UUID(body["prompt_id"])), body["number"], body["node_errors"]) == (body["prompt_id"], 1, {})
    assert await ann.listed() == [body["prompt_id"]]


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "nonsense"])
async def test_the_content_type_does_not_matter(ann: Caller, content_type: str) -> None:
    content, headers = msgspec.json.encode({"prompt": GRAPH}), {"Content-Type": content_type}

    assert (await ann.http.post("/api/prompt", content=content, headers=headers)).status_code == 200


@pytest.mark.statement(88)
async def test_an_id_that_the_client_chose_is_kept_and_known_at_once(ann: Caller) -> None:
    job_id = str(uuid4())

    assert await ann.submit(prompt_id=job_id) == job_id
    assert (await ann.detail(job_id))["id"] == job_id
    assert UUID(await ann.submit(prompt_id=None))


@pytest.mark.statement(89)
async def test_an_id_in_any_other_spelling_is_refused(ann: Caller) -> None:
    for prompt_id in BAD_IDS:
        error = await _refused(ann, 400, json={"prompt": GRAPH, "prompt_id": prompt_id})
        assert error["type"] == "invalid_prompt_id"
        assert error["details"]
    assert await ann.listed() == []


@pytest.mark.statement(90)
async def test_an_id_that_is_taken_is_refused_whoever_has_it(ann: Caller, bob: Caller) -> None:
    job_id = await ann.submit(workflow_id="first")

    for caller in (ann, bob):
        error = await _refused(caller, 400, json={"prompt": GRAPH, "prompt_id": job_id, "workflow_id": "second"})
        assert error["type"] == "duplicate_prompt_id"
        assert "ann" not in error["message"]

    assert (await ann.detail(job_id))["workflow_id"] == "first"
    assert await bob.listed() == []
    assert (await bob.get("/api/prompt"))["exec_info"]["queue_remaining"] == 0


async def test_of_two_submits_of_one_id_at_once_one_is_taken(ann: Caller) -> None:
    body = {"prompt": GRAPH, "prompt_id": str(uuid4())}

    answers: list[httpx.Response] = await asyncio.gather(*(ann.http.post("/api/prompt", json=body) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert len(await ann.listed()) == 1


@pytest.mark.statement(91)
async def test_a_body_without_a_prompt_is_refused(ann: Caller) -> None:
    for body in ({}, {"client_id": "x"}, {"Prompt": GRAPH}):
        error = await _refused(ann, 400, json=body)
        assert error == {
            "type": "no_prompt",
            "message": "No prompt provided",
            "details": "No prompt provided",
            "extra_info": {},
        }


@pytest.mark.statement(92)
async def test_a_body_that_is_no_json_object_is_refused(ann: Caller) -> None:
    for content in (*NO_JSON, *NO_OBJECT):
        error = await _refused(ann, 400, content=content)
        assert error["type"] == "invalid_json", content[:20]


async def test_a_field_of_a_wrong_type_is_refused_by_its_name(ann: Caller) -> None:
    graph = msgspec.json.encode(GRAPH)
    for name, field in WRONG_TYPES:
        error = await _refused(ann, 400, content=b'{"prompt":%s,%s}' % (graph, field))
        assert error["type"] == "invalid_request", field
        assert error["message"].startswith(f"{name} must be ")
    assert await ann.listed() == []


async def test_a_number_of_thousands_of_digits_is_no_fault_of_ours(ann: Caller) -> None:
    for template in (b'{"prompt":{},"number":%s}', b'{"prompt":{"1":%s}}', b'{"prompt":{},"extra_data":{"a":%s}}'):
        assert (await ann.http.post("/api/prompt", content=template % HUGE)).status_code == 400


async def test_nulls_stand_for_what_is_left_out(ann: Caller) -> None:
    names = ("prompt_id", "client_id", "number", "front", "partial_execution_targets", "workflow_id")

    job_id = await ann.submit(**dict.fromkeys(names))

    assert set(await _extra_data(ann, job_id)) == {"create_time"}


async def test_deep_nesting_is_refused_wherever_it_is(ann: Caller) -> None:
    for template in (b'{"prompt":%s}', b'{"prompt":{"1":%s}}', b'{"prompt":{},"extra_data":{"a":%s}}'):
        answer = await ann.http.post("/api/prompt", content=template % DEEP)
        assert answer.status_code in (400, 413), template
        assert answer.json()["error"]["type"] in ("invalid_prompt", "too_large")


async def test_nesting_as_editors_make_it_is_taken(ann: Caller) -> None:
    nested: Any = {}
    for _ in range(60):
        nested = {"inside": nested}

    job_id = await ann.submit(extra_data={"extra_pnginfo": nested})

    assert (await _extra_data(ann, job_id))["extra_pnginfo"] == nested


async def test_a_number_and_the_front_order_only_the_callers_own_queue(ann: Caller, bob: Caller) -> None:
    theirs = await bob.submit()
    first = await ann.submit()
    front, low, fraction = await ann.submit(front=True), await ann.submit(number=-5), await ann.submit(number=0.5)

    pending = [item[1] for item in (await ann.get("/api/queue"))["queue_pending"]]

    assert pending == [low, front, fraction, first]
    assert (await ann.entry(fraction))["priority"] == 0.5
    assert (await ann.entry(front))["priority"] < 0
    assert [item[1] for item in (await bob.get("/api/queue"))["queue_pending"]] == [theirs]


async def test_a_number_and_the_front_may_be_written_as_comfyui_converts_them(ann: Caller) -> None:
    written = [await ann.submit(number=number) for number in ("5", " -2.5 ")]
    front = [await ann.submit(front=front) for front in (1, "true")]
    back = [await ann.submit(front=front) for front in (0, "false")]

    assert [(await ann.entry(job_id))["priority"] for job_id in written] == [5, -2.5]
    assert all([(await ann.entry(job_id))["priority"] < 0 for job_id in front])
    assert all([(await ann.entry(job_id))["priority"] > 0 for job_id in back])


@pytest.mark.statement(17, 18)
async def test_a_workflow_id_in_the_body_wins_over_the_editors(ann: Caller) -> None:
    extra_data = {"extra_pnginfo": {"workflow": {"id": "editor"}}}
    both = await ann.submit(extra_data=extra_data, workflow_id="body")
    editor = await ann.submit(extra_data=extra_data, workflow_id="")

    assert await ann.listed(workflow_id="body") == [both]
    assert await ann.listed(workflow_id="editor") == [editor]


@pytest.mark.parametrize(
    "extra_data",
    [{}, {"extra_pnginfo": None}, {"extra_pnginfo": []}, {"extra_pnginfo": {"workflow": 5}}]
    + [{"extra_pnginfo": {"workflow": {"id": odd}}} for odd in (None, 5, "", {})],
)
async def test_an_odd_workflow_id_of_the_editor_is_none(ann: Caller, extra_data: dict[str, Any]) -> None:
    job_id = await ann.submit(extra_data=extra_data)

    assert "workflow_id" not in await ann.entry(job_id)


async def test_the_client_id_goes_along(ann: Caller) -> None:
    job_id = await ann.submit(client_id="c-1", extra_data={"client_id": "other"})

    assert (await _extra_data(ann, job_id))["client_id"] == "c-1"


async def test_the_client_id_of_the_extra_data_counts_where_there_is_no_other(ann: Caller, house: House) -> None:
    for missing in ({}, {"client_id": None}):
        job_id = await ann.submit(extra_data={"client_id": "c-2"}, **missing)

        assert (await _extra_data(ann, job_id))["client_id"] == "c-2"
        assert await house.services.store.client_of_job((await house.hold(job_id)).id) == "c-2"


async def test_where_a_submit_comes_from_is_told_by_the_body_or_else_the_header(ann: Caller) -> None:
    ann.http.headers["Comfy-Usage-Source"] = "comfy-cli"
    by_header = await ann.submit()
    by_body = await ann.submit(extra_data={"comfy_usage_source": "comfyui-frontend"})

    assert (await _extra_data(ann, by_header))["comfy_usage_source"] == "comfy-cli"
    assert (await _extra_data(ann, by_body))["comfy_usage_source"] == "comfyui-frontend"


async def test_unknown_fields_are_passed_over_and_our_own_is_kept(ann: Caller) -> None:
    job_id = await ann.submit(workflow_version_id="v", colour="red", extra_data={"fireside": {"require": {}}})

    assert (await _extra_data(ann, job_id))["fireside"] == {"require": {}}


async def test_secrets_are_sealed_and_not_stored_with_the_rest(ann: Caller, house: House) -> None:
    secrets = {"api_key_comfy_org": "comfyui-0123", "auth_token_comfy_org": "token-4567"}
    job_id = await ann.submit(extra_data={**secrets, "mine": 1})

    body = await house.services.store.job_body((await house.hold(job_id)).id)

    assert body is not None
    assert body.sealed_secrets is not None
    assert not any(secret.encode() in body.extra_data + body.sealed_secrets for secret in secrets.values())
    assert await _extra_data(ann, job_id) == {"mine": 1, "create_time": (await _extra_data(ann, job_id))["create_time"]}


@pytest.mark.statement(109)
async def test_who_has_as_much_waiting_as_may_is_told_when_to_come_back(house: House, ann: Caller) -> None:
    eve = await house.caller("eve", max_queued=1)
    first = await eve.submit()

    answer = await eve.http.post("/api/prompt", json={"prompt": GRAPH})

    assert (answer.status_code, answer.json()["error"]["type"]) == (429, "QUEUE_LIMIT")
    assert int(answer.headers["Retry-After"]) > 0
    await house.start(first)
    await eve.submit()
    await ann.submit()


async def test_a_server_that_has_never_met_a_worker_says_so_and_when_to_come_back(house: House) -> None:
    eve = await house.caller("eve")

    answer = await eve.http.post("/api/prompt", json={"prompt": GRAPH})

    assert (answer.status_code, answer.json()["error"]["type"]) == (503, NoDefinitions.code)
    assert int(answer.headers["Retry-After"]) > 0
    assert await eve.listed() == []


async def test_a_stranger_is_refused_before_the_body_is_looked_at(house: House) -> None:
    answer = await (await house.client({})).post("/api/prompt", content=b"{")

    assert answer.status_code == 401
    assert {"code", "message"} <= set(answer.json())


@pytest.mark.statement(111)
async def test_the_queue_that_remains_is_the_callers_waiting_and_running_jobs(
    ann: Caller, bob: Caller, house: House
) -> None:
    waiting, running, done = [await ann.submit() for _ in range(3)]
    await house.start(running)
    await house.succeed(done)
    await bob.submit()
    assert await ann.get("/api/prompt") == {"exec_info": {"queue_remaining": 2}}

    await ann.http.post(f"/api/jobs/{waiting}/cancel")

    assert await ann.get("/api/prompt") == {"exec_info": {"queue_remaining": 1}}


class TestWithSmallLimits:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"max_body_bytes": 2000, "max_graph_nodes": 3, "max_queued": 2, "max_queued_in_all": 3}

    async def test_a_body_that_is_too_large_is_refused(self, ann: Caller) -> None:
        await ann.submit(client_id="x" * 100)

        error = await _refused(ann, 413, json={"prompt": GRAPH, "client_id": "x" * 2000})

        assert error["type"] == "too_large"

    async def test_a_graph_of_too_many_nodes_is_refused(self, ann: Caller) -> None:
        graph = GRAPH | {str(n): {"class_type": "EmptyImage", "inputs": {}} for n in range(3, 5)}

        error = await _refused(ann, 413, json={"prompt": graph})

        assert error["type"] == "too_large"
        assert await ann.listed() == []

    async def test_more_than_may_wait_of_one_and_of_all_is_refused(self, house: House, ann: Caller) -> None:
        eve = await house.caller("eve")
        for caller in (ann, ann, eve):
            await caller.submit()

        assert (await _refused(ann, 429, json={"prompt": GRAPH}))["type"] == "QUEUE_LIMIT"
        assert (await _refused(eve, 429, json={"prompt": GRAPH}))["type"] == "QUEUE_LIMIT"
