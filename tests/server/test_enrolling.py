"""Workers of other machines at the door: joining, taking their place, and the way to the bus."""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from tests.databases import Databases
from tests.jobs.workshop import DEADLINE_SECONDS, Workshop, open_workshop, until

from fireside.bus.authority import BusCredentials, inbox_of
from fireside.bus.client import Bus
from fireside.bus.errors import BusDisconnected
from fireside.bus.subjects import presence, reports, work
from fireside.client.fleet import FleetClient
from fireside.domain.ids import WorkerId
from fireside.server import enrolling
from fireside.server.fleet_watch import FleetWatch
from fireside.server.listening import Doors
from fireside.wire.fleet import PROTOCOL
from fireside.worker.home import Identity
from fireside.worker.standing import Standing

KEY_SECONDS = 3
# nats-py gives aiohttp a span of time in a form that aiohttp would rather not have.
pytestmark = pytest.mark.filterwarnings("ignore:parameter 'timeout' of type 'float':DeprecationWarning")


@dataclass(kw_only=True)
class Gate:
    """A server's port, and whoever stands before it."""

    shop: Workshop
    url: str
    http: httpx.AsyncClient
    buses: list[Bus]

    async def token(self, *, is_reusable: bool = False) -> str:
        enrollments = self.shop.services.enrollments
        _, token = await enrollments.create_token(label="", is_reusable=is_reusable, works_for=enrollments.usual_span)
        return token

    async def enroll(self, token: str, **more: Any) -> httpx.Response:
        body = {"secret": new_secret(), "protocol": PROTOCOL, "version": "0.1", "hostname": "box"} | more
        return await self.http.post("/fleet/enroll", json=body, headers=bearer(token))

    async def worker(self, name: str) -> str:
        """Let a worker in, and give its secret."""
        secret = new_secret()
        answer = await self.enroll(await self.token(), name=name, secret=secret)
        assert (answer.status_code, answer.json()) == (201, {"worker_id": name})
        return secret

    async def boot(self, secret: str, boot_id: str = "boot-1", protocol: int = PROTOCOL, **more: Any) -> httpx.Response:
        body = {"boot_id": boot_id, "protocol": protocol, "version": "0.1"} | more
        return await self.http.put("/fleet/boot", json=body, headers=bearer(secret))

    async def connect(
        self, secret: str, name: str, *, credentials: BusCredentials | None = None, within_seconds: float = 60
    ) -> Bus:
        """Get on the bus by the server's own port."""
        if credentials is None:
            booted = (await self.boot(secret)).raise_for_status().json()
            credentials = BusCredentials(jwt=booted["bus_jwt"], seed=booted["bus_seed"])
        bus = await Bus.connect(
            [f"{self.url.replace('http', 'ws', 1)}/bus"], credentials, name=name, inbox_prefix=inbox_of(name),
            headers=bearer(secret), within_seconds=within_seconds,
        )  # fmt: skip
        self.buses.append(bus)
        return bus

    async def is_turned_away(self, word: str, secret: str, **more: Any) -> None:
        """Try to get on the bus as gpu-1 until the answer has this word; an answer may take longer than a try."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                with pytest.raises(BusDisconnected) as refused:
                    await self.connect(secret, "gpu-1", within_seconds=1, **more)
                if word in str(refused.value):
                    return


def jwt_claims(jwt: str) -> dict[str, Any]:
    body = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def new_secret() -> str:
    return "fsw_" + secrets.token_urlsafe(32)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def echo(subject: str, payload: bytes) -> bytes:
    return payload


@pytest.fixture
async def gate(databases: Databases, tmp_path: Path) -> AsyncIterator[Gate]:
    config = databases.config(tmp_path / "data", port=0, max_join_failures=3, worker_bus_hours=KEY_SECONDS / 3600)
    async with open_workshop(config) as shop:
        doors, watch = Doors(config), FleetWatch(shop.services)
        await doors.open(shop.services)
        await watch.start()
        async with httpx.AsyncClient(base_url=doors.own_url) as http:
            gate = Gate(shop=shop, url=doors.own_url, http=http, buses=[])
            yield gate
            for bus in gate.buses:
                await bus.close()
        await watch.stop()
        await doors.close()


async def test_a_worker_joins_and_reaches_the_bus_by_the_servers_port_alone(gate: Gate) -> None:
    secret = await gate.worker("gpu-1")

    bus = await gate.connect(secret, "gpu-1")
    await bus.subscribe(work(WorkerId("gpu-1")), echo)
    server = gate.shop.services.bus

    large = bytes(1_000_000)
    assert await server.request(work(WorkerId("gpu-1")), large, timeout=30) == large


async def test_a_message_as_large_as_the_bus_takes_gets_through_and_the_way_stays_open(gate: Gate) -> None:
    bus = await gate.connect(await gate.worker("gpu-1"), "gpu-1")
    heard: asyncio.Queue[int] = asyncio.Queue()

    async def hear(subject: str, payload: bytes) -> None:
        heard.put_nowait(len(payload))

    await gate.shop.services.bus.subscribe(presence(WorkerId("gpu-1")), hear)
    changes: list[bool] = []
    bus.on_change(changes.append)
    await bus.publish(presence(WorkerId("gpu-1")), bytes(1024 * 1024))

    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await heard.get() == 1024 * 1024
    assert changes == []


@pytest.mark.parametrize("token", ["", "fsw_" + "a" * 43, "fsj_" + "a" * 43, "fsw_local-1.00", "fsk_x"])
async def test_nothing_of_a_stranger_reaches_the_bus(gate: Gate, token: str) -> None:
    opened = gate.shop.services.passages
    credentials = gate.shop.assembly.authority.worker_credentials(WorkerId("gpu-1"))

    await gate.is_turned_away("401", token, credentials=credentials)

    assert opened.count(WorkerId("gpu-1")) == 0


async def test_a_worker_that_comes_by_the_port_says_and_hears_only_what_is_its_own(gate: Gate) -> None:
    one, two = WorkerId("gpu-1"), WorkerId("gpu-2")
    bus = await gate.connect(await gate.worker("gpu-1"), "gpu-1")
    await gate.worker("gpu-2")
    server = gate.shop.services.bus
    said: list[str] = []
    overheard: list[str] = []

    async def hear(subject: str, payload: bytes) -> None:
        said.append(subject)

    async def overhear(subject: str, payload: bytes) -> None:
        overheard.append(subject)

    await server.subscribe(">", hear)
    for subject in (work(two), presence(two), "live.>", ">", f"{inbox_of('server')}.>"):
        await bus.subscribe(subject, overhear)
    for subject in (presence(two), reports(two), work(two), "dispatch.wake", "fleet.changed", presence(one)):
        await bus.publish(subject, b"?")
    await bus.flush()
    for subject in (work(two), "live.1.2.gpu-2", f"{inbox_of('server')}.a"):
        await server.publish(subject, b"secret")
    await server.flush()
    await bus.flush()

    mine = {subject for subject in said if subject.startswith(("presence", "reports", "dispatch", "fleet"))}
    assert mine == {presence(one)}
    assert overheard == []


async def test_credentials_for_the_bus_are_of_no_use_under_another_workers_token(gate: Gate) -> None:
    one, two = await gate.worker("gpu-1"), await gate.worker("gpu-2")
    booted = (await gate.boot(one)).json()
    stolen = BusCredentials(jwt=booted["bus_jwt"], seed="SU" + booted["bus_seed"][2:])

    bus = await gate.connect(two, "gpu-2")

    assert bus.is_connected
    await gate.is_turned_away("401", new_secret(), credentials=stolen)


async def test_a_worker_that_is_removed_is_thrown_out_at_once_and_stays_outside(gate: Gate) -> None:
    secret = await gate.worker("gpu-1")
    bus = await gate.connect(secret, "gpu-1")
    gone = asyncio.Event()
    bus.on_change(lambda connected: None if connected else gone.set())
    booted = (await gate.boot(secret)).json()
    root = await gate.shop.services.accounts.first_admin()
    _, key = await gate.shop.services.accounts.create_key(root)

    removed = await gate.http.delete("/admin/api/workers/gpu-1", headers={"X-API-Key": key})

    assert removed.status_code == 204
    async with asyncio.timeout(60):
        await gone.wait()
    assert (await gate.boot(secret)).status_code == 401
    assert (await gate.http.head(f"/fleet/blobs/{'0' * 64}", headers=bearer(secret))).status_code == 401
    credentials = BusCredentials(jwt=booted["bus_jwt"], seed=booted["bus_seed"])
    await gate.is_turned_away("401", secret, credentials=credentials)
    await not_let_in(gate.shop.assembly.bus_url, credentials)
    assert (await gate.http.delete("/admin/api/workers/gpu-1", headers={"X-API-Key": key})).status_code == 404


async def not_let_in(url: str, credentials: BusCredentials) -> None:
    """Try the bus's own port, which is on this machine, until the bus has heard of it."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                bus = await Bus.connect(
                    [url], credentials, name="gpu-1", inbox_prefix=inbox_of("gpu-1"), within_seconds=1
                )
            except BusDisconnected:
                return
            await bus.close()


