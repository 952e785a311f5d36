"""Translations and example workflows that workers' node packs bring along for the editor."""

import base64
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from tests.server.v1.files.house import House, OpenHouse
from tests.server.v1.files.test_system import publish

GERMAN = {"de": {"nodeDefs": {"A": {"display_name": "Ein A"}}}}
WORKFLOW = b'{"nodes": [], "links": []}'


def jpeg() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, format="JPEG")
    return buffer.getvalue()


def brought(**files: bytes) -> list[dict[str, Any]]:
    """Write the files of the node pack `pack` as a worker publishes them."""
    return [
        {"node_pack": "pack", "file": name.replace("_", "."), "content": base64.b64encode(content).decode()}
        for name, content in files.items()
    ]


async def test_translations_of_all_workers_are_laid_over_one_another(house: House) -> None:
    other = {"de": {"nodeDefs": {"A": {"display_name": "other"}, "B": {"display_name": "Ein B"}}}, "fr": {"x": 1}}
    await publish(house, runtime="first", editor={"translations": GERMAN})
    await publish(house, runtime="second", editor={"translations": other})

    for path in ("/api/i18n", "/i18n"):
        told = (await house.ada.program.get(path)).json()
        assert told == {
            "de": {"nodeDefs": {"A": {"display_name": "Ein A"}, "B": {"display_name": "Ein B"}}},
            "fr": {"x": 1},
        }


@pytest.mark.parametrize("base", ["/api", ""])
async def test_example_workflows_are_listed_and_given_with_their_pictures(house: House, base: str) -> None:
    await publish(house, editor={"templates": brought(a_json=WORKFLOW, a_jpg=jpeg())})
    browser = house.ada.browser

    assert (await browser.get(f"{base}/workflow_templates")).json() == {"pack": ["a"]}
    workflow = await browser.get(f"{base}/workflow_templates/pack/a.json")
    picture = await browser.get(f"{base}/workflow_templates/pack/a.jpg")
    again = await browser.get(
        f"{base}/workflow_templates/pack/a.jpg", headers={"If-None-Match": picture.headers["etag"]}
    )

    assert (workflow.content, workflow.headers["content-type"]) == (WORKFLOW, "application/json")
    assert (picture.content, picture.headers["content-type"]) == (jpeg(), "image/jpeg")
    assert again.status_code == 304
    assert {answer.headers["x-content-type-options"] for answer in (workflow, picture)} == {"nosniff"}


async def test_what_is_not_what_its_name_says_is_not_given(house: House) -> None:
    files = brought(a_json=b"<html>", b_jpg=b"<script>", c_html=b"<script>")
    await publish(house, editor={"templates": files})

    for file in ("a.json", "b.jpg", "c.html", "none.json", "..%2Fa.json"):
        answer = await house.ada.browser.get(f"/api/workflow_templates/pack/{file}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), file


async def test_what_no_worker_brings_along_any_more_is_gone(house: House) -> None:
    await publish(house, editor={"templates": brought(a_json=WORKFLOW), "translations": GERMAN})
    await publish(house)

    assert (await house.ada.program.get("/api/workflow_templates")).json() == {}
    assert (await house.ada.program.get("/api/i18n")).json() == {}


@pytest.mark.statement(4)
async def test_strangers_are_shown_example_workflows_only_where_the_operator_says_so(open_house: OpenHouse) -> None:
    closed, opened = await open_house("closed"), await open_house("opened", v1_public_models=True)
    for house in (closed, opened):
        await publish(house, editor={"templates": brought(a_json=WORKFLOW)})

    assert (await closed.stranger.get("/api/workflow_templates")).json() == {}
    assert (await closed.stranger.get("/api/workflow_templates/pack/a.json")).status_code == 404
    assert (await opened.stranger.get("/api/workflow_templates")).json() == {"pack": ["a"]}
    assert (await opened.stranger.get("/api/workflow_templates/pack/a.json")).content == WORKFLOW
