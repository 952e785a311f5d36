"""What the editor and comfy-cli ask at their start."""

from typing import Any

import pytest
from tests.server.v1.files.house import House
from tests.server.v1.files.test_system import publish

EMPTY = {"i18n": {}, "node_replacements": {}, "workflow_templates": {}}


@pytest.mark.parametrize("base", ["/api", ""])
async def test_what_nobody_brings_along_is_empty(house: House, base: str) -> None:
    for name, empty in EMPTY.items():
        answer = await house.ada.browser.get(f"{base}/{name}")
        assert (answer.status_code, answer.json()) == (200, empty), name


@pytest.mark.statement(4)
async def test_anybody_may_ask_for_templates_and_machines(house: House) -> None:
    for path in ("/api/workflow_templates", "/api/system_stats", "/api/experiment/models"):
        assert (await house.stranger.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/api/users", "/users"])
async def test_users_are_neither_shown_nor_made(house: House, path: str) -> None:
    shown = await house.ada.browser.get(path)
    made = await house.ada.program.post(path, json={"username": "eve"})

    assert shown.json() == {"storage": "server", "migrated": True}
    assert made.status_code == 403
    assert "fireside users create" in made.json()["error"]


async def test_comfy_cli_is_told_that_nothing_runs_out(house: House) -> None:
    status = (await house.ada.program.get("/api/billing/status")).json()
    workspace = (await house.ada.program.get("/api/workspaces/current")).json()

    assert (status["is_active"], status["has_funds"], status["subscription_status"]) == (True, True, "active")
    assert workspace == {"id": str(house.ada.user.id), "name": "ada", "type": "personal", "role": "owner"}


async def test_the_server_says_in_a_word_that_it_is_alive(house: House) -> None:
    answer = await house.stranger.get("/health")

    assert (answer.status_code, answer.text) == (200, "OK")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.statement(7)
@pytest.mark.parametrize(
    "path",
    [
        "/extensions", "/i18n", "/node_replacements", "/workflow_templates", "/users", "/settings", "/settings/a",
        "/features", "/system_stats", "/object_info", "/object_info/LoadImage", "/models", "/embeddings",
        "/experiment/models",
    ],
)  # fmt: skip
async def test_the_bare_path_answers_the_same(house: House, path: str) -> None:
    await publish(house)

    bare = await house.ada.program.get(path)
    below = await house.ada.program.get(f"/api{path}")

    assert (bare.status_code, bare.content) == (below.status_code, below.content)
    assert bare.status_code == 200


async def test_the_log_of_the_server_is_nobodys(house: House) -> None:
    program = house.ada.program

    assert (await program.get("/internal/logs")).json() == ""
    raw = (await program.get("/internal/logs/raw")).json()
    assert raw["entries"] == []
    assert set(raw["size"]) == {"cols", "rows"}
    subscribed = await program.patch("/internal/logs/subscribe", json={"enabled": True, "clientId": "c"})
    assert subscribed.status_code == 200


async def test_files_are_named_newest_first_and_only_the_callers_own(house: House, picture: bytes) -> None:
    for name in ("b.png", "c.png", "a.png"):
        await house.ada.upload(picture, name)
    await house.ada.upload(picture, "deep.png", subfolder="sub")
    await house.ada.upload(picture, "made.png", type="output")
    await house.bob.upload(picture, "his.png")

    async def names(folder: str) -> Any:
        return (await house.ada.program.get(f"/internal/files/{folder}")).json()

    assert await names("input") == ["a.png", "c.png", "b.png"]
    assert await names("output") == ["made.png"]
    assert await names("temp") == []
    assert (await house.ada.program.get("/internal/files/etc")).status_code == 400
