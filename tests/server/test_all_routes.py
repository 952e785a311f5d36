"""One walk over every route there is: nobody gets in without a principal, and nobody sees what is another's."""

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
from fireside.domain.accounts import ALL_SCOPES, Role, Scope, User
from fireside.domain.ids import JobId
from fireside.server.edge import build_edge
from fireside.server.routes import Access, Refusal, Route
from fireside.server.services import Services
from fireside.server.tables import ROUTES, SOCKETS
from fireside.store.records import JobBody, NewJob

ORIGIN = "http://fireside.test"
PUBLIC = {
    # What the published contract calls public.
    "GET /api/experiment/models",
    "GET /api/experiment/models/{folder}",
    "GET /api/features",
    "GET /api/system_stats",
    "GET /api/workflow_templates",
    "GET /api/workflow_templates/{node_pack}/{file}",
    "GET /api/experiment/models/preview/{folder}/{path_index}/{filename:path}",
    "GET /api/global_subgraphs",
    "GET /api/global_subgraphs/{id}",
    "GET /experiment/models/preview/{folder}/{path_index}/{filename:path}",
    "GET /global_subgraphs",
    "GET /global_subgraphs/{id}",
    "GET /experiment/models",
    "GET /experiment/models/{folder}",
    "GET /features",
    "GET /system_stats",
    "GET /workflow_templates",
    "GET /workflow_templates/{node_pack}/{file}",
    # Pages that look for themselves who it is, and show nothing to nobody.
    "GET /",
    "GET /login",
    "POST /login",
    "GET /login/{token}",
    "POST /login/{token}",
    "GET /password/{token}",
    "POST /password/{token}",
    "GET /invite/{token}",
    "POST /invite/{token}",
    "GET /openid",
    "GET /openid/callback",
    "POST /logout",
    "GET /signed-out.js",
    "GET /account",
    "POST /account/password",
    "POST /account/keys",
    "POST /account/keys/{key_id}/revoke",
    "POST /account/connections/{key}/remove",
    "POST /account/sign-out",
    "GET /pages/{file}",
    "GET /favicon.svg",
    # The editor's files, which are the same for everybody.
    "GET /assets/{file:path}",
    "GET /fonts/{file:path}",
    "GET /cursor/{file:path}",
    "GET /scripts/{file:path}",
    "GET /materialdesignicons.min.css",
    "GET /user.css",
    "GET /other-user.js",
    "GET /dashboard",
    "GET /dashboard/cards",
    "GET /dashboard/everybody",
    "GET /dashboard/jobs/{job_id}",
    "GET /dashboard/jobs/{job_id}/files.zip",
    "GET /dashboard/jobs/{job_id}/picture",
    "GET /dashboard/jobs/{job_id}/workflow.json",
    "POST /dashboard/jobs/{job_id}/cancel",
    "POST /dashboard/jobs/{job_id}/rerun",
    "POST /dashboard/jobs/{job_id}/delete",
    "GET /dashboard/fleet",
    "GET /dashboard/models",
    "POST /dashboard/models",
    "POST /dashboard/models/remove",
    "GET /dashboard/usage",
    "GET /dashboard/system",
    "GET /dashboard/audit",
    "GET /dashboard/people",
    "GET /dashboard/people/{name}",
    "POST /dashboard/people/{name}",
    "POST /dashboard/people/{name}/password-link",
    "POST /dashboard/people/{name}/keys/{key_id}/revoke",
    "POST /dashboard/people/{name}/delete",
    "POST /dashboard/invitations",
    "POST /dashboard/invitations/{id}/take-back",
    "POST /dashboard/fleet/{name}/drain",
    "POST /dashboard/fleet/{name}/resume",
    "POST /dashboard/fleet/{name}/remove",
    "POST /dashboard/worker-tokens",
    "POST /dashboard/worker-tokens/{token_id}/revoke",
    # A signed link is its own credential.
    "GET /files/{token}",
    # Health, and the document of the API.
    "GET /health",
    "GET /healthz",
    "GET /readyz",
    "GET /openapi.json",
}
# An unknown class, setting or history is an empty answer, a new file is the caller's, folders are a short list, and
# hashes are no ids.
NAMES_OF_NOBODYS = re.compile(
    r".*/(object_info|settings|history)/.*|POST (/api)?/userdata/\{file:path\}|GET /internal/files/.*"
    r"|HEAD (/api)?/assets/hash/.*"
)