async def test_a_removal_at_another_server_closes_what_is_open_here(gate: Gate) -> None:
    secret = await gate.worker("gpu-1")
    await gate.connect(secret, "gpu-1")
    passages, store = gate.shop.services.passages, gate.shop.services.store
    assert passages.count(WorkerId("gpu-1")) == 1

    await store.remove_worker(WorkerId("gpu-1"), gate.shop.clock())
    await gate.shop.services.bus.publish("fleet.changed", b"")

    await until(lambda: passages.count(WorkerId("gpu-1")) == 0)


async def test_a_worker_has_few_ways_open_the_newest_of_them(gate: Gate) -> None:
    secret = await gate.worker("gpu-1")
    passages = gate.shop.services.passages

    for _ in range(7):
        await gate.connect(secret, "gpu-1")

    await until(lambda: passages.count(WorkerId("gpu-1")) <= 4)


async def test_while_the_bus_is_away_a_worker_is_told_to_try_again(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = await gate.worker("gpu-1")
    services = gate.shop.services
    monkeypatch.setattr(services.passages, "_urls", ["nats://127.0.0.1:1"])

    await gate.is_turned_away("503", secret)


async def test_a_join_token_for_one_lets_one_in(gate: Gate) -> None:
    token = await gate.token()

    first, second = await gate.enroll(token), await gate.enroll(token)

    assert (first.status_code, second.status_code) == (201, 403)
    assert second.json()["code"] == "join_token_used"
    assert "worker-token create" in second.json()["message"]


async def test_a_reusable_one_lets_many_in_under_names_of_their_own(gate: Gate) -> None:
    token = await gate.token(is_reusable=True)

    names = [(await gate.enroll(token)).json()["worker_id"] for _ in range(3)]

    assert names == ["box", "box-2", "box-3"]


async def test_a_transient_worker_says_so_when_it_joins(gate: Gate) -> None:
    token = await gate.token(is_reusable=True)
    for name, is_transient in (("pod", True), ("box", False)):
        await gate.enroll(token, name=name, is_transient=is_transient)

    joined = await gate.shop.store.enrollments()

    assert [(one.worker_id, one.is_transient) for one in joined] == [("box", False), ("pod", True)]


async def test_whoever_guesses_join_tokens_has_to_wait_and_is_then_not_even_asked(gate: Gate) -> None:
    token = await gate.token()
    wrong = [(await gate.enroll("fsj_" + "a" * 43)).status_code for _ in range(4)]

    answer = await gate.enroll(token)

    assert wrong == [401, 401, 401, 429]
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"protocol": PROTOCOL + 1}, 409, "wrong_protocol"),
        ({"protocol": 0}, 409, "wrong_protocol"),
        ({"name": "server"}, 400, "bad_request"),
        ({"name": "local-1"}, 400, "bad_request"),
        ({"secret": "guessable"}, 400, "bad_request"),
        ({"protocol": "one"}, 400, "bad_request"),
        ({"hostname": 5}, 400, "bad_request"),
        ({"hostname": "x" * 70_000}, 413, "too_large"),
        ({"name": "nul\0"}, 400, "bad_request"),
    ],
)
async def test_a_newcomer_that_makes_no_sense_is_refused_and_costs_no_token(
    gate: Gate, body: dict[str, Any], status: int, code: str
) -> None:
    token = await gate.token()

    refused = await gate.enroll(token, **body)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await gate.enroll(token)).status_code == 201


