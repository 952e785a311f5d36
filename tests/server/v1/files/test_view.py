"""`GET /api/view`: whose file it is, how it is named, and how each kind of caller gets it."""

from urllib.parse import urlsplit

import httpx
import pytest
from blake3 import blake3
from tests.server.v1.files.house import House, OpenHouse

from fireside.server.edge import build_edge


async def ask(house: House, **params: str) -> httpx.Response:
    return await house.ada.program.get("/api/view", params=params)


@pytest.mark.statement(137)
async def test_a_key_is_sent_to_an_address_that_needs_no_credential(house: House, picture: bytes) -> None:
    await house.ada.upload(picture, "a.png", type="output")

    answer = await ask(house, filename="a.png")

    assert (answer.status_code, answer.content) == (302, b"")
    assert answer.headers["location"].startswith("http://fireside.test/files/")
    assert answer.headers["cache-control"] == "no-store"
    assert (await house.stranger.get(answer.headers["location"])).content == picture


async def test_the_address_is_of_the_public_url_whatever_host_was_asked(house: House, picture: bytes) -> None:
    await house.ada.upload(picture, "a.png")

    answer = await house.ada.program.get(
        "/api/view", params={"filename": "a.png", "type": "input"}, headers={"Host": "evil.test"}
    )

    assert urlsplit(answer.headers["location"]).netloc == "fireside.test"


async def test_a_session_gets_the_bytes_and_later_only_hears_that_they_are_the_same(
    house: House, picture: bytes
) -> None:
    await house.ada.upload(picture, "a.png")

    first = await house.ada.view("a.png")
    again = await house.ada.browser.get(
        "/api/view", params={"filename": "a.png", "type": "input"}, headers={"If-None-Match": first.headers["etag"]}
    )

    assert (first.status_code, first.content) == (200, picture)
    assert first.headers["etag"] == f'"{blake3(picture).hexdigest()}"'
    assert first.headers["cache-control"] == "private, no-cache"
    assert (again.status_code, again.content) == (304, b"")


async def test_a_session_sees_the_new_bytes_of_a_name(house: House) -> None:
    await house.ada.upload(b"old", "a.txt")
    old = await house.ada.view("a.txt")
    await house.ada.upload(b"new", "a.txt", overwrite="true")

    new = await house.ada.browser.get(
        "/api/view", params={"filename": "a.txt", "type": "input"}, headers={"If-None-Match": old.headers["etag"]}
    )

    assert (new.status_code, new.content) == (200, b"new")


async def test_a_session_can_ask_for_a_range(house: House) -> None:
    await house.ada.upload(b"0123456789", "a.txt")

    answer = await house.ada.browser.get(
        "/api/view", params={"filename": "a.txt", "type": "input"}, headers={"Range": "bytes=2-4"}
    )

    assert (answer.status_code, answer.content) == (206, b"234")
    assert answer.headers["content-range"] == "bytes 2-4/10"


