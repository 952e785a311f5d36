"""Files that are asked for by URL, and the tasks that fetch them, over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from tests.outbound.site import Site, running_site
from tests.server.v1.house import Caller, House

from fireside.assets.library import library_with
from fireside.domain.tasks import TaskStatus
from fireside.outbound.purposes import import_patience
from fireside.upkeep.importer import Importer


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with running_site() as site:
        yield site


@pytest.fixture
def settings() -> dict[str, Any]:
    return {
        "import_hosts": ("127.0.0.1:*",),
        "outbound_private_hosts": ("127.0.0.1",),
        "max_imports_waiting": 3,
        "max_imports_awaited": 1,
        "max_upload_bytes": 5000,
    }


def url_of(site: Site, word: str = "file") -> str:
    return f"http://127.0.0.1:{site.port}/{word}"


async def ask(caller: Caller, url: str, **more: Any) -> str:
    answer = await caller.http.post("/api/assets/download", json={"source_url": url, **more})
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "created"
    return answer.json()["task_id"]


async def fetch_all(house: House) -> None:
    services = house.services
    importer = Importer(
        library_with(services.config, services.store, services.blobs, services.clock),
        services.imports,
        services.desk.announcer,
        patience=import_patience(services.config),
        limit_bytes=services.config.max_upload_bytes,
        most_of_a_user=9,
    )
    await importer.tick(services.clock())
    await importer.settle()


async def test_a_file_is_asked_for_and_comes(house: House, ann: Caller, bob: Caller, site: Site) -> None:
    task_id = await ask(ann, url_of(site), tags=["Loras", "models"], user_metadata={"a": 1})
    waiting = await ann.get(f"/api/tasks/{task_id}")
    assert (waiting["status"], waiting["task_name"], "result" in waiting) == ("created", "asset_download", False)

    await fetch_all(house)

    done = await ann.get(f"/api/tasks/{task_id}")
    assert (done["status"], done["payload"]["source_url"]) == ("completed", url_of(site))
    assert done["result"]["success"] is True
    assert done["result"]["bytes_downloaded"] == 3000
    assert done["started_at"] <= done["completed_at"]
    assert (await bob.http.get(f"/api/tasks/{task_id}")).status_code == 404


async def test_what_is_here_already_is_given_at_once(house: House, ann: Caller, bob: Caller, site: Site) -> None:
    task_id = await ask(ann, url_of(site), tags=["models"])
    await fetch_all(house)
    asset_id = (await ann.get(f"/api/tasks/{task_id}"))["result"]["asset_id"]

    again = await ann.http.post("/api/assets/download", json={"source_url": url_of(site), "tags": ["models"]})

    assert (again.status_code, again.json()["id"], again.json()["created_new"]) == (200, asset_id, False)
    assert await ask(bob, url_of(site), tags=["models"])
    assert (await ann.http.delete(f"/api/assets/{asset_id}")).status_code == 204
    assert await ask(ann, url_of(site), tags=["models"])


async def test_a_file_is_fetched_while_its_owner_waits(ann: Caller, site: Site) -> None:
    wanted = {"url": url_of(site), "name": "a.png", "tags": ["input", "Blue"], "user_metadata": {"a": 1}}

    made = await ann.http.post("/api/assets", json=wanted)

    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["name"], body["size"], body["tags"], body["user_metadata"], body["created_new"]) == (
        "a.png", 3000, ["blue", "input"], {"a": 1}, True,
    )  # fmt: skip
    assert (await ann.http.post("/api/assets", json=wanted)).status_code == 200


async def test_a_user_waits_for_only_so_many_files_at_once(ann: Caller, bob: Caller, site: Site) -> None:
    held = asyncio.create_task(ann.http.post("/api/assets", json={"url": url_of(site, "drip"), "name": "slow"}))
    async with asyncio.timeout(60):
        await site.asked.wait()
        one_more = await ann.http.post("/api/assets", json={"url": url_of(site)})
        looked = await ann.http.get("/api/assets/remote-metadata", params={"url": url_of(site)})
        of_another = await bob.http.post("/api/assets", json={"url": url_of(site)})
        site.let_go.set()
        held_answer = await held

    assert (one_more.status_code, one_more.json()["code"]) == (429, "TOO_MANY_IMPORTS")
    assert one_more.headers["Retry-After"].isdecimal()
    assert "/api/assets/download" in one_more.json()["message"]
    assert looked.status_code == 429
    assert (of_another.status_code, held_answer.status_code) == (201, 201)
    assert (await ann.http.post("/api/assets", json={"url": url_of(site)})).status_code == 201


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://elsewhere.test/x", 403),
        ("nonsense", 400),
        ("http://127.0.0.1:{port}/status?is=401", 403),
        ("http://127.0.0.1:{port}/status?is=404", 404),
        ("http://127.0.0.1:{port}/status?is=500", 422),
        ("http://127.0.0.1:{port}/unannounced?mib=1", 413),
        ("http://127.0.0.1:{port}/redirect?to=http://localhost/", 403),
        ("http://127.0.0.1:{port}/redirect?to=http://xn--/", 400),
        ("http://xn--/", 400),
    ],
)
async def test_a_file_that_cannot_be_fetched_leaves_nothing(
    house: House, ann: Caller, site: Site, url: str, status: int
) -> None:
    answer = await ann.http.post("/api/assets", json={"url": url.format(port=site.port), "name": "x"})

    assert answer.status_code == status, answer.text
    assert (await ann.get("/api/assets"))["assets"] == []
    assert (await house.services.blobs.list_blobs("", limit=9)).blobs == []


async def test_the_same_wish_is_the_same_task_while_it_waits(ann: Caller, bob: Caller, site: Site) -> None:
    task_id = await ask(ann, url_of(site))

    assert await ask(ann, url_of(site)) == task_id
    assert await ask(ann, url_of(site), name="other") != task_id
    assert await ask(bob, url_of(site)) != task_id


async def test_a_user_has_only_so_many_waiting(ann: Caller, site: Site) -> None:
    for number in range(3):
        await ask(ann, url_of(site, f"file?{number}"))

    answer = await ann.http.post("/api/assets/download", json={"source_url": url_of(site, "file?9")})

    assert answer.status_code == 429
    assert answer.headers["Retry-After"]


async def test_a_task_is_canceled_once_and_by_its_owner(ann: Caller, bob: Caller, site: Site) -> None:
    task_id = await ask(ann, url_of(site))

    assert (await bob.http.delete(f"/api/tasks/{task_id}")).status_code == 404
    assert (await ann.http.delete(f"/api/tasks/{task_id}")).status_code == 204
    assert (await ann.http.delete(f"/api/tasks/{task_id}")).status_code == 409
    assert (await ann.get(f"/api/tasks/{task_id}"))["status"] == "cancelled"
    for strange in (str(uuid4()), "x"):
        assert (await ann.http.get(f"/api/tasks/{strange}")).status_code == 404


async def test_tasks_are_listed(ann: Caller, bob: Caller, site: Site) -> None:
    first, second = await ask(ann, url_of(site)), await ask(ann, url_of(site, "other"))
    await ann.http.delete(f"/api/tasks/{first}")

    async def listed(**params: Any) -> list[str]:
        return [task["id"] for task in (await ann.get("/api/tasks", **params))["tasks"]]

    assert await listed() == [second, first]
    assert await listed(sort_order="asc", limit=1) == [first]
    assert await listed(status="cancelled,failed") == [first]
    assert await listed(task_name="other") == []
    assert (await bob.get("/api/tasks"))["tasks"] == []
    for params in (
        {"limit": 0},
        {"limit": 101},
        {"status": "odd"},
        {"created_after": "x"},
        {"sort_order": "up"},
        {"created_before": "2026-01-01T00:00:00"},
    ):
        assert (await ann.http.get("/api/tasks", params=params)).status_code == 400


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"source_url": "http://elsewhere.test/x"}, 403, "HOST_NOT_ALLOWED"),
        ({"source_url": "ftp://127.0.0.1/x"}, 400, "BAD_URL"),
        ({"source_url": ""}, 400, "BAD_REQUEST"),
        ({}, 400, "BAD_REQUEST"),
        ({"source_url": "http://127.0.0.1:1/x", "preview_id": str(uuid4())}, 400, "INVALID_PREVIEW_ID"),
        ({"source_url": "http://127.0.0.1:1/x", "name": "../x"}, 400, "BAD_REQUEST"),
        ({"source_url": "http://127.0.0.1:1/x", "tags": ["a,b"]}, 400, "BAD_REQUEST"),
        ({"source_url": "http://127.0.0.1:1/x", "tags": [7]}, 400, "BAD_REQUEST"),
    ],
)
async def test_a_wish_that_cannot_be_is_refused(ann: Caller, body: Any, status: int, code: str) -> None:
    answer = await ann.http.post("/api/assets/download", json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await ann.get("/api/tasks"))["tasks"] == []


@pytest.mark.parametrize(
    "said", [{"name": "../x"}, {"tags": ["a,b"]}, {"preview_id": str(uuid4())}, {"mime_type": "a\r\n"}]
)
async def test_nothing_is_fetched_for_what_no_asset_can_be(ann: Caller, site: Site, said: dict[str, Any]) -> None:
    answer = await ann.http.post("/api/assets", json={"url": url_of(site), **said})

    assert answer.status_code == 400, answer.text
    assert site.requests == []


async def test_a_task_that_fails_says_why(house: House, ann: Caller, site: Site) -> None:
    task_id = await ask(ann, url_of(site, "status?is=404"))

    await fetch_all(house)

    task = await ann.get(f"/api/tasks/{task_id}")
    assert task["status"] == TaskStatus.FAILED.value
    assert "404" in task["error_message"]


async def test_a_source_is_asked_what_it_has(ann: Caller, site: Site) -> None:
    told = await ann.get("/api/assets/remote-metadata", url=url_of(site))

    assert told == {
        "content_length": 3000, "content_type": "image/png", "filename": "file", "name": "file", "tags": [],
        "validation": {"is_valid": True, "errors": [], "warnings": []},
    }  # fmt: skip
    for size in (5001, 10**19 - 1):
        large = await ann.get("/api/assets/remote-metadata", url=url_of(site, f"announced?bytes={size}"))
        assert (large["content_length"], large["validation"]["is_valid"]) == (size, False)
        assert large["validation"]["errors"][0]["code"] == "FILE_TOO_LARGE"
    unknown = await ann.get("/api/assets/remote-metadata", url=url_of(site, "unannounced?mib=1"))
    assert unknown["content_length"] == -1


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://elsewhere.test/x", 403),
        ("nonsense", 400),
        ("", 400),
        ("http://127.0.0.1:{port}/status?is=404", 422),
        ("http://127.0.0.1:{port}/status?is=403", 422),
        ("http://127.0.0.1:{port}/status?is=500", 422),
        ("http://127.0.0.1:{port}/redirect?to=http://xn--/", 400),
    ],
)
async def test_a_source_that_cannot_be_asked(ann: Caller, site: Site, url: str, status: int) -> None:
    answer = await ann.http.get("/api/assets/remote-metadata", params={"url": url.format(port=site.port)})

    assert answer.status_code == status, answer.text
