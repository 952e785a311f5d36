"""ComfyUI's own paths: bare and below `/api`, with the key where a small script can put it."""

import io
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image
from tests.server.v1.house import GRAPH, ORIGIN, Caller, House

from fireside.server.edge import build_edge
from fireside.server.local.bare_paths import is_local
from fireside.server.routes import Access
from fireside.server.tables import ROUTES

USERDATA = {"/userdata", "/userdata/{file:path}", "/userdata/{file:path}/move/{dest:path}"}
BARE_ALONE = ("/extensions/", "/internal/")
"""What ComfyUI has at the bare path alone: files of the editor's extensions, and routes of its own for the editor."""
OTHERWISE = {"/queue", "/view", *USERDATA}
"""Where ComfyUI's answer differs: the order of an item, bytes instead of a redirect, how the editor's files look."""
COMFYUIS = {
    *("GET /prompt", "POST /prompt", "GET /queue", "POST /queue", "POST /interrupt", "POST /free"),
    *("GET /history", "GET /history/{prompt_id}", "POST /history"),
    *("GET /view", "POST /upload/image", "POST /upload/mask"),
    *("GET /object_info", "GET /object_info/{node_class:path}"),
    *("GET /models", "GET /models/{folder}", "GET /embeddings", "GET /features", "GET /system_stats"),
}
LOCAL = [route for route in ROUTES if is_local(route.path)]


def png(color: tuple[int, ...] = (10, 20, 30, 128)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (8, 6), color).save(buffer, format="PNG")
    return buffer.getvalue()


