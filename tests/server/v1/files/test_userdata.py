"""The files that the editor keeps for its user, as the Cloud API and as ComfyUI have them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from tests.databases import Databases, SqliteDatabases
from tests.server.v1.files.house import House, OpenHouse, Person

WORKFLOW = b'{"nodes": [], "name": "\xc3\xa4"}'


async def save(
    person: Person, file: str, content: bytes = WORKFLOW, base: str = "/api", **params: str
) -> httpx.Response:
    return await person.program.post(f"{base}/userdata/{file}", content=content, params=params)


async def listed(person: Person, base: str = "/api", **params: Any) -> Any:
    answer = await person.program.get(f"{base}/userdata", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.statement(141)
@pytest.mark.parametrize("base", ["/api", ""])
async def test_a_file_is_written_read_kept_and_removed(house: House, base: str) -> None:
    ada, address = house.ada, f"{base}/userdata/workflows%2Fa.json"

    written = await save(ada, "workflows%2Fa.json", base=base)
    read = await ada.program.get(address)
    refused = await save(ada, "workflows%2Fa.json", b"other", base=base, overwrite="false")
    unchanged = await ada.program.get(address)
    removed = await ada.program.delete(address)
    again = await ada.program.delete(address)
    unnamed = await ada.program.get(f"{base}/userdata")

    assert (written.status_code, read.content) == (200, WORKFLOW)
    assert (refused.status_code, unchanged.content) == (409, WORKFLOW)
    assert (removed.status_code, removed.content, again.status_code) == (204, b"", 404)
    assert (await ada.program.get(address)).status_code == 404
    assert (unnamed.status_code, unnamed.text) == (400, "The parameter `dir` is missing.")


@pytest.mark.statement(142)
async def test_the_list_has_objects_whatever_is_asked_for(house: House) -> None:
    await save(house.ada, "workflows%2Fa.json")

    for params in ({}, {"full_info": "false"}, {"split": "true"}):
        (entry,) = await listed(house.ada, dir="workflows/", **params)
        assert (entry["path"], entry["size"]) == ("a.json", len(WORKFLOW))
        assert {type(entry[name]) for name in ("modified", "created")} == {int}


async def test_times_are_milliseconds_in_a_list_and_a_date_where_a_file_was_written(house: House) -> None:
    written = (await save(house.ada, "a.json", full_info="true")).json()
    (entry,) = await listed(house.ada, dir=".")

    assert written["path"] == "a.json"
    assert entry["modified"] == int(datetime.fromisoformat(written["modified"]).timestamp() * 1000)
    assert entry["modified"] > 1_700_000_000_000


async def test_the_bare_path_lists_names_parts_or_objects_as_comfyui_does(house: House) -> None:
    await save(house.ada, "workflows%2Fsub%2Fa.json")

    assert await listed(house.ada, "", dir="workflows") == []
    assert await listed(house.ada, "", dir="workflows", recurse="true") == ["sub/a.json"]
    assert await listed(house.ada, "", dir="workflows", recurse="true", split="true") == [
        ["sub/a.json", "sub", "a.json"]
    ]
    (entry,) = await listed(house.ada, "", dir="workflows", recurse="true", split="true", full_info="true")
    assert (entry["path"], set(entry)) == ("sub/a.json", {"path", "size", "modified", "created"})


async def test_the_bare_path_tells_of_a_written_file_by_its_path_or_in_full(house: House) -> None:
    short = (await save(house.ada, "workflows%2Fa.json", base="")).json()
    full = (await save(house.ada, "workflows%2Fa.json", base="", full_info="true")).json()

    assert short == full["path"] == "workflows/a.json"
    assert isinstance(full["modified"], int)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"dir": "nowhere"}, 404), ({"dir": ""}, 400), ({"dir": "../x"}, 403), ({"dir": "/etc"}, 403),
        ({"dir": "a/../../b"}, 403), ({"dir": "x", "limit": "0"}, 400), ({"dir": "x" * 300}, 400),
    ],
    ids=str,
)  # fmt: skip
async def test_a_folder_that_cannot_be_listed_is_refused_in_plain_text(
    house: House, params: dict[str, str], status: int
) -> None:
    answer = await house.ada.program.get("/api/userdata", params=params)

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text


@pytest.mark.parametrize("dir_", [".", "/", "./"])
async def test_everything_can_be_listed(house: House, dir_: str) -> None:
    assert await listed(house.ada, dir=dir_) == []
    await save(house.ada, "a.json")
    await save(house.ada, "w%2Fb.json")

    assert [entry["path"] for entry in await listed(house.ada, dir=dir_, recurse="true")] == ["a.json", "w/b.json"]


async def test_a_long_list_comes_in_pages(house: House) -> None:
    for name in "abcde":
        await save(house.ada, f"w%2F{name}")

    seen: list[str] = []
    answer = await house.ada.program.get("/api/userdata", params={"dir": "w", "limit": 2})
    while True:
        seen += [entry["path"] for entry in answer.json()]
        if "next" not in answer.links:
            break
        answer = await house.ada.program.get(answer.links["next"]["url"])

    assert seen == list("abcde")


@pytest.mark.parametrize(
    "file",
    ["%2Fetc%2Fpasswd", "..%2Fa", "a%2F..%2F..%2Fb", "%2e%2e", "a%5C..%5C..%5Cb", "%2e%2e%2fa"],
)  # fmt: skip
async def test_no_path_leads_out(house: House, file: str) -> None:
    for method, address in (
        ("POST", f"/api/userdata/{file}"),
        ("GET", f"/api/userdata/{file}"),
        ("DELETE", f"/userdata/{file}"),
        ("POST", f"/api/userdata/a/move/{file}"),
    ):
        answer = await house.ada.program.request(method, httpx.URL(address), content=b"x")
        assert answer.status_code in (403, 404), (method, address)
    assert await listed(house.ada, dir=".", recurse="true") == []


@pytest.mark.parametrize("file", ["a%00b", "a%0Ab", "%ff", "x" * 256, "folder%2F", "%20" * 400, "/".join("a" * 20)])
async def test_a_name_that_is_none_is_refused(house: House, file: str) -> None:
    answer = await save(house.ada, file)

    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("name", ["100%.json", "a b+c.json", "ä\N{GRINNING FACE}.json", "%2F.json", "a?b#c", "..."])
async def test_odd_names_are_kept_as_they_are(house: House, name: str) -> None:
    encoded = "".join(f"%{byte:02x}" for byte in f"w/{name}".encode())

    assert (await save(house.ada, encoded)).json()["path"] == f"w/{name}"

    assert (await house.ada.program.get(f"/api/userdata/{encoded}")).content == WORKFLOW
    assert [entry["path"] for entry in await listed(house.ada, dir="w")] == [name]


@pytest.mark.parametrize(
    "content", [b"", b"\0\xff" * 50_000, b"<script>alert(1)</script>"], ids=["none", "any", "page"]
)
async def test_bytes_of_any_kind_come_back_and_never_as_a_page(house: House, content: bytes) -> None:
    await house.ada.program.post("/api/userdata/x.html", content=content, headers={"Content-Type": "text/html"})

    answer = await house.ada.browser.get("/api/userdata/x.html")

    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_client_that_has_a_file_is_told_so(house: House) -> None:
    await save(house.ada, "a")
    tag = (await house.ada.program.get("/api/userdata/a")).headers["etag"]

    answer = await house.ada.program.get("/api/userdata/a", headers={"If-None-Match": tag})

    assert (answer.status_code, answer.content) == (304, b"")


async def test_the_users_own_style_sheet_is_one(house: House) -> None:
    await save(house.ada, "user.css", b"a {}")
    await save(house.ada, "sub%2Fuser.css", b"a {}")

    sheet = await house.ada.browser.get("/api/userdata/user.css")

    assert sheet.headers["content-type"].startswith("text/css")
    assert sheet.headers["content-disposition"] == "inline"
    assert "css" not in (await house.ada.browser.get("/api/userdata/sub%2Fuser.css")).headers["content-type"]


@pytest.mark.parametrize("base", ["/api", ""])
async def test_a_file_is_moved(house: House, base: str) -> None:
    await save(house.ada, "workflows%2Fa.json")
    await save(house.ada, "workflows%2Fb.json", b"b")
    move = f"{base}/userdata/workflows%2Fa.json/move/"

    refused = await house.ada.program.post(f"{move}workflows%2Fb.json", params={"overwrite": "false"})
    moved = await house.ada.program.post(f"{move}new%2Fc.json", params={"overwrite": "false", "full_info": "true"})
    gone = await house.ada.program.post(f"{move}d.json")

    assert (refused.status_code, moved.status_code, gone.status_code) == (409, 200, 404)
    assert moved.json()["path"] == "new/c.json"
    assert (await house.ada.program.get(f"{base}/userdata/new%2Fc.json")).content == WORKFLOW


async def test_a_name_that_reads_like_a_move_is_a_name(house: House) -> None:
    written = await save(house.ada, "x%2Fmove%2Fy")

    assert written.json()["path"] == "x/move/y"
    assert (await house.ada.program.get("/api/userdata/x%2Fmove%2Fy")).content == WORKFLOW
    assert (await house.ada.program.post("/api/userdata/move/move/x%2Fmove%2Fz")).status_code == 404


async def test_slashes_that_a_proxy_has_decoded_are_understood(house: House) -> None:
    await save(house.ada, "workflows/sub/a.json")

    assert (await house.ada.program.get("/api/userdata/workflows%2Fsub%2Fa.json")).content == WORKFLOW
    moved = await house.ada.program.post("/api/userdata/workflows/sub/a.json/move/workflows/b.json")
    assert moved.json()["path"] == "workflows/b.json"


async def test_nobody_sees_or_touches_what_is_anothers(house: House) -> None:
    await save(house.ada, "workflows%2Fa.json")

    assert (await house.bob.program.get("/api/userdata", params={"dir": "workflows"})).status_code == 404
    assert await listed(house.bob, dir=".", recurse="true") == []
    for method in ("GET", "DELETE"):
        answer = await house.bob.program.request(method, "/api/userdata/workflows%2Fa.json")
        assert answer.status_code == 404
    moved = await house.bob.program.post("/api/userdata/workflows%2Fa.json/move/mine.json")
    assert moved.status_code == 404
    await save(house.bob, "workflows%2Fa.json", b"his")
    assert (await house.ada.program.get("/api/userdata/workflows%2Fa.json")).content == WORKFLOW


async def test_a_file_that_is_too_large_leaves_nothing(open_house: OpenHouse) -> None:
    house = await open_house(max_userdata_file_bytes=10)
    await save(house.ada, "a", b"0123456789")
    kept = house.bytes_kept()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000

    for content in (b"0123456789a", endless()):
        answer = await house.ada.program.post("/api/userdata/a", content=content)
        assert answer.status_code == 413
        assert "10 bytes" in answer.text

    assert house.bytes_kept() == kept
    assert (await house.ada.program.get("/api/userdata/a")).content == b"0123456789"


@pytest.mark.parametrize("limit", [{"max_userdata_files": 1}, {"max_userdata_bytes": 8}], ids=str)
async def test_a_user_who_has_too_much_is_told_so_and_nothing_stays(
    open_house: OpenHouse, limit: dict[str, int]
) -> None:
    house = await open_house(**limit)
    await save(house.ada, "a", b"a" * 8)
    kept = house.bytes_kept()

    refused = await save(house.ada, "b", b"b")
    overwritten = await save(house.ada, "a", b"c" * 8)
    others = await save(house.bob, "a", b"a" * 8)

    assert (refused.status_code, overwritten.status_code, others.status_code) == (413, 200, 200)
    assert "remove some first" in refused.text
    assert set(kept) <= set(house.bytes_kept())
    assert len(house.bytes_kept()) == len(kept) + 1


async def test_equal_bytes_of_two_users_survive_a_refusal_of_one(open_house: OpenHouse) -> None:
    house = await open_house(max_userdata_files=1)
    await save(house.ada, "a", b"equal")
    await save(house.bob, "a", b"other")

    assert (await save(house.bob, "b", b"equal")).status_code == 413

    assert (await house.ada.program.get("/api/userdata/a")).content == b"equal"


async def test_a_folder_is_no_file(house: House) -> None:
    await save(house.ada, "w%2Fa")

    assert (await house.ada.program.get("/api/userdata/w")).status_code == 404
    assert (await save(house.ada, "w")).status_code == 409
    assert (await save(house.ada, "w%2Fa%2Fb")).status_code == 409


async def test_of_all_who_save_a_new_file_at_once_one_does(house: House) -> None:
    answers = await asyncio.gather(
        *(save(house.ada, "a", f"{number}".encode(), overwrite="false") for number in range(8))
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    winner = next(number for number, answer in enumerate(answers) if answer.status_code == 200)
    assert (await house.ada.program.get("/api/userdata/a")).text == f"{winner}"


async def test_comfyuis_newer_list_is_at_the_bare_path(house: House) -> None:
    await save(house.ada, "b.json")
    await save(house.ada, "Workflows%2Fsub%2Fa.json")

    everything = (await house.ada.program.get("/v2/userdata")).json()
    below = (await house.ada.program.get("/v2/userdata", params={"path": "Workflows"})).json()

    assert [(one["name"], one["path"], one["type"]) for one in everything] == [
        ("sub", "Workflows/sub", "directory"),
        ("Workflows", "Workflows", "directory"),
        ("a.json", "Workflows/sub/a.json", "file"),
        ("b.json", "b.json", "file"),
    ]
    assert set(everything[0]) == {"name", "path", "type"}
    assert [one["path"] for one in below] == ["Workflows/sub", "Workflows/sub/a.json"]
    assert (await house.ada.program.get("/v2/userdata", params={"path": "b.json"})).status_code == 400
    assert (await house.ada.program.get("/v2/userdata", params={"path": "nowhere"})).status_code == 404
    assert (await house.bob.program.get("/v2/userdata")).json() == []


async def test_strangers_are_told_so_in_json(house: House) -> None:
    answer = await house.stranger.get("/api/userdata", params={"dir": "."})

    assert answer.status_code == 401
    assert set(answer.json()) == {"code", "message", "error"}


async def test_nothing_stays_of_a_user_who_is_gone(house: House, databases: Databases) -> None:
    await save(house.ada, "w%2Fa.json")
    await house.ada.program.post("/api/settings", json={"a": 1})

    with databases.raw(house.data_dir) as execute:
        execute("PRAGMA foreign_keys = ON") if type(databases) is SqliteDatabases else None
        execute("DELETE FROM \"user\" WHERE name = 'ada'")
        left = [
            execute(f"SELECT count(*) FROM {table}")[0][0] for table in ("user_file", "user_file_total", "user_setting")
        ]

    assert left == [0, 0, 0]
