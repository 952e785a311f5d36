"""Maintenance: every server of a store answers who looks, refuses who changes, and lets what was accepted go on."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.databases import Databases

from fireside.accounts.accounts import NewUser
from fireside.app import assemble, utc_now
from fireside.domain.accounts import Role
from fireside.server.edge import build_edge
from fireside.server.routes import Access, Refusal, Route
from fireside.server.services import Services
from fireside.server.tables import ROUTES
from fireside.store.audit_verbs import act_as

ORIGIN = "http://fireside.test"
CHANGES = [route for route in ROUTES if route.is_change]
ALWAYS_TAKEN = {
    "POST /login",
    "POST /login/{token}",
    "POST /logout",
    "PUT /admin/api/maintenance",
    "POST /api/workflows/convert",
}


@dataclass
class House:
    services: Services
    http: httpx.AsyncClient

    async def switch(self, *, on: bool, reason: str = "") -> dict[str, Any]:
        answer = await self.http.put("/admin/api/maintenance", json={"on": on, "reason": reason})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[House]:
    async with assemble(databases.config(tmp_path / "data"), public_url=ORIGIN) as assembly:
        accounts = assembly.services.accounts
        root = await accounts.create_user(NewUser(name="root", role=Role.ADMIN))
        _, key = await accounts.create_key(root)
        transport = httpx.ASGITransport(app=build_edge(assembly.services))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"X-API-Key": key}) as http:
            yield House(assembly.services, http)
        act_as(None)


def _named(route: Route) -> str:
    return f"{route.method} {route.path}"


def test_only_a_short_list_of_changes_is_taken_at_any_time() -> None:
    others = {_named(route) for route in ROUTES if route.method not in ("GET", "HEAD") and not route.is_change}

    assert others - {_named(one) for one in ROUTES if one.access in (Access.WORKER, Access.NEWCOMER)} == ALWAYS_TAKEN


async def test_every_change_is_refused_in_the_shape_of_its_route_and_says_when_to_come_again(house: House) -> None:
    assert (await house.switch(on=True, reason="new disks"))["on"]

    for route in CHANGES:
        path = re.sub(r"\{[^}]*\}", str(uuid4()), route.path)
        answer = await house.http.request(route.method, path, json={})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60"), _named(route)
        if route.refusal is Refusal.TEXT:
            assert "new disks" in answer.text
        else:
            body = answer.json()
            said = body["error"] if isinstance(body["error"], dict) else body
            assert "new disks" in said["message"], _named(route)

    assert await house.services.store.users() == [await house.services.accounts.user_named("root")]


async def test_who_looks_is_answered_and_told(house: House) -> None:
    await house.switch(on=True, reason="new disks")

    assert (await house.http.get("/api/jobs")).status_code == 200
    page = await house.http.get("/dashboard", headers={"Accept": "text/html"})
    assert (page.status_code, "new disks" in page.text) == (200, True)
    assert (await house.http.get("/readyz")).json()["maintenance"] is True


async def test_changes_are_taken_again_afterwards_and_both_steps_are_in_the_log(house: House) -> None:
    await house.switch(on=True)
    assert not (await house.switch(on=False))["on"]

    assert (await house.http.post("/api/queue/pause", json={})).status_code == 200
    page = await house.http.get("/dashboard", headers={"Accept": "text/html"})
    assert "Maintenance" not in page.text
    entries = (await house.http.get("/admin/api/audit")).json()["entries"]
    assert [entry["action"] for entry in entries] == ["maintenance.off", "maintenance.on"]


async def test_a_server_takes_part_when_another_one_of_its_store_begins(house: House) -> None:
    await house.services.store.begin_maintenance("from elsewhere", utc_now())
    assert (await house.http.post("/api/queue/pause", json={})).status_code == 200

    await house.services.maintenances.refresh(utc_now())

    assert (await house.http.post("/api/queue/pause", json={})).status_code == 503


@pytest.mark.parametrize("reason", ["x" * 501, "a\nb"], ids=["long", "lines"])
async def test_a_reason_is_one_line(house: House, reason: str) -> None:
    answer = await house.http.put("/admin/api/maintenance", json={"on": True, "reason": reason})

    assert answer.status_code == 400
    assert not (await house.http.get("/admin/api/maintenance")).json()["on"]