async def upload(caller: Caller, name: str, content: bytes, path: str = "/upload/image") -> Any:
    answer = await caller.http.post(path, files={"image": (name, content)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_comfyuis_routes_are_there_at_both_paths() -> None:
    named = {f"{route.method} {route.path}" for route in ROUTES}

    assert named >= COMFYUIS
    assert named >= {method_and_path.replace(" ", " /api", 1) for method_and_path in COMFYUIS}


@pytest.mark.statement(7)
def test_what_is_at_both_paths_has_one_handler_unless_comfyui_answers_otherwise() -> None:
    handlers = {(route.method, route.path): route.handler for route in ROUTES}
    bare = [
        (method, path) for method, path in handlers if is_local(path) and not path.startswith(("/api/", *BARE_ALONE))
    ]

    differing = {path for method, path in bare if handlers[method, path] is not handlers[method, f"/api{path}"]}

    assert len(bare) >= len(COMFYUIS)
    assert differing == OTHERWISE


@pytest.mark.statement(7)
async def test_a_job_is_submitted_and_seen_the_same_at_either_path(ann: Caller, house: House) -> None:
    answers = [await ann.http.post(path, json={"prompt": GRAPH}) for path in ("/prompt", "/api/prompt")]
    for answer in answers:
        await house.succeed(answer.json()["prompt_id"])

    assert [answer.status_code for answer in answers] == [200, 200]
    for path in ("/prompt", "/history", "/jobs", "/object_info/SaveImage", "/models", "/embeddings", "/features"):
        assert await ann.get(path) == await ann.get(f"/api{path}"), path


async def test_a_key_may_stand_in_the_address_of_any_of_these(ann: Caller, house: House) -> None:
    key, some_id = ann.http.headers["x-api-key"], str(uuid4())
    transport = httpx.ASGITransport(app=build_edge(house.services))
    assert any(route.path.startswith("/internal/") for route in LOCAL)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as nobody:
        for route in (route for route in LOCAL if route.access is Access.USER):
            path = re.sub(r"\{[^}]*\}", some_id, route.path)

            known = await nobody.request(route.method, path, params={"token": key})
            unknown = await nobody.request(route.method, path, params={"token": "fsk_wrong"})

            assert (known.status_code != 401, unknown.status_code) == (True, 401), path


async def test_a_script_that_sends_nothing_but_a_body_submits_with_the_key_in_the_address(
    ann: Caller, house: House
) -> None:
    key, nobody = ann.http.headers["x-api-key"], await house.client({})

    answer = await nobody.post(
        f"/prompt?token={key}", content=httpx.Request("POST", "", json={"prompt": GRAPH}).content
    )

    assert answer.status_code == 200, answer.text
    assert await ann.listed() == [answer.json()["prompt_id"]]


async def test_the_memory_may_be_wished_free_with_any_body(ann: Caller) -> None:
    for path in ("/free", "/api/free"):
        for content in (b"", b'{"unload_models":true,"free_memory":true}', b"{", b"[]"):
            answer = await ann.http.post(path, content=content)
            assert (answer.status_code, answer.content) == (200, b"")
        assert (await ann.http.post(path, content=b" " * 70_000)).status_code == 413


@pytest.mark.statement(76)
async def test_the_bare_queue_holds_what_comfyuis_does(ann: Caller, house: House) -> None:
    running = await ann.submit(extra_data={"mine": 1, "api_key_comfy_org": "s3"}, client_id="c", number=3)
    waiting = await ann.submit(number=7)
    await house.start(running)

    queue = await ann.get("/queue")

    (first,), (second,) = queue["queue_running"], queue["queue_pending"]
    created = (await ann.get("/api/queue"))["queue_running"][0][4]["create_time"]
    assert first == [3, running, GRAPH, {"mine": 1, "client_id": "c", "create_time": created}, ["2"]]
    assert (second[0], second[1]) == (7, waiting)


@pytest.mark.statement(136)
async def test_an_upload_at_the_bare_path_is_what_a_graph_reads_and_what_view_gives(ann: Caller) -> None:
    content = png()

    stored = await upload(ann, "a.png", content)
    seen = await ann.http.get("/view", params={"filename": stored["name"], "type": stored["type"]})

    assert {name: stored[name] for name in ("name", "subfolder", "type")} == {
        "name": "a.png",
        "subfolder": "",
        "type": "input",
    }
    assert (seen.status_code, seen.content, seen.headers["content-type"]) == (200, content, "image/png")
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": stored["name"]}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "b"}},
    }
    assert await ann.submit(graph)


async def test_view_gives_bytes_to_a_key_at_the_bare_path_and_an_address_below_api(ann: Caller) -> None:
    content = png()
    await upload(ann, "a.png", content)
    wanted = {"filename": "a.png", "type": "input"}

    bare, below = await ann.http.get("/view", params=wanted), await ann.http.get("/api/view", params=wanted)

    assert (bare.status_code, bare.content) == (200, content)
    assert (below.status_code, below.content) == (302, b"")
    again = await ann.http.get("/view", params=wanted, headers={"If-None-Match": bare.headers["etag"]})
    part = await ann.http.get("/view", params=wanted, headers={"Range": "bytes=1-3"})
    assert again.status_code == 304
    assert (part.status_code, part.content) == (206, content[1:4])


@pytest.mark.parametrize(
    ("wish", "kind"),
    [
        ({"preview": "webp;90"}, "WEBP"),
        ({"preview": "jpeg;50"}, "JPEG"),
        ({"preview": "jpeg", "channel": "rgba"}, "WEBP"),
        ({"channel": "rgb"}, "PNG"),
        ({"channel": "a"}, "PNG"),
    ],
)
async def test_view_makes_previews_and_channels_at_the_bare_path(ann: Caller, wish: dict[str, str], kind: str) -> None:
    await upload(ann, "a.png", png())

    answer = await ann.http.get("/view", params={"filename": "a.png [input]"} | wish)

    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert (picture.format, picture.size) == (kind, (8, 6))


@pytest.mark.statement(140)
@pytest.mark.parametrize("path", ["/view", "/api/view"])
@pytest.mark.parametrize(
    "place",
    [
        {"filename": "../x"},
        {"filename": "../../etc/passwd"},
        {"filename": "/etc/passwd"},
        {"filename": "a.png", "subfolder": "../.."},
        {"filename": "a.png", "subfolder": "/etc"},
        {"filename": "..\\x"},
        {"filename": "a.png\x00"},
        {"filename": "a.png", "type": "../input"},
    ],
)
async def test_no_name_leads_out_of_the_callers_files(ann: Caller, path: str, place: dict[str, str]) -> None:
    await upload(ann, "a.png", png())

    answer = await ann.http.get(path, params={"type": "input"} | place)

    assert answer.status_code in (400, 404)


async def test_a_masked_picture_is_made_at_the_bare_path(ann: Caller) -> None:
    await upload(ann, "a.png", png())

    answer = await ann.http.post(
        "/upload/mask",
        files={"image": ("m.png", png((0, 0, 0, 0)))},
        data={"original_ref": '{"filename":"a.png","type":"input"}', "type": "input"},
    )

    assert answer.status_code == 200, answer.text
    seen = await ann.http.get("/view", params={"filename": answer.json()["name"], "type": "input"})
    with Image.open(io.BytesIO(seen.content)) as picture:
        assert picture.getpixel((0, 0)) == (10, 20, 30, 0)


async def test_the_queue_and_interrupt_work_at_the_bare_path(ann: Caller, house: House) -> None:
    running, waiting = await ann.submit(), await ann.submit()
    await house.start(running)

    assert (await ann.http.post("/interrupt")).status_code == 200
    assert (await ann.http.post("/queue", json={"delete": [waiting]})).json()["deleted"] == [waiting]

    await house.end(running, "interrupted")
    assert {(await ann.entry(job_id))["status"] for job_id in (running, waiting)} == {"cancelled"}
