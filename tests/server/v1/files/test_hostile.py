"""Users' bytes are hostile: whatever they are, no route gives them so that a browser would run them."""

from collections.abc import AsyncIterator

import httpx
import pytest
from blake3 import blake3
from tests.server.v1.files.hostile import MISLABELED, POLYGLOTS, RUNNING
from tests.server.v1.files.house import House

from fireside.server.edge import build_edge

# About headers of answers and the first bytes of files.
pytestmark = pytest.mark.once

HOSTILE = RUNNING | POLYGLOTS | MISLABELED
SHOWN = {"image/gif", "image/webp", "image/png", "image/jpeg"}
LIES = ("text/html", "image/svg+xml", "application/javascript", "text/xml", "image/png\r\nX-Evil: 1")


async def answers_with(house: House, name: str) -> AsyncIterator[httpx.Response]:
    """Ask for a file by every route and in every way that gives its bytes."""
    digest = blake3(HOSTILE[name]).hexdigest()
    browser, params = house.ada.browser, {"filename": name, "type": "input"}
    location = (await house.ada.program.get("/api/view", params=params)).headers["location"]
    yield await house.ada.view(name)
    yield await house.ada.view(f"{name} [input]")
    yield await house.ada.view(f"blake3:{digest}")
    yield await browser.head("/api/view", params=params)
    yield await browser.get("/api/view", params=params, headers={"Accept": "text/html", "Sec-Fetch-Dest": "document"})
    yield await browser.get("/api/view", params=params, headers={"Range": "bytes=0-"})
    yield await browser.get("/api/view", params=params, headers={"Range": "bytes=999999-"})
    yield await browser.get("/api/view", params=params, headers={"If-None-Match": f'"{digest}"'})
    yield await house.stranger.get(location)
    yield await house.stranger.get(location, headers={"Range": "bytes=1-"})
    yield await house.stranger.get(location, headers={"If-None-Match": "*"})
    app = build_edge(house.services, as_admin=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as socket:
        admins = await socket.get("/api/view", params=params)
    if admins.status_code == 200:
        yield admins


def assert_harmless(answer: httpx.Response) -> None:
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-site"
    assert "set-cookie" not in headers
    assert "x-evil" not in headers
    if answer.status_code in (304, 416):
        assert "content-type" not in headers
        return
    assert answer.status_code in (200, 206)
    shown = headers["content-disposition"].startswith("inline;")
    assert headers["content-type"] in (SHOWN if shown else {"application/octet-stream"})
    assert shown or headers["content-disposition"].startswith("attachment;")


async def test_what_was_uploaded_is_harmless_by_every_route(house: House) -> None:
    for name in (*RUNNING, *POLYGLOTS):
        assert (await house.ada.upload(HOSTILE[name], name)).status_code == 200
        async for answer in answers_with(house, name):
            assert_harmless(answer)


async def test_what_is_no_picture_is_bytes_to_save(house: House) -> None:
    for name, content in RUNNING.items():
        await house.ada.upload(content, name)
        answer = await house.ada.view(name)

        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert answer.content == content


@pytest.mark.parametrize("name", POLYGLOTS)
async def test_what_is_a_picture_besides_is_one_by_its_bytes_and_not_its_name(house: House, name: str) -> None:
    await house.ada.upload(POLYGLOTS[name], name)

    assert (await house.ada.view(name)).headers["content-type"] == "image/gif"


@pytest.mark.parametrize("name", MISLABELED)
async def test_what_calls_itself_a_picture_and_is_none_is_not_taken(house: House, name: str) -> None:
    answer = await house.ada.upload(MISLABELED[name], name)

    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_picture")
    assert house.bytes_kept() == []


@pytest.mark.parametrize("lie", LIES)
async def test_a_worker_can_neither_send_nor_call_them_what_would_run(house: House, lie: str) -> None:
    for name, content in HOSTILE.items():
        await house.record(house.ada, name, content, lie)
        async for answer in answers_with(house, name):
            assert_harmless(answer)
            assert answer.headers.get("content-type", "application/octet-stream") == "application/octet-stream"


@pytest.mark.parametrize("wish", [{"channel": "rgb"}, {"channel": "a"}, {"res": "64"}, {"preview": "webp"}], ids=str)
async def test_nothing_is_made_of_what_is_no_picture(house: House, wish: dict[str, str]) -> None:
    for name, content in (RUNNING | MISLABELED).items():
        await house.record(house.ada, name, content, "image/gif")
        answer = await house.ada.view(name, **wish)

        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")


@pytest.mark.parametrize(
    "wish",
    [{"channel": "rgb"}, {"channel": "a"}, {"res": "64"}, {"preview": "webp"}, {"preview": "jpeg"}],
    ids=str,
)
async def test_what_is_made_of_a_polyglot_is_a_picture_alone(house: House, wish: dict[str, str]) -> None:
    for name, content in POLYGLOTS.items():
        await house.ada.upload(content, name)
        answer = await house.ada.view(name, **wish)

        assert_harmless(answer)
        assert b"script" not in answer.content
        assert b"Main.class" not in answer.content


@pytest.mark.parametrize(
    "name", ['"; evil=".html', "a\u2028b.html", "%0d%0aX-Evil: 1.png", "<script>.html", "a\u202egnp.html"]
)
async def test_no_name_breaks_out_of_its_header(house: House, name: str) -> None:
    await house.record(house.ada, name, RUNNING["page.html"], "text/html")

    answer = await house.ada.view(name)

    assert_harmless(answer)
    disposition = answer.headers["content-disposition"]
    assert disposition.isascii()
    assert disposition.isprintable()


async def test_a_refusal_says_nothing_that_a_browser_would_run(house: House) -> None:
    answer = await house.ada.view("<script>alert(1)</script>", channel="<script>")

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
