"""What `fireside doctor` says of who may come in, how, and how often. Each line says what to do."""

from collections.abc import Iterator

from fireside.cli.findings import Finding, Verdict
from fireside.config import Config
from fireside.wire.admin import DoctorBody

_ODD_SECONDS = 2.0
_ILL_SECONDS = 30.0


def look_at_proxies(config: Config) -> Finding | None:
    """Say where a proxy hides who comes; None where none seems to stand before the server."""
    is_behind = config.public_url.startswith("https://") and not config.tls_certificate
    if not is_behind:
        return None
    if config.trusted_proxies:
        return Finding(Verdict.WELL, "proxy", f"{config.trusted_proxies} may say from where somebody comes")
    text = "everybody seems to come from the proxy: name its address in trusted_proxies"
    return Finding(Verdict.ODD, "proxy", f"{text}, or limits by address, and the audit log, take all for one")


def look_at_safety(report: DoctorBody) -> Iterator[Finding]:
    """Say what a server knows of maintenance, its clock, keys and limits."""
    if report.maintenance is not None:
        why = f" ({report.maintenance})" if report.maintenance else ""
        yield Finding(
            Verdict.ODD, "maintenance", f"submits and changes are refused{why}; `fireside maintenance off` ends it"
        )
    if report.clock_skew_seconds is not None:
        yield _clock(report.clock_skew_seconds)
    if report.endless_keys is not None:
        yield _keys(report.endless_keys)
    if report.rate_limits is not None:
        yield _rates(report)


def _clock(skew: float) -> Finding:
    text = f"the database's is {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} this server's"
    if abs(skew) < _ODD_SECONDS:
        return Finding(Verdict.WELL, "clock", "the database's and this server's agree")
    return Finding(
        Verdict.ILL if abs(skew) >= _ILL_SECONDS else Verdict.ODD,
        "clock",
        f"{text}: set both by NTP, or links and sessions end at the wrong time",
    )


def _keys(endless: int) -> Finding:
    if not endless:
        return Finding(Verdict.WELL, "keys", "each API key has an end")
    return Finding(
        Verdict.WELL, "keys", f"{endless} have no end: `fireside keys list`; make others with `--expires 90d --scope …`"
    )


def _rates(report: DoctorBody) -> Finding:
    limits = report.rate_limits or []
    if not limits:
        return Finding(
            Verdict.WELL,
            "rate limits",
            "none is set; rate_limit_user, …_changes and …_address bound how often one asks",
        )
    if report.bus:
        text = f"{', '.join(limits)}: each server counts for itself while the bus is away"
        return Finding(Verdict.ODD, "rate limits", text)
    return Finding(Verdict.WELL, "rate limits", f"{', '.join(limits)}: counted over all servers by the bus")
