"""Assets over the Cloud API v1, as programs of two people see them."""

import json
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
import pytest
from blake3 import blake3
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tests.server.v1.files.house import House, OpenHouse, Person

from fireside.domain.assets import OutputOrigin


async def upload(person: Person, content: bytes, name: str = "photo.png", **fields: Any) -> httpx.Response:
    return await person.program.post("/api/assets", files={"file": (name, content)}, data=fields)


async def asset(person: Person, content: bytes, name: str = "photo.png", **fields: Any) -> dict[str, Any]:
    return (await upload(person, content, name, **fields)).raise_for_status().json()


async def listed(person: Person, **query: Any) -> dict[str, Any]:
    return (await person.program.get("/api/assets", params=query)).raise_for_status().json()


async def names(person: Person, **query: Any) -> list[str]:
    return [one["name"] for one in (await listed(person, **query))["assets"]]


@pytest.mark.statement(124, 125)
async def test_new_bytes_are_a_new_asset_and_the_same_bytes_again_are_the_same(house: House, picture: bytes) -> None:
    first, again = await upload(house.ada, picture), await upload(house.ada, picture, "other.png")

    body = first.json()
    assert (first.status_code, body["created_new"]) == (201, True)
    assert body["asset_hash"] == body["hash"] == f"blake3:{blake3(picture).hexdigest()}"
    assert body["job_id"] == body["prompt_id"] is None
    assert (body["name"], body["size"], body["mime_type"], body["tags"]) == (
        "photo.png",
        len(picture),
        "image/png",
        ["input"],
    )
    assert (again.status_code, again.json()["created_new"], again.json()["id"]) == (200, False, body["id"])


@pytest.mark.statement(125)
async def test_an_output_names_its_job_twice(house: House, picture: bytes) -> None:
    await house.output(house.ada, "made.png", picture)

    (one,) = (await listed(house.ada, include_tags="output"))["assets"]
    assert one["job_id"] == one["prompt_id"] is not None
    assert one["hash"] == one["asset_hash"]


@pytest.mark.statement(126)
async def test_the_list_has_pages_of_twenty_with_the_exact_total(house: House) -> None:
    for number in range(21):
        await asset(house.ada, b"%d" % number, f"{number:02}.bin")

    page = await listed(house.ada)
    assert (len(page["assets"]), page["total"], page["has_more"]) == (20, 21, True)
    rest = await listed(house.ada, after=page["next_cursor"])
    assert ([one["name"] for one in rest["assets"]], rest["total"], rest["has_more"]) == (["00.bin"], 21, False)
    assert len((await listed(house.ada, limit=500))["assets"]) == 21
    for wrong in ({"limit": 501}, {"limit": 0}, {"offset": -1}, {"after": "x"}, {"sort": "size", "after": "eyJ9"}):
        answer = await house.ada.program.get("/api/assets", params=wrong)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == answer.json()["code"]
    other = await house.ada.program.get("/api/assets", params={"sort": "size", "after": page["next_cursor"]})
    assert (other.status_code, other.json()["code"]) == (400, "INVALID_CURSOR")


