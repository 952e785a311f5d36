"""The admin's routes, for an admin's key and on the admin socket's app."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.databases import Databases

from fireside.accounts.accounts import NewUser
from fireside.app import assemble
from fireside.domain.accounts import Role
from fireside.server.edge import build_edge
from fireside.server.services import Services

ORIGIN = "http://fireside.test"
ROUTES = [
    ("GET", "/admin/api/users"),
    ("POST", "/admin/api/users"),
    ("PATCH", "/admin/api/users/ada"),
    ("DELETE", "/admin/api/users/ada"),
    ("GET", "/admin/api/keys"),
    ("POST", "/admin/api/keys"),
    ("POST", "/admin/api/keys/1/revoke"),
    ("POST", "/admin/api/login-link"),
    ("POST", "/admin/api/counters"),
    ("GET", "/admin/api/doctor"),
    ("GET", "/admin/api/workers"),
    ("DELETE", "/admin/api/workers/gpu-1"),
    ("POST", "/admin/api/workers/gpu-1/drain"),
    ("POST", "/admin/api/workers/gpu-1/resume"),
    ("POST", "/admin/api/worker-tokens"),
    ("GET", "/admin/api/worker-tokens"),
    ("POST", "/admin/api/worker-tokens/1/revoke"),
    ("GET", "/admin/api/models"),
    ("POST", "/admin/api/models"),
    ("GET", "/admin/api/models/loras/ink.safetensors"),
    ("PUT", "/admin/api/models/loras/ink.safetensors"),
    ("DELETE", "/admin/api/models/loras/ink.safetensors"),
]


@dataclass
class Office:
    services: Services
    public: httpx.AsyncClient
    socket: httpx.AsyncClient

    async def key_of(self, name: str, role: Role) -> str:
        user = await self.services.accounts.create_user(NewUser(name=name, role=role))
        return (await self.services.accounts.create_key(user))[1]


@pytest.fixture
async def office(databases: Databases, tmp_path: Path) -> AsyncIterator[Office]:
    async with assemble(databases.config(tmp_path / "data"), public_url=ORIGIN) as assembly:
        public = httpx.ASGITransport(app=build_edge(assembly.services))
        socket = httpx.ASGITransport(app=build_edge(assembly.services, as_admin=True))
        async with (
            httpx.AsyncClient(transport=public, base_url=ORIGIN) as outside,
            httpx.AsyncClient(transport=socket, base_url="http://localhost") as inside,
        ):
            yield Office(assembly.services, outside, inside)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_stranger_may_not(office: Office, method: str, path: str) -> None:
    answer = await office.public.request(method, path)

    assert answer.status_code == 401
    assert set(answer.json()) >= {"code", "message"}


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_member_may_not(office: Office, method: str, path: str) -> None:
    key = await office.key_of("ada", Role.MEMBER)

    answer = await office.public.request(method, path, headers={"X-API-Key": key})

    assert answer.status_code == 403
    assert set(answer.json()) >= {"code", "message"}


async def test_an_admins_key_may(office: Office) -> None:
    key = await office.key_of("ada", Role.ADMIN)

    answer = await office.public.get("/admin/api/users", headers={"X-API-Key": key})

    assert [user["name"] for user in answer.json()["users"]] == ["ada"]


async def test_the_socket_acts_as_the_first_admin_also_where_there_was_none(office: Office) -> None:
    answer = await office.socket.get("/admin/api/users")

    assert [(user["name"], user["role"]) for user in answer.json()["users"]] == [("admin", "admin")]


async def test_a_user_is_created_as_told(office: Office) -> None:
    body = {"name": "ada", "weight": 2.5, "max_running": 3}
    answer = await office.socket.post("/admin/api/users", json=body)

    assert answer.status_code == 201
    told = {**body, "role": "member", "max_queued": None, "max_run_seconds": None, "keep_jobs": None, "keep_days": None}
    assert answer.json().items() >= told.items()


async def test_what_a_user_may_have_is_changed_and_the_rest_stays(office: Office) -> None:
    limits = {"max_running": 3, "max_queued": 4, "keep_jobs": 100, "keep_days": 0}
    created = (await office.socket.post("/admin/api/users", json={"name": "a.b@c", **limits})).json()

    changed = {"weight": 0.5, "max_running": None, "keep_jobs": 7, "keep_days": 30}
    answer = await office.socket.patch("/admin/api/users/a.b@c", json=changed)

    assert answer.status_code == 200
    assert answer.json() == {**created, **changed}
    assert (await office.socket.get("/admin/api/users")).json()["users"][-1] == answer.json()


@pytest.mark.parametrize(
    "changed",
    [
        {"keep_jobs": -1}, {"keep_days": 36501}, {"keep_jobs": 1 << 41}, {"max_running": 0}, {"weight": 0},
        {"weight": None}, {"keep_days": 1.5}, {"name": "bob"}, [],
    ],
)  # fmt: skip
async def test_a_change_that_makes_no_sense_is_refused_and_changes_nothing(office: Office, changed: Any) -> None:
    created = (await office.socket.post("/admin/api/users", json={"name": "ada"})).json()

    answer = await office.socket.patch("/admin/api/users/ada", json=changed)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert (await office.socket.get("/admin/api/users")).json()["users"][-1] == created


async def test_roles_change_and_the_last_admin_stays_one(office: Office) -> None:
    await office.socket.post("/admin/api/users", json={"name": "ada"})
    first = next(
        user for user in (await office.socket.get("/admin/api/users")).json()["users"] if user["role"] == "admin"
    )
    address = f"/admin/api/users/{first['name']}"

    refused = await office.socket.patch(address, json={"role": "member", "weight": 7})
    made = await office.socket.patch("/admin/api/users/ada", json={"role": "admin"})
    left = await office.socket.patch(address, json={"role": "member"})

    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "last admin" in refused.json()["message"]
    assert (made.json()["role"], left.json()["role"]) == ("admin", "member")
    assert left.json() == {**first, "role": "member"}
    assert (await office.socket.patch("/admin/api/users/ada", json={"role": "member"})).status_code == 409
    assert (await office.socket.patch("/admin/api/users/ada", json={"role": "king"})).status_code == 400


async def test_a_user_who_is_not_there_is_not_changed(office: Office) -> None:
    answer = await office.socket.patch("/admin/api/users/nobody", json={"keep_jobs": 1})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_key_is_shown_once_and_works(office: Office) -> None:
    await office.socket.post("/admin/api/users", json={"name": "ada"})
    created = (await office.socket.post("/admin/api/keys", json={"user": "ada", "label": "laptop"})).json()
    listed = await office.socket.get("/admin/api/keys", params={"user": "ada"})

    assert (await office.services.accounts.authenticate(created["key"])) is not None
    assert created["key"] not in listed.text
    assert [(key["user"], key["label"], key["prefix"]) for key in listed.json()["keys"]] == [
        ("ada", "laptop", created["prefix"])
    ]


async def test_a_revoked_key_does_not_work_any_more(office: Office) -> None:
    secret = await office.key_of("ada", Role.ADMIN)
    key_id = (await office.socket.get("/admin/api/keys")).json()["keys"][0]["id"]

    assert (await office.socket.post(f"/admin/api/keys/{key_id}/revoke")).json() == {"revoked": True}
    assert (await office.socket.post(f"/admin/api/keys/{key_id}/revoke")).json() == {"revoked": False}
    assert (await office.public.get("/admin/api/users", headers={"X-API-Key": secret})).status_code == 401


async def test_a_login_link_is_the_callers_or_of_who_is_named(office: Office) -> None:
    await office.socket.post("/admin/api/users", json={"name": "ada"})

    own = (await office.socket.post("/admin/api/login-link", json={})).json()
    adas = (await office.socket.post("/admin/api/login-link", json={"user": "ada"})).json()

    assert (own["user"], adas["user"]) == ("admin", "ada")
    assert adas["url"].startswith(f"{ORIGIN}/login/")
    assert await office.services.accounts.use_login_link(adas["url"].rpartition("/")[2]) is not None


async def test_an_invitation_is_shown_once_and_can_be_taken_back(office: Office) -> None:
    made = (await office.socket.post("/admin/api/invitations", json={"name": "grace", "role": "admin"})).json()
    assert made["url"].startswith(f"{ORIGIN}/invite/")
    (listed,) = (await office.socket.get("/admin/api/invitations")).json()["invitations"]
    assert (listed["id"], listed["name"], listed["role"], "url" in listed) == (made["id"], "grace", "admin", False)

    assert (await office.socket.delete(f"/admin/api/invitations/{made['id']}")).status_code == 204

    assert (await office.socket.get("/admin/api/invitations")).json() == {"invitations": []}
    assert (await office.socket.delete(f"/admin/api/invitations/{made['id']}")).status_code == 404


async def test_a_password_link_is_of_who_is_named(office: Office) -> None:
    await office.socket.post("/admin/api/users", json={"name": "ada"})
    made = (await office.socket.post("/admin/api/password-link", json={"user": "ada"})).json()

    assert made["url"].startswith(f"{ORIGIN}/password/")
    assert (await office.services.sign_ins.user_of_password_link(made["url"].rpartition("/")[2])).name == "ada"


async def test_the_doctor_says_how_the_server_is(office: Office) -> None:
    report = (await office.socket.get("/admin/api/doctor")).json()

    assert (report["store"], report["bus"], report["workers"], report["users"]) == ("", "", [], 1)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/admin/api/users", b"", 400),
        ("/admin/api/users", b"{", 400),
        ("/admin/api/users", b"\xff", 400),
        ("/admin/api/users", b"[]", 400),
        ("/admin/api/users", b'{"name": 5}', 400),
        ("/admin/api/users", b'{"name": "a/b"}', 400),
        ("/admin/api/users", b'{"name": "a", "role": "king"}', 400),
        ("/admin/api/users", b'{"name": "a", "weight": 0}', 400),
        ("/admin/api/users", b'{"name": "a", "heaviness": 1}', 400),
        ("/admin/api/users", b'{"name": "admin"}', 409),
        ("/admin/api/users", b" " * 100_000, 413),
        ("/admin/api/keys", b'{"user": "nobody"}', 404),
        ("/admin/api/keys", b'{"user": "admin", "label": "\\u001b"}', 400),
        ("/admin/api/keys/99/revoke", b"", 404),
        ("/admin/api/keys/x/revoke", b"", 404),
        ("/admin/api/login-link", b'{"user": "nobody"}', 404),
        ("/admin/api/password-link", b'{"user": "nobody"}', 404),
        ("/admin/api/password-link", b"{}", 400),
        ("/admin/api/invitations", b'{"name": "a b"}', 400),
        ("/admin/api/invitations", b'{"name": "admin"}', 400),
        ("/admin/api/invitations", b'{"weight": -1}', 400),
        ("/admin/api/invitations", b'{"role": "king"}', 400),
    ],
)
async def test_bad_input_is_refused_with_a_reason(office: Office, path: str, body: bytes, status: int) -> None:
    answer = await office.socket.post(path, content=body)

    assert answer.status_code == status
    refusal: dict[str, Any] = answer.json()
    assert refusal["message"]
    assert refusal["code"]


async def test_a_key_is_made_with_scopes_and_an_end_and_listed_so(office: Office) -> None:
    await office.key_of("ada", Role.MEMBER)
    body = {"user": "ada", "label": "ci", "scopes": ["read", "submit"], "expires_seconds": 86400}
    made = (await office.socket.post("/admin/api/keys", json=body)).json()

    assert made["scopes"] == ["read", "submit"]
    first, listed = (await office.socket.get("/admin/api/keys", params={"user": "ada"})).json()["keys"]
    assert (listed["scopes"], listed["expires_at"]) == (["read", "submit"], made["expires_at"])
    assert (first["scopes"], first["expires_at"]) == (["admin", "read", "submit"], None)


@pytest.mark.parametrize(
    "wrong", [{"scopes": []}, {"scopes": ["write"]}, {"expires_seconds": 0}, {"expires_seconds": 1e30}]
)
async def test_a_key_with_impossible_scopes_or_end_is_refused(office: Office, wrong: dict[str, Any]) -> None:
    await office.key_of("ada", Role.MEMBER)

    answer = await office.socket.post("/admin/api/keys", json={"user": "ada", **wrong})

    assert answer.status_code == 400


async def test_the_doctor_tells_of_clock_keys_limits_and_maintenance(office: Office) -> None:
    await office.key_of("ada", Role.MEMBER)
    await office.services.store.begin_maintenance("disks", office.services.clock())

    report = (await office.socket.get("/admin/api/doctor")).json()

    assert (report["maintenance"], report["endless_keys"], report["rate_limits"]) == ("disks", 1, [])
    assert abs(report["clock_skew_seconds"]) < 60
