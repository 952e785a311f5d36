"""What `fireside doctor` says of certificates, proxies, clocks, keys, limits and maintenance, and what to do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fireside.cli.doctor_safety import look_at_certificate, look_at_proxies, look_at_safety
from fireside.cli.findings import Verdict
from fireside.config import Config
from fireside.wire.admin import DoctorBody

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WELL = DoctorBody(version="1", users=1, store="", blobs="", bus="", workers=[])


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """One whose certificate is good for 60 days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fireside.test")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=60))
    certificate, private = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Config(tls_certificate=str(certificate), tls_key=str(private))


@pytest.mark.parametrize(
    ("day", "verdict", "words"),
    [(0, Verdict.WELL, "is good until"), (50, Verdict.ODD, "ends in 10 days: renew"), (61, Verdict.ILL, "renew it")],
    ids=["long", "soon", "over"],
)
def test_a_certificate_is_renewed_in_time(config: Config, day: int, verdict: Verdict, words: str) -> None:
    found = look_at_certificate(config, NOW + timedelta(days=day))

    assert found is not None
    assert (found.verdict, words in found.text) == (verdict, True)


def test_a_key_that_is_anothers_is_a_problem(config: Config) -> None:
    Path(config.tls_key).write_text("nothing")

    found = look_at_certificate(config, NOW)

    assert found is not None
    assert (found.verdict, "set tls_certificate and tls_key anew" in found.text) == (Verdict.ILL, True)


def test_without_tls_and_proxy_nothing_is_said_of_them() -> None:
    assert (look_at_certificate(Config()), look_at_proxies(Config())) == (None, None)


def test_a_proxy_that_is_not_trusted_hides_who_comes() -> None:
    hidden, told = (
        look_at_proxies(Config(public_url="https://studio.test", trusted_proxies=proxies))
        for proxies in ("", "10.0.0.1")
    )

    assert hidden is not None
    assert told is not None
    assert (hidden.verdict, "trusted_proxies" in hidden.text, told.verdict) == (Verdict.ODD, True, Verdict.WELL)


@pytest.mark.parametrize(
    ("report", "subject", "verdict", "words"),
    [
        ({"maintenance": "new disks"}, "maintenance", Verdict.ODD, "new disks); `fireside maintenance off`"),
        ({"clock_skew_seconds": 0.4}, "clock", Verdict.WELL, "agree"),
        ({"clock_skew_seconds": -4.0}, "clock", Verdict.ODD, "4.0 s behind"),
        ({"clock_skew_seconds": 90.0}, "clock", Verdict.ILL, "90.0 s ahead of"),
        ({"endless_keys": 0}, "keys", Verdict.WELL, "each API key has an end"),
        ({"endless_keys": 3}, "keys", Verdict.WELL, "3 have no end: `fireside keys list`"),
        ({"rate_limits": []}, "rate limits", Verdict.WELL, "rate_limit_user"),
        ({"rate_limits": ["user"]}, "rate limits", Verdict.WELL, "counted over all servers"),
        ({"rate_limits": ["user"], "bus": "away"}, "rate limits", Verdict.ODD, "for itself"),
    ],
    ids=["maintenance", "agree", "behind", "ahead", "ends", "endless", "none", "shared", "alone"],
)
def test_each_line_says_how_it_is_and_what_to_do(
    report: dict[str, object], subject: str, verdict: Verdict, words: str
) -> None:
    body = msgspec.structs.replace(WELL, **report)

    (found,) = look_at_safety(body)

    assert (found.subject, found.verdict) == (subject, verdict)
    assert words in found.text