async def test_a_second_process_of_a_worker_is_refused_while_the_first_answers(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await gate.worker("gpu-1")
    bus = await gate.connect(secret, "gpu-1")
    silent = False

    async def answer(subject: str, payload: bytes) -> bytes | None:
        return None if silent else b""

    await bus.subscribe(work(WorkerId("gpu-1")), answer)
    refused = await gate.boot(secret, "boot-2")
    silent = True
    monkeypatch.setattr(enrolling, "_ANSWER_SECONDS", 0.5)
    accepted = await gate.boot(secret, "boot-2")

    assert (refused.status_code, refused.json()["code"]) == (409, "worker_is_there")
    assert "Another process" in refused.json()["message"]
    assert accepted.status_code == 200


async def test_a_worker_that_died_is_replaced_at_once(gate: Gate) -> None:
    secret = await gate.worker("gpu-1")
    bus = await gate.connect(secret, "gpu-1")
    await bus.close()

    assert (await gate.boot(secret, "boot-2")).status_code == 200


async def test_a_worker_that_says_so_has_a_key_that_ends_and_others_do_not(gate: Gate) -> None:
    old, new = await gate.worker("gpu-1"), await gate.worker("gpu-2")

    given = [(await gate.boot(old)).json(), (await gate.boot(new, renews=True)).json()]

    assert [one["bus_seconds"] for one in given] == [None, KEY_SECONDS]
    assert [one.key_ends_at is None for one in await gate.shop.store.enrollments()] == [True, False]
    claims = jwt_claims(given[1]["bus_jwt"])
    assert claims["exp"] - claims["iat"] in (KEY_SECONDS - 1, KEY_SECONDS)
    assert "exp" not in jwt_claims(given[0]["bus_jwt"])


async def test_a_worker_gets_its_next_key_in_time_and_is_not_sent_away(gate: Gate) -> None:
    secret = await gate.worker("gpu-1")
    identity = Identity(server_url=gate.url, secret=secret, worker_id="gpu-1")
    client, stopped = FleetClient(gate.url, secret), asyncio.Event()
    standing = Standing(identity, client)
    with capture_logs() as lines:
        bus = await standing.get_on_the_bus(await standing.boot(stopped), stopped)
        gate.buses.append(bus)
        changes: list[bool] = []
        bus.on_change(changes.append)
        watching = asyncio.create_task(standing.watch(bus))

        await until(lambda: len(changes) >= 4)

        assert changes[:4] == [False, True, False, True]
        assert not [line for line in lines if "expired" in str(line)]
        await gate.shop.store.remove_worker(WorkerId("gpu-1"), gate.shop.clock())
        assert "none of ours" in await watching
    await client.close()


async def test_a_worker_of_another_age_does_not_get_on_the_bus(gate: Gate) -> None:
    secret = await gate.worker("gpu-1")

    refused = await gate.boot(secret, protocol=PROTOCOL + 1)

    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_protocol")


async def test_a_servers_own_worker_has_a_ticket_and_does_not_boot(gate: Gate) -> None:
    token = gate.shop.services.keys.worker_token(WorkerId("local-1"))

    assert (await gate.boot(token)).status_code == 409


async def test_no_credential_is_logged(gate: Gate) -> None:
    token = await gate.token()
    with capture_logs() as logs:
        secret = new_secret()
        await gate.enroll(token, secret=secret)
        await gate.enroll(token)
        await gate.boot(secret)
        await gate.is_turned_away("401", new_secret(), credentials=BusCredentials(jwt="", seed=""))

    told = str(logs)
    assert token not in told
    assert secret not in told
