"""Who may open the websocket, how many of them, and for how long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from starlette.applications import Starlette
from tests.databases import Databases
from tests.events.stage import DEADLINE_SECONDS, Stage
from tests.server.v1.sockets import Ear, Site, open_site
from websockets.exceptions import InvalidStatus

from fireside.accounts.tokens import SESSION_COOKIE
from fireside.app import assemble
from fireside.domain.accounts import User
from fireside.server.edge import _routes, build_edge
from fireside.server.routes import SocketRoute
from fireside.server.v1.socket import watching

ORIGIN = "http://fireside.test"
_LOOK_SECONDS = 0.05


@pytest.fixture
async def stage(databases: Databases, tmp_path: Path) -> AsyncIterator[Stage]:
    config = databases.config(tmp_path / "data", max_sockets_per_user=2)
    async with assemble(config, public_url=ORIGIN) as assembly, AsyncExitStack() as doors:
        yield Stage(assembly=assembly, doors=doors)


@pytest.fixture
async def site(stage: Stage) -> AsyncIterator[Site]:
    async with open_site(stage, build_edge(stage.services)) as site:
        yield site


@pytest.fixture
async def watchful_site(stage: Stage) -> AsyncIterator[Site]:
    """A server that looks twenty times a second whether callers may still listen."""
    route = SocketRoute(path="/ws", handler=watching(look_seconds=_LOOK_SECONDS), name="watchJobs")
    app = Starlette(routes=_routes((), (route,), as_admin=False))
    app.state.services = stage.services
    async with open_site(stage, app) as site:
        yield site


@pytest.fixture
async def ann(stage: Stage) -> User:
    return await stage.user("ann")


async def sign_in(stage: Stage, user: User) -> dict[str, str]:
    """The headers of a browser that is signed in."""
    cookie = await stage.services.accounts.use_login_link(await stage.services.accounts.login_link(user))
    return {"Cookie": f"{SESSION_COOKIE}={cookie}"}


@pytest.mark.statement(113)
@pytest.mark.parametrize("how", ["token", "x-api-key", "authorization"])
async def test_a_key_opens_it_in_three_ways(site: Site, ann: User, how: str) -> None:
    _, key = await site.stage.key(ann)
    headers = {"x-api-key": {"X-API-Key": key}, "authorization": {"Authorization": f"Bearer {key}"}}.get(how)
    ear = await (site.knock(headers=headers) if headers else site.knock(token=key))

    assert isinstance(await ear.next(), dict)


@pytest.mark.statement(113)
@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ({}, {}),
        ({"token": "fs_unknown"}, {}),
        ({"token": ""}, {}),
        ({}, {"X-API-Key": "nonsense"}),
        ({}, {"Cookie": f"{SESSION_COOKIE}=nonsense"}),
    ],
)
async def test_nobody_in_particular_is_refused_before_the_upgrade(
    site: Site, query: dict[str, str], headers: dict[str, str]
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await site.knock(headers=headers, **query)

    assert refused.value.response.status_code == 401
    assert b"unauthenticated" in (refused.value.response.body or b"")


async def test_a_revoked_key_opens_nothing(site: Site, ann: User) -> None:
    number, key = await site.stage.key(ann)
    await site.stage.services.accounts.revoke_key(number)

    with pytest.raises(InvalidStatus) as refused:
        await site.knock(token=key)

    assert refused.value.response.status_code == 401


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_another_sites_page_cannot_use_a_browsers_session(site: Site, ann: User, headers: dict[str, str]) -> None:
    session = await sign_in(site.stage, ann)

    with pytest.raises(InvalidStatus) as refused:
        await site.knock(headers=session | headers)

    assert refused.value.response.status_code == 403


async def test_our_own_page_can(site: Site, ann: User) -> None:
    own = {"Origin": f"http://127.0.0.1:{site.port}", "Sec-Fetch-Site": "same-origin"}
    ear = await site.knock(headers=await sign_in(site.stage, ann) | own)

    assert isinstance(await ear.next(), dict)


async def _sid(ear: Ear) -> str:
    return (await ear.until_type("status"))["data"]["sid"]


async def test_a_tabs_id_stays_its_users(site: Site, ann: User) -> None:
    anns = await sign_in(site.stage, ann)
    first = await _sid(await site.knock(headers=anns))
    bobs = await sign_in(site.stage, await site.stage.user("bob"))

    again = await _sid(await site.knock(headers=anns, clientId=first))
    other = await _sid(await site.knock(headers=bobs, clientId=first))
    made_up = await _sid(await site.knock(headers=bobs, clientId="x" * 48))

    assert again == first
    assert len({first, other, made_up}) == 3


async def test_one_more_than_a_user_may_have_is_told_when_to_come_back(site: Site, ann: User) -> None:
    first, _ = await site.ear(ann), await site.ear(ann)
    await site.ear(await site.stage.user("bob"))

    with pytest.raises(InvalidStatus) as refused:
        await site.ear(ann)

    assert refused.value.response.status_code == 429
    assert int(refused.value.response.headers["Retry-After"]) > 0
    await first.connection.close()
    await _open_again(site, ann)


async def _open_again(site: Site, user: User) -> Ear:
    """Open a socket as soon as the server has noticed that another one has closed."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                return await site.ear(user)
            except InvalidStatus:
                await asyncio.sleep(0)


async def test_a_socket_outlives_the_look_but_not_its_key(watchful_site: Site, ann: User) -> None:
    stage = watchful_site.stage
    (number, key), (_, other) = await stage.key(ann), await stage.key(ann)
    revoked, kept = await watchful_site.knock(token=key), await watchful_site.knock(token=other)
    await stage.services.accounts.revoke_key(number)

    assert await revoked.until_closed() == 1008

    await stage.submit(ann)
    await kept.until(lambda text: text["data"]["status"]["exec_info"]["queue_remaining"] == 1)


async def test_signing_out_closes_the_sockets_of_the_session(watchful_site: Site, ann: User) -> None:
    session = await sign_in(watchful_site.stage, ann)
    ear = await watchful_site.knock(headers=session)
    await watchful_site.stage.services.accounts.end_session(session["Cookie"].partition("=")[2])

    assert await ear.until_closed() == 1008


async def test_a_server_that_stops_says_that_it_goes(site: Site, ann: User) -> None:
    ears = [await site.ear(ann), await site.ear(await site.stage.user("bob"))]

    await site.stage.services.hub.close()

    assert [await ear.until_closed() for ear in ears] == [1001, 1001]
    with pytest.raises(InvalidStatus) as refused:
        await site.ear(ann)
    assert refused.value.response.status_code == 503
