"""What `fireside doctor` says of certificates, read from real files and from servers of a real bus."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.faults.bus_cluster import Authority, BusCluster

from fireside.bus.authority import BusAuthority
from fireside.cli.doctor_certificates import look_at_certificates
from fireside.cli.findings import Finding, Verdict
from fireside.config import Config

pytestmark = pytest.mark.once
BUS = BusAuthority.from_secret(bytes(range(32)))
GOOD_FOR = timedelta(days=60, hours=1)


async def said(config: Config, *, in_days: int = 0) -> list[Finding]:
    return [one async for one in look_at_certificates(config, datetime.now(UTC) + timedelta(days=in_days))]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), good_for=GOOD_FOR)


@pytest.fixture(scope="module")
def ours(authority: Authority) -> Config:
    certificate, key = authority.certificate("ours")
    return Config(tls_certificate=str(certificate), tls_key=str(key))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BusCluster]:
    cluster = BusCluster(tmp_path_factory.mktemp("bus"), BUS, size=1, good_for=GOOD_FOR)
    cluster.start()
    yield cluster
    cluster.close()


@pytest.mark.parametrize(
    ("day", "verdict", "words"),
    [
        (0, Verdict.WELL, "for 60 days, until"),
        (50, Verdict.ODD, "in 10 days: renew"),
        (61, Verdict.ILL, "is over since"),
    ],
    ids=["long", "soon", "over"],
)
async def test_a_certificate_of_ours_is_renewed_in_time(ours: Config, day: int, verdict: Verdict, words: str) -> None:
    (found,) = await said(ours, in_days=day)

    assert (found.subject, found.verdict, words in found.text) == ("tls", verdict, True)


async def test_a_key_that_is_anothers_is_a_problem(authority: Authority, ours: Config) -> None:
    wrong = Config(tls_certificate=ours.tls_certificate, tls_key=str(authority.certificate("another")[1]))

    (found,) = await said(wrong)

    assert (found.verdict, "set tls_certificate and tls_key anew" in found.text) == (Verdict.ILL, True)


@pytest.mark.parametrize(
    ("day", "verdict"), [(0, Verdict.WELL), (50, Verdict.ODD), (61, Verdict.ILL)], ids=["long", "soon", "over"]
)
async def test_those_of_the_bus_are_looked_at_in_files_and_where_they_are_shown(
    cluster: BusCluster, day: int, verdict: Verdict
) -> None:
    certificate, key = cluster.certificate("mine")
    config = Config(nats_url=cluster.url, nats_ca=str(cluster.ca), nats_certificate=str(certificate), nats_key=str(key))

    found = await said(config, in_days=day)

    assert [(one.subject, one.verdict) for one in found] == [("bus tls", verdict)] * 3
    assert [one.text.split(" ")[0] for one in found] == ["nats_ca", "nats_certificate", "the"]
    assert cluster.url in found[-1].text


async def test_a_bus_whose_certificate_is_over_or_of_strangers_is_a_problem(
    tmp_path: Path, authority: Authority
) -> None:
    stale = BusCluster(tmp_path, BUS, size=1, good_for=timedelta(days=-1))
    try:
        stale.start()
        _, over = await said(Config(nats_url=stale.url, nats_ca=str(stale.ca)))
        _, strange = await said(Config(nats_url=stale.url, nats_ca=str(authority.ca)))
    finally:
        stale.close()

    assert (over.verdict, f"the certificate of {stale.url} is over" in over.text) == (Verdict.ILL, True)
    assert (strange.verdict, "is not trusted" in strange.text) == (Verdict.ILL, True)


async def test_a_bus_that_is_away_shows_none_and_a_file_that_is_none_is_a_problem(
    tmp_path: Path, authority: Authority
) -> None:
    away = BusCluster(tmp_path, BUS, size=1)
    (tmp_path / "none.pem").write_text("nothing")
    try:
        _, silent = await said(Config(nats_url=away.url, nats_ca=str(authority.ca)))
        broken = await said(Config(nats_url=away.url, nats_ca=str(tmp_path / "none.pem")))
    finally:
        away.close()

    assert (silent.verdict, "shows no certificate" in silent.text) == (Verdict.ODD, True)
    assert [one.verdict for one in broken] == [Verdict.ILL] * 2


async def test_without_tls_nothing_is_said() -> None:
    assert await said(Config(nats_url="nats://127.0.0.1:4222")) == []
