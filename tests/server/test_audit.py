"""What admins do is written down with the change itself: who, when, from where, what, to whom; and never a secret."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.databases import Databases

from fireside.accounts.accounts import NewUser
from fireside.app import assemble, utc_now
from fireside.domain.accounts import Role
from fireside.domain.ids import WorkerId
from fireside.domain.workers import Worker
from fireside.server.edge import build_edge
from fireside.server.routes import Access
from fireside.server.services import Services
from fireside.server.tables import ROUTES
from fireside.store.audit_verbs import act_as

ORIGIN = "http://fireside.test"
_ADDRESS = {"source_url": "https://models.example/b.safetensors?token=secret", "blake3": "a" * 64, "size_bytes": 5}
# A file of safetensors that holds nothing.
_FILE = (2).to_bytes(8, "little") + b"{}"
DEEDS: dict[str, tuple[str, dict[str, Any] | bytes, str, str]] = {
    "createUser": ("/admin/api/users", {"name": "eve"}, "user.create", "eve"),
    "changeUser": ("/admin/api/users/ada", {"weight": 2.0}, "user.change", "ada"),
    "createKey": ("/admin/api/keys", {"user": "ada", "scopes": ["read"]}, "key.create", "ada"),
    "revokeKey": ("/admin/api/keys/2/revoke", {}, "key.revoke", "ada"),
    "makeLoginLink": ("/admin/api/login-link", {"user": "ada"}, "user.login_link", "ada"),
    "makePasswordLink": ("/admin/api/password-link", {"user": "ada"}, "user.password_link", "ada"),
    "invite": ("/admin/api/invitations", {"name": "fay"}, "invitation.create", "fay"),
    "takeBackInvitation": ("/admin/api/invitations/1", {}, "invitation.remove", ""),
    "pauseQueues": ("/admin/api/pause", {"user": "ada", "reason": "cables"}, "queue.pause", "ada"),
    "resumeQueues": ("/admin/api/resume", {"user": "ada"}, "queue.resume", "ada"),
    "drainWorker": ("/admin/api/workers/gpu-1/drain", {}, "worker.drain", "gpu-1"),
    "resumeWorker": ("/admin/api/workers/gpu-1/resume", {}, "worker.resume", "gpu-1"),
    "removeWorker": ("/admin/api/workers/gpu-1", {}, "worker.remove", "gpu-1"),
    "createWorkerToken": ("/admin/api/worker-tokens", {"label": "rack"}, "join_token.create", "rack"),
    "revokeWorkerToken": ("/admin/api/worker-tokens/1/revoke", {}, "join_token.revoke", ""),
    "uploadModel": ("/admin/api/models/loras/a.safetensors", _FILE, "model.add", "loras/a.safetensors"),
    "addModel": ("/admin/api/models", {"folder": "vae", **_ADDRESS}, "model.add", "vae/b.safetensors"),
    "removeModel": ("/admin/api/models/vae/b.safetensors", {}, "model.remove", "vae/b.safetensors"),
    "setMaintenance": ("/admin/api/maintenance", {"on": False}, "maintenance.off", ""),
    "recount": ("/admin/api/counters", {}, "counters.recount", ""),
    "deleteUser": ("/admin/api/users/ada", {}, "user.delete", "ada"),
}
"""In this order, by the name of the route: where, with what, what is written, and to whom it was done."""


@dataclass
class Office:
    services: Services
    http: httpx.AsyncClient

    async def listed(self, **query: Any) -> dict[str, Any]:
        return (await self.http.get("/admin/api/audit", params=query)).json()


@pytest.fixture
async def office(databases: Databases, tmp_path: Path) -> AsyncIterator[Office]:
    async with assemble(
        databases.config(tmp_path / "data", model_hosts=("models.example",)), public_url=ORIGIN
    ) as assembly:
        accounts = assembly.services.accounts
        root = await accounts.create_user(NewUser(name="root", role=Role.ADMIN))
        _, key = await accounts.create_key(root)
        await accounts.create_key(await accounts.create_user(NewUser(name="ada")))
        transport = httpx.ASGITransport(app=build_edge(assembly.services), client=("203.0.113.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"X-API-Key": key}) as http:
            yield Office(assembly.services, http)
        act_as(None)


def test_the_walk_below_meets_every_route_by_which_an_admin_changes_something() -> None:
    changing = {route.name for route in ROUTES if route.access is Access.ADMIN and route.method != "GET"}

    assert changing == DEEDS.keys()


async def test_every_deed_of_an_admin_is_written_down_with_no_secret(office: Office) -> None:
    await office.services.store.save_worker(
        Worker(
            id=WorkerId("gpu-1"), boot_id="1", runtime="builtin", version="0", definitions_hash="h",
            joined_at=utc_now(), system={}, devices=(),
        )
    )  # fmt: skip
    await office.services.store.begin_maintenance("", utc_now())
    methods = {route.name: route.method for route in ROUTES}
    for name, (path, body, action, target) in DEEDS.items():
        given: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        answer = await office.http.request(methods[name], path, **given)
        assert answer.is_success, (name, answer.text)

        newest = (await office.listed(limit=1))["entries"][0]
        assert (newest["action"], newest["target"]) == (action, target), name
        assert (newest["actor"], newest["way"], newest["address"]) == ("root", "key", "203.0.113.9")
        shown = answer.json() if answer.content else {}
        for secret in (shown.get("key"), shown.get("url"), shown.get("token")):
            assert not isinstance(secret, str) or secret not in str(newest), name

    assert len((await office.listed())["entries"]) == len(DEEDS)


async def test_what_was_refused_or_changed_nothing_is_not_written(office: Office) -> None:
    assert (await office.http.post("/admin/api/users", json={"name": "ada"})).status_code == 409
    assert (await office.http.patch("/admin/api/users/root", json={"role": "member"})).status_code == 409
    assert (await office.http.delete("/admin/api/users/root")).status_code == 409
    assert (await office.http.post("/admin/api/keys/2/revoke")).json() == {"revoked": True}
    assert (await office.http.post("/admin/api/keys/2/revoke")).json() == {"revoked": False}

    assert [entry["action"] for entry in (await office.listed())["entries"]] == ["key.revoke"]


async def test_what_users_do_for_themselves_is_not_an_admins_deed(office: Office) -> None:
    await office.http.post("/admin/api/pause", json={"user": "ada"})
    await office.http.post("/api/queue/pause", json={})

    assert [entry["action"] for entry in (await office.listed())["entries"]] == ["queue.pause"]


async def test_pages_write_as_the_api_does(office: Office) -> None:
    answer = await office.http.post("/dashboard/people/ada", data={"role": "member", "weight": "3"})
    assert answer.status_code == 303, answer.text

    (entry,) = (await office.listed())["entries"]
    assert (entry["action"], entry["target"], entry["details"]["weight"]) == ("user.change", "ada", 3.0)
    page = await office.http.get("/dashboard/audit")
    assert page.status_code == 200
    assert "user.change" in page.text


async def test_the_log_comes_in_pages_and_by_admin(office: Office) -> None:
    for number in range(5):
        await office.http.post("/admin/api/users", json={"name": f"user-{number}"})

    first = await office.listed(limit=3)
    rest = await office.listed(limit=3, cursor=first["next_cursor"])

    assert [entry["target"] for entry in first["entries"]] == ["user-4", "user-3", "user-2"]
    assert [entry["target"] for entry in rest["entries"]] == ["user-1", "user-0"]
    assert rest["next_cursor"] == ""
    assert (await office.listed(user="somebody"))["entries"] == []
    assert (await office.http.get("/admin/api/audit", params={"cursor": "x"})).status_code == 400


async def test_entries_go_when_their_time_is_over(office: Office) -> None:
    await office.http.post("/admin/api/users", json={"name": "eve"})
    (entry,) = await office.services.store.audit_entries(limit=10)

    assert await office.services.store.forget_audit_entries(entry.at) == 0
    assert await office.services.store.forget_audit_entries(entry.at + timedelta(microseconds=1)) == 1
    assert await office.services.store.audit_entries(limit=10) == []