@pytest.mark.statement(127)
async def test_tags_by_commas_and_by_repetition_mean_the_same(house: House) -> None:
    for name, tags in {"both": "a,b", "one": "a", "other": "b"}.items():
        await asset(house.ada, name.encode(), name, tags=tags)

    assert await names(house.ada, include_tags="a,b") == ["both"]
    assert await names(house.ada, include_tags=["a", "b"]) == ["both"]
    assert await names(house.ada, exclude_tags="a") == ["other"]
    assert await names(house.ada, tags_any="a,b", sort="name", order="asc") == ["both", "one", "other"]
    assert await names(house.ada, tags_all="A", tags_none="b") == ["one"]
    for wrong in (
        {"include_tags": "a", "tags_all": "b"},
        {"include_tags": "a", "exclude_tags": "a"},
        {"tags_any": ",".join(map(str, range(101)))},
    ):
        answer = await house.ada.program.get("/api/assets", params=wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_TAG_FILTER")


@pytest.mark.statement(128)
async def test_names_are_found_regardless_of_case_and_sizes_are_sorted(house: House) -> None:
    for name, size in {"Photo_1.png": 3, "photo%2.png": 1, "other.bin": 2}.items():
        await asset(house.ada, b"x" * size, name)

    assert await names(house.ada, name_contains="PHOTO", sort="size", order="asc") == ["photo%2.png", "Photo_1.png"]
    assert await names(house.ada, name_contains="%") == ["photo%2.png"]
    assert await names(house.ada, sort="size", order="asc") == ["photo%2.png", "other.bin", "Photo_1.png"]
    assert (await house.ada.program.get("/api/assets", params={"sort": "colour"})).status_code == 400


@pytest.mark.statement(129)
async def test_metadata_filters(house: House) -> None:
    await asset(house.ada, b"1", "one", user_metadata='{"k": "v", "n": 1}')
    await asset(house.ada, b"2", "two", user_metadata='{"k": "w", "n": 1}')

    assert await names(house.ada, metadata_filter='{"k":"v"}') == ["one"]
    assert await names(house.ada, metadata_filter='{"n":1.0}', sort="name", order="asc") == ["one", "two"]
    assert await names(house.ada, metadata_filter='{"k":"v","n":2}') == []
    for wrong in ("{", "[]", "1"):
        assert (await house.ada.program.get("/api/assets", params={"metadata_filter": wrong})).status_code == 400


@pytest.mark.statement(130)
async def test_a_hash_is_known_to_whoever_has_the_bytes(house: House) -> None:
    mine = (await asset(house.ada, b"mine"))["hash"]
    theirs = (await asset(house.bob, b"theirs"))["hash"]

    async def check(text: str) -> int:
        answer = await house.ada.program.head(f"/api/assets/hash/{text}")
        assert answer.content == b""
        return answer.status_code

    assert [await check(text) for text in (mine, mine.replace(":", "%3A"))] == [200, 200]
    assert [await check(text) for text in (theirs, "blake3:" + "0" * 64)] == [404, 404]
    assert [await check(text) for text in ("blake3:" + "0" * 63, "0" * 64, "blake3:" + "A" * 64)] == [400, 400, 400]


@pytest.mark.statement(131)
async def test_bytes_are_recorded_again_by_their_hash(house: House) -> None:
    mine = (await asset(house.ada, b"mine", "a.bin"))["hash"]
    theirs = (await asset(house.bob, b"theirs"))["hash"]

    async def from_hash(**body: Any) -> httpx.Response:
        return await house.ada.program.post("/api/assets/from-hash", json=body)

    made = await from_hash(hash=mine, tags=["cat"], name="b.bin")
    assert (made.status_code, made.json()["name"], made.json()["tags"]) == (201, "b.bin", ["cat", "input"])
    again = await from_hash(hash=mine, tags=["cat"], name="b.bin")
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    tagless = [{"hash": mine, **tags} for tags in ({}, {"tags": []}, {"tags": ["", " "]})]
    for wrong in (*tagless, {"hash": "blake3:1", "tags": ["a"]}, {"tags": ["a"]}):
        assert (await from_hash(**wrong)).status_code == 400
    for unknown in (theirs, "blake3:" + "0" * 64, "sha256:" + "0" * 64):
        answer = await from_hash(hash=unknown, tags=["a"])
        assert (answer.status_code, answer.json()["code"]) == (404, "ASSET_NOT_FOUND")


@pytest.mark.statement(132)
async def test_an_asset_is_changed_and_deleted(house: House) -> None:
    url = f"/api/assets/{(await asset(house.ada, b'bytes'))['id']}"
    program = house.ada.program

    assert (await program.put(url, json={})).status_code == 400
    changed = await program.put(url, json={"name": "Ein Bild", "tags": ["x"], "user_metadata": {"a": [1]}})
    assert changed.status_code == 200
    assert {"id", "updated_at"} <= changed.json().keys()
    shown = (await program.get(url)).json()
    assert (shown["name"], shown["tags"], shown["user_metadata"]) == ("Ein Bild", ["x"], {"a": [1]})
    assert (await program.delete(url)).status_code == 204
    assert [(await program.request(method, url)).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert (await listed(house.ada))["total"] == 0


@pytest.mark.statement(133)
async def test_tags_come_and_go(house: House) -> None:
    url = f"/api/assets/{(await asset(house.ada, b'bytes', tags='a'))['id']}/tags"

    added = await house.ada.program.post(url, json={"tags": ["a", " B "]})
    removed = await house.ada.program.request("DELETE", url, json={"tags": ["a", "c"]})

    assert added.json() == {"added": ["b"], "already_present": ["a"], "total_tags": ["a", "b", "input"]}
    assert removed.json() == {"removed": ["a"], "not_present": ["c"], "total_tags": ["b", "input"]}
    for method in ("POST", "DELETE"):
        for wrong in ({"tags": []}, {}, {"tags": [" "]}, {"tags": ["x" * 300]}):
            assert (await house.ada.program.request(method, url, json=wrong)).status_code == 400


@pytest.mark.statement(134)
async def test_tags_are_listed_by_how_often_they_occur(house: House) -> None:
    for name, tags in {"1": "cat,zebra", "2": "cat", "3": "dog"}.items():
        await asset(house.ada, name.encode(), name, tags=tags)
    gone = await asset(house.ada, b"gone", "gone", tags="crow")
    await house.ada.program.delete(f"/api/assets/{gone['id']}")
    await asset(house.bob, b"4", "4", tags="camel")

    async def counted(**query: Any) -> list[tuple[str, int]]:
        body = (await house.ada.program.get("/api/tags", params=query)).raise_for_status().json()
        assert body["total"] >= len(body["tags"])
        return [(tag["name"], tag["count"]) for tag in body["tags"]]

    assert await counted() == [("input", 3), ("cat", 2), ("dog", 1), ("zebra", 1)]
    assert await counted(order="name_asc", limit=2, offset=1) == [("dog", 1), ("input", 3)]
    assert await counted(prefix="C") == [("cat", 2)]
    assert await counted(prefix="c", include_zero="true") == [("cat", 2), ("crow", 0)]


@pytest.mark.statement(135)
async def test_tags_are_counted_over_what_a_filter_leaves_over(house: House) -> None:
    for name, tags in {"one": "cat,dog", "two": "cat", "three": "dog"}.items():
        await asset(house.ada, name.encode(), name, tags=tags)

    async def counts(**query: Any) -> dict[str, int]:
        return (
            (await house.ada.program.get("/api/assets/tags/refine", params=query))
            .raise_for_status()
            .json()["tag_counts"]
        )

    assert list((await counts(include_tags="cat")).items()) == [("cat", 2), ("input", 2), ("dog", 1)]
    assert await counts(name_contains="three") == {"dog": 1, "input": 1}
    assert await counts(limit=1) == {"input": 3}


async def test_what_is_somebody_elses_is_not_there(house: House) -> None:
    url = f"/api/assets/{(await asset(house.ada, b'mine'))['id']}"

    for method, path, body in (
        ("GET", url, None),
        ("PUT", url, {"name": "mine"}),
        ("DELETE", url, None),
        ("GET", f"{url}/content", None),
        ("GET", f"{url}/workflow", None),
        ("POST", f"{url}/tags", {"tags": ["a"]}),
        ("DELETE", f"{url}/tags", {"tags": ["a"]}),
        ("GET", "/api/assets/not-a-uuid", None),
    ):
        answer = await house.bob.program.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "ASSET_NOT_FOUND"), path
    assert (await listed(house.bob))["total"] == 0
    assert (await house.stranger.get("/api/assets")).status_code == 401


async def test_an_upload_is_a_value_for_loaders_by_its_name_and_by_its_hash(house: House, picture: bytes) -> None:
    made = await asset(house.ada, picture, "photo.png")

    for name in (made["name"], made["loader_path"], made["hash"]):
        assert (await house.ada.view(name)).content == picture
    other = await asset(house.ada, picture + b"other", "photo.png")
    assert (await house.ada.view(other["name"])).content == picture + b"other"


@pytest.mark.parametrize("tags", ['["a", "b"]', "a,b", ["a", "b"]])
async def test_tags_of_a_form_are_written_in_three_ways(house: House, tags: str | list[str]) -> None:
    assert (await asset(house.ada, b"bytes", tags=tags))["tags"] == ["a", "b", "input"]


async def test_an_id_may_be_chosen(house: House) -> None:
    chosen = str(uuid4())

    first, again = [await upload(house.ada, b"bytes", id=chosen) for _ in range(2)]
    other = await upload(house.ada, b"others", id=chosen)
    foreign = await upload(house.bob, b"bytes", id=chosen)

    assert [(one.status_code, one.json()["id"]) for one in (first, again)] == [(201, chosen), (200, chosen)]
    assert [(one.status_code, one.json()["code"]) for one in (other, foreign)] == [(409, "ASSET_ID_UNAVAILABLE")] * 2


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"hash": "blake3:" + "0" * 64}, 409, "HASH_MISMATCH"),
        ({"hash": "blake3:0"}, 400, "INVALID_HASH"),
        ({"preview_id": str(uuid4())}, 400, "INVALID_PREVIEW_ID"),
        ({"id": "x"}, 400, "BAD_REQUEST"),
        ({"tags": "[1]"}, 400, "BAD_REQUEST"),
        ({"user_metadata": "[]"}, 400, "BAD_REQUEST"),
        ({"name": "../x"}, 400, "BAD_REQUEST"),
    ],
)
async def test_what_cannot_be_is_refused_without_a_trace(
    house: House, fields: dict[str, str], status: int, code: str
) -> None:
    answer = await house.ada.program.post("/api/assets", files={"file": ("a.bin", b"bytes")}, data=fields)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert house.bytes_kept() == []


