"""TLS on the way to the bus: whom to trust there, and what to show a bus that asks who comes.

NATS says in the clear whether it wants TLS, and whoever is between could say no in its place. So what the settings name
here goes with addresses that say `tls://`, where a no is not believed.
"""

import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

from fireside.config import Config, ConfigError

TLS_SCHEME = "tls"


def tls_of(config: Config) -> ssl.SSLContext | None:
    """Read what the settings name; None where they name nothing, raises `ConfigError` for what cannot be used."""
    named = {name: getattr(config, name) for name in ("nats_ca", "nats_certificate", "nats_key")}
    given = [name for name, path in named.items() if path]
    if not given:
        return None
    if config.nats_key and not config.nats_certificate:
        raise ConfigError("nats_key: it is of no use without nats_certificate, which it belongs to")
    plain = [url for url in bus_urls(config.nats_url) if urlsplit(url).scheme != TLS_SCHEME]
    if plain or not config.nats_url:
        raise ConfigError(
            f"{given[0]}: write each address of nats_url with tls://, or nothing makes sure that TLS is used"
        )
    return read_tls(config.nats_ca, config.nats_certificate, config.nats_key)


def read_tls(ca: str, certificate: str, key: str) -> ssl.SSLContext | None:
    """Read these files; without `ca` the machine's authorities are trusted. None where no file is named."""
    if not (ca or certificate):
        return None
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"nats_ca: {ca} holds no certificate of an authority: {_reason(error)}") from error
    if certificate:
        try:
            # A password of the key would be asked for at a terminal that nobody sits at.
            context.load_cert_chain(certificate, key or None, password="")
        except (OSError, ssl.SSLError) as error:
            where = f"{certificate} and {key}" if key else certificate
            raise ConfigError(
                f"nats_certificate: {where} hold no certificate with its key: {_reason(error)}"
            ) from error
    return context


def bus_urls(setting: str) -> Sequence[str]:
    """Take the addresses of a setting apart."""
    return [url.strip() for url in setting.split(",") if url.strip()]


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