async def test_the_admin_socket_gets_the_bytes(house: House, picture: bytes) -> None:
    app = build_edge(house.services, as_admin=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as socket:
        await socket.post("/api/upload/image", files={"image": ("a.png", picture)})
        answer = await socket.get("/api/view", params={"filename": "a.png", "type": "input"})

    assert (answer.status_code, answer.content) == (200, picture)


async def test_the_key_can_stand_in_the_address(house: House, picture: bytes) -> None:
    await house.ada.upload(picture, "a.png", type="output")
    key = house.ada.program.headers["X-API-Key"]

    answer = await house.stranger.get("/api/view", params={"filename": "a.png", "token": key})
    wrong = await house.stranger.get("/api/view", params={"filename": "a.png", "token": key[:-1]})

    assert (answer.status_code, wrong.status_code) == (302, 401)


@pytest.mark.parametrize(
    "params",
    [
        {"filename": "a.png", "subfolder": "sub", "type": "temp"},
        {"filename": "a.png", "subfolder": "sub/", "type": "temp"},
        {"filename": "a.png", "subfolder": "./sub//.", "type": "temp"},
        {"filename": "sub/a.png", "type": "temp"},
        {"filename": "a.png [temp]", "subfolder": "sub"},
        {"filename": "sub/a.png [temp]", "type": "output"},
        {
            "filename": "a.png",
            "subfolder": "sub",
            "type": "temp",
            "rand": "0.5",
            "t": "1",
            "timestamp": "1",
            "format": "",
        },
        {"filename": "a.png", "subfolder": "sub", "type": "temp", "fullpath": "/etc/passwd", "frame_rate": "x"},
        {"filename": "a.png", "subfolder": "sub", "type": "temp", "channel": "rgba"},
    ],
)
async def test_a_file_is_found_however_it_is_named(house: House, picture: bytes, params: dict[str, str]) -> None:
    await house.ada.upload(picture, "a.png", type="temp", subfolder="sub")

    assert (await ask(house, **params)).status_code == 302


async def test_a_file_is_an_output_unless_something_says_otherwise(house: House) -> None:
    await house.ada.upload(b"in", "a.txt")
    await house.ada.upload(b"out", "a.txt", type="output")

    plain = await house.ada.browser.get("/api/view", params={"filename": "a.txt"})
    marked = await house.ada.browser.get("/api/view", params={"filename": "a.txt [input]"})

    assert (plain.content, marked.content) == (b"out", b"in")


async def test_a_file_is_found_by_its_bytes_and_then_never_changes(house: House, picture: bytes) -> None:
    await house.ada.upload(picture, "a.png")

    answer = await house.ada.view(f"blake3:{blake3(picture).hexdigest()}", type="output")

    assert (answer.status_code, answer.content) == (200, picture)
    assert answer.headers["content-disposition"] == 'inline; filename="a.png"'
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.statement(5)
async def test_what_is_anothers_is_not_there_by_name_nor_by_bytes(house: House, picture: bytes) -> None:
    await house.ada.upload(picture, "a.png")

    for name in ("a.png", "a.png [input]", f"blake3:{blake3(picture).hexdigest()}"):
        foreign = await house.bob.view(name)
        unknown = await house.bob.view("x" + name if "blake" not in name else f"blake3:{'0' * 64}")
        assert (foreign.status_code, foreign.json()) == (404, unknown.json())


@pytest.mark.statement(137, 140)
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"filename": ""},
        {"filename": "."},
        {"filename": "../a.png"},
        {"filename": "..\\a.png"},
        {"filename": "/etc/passwd"},
        {"filename": "a\0.png"},
        {"filename": "a.png", "subfolder": "../x"},
        {"filename": "a.png", "subfolder": "a\nb"},
        {"filename": "a.png", "type": "elsewhere"},
        {"filename": "a.png", "channel": "x"},
        {"filename": "a.png", "res": "63"},
        {"filename": "a.png", "res": "1025"},
        {"filename": "a.png", "res": "x"},
        {"filename": "blake3:x"},
        {"filename": "x" * 256},
        {"filename": "x" * 5000},
    ],
    ids=str,
)
async def test_what_is_not_as_it_should_be_is_refused(house: House, params: dict[str, str]) -> None:
    answer = await ask(house, **params)

    assert answer.status_code == 400
    assert {type(answer.json()[key]) for key in ("code", "message")} == {str}


@pytest.mark.statement(140)
@pytest.mark.parametrize(
    "path", ["%2e%2e%2fa", "..%2f..%2fetc%2fpasswd", "%252e%252e%252fa", "%c0%ae%c0%ae%c0%afa", "....//a"]
)
async def test_no_spelling_leads_out_of_the_callers_space(house: House, path: str) -> None:
    answer = await house.ada.program.get(f"/api/view?filename={path}&type=input")

    assert answer.status_code in (400, 404)


@pytest.mark.statement(137)
async def test_a_file_that_is_not_there_is_not_found(house: House) -> None:
    answer = await ask(house, filename="unknown.png")

    assert answer.status_code == 404
    assert {type(answer.json()[key]) for key in ("code", "message")} == {str}


async def test_viewing_needs_a_caller(house: House, picture: bytes) -> None:
    await house.ada.upload(picture, "a.png")

    assert (await house.stranger.get("/api/view", params={"filename": "a.png [input]"})).status_code == 401


async def test_a_proxy_sends_large_files_and_we_the_small_ones(open_house: OpenHouse, picture: bytes) -> None:
    house = await open_house(accel_prefix="/internal")
    large = b"x" * 2_000_000
    await house.ada.upload(large, "large.bin")
    await house.ada.upload(picture, "small.png")

    sent, left = await house.ada.view("small.png"), await house.ada.view("large.bin")
    location = (await ask(house, filename="large.bin", type="input")).headers["location"]

    digest = blake3(large).hexdigest()
    accel = f"/internal/{digest[:2]}/{digest}"
    assert sent.content == picture
    assert (left.content, left.headers["x-accel-redirect"]) == (b"", accel)
    assert (await house.stranger.get(location)).headers["x-accel-redirect"] == accel