async def test_bodies_of_other_kinds_are_refused(open_house: OpenHouse) -> None:
    house = await open_house(max_upload_bytes=10)
    program = house.ada.program

    assert (await upload(house.ada, b"x" * 11)).status_code == 413
    assert (await upload(house.ada, b"")).json()["code"] == "EMPTY_UPLOAD"
    missing = await program.post("/api/assets", files={"name": (None, "a")})
    assert (missing.status_code, missing.json()["code"]) == (400, "MISSING_FILE")
    assert (await program.post("/api/assets", content=b"x", headers={"content-type": "text/plain"})).status_code == 415
    assert house.bytes_kept() == []


async def test_bytes_come_in_ranges_and_with_their_title(house: House) -> None:
    made = await asset(house.ada, b"0123456789", "digits.bin")
    url = f"/api/assets/{made['id']}/content"

    whole = await house.ada.program.get(url)
    part = await house.ada.program.get(url, headers={"Range": "bytes=2-4"})

    assert (whole.content, part.status_code, part.content) == (b"0123456789", 206, b"234")
    assert whole.headers["content-disposition"] == 'attachment; filename="digits.bin"'
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert (await house.ada.program.get(url, headers={"Range": "bytes=99-"})).status_code == 416
    assert (await house.ada.program.get(url, params={"disposition": "somehow"})).status_code == 400


