"""What people mistype, at every kind of route: a refusal in the route's shape that names the thing and the way out."""

import gzip
from typing import Any

import pytest
from tests.server.v1.house import Caller, House

# About the words of refusals.
pytestmark = pytest.mark.once

LONG = "a" * 300
UNKNOWN = "00000000-0000-4000-8000-000000000000"
FILE = {"image": ("a.png", b"x")}

PLAIN = [
    ("GET", "/api/jobs?sort_by=age", {}, 400, "sort_by"),
    ("GET", "/api/jobs?limit=abc", {}, 400, "limit cannot be 'abc'"),
    ("GET", "/api/jobs/1/status", {}, 404, "/api/jobs/1/status"),
    ("GET", f"/api/job/{UNKNOWN}/status", {}, 404, UNKNOWN),
    ("POST", "/api/jobs/xyz/cancel", {}, 404, "xyz"),
    ("POST", "/api/jobs/cancel", {"json": {}}, 400, "job_ids"),
    ("POST", "/api/jobs/cancel", {"json": {"job_ids": ["x"]}}, 400, "UUID"),
    ("POST", "/api/queue", {"content": b""}, 400, "The body is empty; send JSON."),
    ("POST", "/api/queue", {"content": b"{delete"}, 400, "The body is not JSON"),
    ("POST", "/api/queue", {"content": b'{"delete": ["\\ud83d"]}'}, 400, "half of a surrogate pair"),
    ("POST", "/api/queue", {"content": b"x", "headers": {"Content-Encoding": "gzip"}}, 415, "'gzip'"),
    ("POST", "/api/queue", {"json": {"remove": []}}, 400, "remove"),
    ("POST", "/api/history", {"json": {"delete": "all"}}, 400, "delete"),
    ("GET", "/history?max_items=many", {}, 400, "max_items"),
    ("GET", f"/api/history_v2/{UNKNOWN}", {}, 404, UNKNOWN),
    ("PATCH", "/api/jobs", {}, 405, "it takes GET"),
    ("DELETE", "/prompt", {}, 405, "POST"),
    ("GET", "/ws", {}, 426, "ws://"),
    ("GET", "/api/ws?clientId=a", {}, 426, "websocket"),
    ("GET", "/api/job", {}, 404, "/api/job"),
    ("GET", "/api/view", {}, 400, "filename"),
    ("GET", "/api/view?filename=a.png&type=inputs", {}, 400, "it is one of input, output, temp"),
    ("GET", "/api/view?filename=a.png&channel=red", {}, 400, "it is one of a, alpha, rgb, rgba"),
    ("GET", f"/view?filename={LONG}", {}, 400, "255"),
    ("POST", "/api/upload/image", {"json": {}}, 400, "multipart/form-data"),
    ("POST", "/api/upload/image", {"files": {"picture": ("a.png", b"x")}}, 400, "`image`"),
    ("POST", "/api/upload/image", {"files": FILE, "data": {"type": "inputs"}}, 400, "input, output or temp"),
    ("POST", "/api/upload/image", {"files": FILE, "data": {"subfolder": "../x"}}, 400, "'..'"),
    ("POST", "/api/upload/image", {"files": {"image": (LONG, b"x")}}, 400, "255"),
    ("POST", "/api/upload/mask", {"files": FILE}, 400, "`original_ref`"),
    ("POST", "/api/upload/mask", {"files": FILE, "data": {"original_ref": "a.png"}}, 400, "original_ref is not as"),
    ("POST", "/api/settings/a", {"content": b"{a"}, 400, "The body is not JSON"),
    ("POST", "/api/settings", {"json": [1]}, 400, "object"),
    ("GET", "/models/pictures", {}, 404, "pictures"),
]  # fmt: skip
ASSETS = [
    ("GET", "/api/assets?sort=age", {}, 400, "it is one of created_at, last_access_time, name, size, updated_at"),
    ("GET", "/api/assets?limit=501", {}, 400, "limit"),
    ("GET", "/api/assets?metadata_filter={x", {}, 400, "metadata_filter"),
    ("GET", "/api/assets/1", {}, 404, "no such asset"),
    ("PUT", f"/api/assets/{UNKNOWN}", {"json": {"name": "a"}}, 404, "no such asset"),
    ("POST", "/api/assets", {"content": b"x"}, 415, "multipart/form-data"),
    ("POST", "/api/assets", {"json": {"URL": "x"}}, 400, "`url`"),
    ("POST", "/api/assets", {"files": {"image": ("a", b"x")}}, 400, "`file`"),
    ("POST", "/api/assets", {"files": {"file": ("a", b"x")}, "data": {"user_metadata": "{"}}, 400, "user_metadata"),
    ("POST", "/api/assets", {"files": {"file": ("a", b"x")}, "data": {"preview_id": "7"}}, 400, "preview_id"),
    ("POST", "/api/assets/from-hash", {"json": {"hash": "blake3:1", "tags": ["a"]}}, 400, "hash"),
    ("POST", "/api/assets/from-hash", {"json": {"hash": "blake3:" + "0" * 64, "tags": []}}, 400, "tags"),
    ("DELETE", f"/api/assets/{UNKNOWN}/tags", {"content": b""}, 404, "no such asset"),
    ("GET", "/api/tags?order=name", {}, 400, "it is one of count_desc, name_asc"),
    ("GET", "/api/assets/remote-metadata", {}, 400, "`url`"),
    ("POST", "/api/assets/download", {"json": {"url": "x"}}, 400, "`source_url`"),
]  # fmt: skip


