"""Headers that every answer has: of data, of pages, of the editor, of users' bytes; and https where it is served."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.databases import Databases

from fireside.app import Assembly, assemble
from fireside.server.edge import build_edge
from fireside.server.tables import ROUTES

# About headers of answers.
pytestmark = pytest.mark.once


@pytest.fixture
async def assembly(databases: Databases, tmp_path: Path) -> AsyncIterator[Assembly]:
    async with assemble(databases.config(tmp_path / "data"), public_url="https://fireside.test") as assembled:
        yield assembled


def _client(assembly: Assembly, *, as_admin: bool = False) -> httpx.AsyncClient:
    app = build_edge(assembly.services, as_admin=as_admin)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://fireside.test")


async def test_every_answer_has_them_also_those_of_strangers_and_of_nothing(assembly: Assembly) -> None:
    async with _client(assembly) as http:
        for method, path in [
            *((route.method, route.path) for route in ROUTES),
            ("GET", "/nowhere"),
            ("PUT", "/api/jobs"),
        ]:
            headers = (await http.request(method, path)).headers
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["referrer-policy"] in ("same-origin", "no-referrer"), path
            policy = headers["content-security-policy"]
            assert "frame-ancestors" in policy or "sandbox" in policy, path
            assert headers["strict-transport-security"].startswith("max-age="), path


async def test_data_is_no_page(assembly: Assembly) -> None:
    async with _client(assembly) as http:
        answer = await http.get("/openapi.json")

    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


async def test_the_admin_socket_says_nothing_of_https(assembly: Assembly) -> None:
    async with _client(assembly, as_admin=True) as http:
        assert "strict-transport-security" not in (await http.get("/healthz")).headers


async def test_who_is_reached_by_http_says_nothing_of_https(databases: Databases, tmp_path: Path) -> None:
    async with (
        assemble(databases.config(tmp_path / "data"), public_url="http://fireside.test") as assembled,
        _client(assembled) as http,
    ):
        assert "strict-transport-security" not in (await http.get("/healthz")).headers