async def test_a_picture_tells_what_made_it(house: House, picture: bytes) -> None:
    workflow, prompt = {"nodes": [], "links": []}, {"1": {"class_type": "A", "inputs": {}}}
    texts, png, webp = PngInfo(), BytesIO(), BytesIO()
    texts.add_text("workflow", json.dumps(workflow))
    texts.add_text("prompt", json.dumps(prompt))
    image = Image.open(BytesIO(picture))
    image.save(png, format="PNG", pnginfo=texts)
    exif = image.getexif()
    exif[0x0110], exif[0x010F] = f"prompt:{json.dumps(prompt)}", f"workflow:{json.dumps(workflow)}"
    image.save(webp, format="WEBP", exif=exif)

    for content, name in ((png.getvalue(), "a.png"), (webp.getvalue(), "a.webp")):
        made = await asset(house.ada, content, name)
        told = await house.ada.program.get(f"/api/assets/{made['id']}/workflow")
        assert told.json() == {"workflow": workflow, "prompt": prompt, "source": "file"}
    silent = await asset(house.ada, picture)
    assert (await house.ada.program.get(f"/api/assets/{silent['id']}/workflow")).status_code == 404


async def test_a_job_tells_what_it_made_and_how(house: House, picture: bytes) -> None:
    made = await house.output(house.ada, "made.png", picture)
    assert isinstance(made.origin, OutputOrigin)

    page = (await house.ada.program.get(f"/api/jobs/{made.origin.job_id}/assets")).raise_for_status().json()
    told = (await house.ada.program.get(f"/api/assets/{made.id}/workflow")).raise_for_status().json()

    (shown,) = page["assets"]
    assert (page["job_id"], shown["id"]) == (str(made.origin.job_id), str(made.id))
    place = made.origin.node_id, made.origin.key, made.origin.index
    assert (shown["node_id"], shown["output_key"], shown["output_index"]) == place
    assert page["pagination"] == {"offset": 0, "limit": 20, "total": 1, "has_more": False}
    assert (told["source"], told["prompt"], told["workflow"]) == ("job", {"1": {}}, {"id": "w"})
    assert (await house.bob.program.get(f"/api/jobs/{made.origin.job_id}/assets")).status_code == 404
