"""What `fireside doctor` says of proxies, clocks, keys, limits and maintenance, and what to do."""

from datetime import UTC, datetime

import msgspec
import pytest

from fireside.cli.doctor_safety import look_at_proxies, look_at_safety
from fireside.cli.findings import Verdict
from fireside.config import Config
from fireside.wire.admin import DoctorBody

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WELL = DoctorBody(version="1", users=1, store="", blobs="", bus="", workers=[])


def test_without_a_proxy_nothing_is_said_of_one() -> None:
    assert look_at_proxies(Config()) is None


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
