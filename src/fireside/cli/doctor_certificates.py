"""What `fireside doctor` says of certificates: ours, those for the bus, and those that the servers of the bus show.

Each line says how many days are left, and what to do in time. Nothing is changed, and nobody is told who we are.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from fireside.bus.tls import TLS_SCHEME, bus_urls, tls_of
from fireside.cli.findings import Finding, Verdict
from fireside.cli.printing import local_time
from fireside.config import Config, ConfigError
from fireside.server.shown_settings import without_credentials

_SOON = timedelta(days=30)
_ANSWER_SECONDS = 5.0
_BUS_PORT = 4222
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_RENEW = "renew it, and restart"


async def look_at_certificates(config: Config, now: datetime | None = None) -> AsyncIterator[Finding]:
    """Look at all that the settings name; says nothing where TLS is not used."""
    now = now or datetime.now(UTC)
    if config.tls_certificate:
        yield _look_at_ours(config, now)
    for name in ("nats_ca", "nats_certificate"):
        if path := str(getattr(config, name)):
            yield _look_at_file(name, Path(path), now)
    try:
        context = tls_of(config) or ssl.create_default_context()
    except ConfigError as error:
        yield Finding(Verdict.ILL, "bus tls", str(error))
        return
    for url in bus_urls(config.nats_url):
        if urlsplit(url).scheme == TLS_SCHEME:
            yield await _look_at_bus(url, context, now)


def _look_at_ours(config: Config, now: datetime) -> Finding:
    path = Path(config.tls_certificate)
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(path, config.tls_key or None)
        ends = _ends_in(path)
    except (OSError, ValueError) as error:
        text = f"{path} and its key do not work: {error}; set tls_certificate and tls_key anew"
        return Finding(Verdict.ILL, "tls", text)
    return _judge("tls", str(path), min(ends), now)


def _look_at_file(name: str, path: Path, now: datetime) -> Finding:
    try:
        ends = _ends_in(path)
    except (OSError, ValueError) as error:
        return Finding(Verdict.ILL, "bus tls", f"{name}: {path} cannot be read: {error}")
    # A new authority stands beside the old one while certificates are renewed.
    return _judge("bus tls", f"{name} {path}", max(ends) if name == "nats_ca" else min(ends), now)


async def _look_at_bus(url: str, context: ssl.SSLContext, now: datetime) -> Finding:
    parts, shown = urlsplit(url), without_credentials(url, is_address=True)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            ends_at = await _end_of_bus(str(parts.hostname), parts.port or _BUS_PORT, context)
    except ssl.SSLCertVerificationError as error:
        what = "is over" if error.verify_code == _EXPIRED else f"is not trusted ({error.verify_message})"
        return Finding(Verdict.ILL, "bus tls", f"the certificate of {shown} {what}: renew it there, or see nats_ca")
    except (OSError, ValueError) as error:
        return Finding(Verdict.ODD, "bus tls", f"{shown} shows no certificate: {str(error) or type(error).__name__}")
    return _judge("bus tls", f"the certificate of {shown}", ends_at, now)


async def _end_of_bus(host: str, port: int, context: ssl.SSLContext) -> datetime:
    """Say when the certificate of a server of the bus ends; it greets before it speaks TLS."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        await reader.readline()
        await writer.start_tls(context, server_hostname=host)
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(shown).not_valid_after_utc
    finally:
        writer.transport.abort()


def _ends_in(path: Path) -> Collection[datetime]:
    return [one.not_valid_after_utc for one in x509.load_pem_x509_certificates(path.read_bytes())]


def _judge(subject: str, what: str, ends_at: datetime, now: datetime) -> Finding:
    left = ends_at - now
    if left <= timedelta():
        return Finding(Verdict.ILL, subject, f"{what} is over since {local_time(ends_at)}: {_RENEW}")
    if left < _SOON:
        return Finding(Verdict.ODD, subject, f"{what} ends in {left.days} days: {_RENEW}")
    return Finding(Verdict.WELL, subject, f"{what} is good for {left.days} days, until {local_time(ends_at)}")
