"""The bus as an operator's cluster: three servers that speak TLS only, as processes of their own."""

import asyncio
import base64
import signal
import ssl
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import nkeys
import pytest
from tests.faults.bus_cluster import Authority, BusCluster

from fireside.bus.authority import BusAuthority, inbox_of
from fireside.bus.client import Bus
from fireside.bus.errors import BadAccountSeed, BusDisconnected
from fireside.bus.gateway import open_passage
from fireside.bus.server import NatsServer
from fireside.bus.subjects import presence
from fireside.bus.tls import bus_urls, read_tls, tls_of
from fireside.config import Config, ConfigError
from fireside.domain.ids import WorkerId

AUTHORITY = BusAuthority.from_secret(bytes(range(32)))
WORKER = WorkerId("worker-1")
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def whole_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BusCluster]:
    cluster = BusCluster(tmp_path_factory.mktemp("cluster"), AUTHORITY)
    cluster.start()
    yield cluster
    cluster.close()


@pytest.fixture
def cluster(whole_cluster: BusCluster) -> BusCluster:
    whole_cluster.start()
    return whole_cluster


def trusting(cluster: BusCluster) -> ssl.SSLContext | None:
    return tls_of(Config(nats_url=cluster.url, nats_ca=str(cluster.ca)))


async def server_on(cluster: BusCluster, *urls: str) -> Bus:
    return await Bus.connect(
        urls or bus_urls(cluster.url),
        AUTHORITY.server_credentials(),
        name="server",
        inbox_prefix="_INBOX_server",
        tls=trusting(cluster),
    )


async def worker_on(cluster: BusCluster, url: str) -> Bus:
    credentials = AUTHORITY.worker_credentials(WORKER)
    return await Bus.connect([url], credentials, name=WORKER, inbox_prefix=inbox_of(WORKER), tls=trusting(cluster))


async def test_what_is_said_at_one_server_is_heard_at_another_also_when_a_third_was_killed(cluster: BusCluster) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def hear(subject: str, payload: bytes) -> None:
        heard.put_nowait(payload)

    server, worker = await server_on(cluster, cluster.nodes[0].url), await worker_on(cluster, cluster.nodes[1].url)
    try:
        assert server.is_cluster
        await server.subscribe(presence(WORKER), hear)
        is_back = asyncio.Event()
        server.on_change(lambda connected: is_back.set() if connected else is_back.clear())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await said_until_heard(worker, heard, b"before")
            # It was told of one server alone, and goes to one of the others now.
            cluster.nodes[0].kill()
            await is_back.wait()
            await said_until_heard(worker, heard, b"after")
    finally:
        await server.close()
        await worker.close()


async def said_until_heard(worker: Bus, heard: "asyncio.Queue[bytes]", word: bytes) -> None:
    """Say it as workers say that they are there, again and again: servers learn of a subscription a moment later."""
    while word not in [heard.get_nowait() for _ in range(heard.qsize())]:
        await worker.publish(presence(WORKER), word)
        await worker.flush()
        await asyncio.sleep(0)


async def test_a_server_that_stands_still_is_left_for_another(cluster: BusCluster) -> None:
    bus = await server_on(cluster, cluster.nodes[2].url)
    is_back = asyncio.Event()
    bus.on_change(lambda connected: is_back.set() if connected else None)
    cluster.nodes[2].tell(signal.SIGSTOP)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await is_back.wait()
            await bus.flush()
    finally:
        cluster.nodes[2].tell(signal.SIGCONT)
        await bus.close()


async def test_a_certificate_of_an_authority_that_is_not_trusted_is_refused(
    cluster: BusCluster, tmp_path: Path
) -> None:
    stranger = read_tls(str(Authority(tmp_path).ca), "", "")
    tries = [
        way
        for tls in (None, stranger)
        for way in (
            Bus.connect(
                bus_urls(cluster.url),
                AUTHORITY.server_credentials(),
                name="server",
                inbox_prefix="_INBOX_server",
                tls=tls,
                within_seconds=2,
            ),
            open_passage([cluster.nodes[0].url], tls),
        )
    ]
    refusals = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(one) for one in refusals] == [BusDisconnected] * 4
    assert all("certificate" in str(one).lower() for one in refusals)


async def test_a_worker_comes_to_the_cluster_through_a_server(cluster: BusCluster) -> None:
    passage = await open_passage(bus_urls(cluster.url), trusting(cluster))
    greeting = await passage.receive()
    await passage.close()
    assert greeting.startswith(b"INFO ")
    assert b"tls_required" not in greeting
    assert b"connect_urls" not in greeting


async def test_an_address_that_asks_for_tls_is_never_spoken_to_in_the_clear(
    nats_server: NatsServer, authority: BusAuthority
) -> None:
    url = nats_server.url.replace("nats://", "tls://")
    with pytest.raises(BusDisconnected, match="does not offer TLS"):
        await Bus.connect(
            [url], authority.server_credentials(), name="server", inbox_prefix="_INBOX_server", within_seconds=2
        )
    with pytest.raises(BusDisconnected, match="does not offer TLS"):
        await open_passage([url])