@dataclass
class House:
    services: Services
    http: httpx.AsyncClient

    async def newcomer(self, name: str, role: Role = Role.MEMBER) -> tuple[User, str]:
        user = await self.services.accounts.create_user(NewUser(name=name, role=role))
        return user, (await self.services.accounts.create_key(user))[1]


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[House]:
    async with assemble(databases.config(tmp_path / "data"), public_url=ORIGIN) as assembly:
        transport = httpx.ASGITransport(app=build_edge(assembly.services))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
            yield House(assembly.services, http)


def _named(route: Route) -> str:
    return f"{route.method} {route.path}"


def _path(route: Route, value: str) -> str:
    return re.sub(r"\{[^}]*\}", value, route.path)


def _refusal(answer: httpx.Response) -> dict[str, Any]:
    body = answer.json()
    return body["error"] if set(body) == {"error"} else body


OF_WORKERS = (Access.WORKER, Access.NEWCOMER)
CLOSED = [route for route in ROUTES if route.access is not Access.PUBLIC]
LOOKING = {"GET", "HEAD"}


def test_only_the_short_list_is_public() -> None:
    assert {_named(route) for route in ROUTES if route.access is Access.PUBLIC} == PUBLIC


def test_no_route_hides_another() -> None:
    named = [_named(route) for route in ROUTES]

    assert len(named) == len(set(named))
    assert len({route.name for route in ROUTES}) == len(named)
    assert len({route.path for route in SOCKETS}) == len(SOCKETS)


@pytest.mark.statement(1, 8)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": "fsk_" + "A" * 43},
        {"X-API-Key": ""},
        {"Authorization": "Bearer fsk_nonsense"},
        {"Authorization": "Bearer fsw_local-1.0000"},
        {"Authorization": "Basic YTpi"},
        {"Cookie": "fireside_session=" + "A" * 43},
    ],
    ids=["nothing", "an unknown key", "an empty key", "an unknown bearer", "a forged worker", "basic", "a cookie"],
)
async def test_nobody_gets_in_without_being_known(house: House, headers: dict[str, str]) -> None:
    for route in CLOSED:
        answer = await house.http.request(route.method, _path(route, str(uuid4())), headers=headers)

        assert answer.status_code == 401, _named(route)
        if route.method != "HEAD":
            assert {type(_refusal(answer)[name]) for name in ("code", "message")} == {str}, _named(route)


@pytest.mark.statement(2, 3)
async def test_a_key_opens_every_route_of_users_in_either_header(house: House) -> None:
    _, key = await house.newcomer("ada")
    for route in ROUTES:
        if route.access is Access.USER:
            for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
                answer = await house.http.request(route.method, _path(route, str(uuid4())), headers=headers)
                assert answer.status_code != 401, _named(route)


@pytest.mark.statement(8)
async def test_a_revoked_key_opens_nothing(house: House) -> None:
    user, key = await house.newcomer("ada")
    (known,) = await house.services.accounts.keys(user)
    await house.services.accounts.revoke_key(known.id)

    for route in CLOSED:
        answer = await house.http.request(route.method, _path(route, "x"), headers={"X-API-Key": key})
        assert answer.status_code == 401, _named(route)


async def test_a_key_in_the_address_opens_only_the_routes_that_say_so(house: House) -> None:
    _, key = await house.newcomer("ada", Role.ADMIN)
    for route in CLOSED:
        if not route.token_in_query and route.access not in OF_WORKERS:
            answer = await house.http.request(route.method, _path(route, "x"), params={"token": key})
            assert answer.status_code == 401, _named(route)


async def test_only_admins_administer_and_only_workers_work(house: House) -> None:
    _, member = await house.newcomer("ada")
    _, admin = await house.newcomer("root", Role.ADMIN)

    for route in ROUTES:
        path = _path(route, "1")
        if route.access is Access.ADMIN:
            assert (await _ask(house, route, path, member)).status_code == 403, _named(route)
        if route.access in OF_WORKERS:
            assert (await _ask(house, route, path, admin)).status_code == 401, _named(route)


