"""The editor's settings of a user."""

import asyncio

import pytest
from tests.server.v1.files.house import House, OpenHouse


@pytest.mark.parametrize("base", ["/api", ""])
async def test_a_setting_is_given_as_it_was_written(house: House, base: str) -> None:
    program = house.ada.program
    for name, value in (("Comfy.A", b' {"deep": [1, 1e40, "\xc3\xa4"]}\n'), ("b/c", b"null"), ("d", b'"text"')):
        answer = await program.post(f"{base}/settings/{name}", content=value)
        assert (answer.status_code, answer.content) == (200, b"")
        assert (await program.get(f"{base}/settings/{name}")).content == value.strip()

    everything = await program.get(f"{base}/settings")
    assert everything.json() == {"Comfy.A": {"deep": [1, 1e40, "ä"]}, "b/c": None, "d": "text"}


async def test_a_setting_that_was_never_made_is_null(house: House) -> None:
    answer = await house.ada.program.get("/api/settings/Comfy.None")

    assert (answer.status_code, answer.content) == (200, b"null")
    assert (await house.ada.program.get("/api/settings")).json() == {}


async def test_several_are_written_at_once_and_the_others_stay(house: House) -> None:
    await house.ada.program.post("/api/settings", json={"a": 1, "b": 2})

    answer = await house.ada.program.post("/api/settings", json={"b": [3], "c": None})

    assert (answer.status_code, answer.content) == (200, b"")
    assert (await house.ada.program.get("/api/settings")).json() == {"a": 1, "b": [3], "c": None}
    assert (await house.bob.program.get("/api/settings")).json() == {}


async def test_writers_at_once_lose_nothing(house: House) -> None:
    await asyncio.gather(
        *(house.ada.program.post("/api/settings", json={f"{number}": number, "all": number}) for number in range(20)),
        *(house.ada.program.post(f"/api/settings/one-{number}", json=number) for number in range(20)),
    )

    assert len((await house.ada.program.get("/api/settings")).json()) == 41


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/settings/a", b""), ("/api/settings/a", b"{"), ("/api/settings/a", b'"\xff"'),
        ("/api/settings/a", b"[" * 100_000), ("/api/settings", b"[]"), ("/api/settings", b'{"": 1}'),
        ("/api/settings", b'{"a": nul}'), ("/api/settings", b'{"a\\u0000b": 1}'), ("/api/settings/" + "a" * 201, b"1"),
    ],
    ids=["empty", "cut off", "no UTF-8", "too deep", "a list", "no name", "half a word", "NUL in a name", "a long one"],
)  # fmt: skip
async def test_what_is_no_setting_is_refused(house: House, path: str, body: bytes) -> None:
    answer = await house.ada.program.post(path, content=body)

    assert (answer.status_code, set(answer.json())) == (400, {"code", "message", "error"})
    assert (await house.ada.program.get("/api/settings")).json() == {}


async def test_too_many_or_too_large_settings_are_refused(open_house: OpenHouse) -> None:
    house = await open_house(max_settings=2, max_settings_bytes=100)

    assert (await house.ada.program.post("/api/settings", json={"a": 1, "b": 2, "c": 3})).status_code == 413
    assert (await house.ada.program.post("/api/settings/a", json="x" * 98)).status_code == 413
    assert (await house.ada.program.post("/api/settings/a", json="x" * 101)).status_code == 413
    assert (await house.ada.program.get("/api/settings")).json() == {}


async def test_an_editor_of_another_site_cannot_write(house: House) -> None:
    answer = await house.ada.browser.post("/api/settings/a", content=b"1", headers={"Origin": "https://evil.test"})

    assert answer.status_code == 403
    assert (await house.ada.program.get("/api/settings")).json() == {}
