"""How often a user and an address may ask: counted over all servers, refused in every dialect, told in headers."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.databases import Databases

from fireside.accounts.accounts import NewUser
from fireside.app import Assembly, assemble
from fireside.bus.subjects import rate_counts
from fireside.config import Config
from fireside.domain.accounts import Role
from fireside.domain.errors import RateLimited
from fireside.server.edge import build_edge
from fireside.server.rates import Counted, Rates, Windows
from fireside.server.tables import ROUTES

# Requests are counted in memory.
pytestmark = pytest.mark.once

ORIGIN = "http://fireside.test"
HERE = "203.0.113.9"
LIMITS = {"rate_limit_user": "6/hour", "rate_limit_changes": "2/hour", "rate_limit_address": "12/hour"}


@dataclass
class Hall:
    assembly: Assembly

    def open(self, key: str = "", address: str = HERE, *, as_admin: bool = False) -> httpx.AsyncClient:
        app = build_edge(self.assembly.services, as_admin=as_admin)
        headers = {"X-API-Key": key} if key else {}
        transport = httpx.ASGITransport(app=app, client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)

    async def key_of(self, name: str) -> str:
        accounts = self.assembly.services.accounts
        return (await accounts.create_key(await accounts.create_user(NewUser(name=name, role=Role.ADMIN))))[1]


@pytest.fixture
async def hall(databases: Databases, tmp_path: Path) -> AsyncIterator[Hall]:
    config = msgspec.structs.replace(databases.config(tmp_path / "data"), **LIMITS)
    async with assemble(config, public_url=ORIGIN) as assembly:
        yield Hall(assembly)


async def test_what_is_left_stands_in_the_headers_until_nothing_is(hall: Hall) -> None:
    async with hall.open(await hall.key_of("ada")) as http:
        answers = [await http.get("/api/jobs") for _ in range(7)]

    assert [answer.status_code for answer in answers] == [200] * 6 + [429]
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == [
        f"r={n}" for n in (5, 4, 3, 2, 1, 0, 0)
    ]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"user";q=6;w=3600'}
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3600


async def test_users_are_counted_apart(hall: Hall) -> None:
    ada, bob = await hall.key_of("ada"), await hall.key_of("bob")
    async with hall.open(ada) as http:
        for _ in range(6):
            await http.get("/api/jobs")
        assert (await http.get("/api/jobs")).status_code == 429
    async with hall.open(bob, "203.0.113.10") as http:
        assert (await http.get("/api/jobs")).status_code == 200


async def test_changes_have_a_limit_of_their_own_and_each_dialect_its_shape(hall: Hall) -> None:
    async with hall.open(await hall.key_of("ada")) as http:
        for _ in range(2):
            assert (await http.post("/api/queue/pause", json={})).status_code == 200
        enveloped = await http.post("/api/v2/jobs", json={})
        plain = await http.post("/api/prompt", json={})
        assert (await http.get("/api/jobs")).status_code == 200

    assert (enveloped.status_code, enveloped.json()["error"]["code"]) == (429, "rate_limited")
    assert (plain.status_code, plain.json()["code"]) == (429, "rate_limited")
    assert "change something" in plain.json()["error"]["message"]
    assert plain.headers["ratelimit"].startswith('"changes";r=0;t=')


async def test_an_address_is_counted_before_it_is_looked_who_asks(hall: Hall) -> None:
    async with hall.open("fsk_" + "A" * 43) as http:
        statuses = [(await http.get("/api/jobs")).status_code for _ in range(13)]
    async with hall.open("fsk_" + "A" * 43, "203.0.113.10") as http:
        elsewhere = (await http.get("/api/jobs")).status_code

    assert statuses == [401] * 12 + [429]
    assert elsewhere == 401


async def test_a_household_of_ipv6_is_one_address(hall: Hall) -> None:
    for number in range(12):
        async with hall.open(address=f"2001:db8::{number:x}") as http:
            assert (await http.get("/api/features")).status_code == 200
    async with hall.open(address="2001:db8::ffff") as http:
        assert (await http.get("/api/features")).status_code == 429


async def test_probes_the_admin_socket_and_workers_are_not_counted(hall: Hall) -> None:
    async with hall.open() as http, hall.open(as_admin=True) as socket:
        probes = {(await http.get("/healthz")).status_code for _ in range(20)}
        socket_answers = {(await socket.get("/admin/api/users")).status_code for _ in range(20)}

    assert (probes, socket_answers) == ({200}, {200})
    assert not any(route.is_rated for route in ROUTES if route.path.startswith("/fleet/"))


async def test_without_settings_nothing_is_counted(databases: Databases, tmp_path: Path) -> None:
    async with assemble(databases.config(tmp_path / "data"), public_url=ORIGIN) as assembly:
        hall = Hall(assembly)
        async with hall.open(await hall.key_of("ada")) as http:
            answer = await http.get("/api/jobs")

    assert "ratelimit" not in answer.headers


class Hearing(Rates):
    """Rates that say when they have heard of another server."""

    heard: asyncio.Event

    async def take(self, subject: str, payload: bytes) -> None:
        await super().take(subject, payload)
        self.heard.set()


async def test_what_another_server_counts_is_counted_here(hall: Hall) -> None:
    services = hall.assembly.services
    here = Hearing(services.config, services.bus, time.time)
    there = Rates(services.config, services.bus, time.time)
    here.heard = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(here.stop)
        await here.start()
        odd = Counted(server="x", counts=[("no", 0, "7", 9), ("user", 9, "7", 9), ("user", 0, "7", -9)])
        await services.bus.publish(rate_counts(), msgspec.json.encode(odd))
        await services.bus.publish(rate_counts(), b"nonsense")
        for _ in range(4):
            there.count_user(7, is_change=False)
        while here.left("user", "7") != 2:
            here.heard.clear()
            await there.tell()
            async with asyncio.timeout(60):
                await here.heard.wait()

        here.count_user(7, is_change=False)
        here.count_user(7, is_change=False)
        with pytest.raises(RateLimited):
            here.count_user(7, is_change=False)


def test_a_window_ends_and_the_count_begins_anew() -> None:
    now = [100.0]
    windows = Windows(lambda: now[0])
    assert [windows.incr("a", 60), windows.incr("a", 60)] == [1, 2]

    now[0] += 59
    assert (windows.get("a"), windows.get_expiry("a")) == (2, 160.0)
    now[0] += 1
    assert (windows.get("a"), windows.incr("a", 60)) == (0, 1)
    now[0] += 60
    windows.forget_ended()
    assert windows.get_expiry("a") == now[0]


@pytest.mark.parametrize("text", ["10", "0/minute", "10/minutes", "10 per minute", "10/minute;", "-1/second"])
def test_a_limit_that_cannot_be_read_is_a_mistake_in_the_settings(text: str, config_of: Callable[..., Config]) -> None:
    with pytest.raises(msgspec.ValidationError):
        config_of(rate_limit_user=text)


@pytest.fixture
def config_of() -> Callable[..., Config]:
    return lambda **settings: msgspec.convert(settings, Config)