async def test_a_cluster_that_asks_for_certificates_is_shown_ours(tmp_path: Path) -> None:
    cluster = BusCluster(tmp_path, AUTHORITY, size=1, asks_for_certificates=True)
    cluster.start()
    try:
        certificate, key = map(str, cluster.certificate("fireside"))
        tls = tls_of(Config(nats_url=cluster.url, nats_ca=str(cluster.ca), nats_certificate=certificate, nats_key=key))
        bus = await Bus.connect(
            bus_urls(cluster.url), AUTHORITY.server_credentials(), name="server", inbox_prefix="_INBOX_server", tls=tls
        )
        await bus.flush()
        await bus.close()
        with pytest.raises(BusDisconnected):
            await Bus.connect(
                bus_urls(cluster.url),
                AUTHORITY.server_credentials(),
                name="server",
                inbox_prefix="_INBOX_server",
                tls=trusting(cluster),
                within_seconds=1,
            )
    finally:
        cluster.close()


def test_what_is_signed_with_an_accounts_signing_key_names_the_account() -> None:
    seed = nkeys.encode_seed(bytes(range(32)), nkeys.PREFIX_BYTE_ACCOUNT)
    account = bytes(nkeys.from_seed(nkeys.encode_seed(bytes(32), nkeys.PREFIX_BYTE_ACCOUNT)).public_key).decode()
    claims = claims_of(BusAuthority.from_account_seed(bytes(seed).decode(), account).server_credentials().jwt)
    assert claims["nats"]["issuer_account"] == account
    assert claims["iss"] != account
    with pytest.raises(BadAccountSeed, match="nats_account"):
        BusAuthority.from_account_seed(bytes(seed).decode(), account.lower())


class OperatorsAccount:
    """An account of an operator's own, which lets one signing key sign for it; its own key stays in a safe."""

    def __init__(self) -> None:
        self.signing_seed = key_of(3, nkeys.PREFIX_BYTE_ACCOUNT)
        self.stolen_seed = key_of(4, nkeys.PREFIX_BYTE_ACCOUNT)
        self._operator = nkeys.from_seed(key_of(1, nkeys.PREFIX_BYTE_OPERATOR))
        self.key = public(nkeys.from_seed(key_of(2, nkeys.PREFIX_BYTE_ACCOUNT)))

    def trust_config(self) -> str:
        limits = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
        signing_keys = [public(nkeys.from_seed(self.signing_seed))]
        operator = self._signed(public(self._operator), {"type": "operator"})
        account = self._signed(
            self.key, {"type": "account", "limits": limits | {"wildcards": True}, "signing_keys": signing_keys}
        )
        return f"operator: {operator}\nresolver: MEMORY\nresolver_preload: {{ {self.key}: {account} }}\n"

    def _signed(self, subject: str, claims: dict[str, Any]) -> str:
        body = {"iat": 1, "iss": public(self._operator), "name": "x", "sub": subject, "nats": claims | {"version": 2}}
        text = ".".join(
            urlsafe(msgspec.json.encode(part))
            for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, {"jti": subject, **body})
        )
        return f"{text}.{urlsafe(self._operator.sign(text.encode()))}"


def key_of(number: int, prefix: int) -> bytes:
    return bytes(nkeys.encode_seed(bytes([number]) * 32, prefix))


def public(pair: nkeys.KeyPair) -> str:
    return bytes(pair.public_key).decode()


def urlsafe(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


async def test_what_one_server_signs_with_an_accounts_signing_key_is_good_at_all_of_a_cluster(tmp_path: Path) -> None:
    account = OperatorsAccount()
    one, other = (BusAuthority.from_account_seed(account.signing_seed.decode(), account.key) for _ in range(2))
    stranger = BusAuthority.from_account_seed(account.stolen_seed.decode(), account.key)
    cluster = BusCluster(tmp_path, account, size=2)
    cluster.start()
    tls = trusting(cluster)
    first, second = (node.url for node in cluster.nodes)
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def hear(subject: str, payload: bytes) -> None:
        heard.put_nowait(payload)

    async with AsyncExitStack() as doors:
        doors.callback(cluster.close)
        server = await Bus.connect(
            [first], one.server_credentials(), name="server", inbox_prefix="_INBOX_server", tls=tls
        )
        doors.push_async_callback(server.close)
        credentials = other.worker_credentials(WORKER, 1)
        worker = await Bus.connect([second], credentials, name=WORKER, inbox_prefix=inbox_of(WORKER), tls=tls)
        doors.push_async_callback(worker.close)
        await server.subscribe(presence(WORKER), hear)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await said_until_heard(worker, heard, b"here")
        with pytest.raises(BusDisconnected):
            await Bus.connect(
                [first], stranger.server_credentials(), name="x", inbox_prefix="_INBOX_x", tls=tls, within_seconds=1
            )


def claims_of(jwt: str) -> dict[str, Any]:
    body = jwt.split(".")[1]
    return msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"nats_url": "tls://a:1,nats://b:1", "nats_ca": "ca.pem"}, "with tls://"),
        ({"nats_ca": "ca.pem"}, "with tls://"),
        ({"nats_url": "tls://a:1", "nats_key": "key.pem"}, "nats_certificate"),
        ({"nats_url": "tls://a:1", "nats_ca": "/nowhere.pem"}, "/nowhere.pem holds no certificate of an authority: No"),
        (
            {"nats_url": "tls://a:1", "nats_certificate": "/nowhere.pem"},
            "/nowhere.pem hold no certificate with its key",
        ),
    ],
    ids=["an address in the clear", "no address", "a key alone", "no such authority", "no such certificate"],
)
def test_settings_that_would_not_make_it_safe_are_refused(settings: Any, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        tls_of(Config(**settings))