async def ask(caller: Caller, method: str, path: str, what: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = await caller.http.request(method, path, **what)
    assert answer.headers["content-type"] == "application/json", answer.text
    return answer.status_code, answer.json()


@pytest.mark.parametrize(("method", "path", "what", "status", "says"), PLAIN)
async def test_a_mistake_is_told_in_the_words_of_the_cloud_and_of_comfyui(
    ann: Caller, method: str, path: str, what: dict[str, Any], status: int, says: str
) -> None:
    answered, body = await ask(ann, method, path, what)

    assert (answered, set(body)) == (status, {"code", "message", "error"}), body
    assert body["error"] == body["message"]
    assert says in body["message"]


@pytest.mark.parametrize(("method", "path", "what", "status", "says"), ASSETS)
async def test_a_mistake_with_assets_is_told_in_their_words(
    ann: Caller, method: str, path: str, what: dict[str, Any], status: int, says: str
) -> None:
    answered, body = await ask(ann, method, path, what)

    assert (answered, set(body)) == (status, {"code", "message", "error"}), body
    assert body["error"] == {"code": body["code"], "message": body["message"], "details": {}}
    assert body["code"] == body["code"].upper()
    assert says in body["message"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{bad", "invalid_json"),
        (b"", "invalid_json"),
        (b"[]", "invalid_json"),
        (b"{}", "no_prompt"),
        (b'{"prompt": []}', "invalid_prompt"),
        (b'{"prompt": {"1": 5}}', "missing_node_type"),
        (b'{"prompt": {"1": {"class_type": "SaveImgae", "inputs": {}}}}', "missing_node_type"),
        (b'{"prompt": {}}', "prompt_no_outputs"),
        (b'{"prompt": {}, "prompt_id": "mine"}', "invalid_prompt_id"),
        (b'{"prompt": {}, "number": "x"}', "invalid_request"),
        (b'{"prompt": {}, "extra_data": []}', "invalid_request"),
        (b'{"prompt": {"nodes": [], "links": []}}', "workflow_format_ui"),
    ],
)
async def test_a_mistake_in_a_submit_is_told_as_comfyui_tells_it(ann: Caller, content: bytes, kind: str) -> None:
    status, body = await ask(ann, "POST", "/api/prompt", {"content": content})

    assert (status, body["error"]["type"], body["node_errors"]) == (400, kind, {})
    assert set(body["error"]) == {"type", "message", "details", "extra_info"}
    assert body["message"] == body["error"]["message"]


@pytest.mark.parametrize("text", [b"\\ud83d", b"\\ud83d and more", b"\\ude00", b"\\ude00\\ud83d", b"\xed\xa0\xbd"])
async def test_half_of_an_emoji_in_a_submit_is_told_as_such(ann: Caller, text: bytes) -> None:
    for template in (b'{"prompt": {"1": "%s"}}', b'{"prompt": {"%s": 1}}'):
        status, body = await ask(ann, "POST", "/api/prompt", {"content": template % text})

        assert (status, body["error"]["type"]) == (400, "invalid_json")
        assert "half of a surrogate pair" in body["message"]


@pytest.mark.parametrize("content", [b'{"a": "\\ud83d', b'{"a": "\\ud83d\\ude00"', b'{"a": "\xff"}', b'{"a": NaN}'])
async def test_what_is_no_json_otherwise_is_no_half_of_an_emoji(ann: Caller, content: bytes) -> None:
    status, body = await ask(ann, "POST", "/api/prompt", {"content": content})

    assert (status, body["error"]["type"]) == (400, "invalid_json")
    assert body["message"].startswith("The body is not JSON: ")


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "identity, gzip"])
async def test_a_packed_submit_is_told_to_come_as_it_is(ann: Caller, encoding: str) -> None:
    packed = {"content": gzip.compress(b"{}"), "headers": {"Content-Encoding": encoding}}

    status, body = await ask(ann, "POST", "/api/prompt", packed)

    assert (status, body["error"]["type"], body["node_errors"]) == (415, "unsupported_media_type", {})
    assert encoding in body["message"]
    assert "as it is" in body["message"]


async def test_an_encoding_that_changes_nothing_is_taken(ann: Caller) -> None:
    for encoding in ("", "identity", "Identity"):
        answer = await ann.http.post("/api/queue", json={"delete": []}, headers={"Content-Encoding": encoding})

        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/api/userdata", 400, "`dir`"),
        ("GET", "/api/userdata?dir=nowhere", 404, "not found"),
        ("GET", "/api/userdata/nothing.json", 404, "no such file"),
        ("POST", f"/api/userdata/{LONG}", 400, "255"),
    ],
)
async def test_a_mistake_with_the_editors_files_is_told_as_text(
    ann: Caller, method: str, path: str, status: int, says: str
) -> None:
    answer = await ann.http.request(method, path)

    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (status, "text/plain")
    assert says in answer.text


async def test_who_mistypes_a_key_is_told_so_everywhere(house: House, ann: Caller) -> None:
    stranger = await house.client({"X-API-Key": "fsk_mistyped"})

    for path in ("/api/jobs", "/prompt", "/api/assets", "/api/userdata?dir=a", "/api/view?filename=a"):
        answer = await stranger.get(path)
        assert answer.status_code == 401, path
        assert {"code", "message"} <= set(answer.json()), path