@pytest.mark.statement(5)
async def test_what_is_anothers_is_not_there(house: House) -> None:
    ada, _ = await house.newcomer("ada")
    _, bobs_key = await house.newcomer("bob")
    job = await house.services.store.add_job(
        NewJob(id=JobId(uuid4()), user_id=ada.id, body=JobBody(graph=b"{}", extra_data=b"{}", outputs=())),
        utc_now(),
        max_queued=None,
    )
    with_ids = [route for route in ROUTES if route.access is Access.USER and "{" in route.path]
    with_ids = [route for route in with_ids if not NAMES_OF_NOBODYS.fullmatch(_named(route))]
    assert with_ids

    for route in with_ids:
        answer = await _ask(house, route, _path(route, str(job.id)), bobs_key)
        assert answer.status_code == 404, _named(route)
        if route.method != "HEAD":
            message = answer.text if route.refusal is Refusal.TEXT else _refusal(answer)["message"]
            assert str(ada.id) not in message.split(), _named(route)

    assert await house.services.store.job(job.id) == job


async def _ask(house: House, route: Route, path: str, key: str) -> httpx.Response:
    return await house.http.request(route.method, path, headers={"X-API-Key": key}, json={})


async def test_a_page_of_another_site_changes_nothing_with_our_cookie(house: House) -> None:
    user, _ = await house.newcomer("ada", Role.ADMIN)
    link = await house.services.accounts.login_link(user)
    cookie = await house.services.accounts.use_login_link(link)
    changing = [route for route in CLOSED if route.method not in LOOKING and route.access not in OF_WORKERS]
    assert changing

    for route in changing:
        answer = await house.http.request(
            route.method,
            _path(route, "x"),
            headers={
                "Cookie": f"fireside_session={cookie}",
                "Origin": "https://evil.test",
                "Sec-Fetch-Site": "cross-site",
            },
            content=b"{}",
        )
        assert answer.status_code == 403, _named(route)


async def test_an_unknown_path_and_method_are_refused_in_the_contracts_shape(house: House) -> None:
    nowhere = await house.http.get("/api/nowhere")
    wrong = await house.http.delete("/api/prompt")

    assert (nowhere.status_code, set(nowhere.json())) == (404, {"code", "message", "error"})
    assert wrong.status_code == 405
    assert set(wrong.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


@pytest.mark.statement(6)
async def test_a_slash_too_many_is_never_a_redirect(house: House) -> None:
    for route in ROUTES:
        if route.path != "/":
            answer = await house.http.request(route.method, f"{_path(route, 'x')}/")
            assert answer.status_code not in (301, 307, 308), _named(route)


LOOKS_BY_POST = {"POST /api/workflows/convert"}


def test_every_route_says_what_a_key_must_have() -> None:
    for route in ROUTES:
        if route.access in (Access.ADMIN, Access.METRICS):
            assert route.scope is Scope.ADMIN, _named(route)
        elif route.access is Access.USER:
            looks = route.method in LOOKING or _named(route) in LOOKS_BY_POST
            assert route.scope is (Scope.READ if looks else Scope.SUBMIT), _named(route)
        elif route.tag == "pages" and route.refusal is Refusal.PAGE:
            assert route.scope is not None, _named(route)


@pytest.mark.parametrize("scope", Scope)
async def test_a_key_opens_only_what_its_scope_is_for(house: House, scope: Scope) -> None:
    root, _ = await house.newcomer("root", Role.ADMIN)
    _, key = await house.services.accounts.create_key(root, scopes=ALL_SCOPES - {scope})
    closed_to_it = [route for route in ROUTES if route.scope is scope]
    assert closed_to_it

    for route in closed_to_it:
        answer = await _ask(house, route, _path(route, "1"), key)
        assert answer.status_code == 403, _named(route)
        challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
        assert answer.headers["www-authenticate"] == challenge, _named(route)
        if route.method != "HEAD":
            said = answer.text if route.refusal is Refusal.TEXT else _refusal(answer)["message"]
            assert f"the scope `{scope}`" in said, _named(route)


async def test_a_key_of_one_scope_opens_what_that_is_for(house: House) -> None:
    root, _ = await house.newcomer("root", Role.ADMIN)
    for scope, method, path in (
        (Scope.READ, "GET", "/api/jobs"),
        (Scope.SUBMIT, "POST", "/api/queue/pause"),
        (Scope.ADMIN, "GET", "/admin/api/keys"),
    ):
        _, key = await house.services.accounts.create_key(root, scopes=frozenset({scope}))
        answer = await house.http.request(method, path, headers={"X-API-Key": key}, json={})
        assert answer.status_code == 200, answer.text
