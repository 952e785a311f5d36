"""Assets over the API v2: uploads, bytes by their hash, addresses, ranges, and who sees nothing of them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from blake3 import blake3
from tests.databases import Databases
from tests.server.v1.house import ORIGIN, House
from tests.server.v2.house import PNG, Caller, error_of
from tests.server.v2.test_jobs import show
from tests.server.v2.test_submit import asset as reference
from tests.server.v2.test_submit import load

from fireside.domain.ids import AssetId

HASH = f"blake3:{blake3(PNG).hexdigest()}"
FIELDS = {"content_type": "image/png", "file_path": "photo.png"}


async def upload(
    caller: Caller, content: bytes = PNG, *, key: str | None = None, without: str = "", **fields: Any
) -> httpx.Response:
    sent = {name: value for name, value in (FIELDS | fields).items() if name != without}
    headers = {} if key is None else {"Idempotency-Key": key}
    files = {} if without == "file" else {"file": (sent.get("file_path") or "x", content, "application/octet-stream")}
    if not files:
        files = {"other": ("x", content, "text/plain")}
    return await caller.http.post("/api/v2/assets", data=sent, files=files, headers=headers)


async def uploaded(caller: Caller, content: bytes = PNG, **fields: Any) -> dict[str, Any]:
    answer = await upload(caller, content, **fields)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


@pytest.mark.statement(156)
async def test_new_bytes_are_an_asset_and_the_same_bytes_again_are_found(house: House, ann: Caller) -> None:
    first, again = await upload(ann), await upload(ann)

    assert (first.status_code, again.status_code) == (201, 200)
    asset = first.json()
    assert (asset["created_new"], again.json()["created_new"]) == (True, False)
    assert again.json()["id"] == asset["id"]
    assert (asset["hash"], asset["size_bytes"], asset["content_type"]) == (HASH, len(PNG), "image/png")
    assert (asset["file_path"], asset["expires_at"]) == ("photo.png", None)
    assert asset["url"].startswith(f"{ORIGIN}/files/")
    stranger = await house.client({})
    assert (await stranger.get(asset["url"])).content == PNG


async def test_the_same_bytes_under_another_name_are_another_asset(ann: Caller) -> None:
    one = await uploaded(ann)
    other = await upload(ann, file_path="folder/other.png")

    assert (other.status_code, other.json()["created_new"]) == (200, False)
    assert other.json()["id"] != one["id"]
    assert other.json()["file_path"] == "folder/other.png"


async def test_bytes_that_somebody_else_has_are_new_to_the_caller(ann: Caller, bob: Caller) -> None:
    await uploaded(bob)

    answer = await upload(ann)

    assert (answer.status_code, answer.json()["created_new"]) == (201, True)


@pytest.mark.statement(156)
async def test_bytes_of_another_hash_than_expected_leave_nothing(house: House, ann: Caller) -> None:
    error_of(await upload(ann, expected_hash="blake3:" + "0" * 64), 409, "hash_mismatch")

    assert (await ann.http.head(f"/api/v2/assets/by-hash/{HASH}")).status_code == 404
    assert await house.services.blobs.stat(HASH.removeprefix("blake3:")) is None  # pyright: ignore[reportArgumentType]
    assert (await upload(ann, expected_hash=HASH)).status_code == 201


@pytest.mark.statement(156)
@pytest.mark.parametrize(
    "fields",
    [
        *({"expires_in": seconds} for seconds in ("59", "604801", "x", "-60", "", "60.5", "9" * 30)),
        *({"file_path": path} for path in ("/etc/x.png", "../x.png", "a/../x.png", "C:/x.png", "a//b", "a/", "..", "")),
        *({"without": name} for name in ("file", "content_type", "file_path")),
    ],
    ids=str,
)
async def test_a_field_that_cannot_be_is_refused(ann: Caller, fields: dict[str, Any]) -> None:
    error_of(await upload(ann, **fields), 422, "invalid_request")


async def test_what_is_no_form_is_refused(ann: Caller) -> None:
    error_of(await ann.http.post("/api/v2/assets", content=b"x"), 400, "invalid_request")


async def test_a_time_to_live_is_kept_and_only_ever_prolonged(ann: Caller) -> None:
    first = await uploaded(ann, expires_in="3600")
    shorter = await uploaded(ann, expires_in="60")
    longer = await uploaded(ann, expires_in="7200")

    times = [datetime.fromisoformat(asset["expires_at"]) for asset in (first, shorter, longer)]
    assert times[1] == times[0]
    assert times[2] - times[0] > timedelta(minutes=55)


async def test_an_asset_whose_time_is_over_is_not_found(ann: Caller, databases: Databases, tmp_path: Path) -> None:
    asset_id = (await uploaded(ann, expires_in="60"))["id"]
    path = f"/api/v2/assets/{asset_id}"
    await ann.get(path)
    with databases.raw(tmp_path / "data") as execute:
        execute("UPDATE asset SET expires_at = 1")

    error_of(await ann.post(load(reference(asset_id))), 422, "missing_asset")
    for method, below in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        error_of(await ann.http.request(method, path + below), 404, "not_found")


async def test_tags_are_kept(house: House, ann: Caller) -> None:
    asset_id = AssetId(UUID((await uploaded(ann, tags=["input", "portrait"]))["id"]))

    asset = await house.services.store.asset(asset_id, user_id=ann.user.id)

    assert asset is not None
    assert set(asset.tags) == {"input", "portrait"}


async def test_a_key_is_used_up_by_a_stored_file_and_by_nothing_else(ann: Caller) -> None:
    error_of(await upload(ann, key="k", file_path="name [input]"), 422, "invalid_request")
    assert (await upload(ann, key="k")).status_code == 201

    error_of(await upload(ann, key="k"), 422, "idempotency_key_reuse")
    assert (await ann.post(key="k")).status_code == 201, "jobs have keys of their own"


@pytest.mark.statement(157)
async def test_head_and_from_hash_agree_and_hide_what_is_anothers(ann: Caller, bob: Caller) -> None:
    await uploaded(bob)
    unknown = "blake3:" + "0" * 64

    for wanted in (HASH, unknown, "blake3:xyz", "sha256:" + "0" * 64):
        head = await ann.http.head(f"/api/v2/assets/by-hash/{wanted.replace(':', '%3A')}")
        minted = await ann.http.post("/api/v2/assets/from-hash", json={"hash": wanted})
        assert head.status_code == 404
        error_of(minted, 404, "blob_not_found")

    assert (await bob.http.head(f"/api/v2/assets/by-hash/{HASH}")).status_code == 200
    same = await bob.http.post("/api/v2/assets/from-hash", json={"hash": HASH, "file_path": "photo.png"})
    other = await bob.http.post("/api/v2/assets/from-hash", json={"hash": HASH, "file_path": "b.png", "tags": ["x"]})
    assert (same.status_code, other.status_code) == (200, 201)
    assert other.json()["file_path"] == "b.png"


@pytest.mark.parametrize(
    "body", [{}, {"hash": 5}, [], {"hash": HASH, "expires_in": 59}, {"hash": HASH, "file_path": "../x"}]
)
async def test_a_body_of_from_hash_that_cannot_be_is_refused(ann: Caller, body: Any) -> None:
    await uploaded(ann)

    error_of(await ann.http.post("/api/v2/assets/from-hash", json=body), 422, "invalid_request")


@pytest.mark.statement(158)
async def test_bytes_come_by_a_signed_address_or_in_ranges(house: House, ann: Caller) -> None:
    path = f"/api/v2/assets/{(await uploaded(ann))['id']}/content"

    whole = await ann.http.get(path)
    part = await ann.http.get(path, headers={"Range": "bytes=1-3"})
    beyond = await ann.http.get(path, headers={"Range": "bytes=999999-"})

    assert whole.status_code == 302
    stranger = await house.client({})
    assert (await stranger.get(whole.headers["location"])).content == PNG
    assert "X-Goog-Expires=3600" in whole.headers["location"]
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, PNG[1:4], f"bytes 1-3/{len(PNG)}")
    error_of(beyond, 416, "invalid_request")
    assert beyond.headers["content-range"] == f"bytes */{len(PNG)}"


@pytest.mark.statement(158)
async def test_an_asset_that_is_deleted_is_gone_and_its_bytes_are_not_anothers(ann: Caller, bob: Caller) -> None:
    asset, bobs = await uploaded(ann), await uploaded(bob)
    path = f"/api/v2/assets/{asset['id']}"

    gone = await ann.http.delete(path)

    assert (gone.status_code, gone.content) == (204, b"")
    for method, below in (("DELETE", ""), ("GET", ""), ("GET", "/content")):
        error_of(await ann.http.request(method, path + below), 404, "not_found")
    assert (await bob.get(f"/api/v2/assets/{bobs['id']}"))["hash"] == HASH


async def test_what_a_job_of_the_history_has_made_stays(house: House, ann: Caller) -> None:
    job_id = (await ann.submit())["id"]
    await house.start(job_id)
    await show(house, job_id)
    (output,) = (await ann.job(job_id))["outputs"]

    error_of(await ann.http.delete(f"/api/v2/assets/{output['id']}"), 409, "asset_in_use")

    shown = await ann.get(f"/api/v2/assets/{output['id']}")
    assert (shown["job_id"], shown["hash"]) == (job_id, output["hash"])


async def test_what_is_anothers_is_not_there(ann: Caller, bob: Caller) -> None:
    foreign = (await uploaded(bob))["id"]
    for asset_id in (foreign, str(uuid4()), "nonsense"):
        for method, below in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
            error_of(await ann.http.request(method, f"/api/v2/assets/{asset_id}{below}"), 404, "not_found")


async def test_each_look_at_an_asset_gives_an_address_that_works_its_full_time(house: House, ann: Caller) -> None:
    asset = await uploaded(ann)

    shown = await ann.get(f"/api/v2/assets/{asset['id']}")

    left = datetime.fromisoformat(shown["url_expires_at"]) - house.services.clock()
    assert timedelta(minutes=59) < left <= timedelta(minutes=60)


@pytest.mark.statement(148)
async def test_an_uploaded_asset_and_an_output_are_inputs_of_the_next_job(house: House, ann: Caller) -> None:
    job_id = (await ann.submit(load(reference((await uploaded(ann))["id"]))))["id"]
    await house.start(job_id)
    await show(house, job_id)
    (output,) = (await ann.job(job_id))["outputs"]

    job = await ann.submit(load(reference(output["id"])))

    graph = (await ann.get(f"/api/v2/jobs/{job['id']}/workflow"))["workflow"]
    assert graph["1"]["inputs"]["image"] == "a_00001_.png [output]"


class TestSmall:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"max_upload_bytes": 16}

    async def test_a_file_that_is_too_large_is_refused(self, ann: Caller) -> None:
        error_of(await upload(ann, b"x" * 17), 413, "payload_too_large")
        assert (await upload(ann, b"x" * 16, file_path="x.bin")).status_code == 201
