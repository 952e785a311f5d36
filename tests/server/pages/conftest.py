"""A server's pages over the whole edge, with real accounts and a real store."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.databases import Databases
from tests.server.pages.site import ORIGIN, Site

from fireside.app import assemble
from fireside.server.edge import build_edge


@pytest.fixture
async def site(databases: Databases, tmp_path: Path) -> AsyncIterator[Site]:
    async with assemble(databases.config(tmp_path / "data"), public_url=ORIGIN) as assembly:
        transport = httpx.ASGITransport(app=build_edge(assembly.services))
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as browser:
            yield Site(assembly.services, browser)
