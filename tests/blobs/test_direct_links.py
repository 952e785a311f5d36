"""Programs are sent to the bucket itself: names and types are right there, and nobody gets in who would not here."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.databases import SqliteDatabases
from tests.object_server import ObjectServer
from tests.server.v1.files import house as houses
from tests.server.v1.files.house import House

from fireside.blobs.direct import DirectBucket
from fireside.domain.assets import Asset

pytestmark = pytest.mark.once
PNG = (files("fireside") / "examples" / "cat.png").read_bytes()
PAGE = b"<!doctype html><script>alert(1)</script>"


@pytest.fixture
async def house(databases: SqliteDatabases, tmp_path: Path, in_bucket: dict[str, Any]) -> AsyncIterator[House]:
    async with AsyncExitStack() as doors:
        yield await houses.open_house(databases.config(tmp_path / "data", **in_bucket), doors, None)


async def brought(house: House, content: bytes, name: str) -> Asset:
    """Let Ada upload a file."""
    assert (await house.ada.upload(content, name)).status_code == 200
    asset = await house.input_of(house.ada, name)
    assert asset is not None
    return asset


async def fetched(link: str, **headers: str) -> httpx.Response:
    """Ask the bucket, as somebody who has no key."""
    async with httpx.AsyncClient(timeout=60) as anybody:
        return await anybody.get(link, headers=headers)


def sent_to_bucket(answer: httpx.Response, objects: ObjectServer) -> str:
    """Give the link of an answer that sends to the bucket."""
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(objects.endpoint)
    return answer.headers["location"]


@pytest.mark.statement(137)
async def test_every_way_to_a_file_sends_a_program_to_the_bucket(house: House, objects: ObjectServer) -> None:
    asset = await brought(house, PNG, "café.png")
    view = {"filename": "café.png", "type": "input"}
    direct = [
        await house.ada.program.get("/api/view", params=view),
        await house.ada.program.get(f"/api/assets/{asset.id}/content"),
        await house.ada.program.get(f"/api/v2/assets/{asset.id}/content", headers={"Range": "bytes=1-3"}),
    ]
    signed = (await house.ada.program.get(f"/api/v2/assets/{asset.id}/content")).headers["location"]
    direct.append(await house.stranger.get(signed))

    for answer, kind in zip(direct, ("inline", "attachment", "inline", "inline"), strict=True):
        at_bucket = await fetched(sent_to_bucket(answer, objects))
        assert (at_bucket.status_code, at_bucket.content) == (200, PNG)
        assert at_bucket.headers["content-type"] == "image/png"
        named = f"{kind}; filename=\"caf_.png\"; filename*=UTF-8''caf%C3%A9.png"
        assert at_bucket.headers["content-disposition"] == named
    part = await fetched(sent_to_bucket(direct[2], objects), Range="bytes=1-3")
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"PNG", f"bytes 1-3/{len(PNG)}")


async def test_a_page_is_never_shown_in_place_and_the_link_cannot_be_made_to(
    house: House, objects: ObjectServer
) -> None:
    asset = await brought(house, PAGE, "page.html")

    for wish in ("inline", "attachment"):
        link = sent_to_bucket(
            await house.ada.program.get(f"/api/assets/{asset.id}/content", params={"disposition": wish}), objects
        )
        shown = await fetched(link)
        assert shown.headers["content-type"] == "application/octet-stream"
        assert shown.headers["content-disposition"] == 'attachment; filename="page.html"'
        assert (await fetched(link.replace("octet-stream", "xhtml%2Bxml"))).status_code == 403


async def test_what_is_somebody_elses_or_gone_is_not_found_before_there_is_a_link(house: House) -> None:
    asset = await brought(house, PNG, "a.png")

    for person in (house.bob, house.ada):
        if person is house.ada:
            await house.services.blobs.delete(asset.hash)
        answers = [
            await person.program.get("/api/view?filename=a.png&type=input"),
            await person.program.get(f"/api/assets/{asset.id}/content"),
            await person.program.get(f"/api/v2/assets/{asset.id}/content", headers={"Range": "bytes=0-"}),
        ]
        assert [(one.status_code, "location" in one.headers) for one in answers] == [(404, False)] * 3


async def test_a_browser_with_a_session_a_head_and_whoever_knows_the_bytes_are_answered_here(house: House) -> None:
    asset = await brought(house, PNG, "a.png")
    content = f"/api/assets/{asset.id}/content"

    assert (await house.ada.view("a.png")).content == PNG
    assert (await house.ada.browser.get(content)).content == PNG
    head = await house.ada.program.head(content)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(PNG)))
    assert (await house.ada.program.get(content, headers={"If-None-Match": head.headers["etag"]})).status_code == 304
    assert (await house.ada.program.get(content, headers={"Range": f"bytes={len(PNG)}-"})).status_code == 416


async def test_a_link_leads_to_what_was_set_aside_a_moment_before(house: House, objects: ObjectServer) -> None:
    asset = await brought(house, PNG, "a.png")
    await house.services.blobs.set_aside(asset.hash, datetime.now(UTC))

    link = sent_to_bucket(await house.ada.program.get("/api/view?filename=a.png&type=input"), objects)

    assert (await fetched(link)).content == PNG


async def test_a_link_is_over_after_its_time(house: House, objects: ObjectServer) -> None:
    asset = await brought(house, PNG, "a.png")
    direct = house.services.blobs.direct
    assert isinstance(direct, DirectBucket)
    past = DirectBucket(direct.outside, direct.outside, clock=lambda: datetime.now(UTC) - timedelta(seconds=61))

    assert (await fetched(past.link(asset.hash, {}, 120))).status_code == 200
    assert (await fetched(past.link(asset.hash, {}, 60))).status_code == 403


async def test_links_name_the_address_that_people_reach_the_bucket_by(
    databases: SqliteDatabases, tmp_path: Path, in_bucket: dict[str, Any], objects: ObjectServer
) -> None:
    public = objects.endpoint.replace("127.0.0.1", "localhost")
    async with AsyncExitStack() as doors:
        config = databases.config(tmp_path / "data", blobs_public_endpoint=public, **in_bucket)
        house = await houses.open_house(config, doors, None)
        await brought(house, PNG, "a.png")
        link = (await house.ada.program.get("/api/view?filename=a.png&type=input")).headers["location"]

    assert link.startswith(f"{public}/")
    assert (await fetched(link)).content == PNG


async def test_nobody_is_sent_on_where_the_settings_say_so(
    databases: SqliteDatabases, tmp_path: Path, in_bucket: dict[str, Any]
) -> None:
    async with AsyncExitStack() as doors:
        house = await houses.open_house(
            databases.config(tmp_path / "data", blobs_direct=False, **in_bucket), doors, None
        )
        asset = await brought(house, PNG, "a.png")

        assert (await house.ada.program.get(f"/api/assets/{asset.id}/content")).content == PNG
