"""The page of the system: facts for admins, nothing for others, and no secret for anybody."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.databases import Databases
from tests.server.pages.site import ORIGIN, Site

import fireside
from fireside.app import assemble
from fireside.server.edge import build_edge
from fireside.server.pages.system import parts_of
from fireside.wire.system import DiskBody

PLACE = "/dashboard/system"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
async def site(databases: Databases, tmp_path: Path) -> AsyncIterator[Site]:
    config = databases.config(tmp_path / "data", metrics_token="hush", oidc_name=SCRIPT)
    origins = {"metrics_token": "file", "oidc_name": "environment"}
    async with assemble(config, public_url=ORIGIN, origins=origins) as assembly:  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app=build_edge(assembly.services))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN}) as browser:
            yield Site(assembly.services, browser)


async def test_an_admin_reads_how_the_server_is(site: Site) -> None:
    await site.sign_in_as_admin()

    page = await site.browser.get(PLACE)

    assert page.status_code == 200
    assert fireside.__version__ in page.text
    assert "fireside.toml" in page.text
    assert "set, and not shown" in page.text
    assert "hush" not in page.text
    assert SCRIPT not in page.text
    assert "Fireside makes none by itself" in page.text


async def test_members_and_strangers_read_nothing(site: Site) -> None:
    assert (await site.browser.get(PLACE)).headers["location"] == f"/login?next={PLACE}"
    await site.sign_in()

    page = await site.browser.get(PLACE)

    assert page.status_code == 403
    assert "fireside.toml" not in page.text
    assert PLACE not in (await site.browser.get("/dashboard")).text


def test_the_bar_of_the_disk_holds_what_is_on_it() -> None:
    disk = DiskBody(
        folder="/srv",
        total_bytes=1000,
        free_bytes=400,
        blobs=3,
        blobs_bytes=300,
        blobs_counted_at=None,
        blobs_are_here=True,
        database_bytes=100,
        database_is_here=True,
        logs_bytes=1,
    )

    parts = [(part.kind, part.begin, part.width) for part in parts_of(disk)]

    assert parts == [("files", 0, 30), ("database", 30, 10), ("logs", 40, 0.5), ("rest", 40.5, 19.9)]
