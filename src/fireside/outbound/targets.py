"""What a URL leads to, once it is read and found on the operator's list.

Everything that connects works with a `Target` and none reads the URL again, so that no two readings can differ.
"""

import re
from dataclasses import dataclass

import httpx

from fireside.outbound.addresses import parse_network
from fireside.outbound.errors import BadUrl, FetchFailed, HostNotAllowed, OutboundOff
from fireside.outbound.hosts import AllowedHosts

MAX_URL_CHARACTERS = 4096
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._:-]{1,253}")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL whose host and port may be named. `host` is in lower case, without brackets and the dot of the root."""

    scheme: str
    host: str
    port: int
    path: bytes
    """Path and query, as they are sent."""

    @property
    def authority(self) -> str:
        """Host and port as in the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path.decode('ascii')}"


def check_url(url: str, allowed: AllowedHosts) -> Target:
    """Read the URL and look its host up; raises `OutboundOff`, `BadUrl` or `HostNotAllowed`."""
    if not allowed.allows_any():
        raise OutboundOff(
            f"This server does not go out to addresses that people name. Its operator allows it by naming hosts in the "
            f"setting {allowed.setting}."
        )
    target = _read(_parse(url))
    if not allowed.allows_host(target.host, target.port):
        raise HostNotAllowed(
            f"This server does not go to {target.authority}. Its operator allows it in the setting {allowed.setting}."
        )
    return target


def join_url(target: Target, location: str, allowed: AllowedHosts) -> Target:
    """Follow a redirect: check where it leads just as the first URL, and that it does not give up encryption.

    Raises as `check_url`, and `FetchFailed` when it leads nowhere.
    """
    if not location:
        raise FetchFailed(f"{target.host} redirects without saying where to.")
    try:
        url = str(_parse(str(target)).join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise BadUrl(f"{target.host} redirects to something that is no URL.") from error
    following = check_url(url, allowed)
    if (target.scheme, following.scheme) == ("https", "http"):
        raise BadUrl(f"{target.host} redirects from https to http, which is not followed.")
    return following


def _parse(url: str) -> httpx.URL:
    if len(url) > MAX_URL_CHARACTERS:
        raise BadUrl(f"The URL is longer than {MAX_URL_CHARACTERS} characters.")
    try:
        parsed = httpx.URL(url)
        # A host in punycode is read here for the first time, and may be none.
        str(parsed.host)
    except (httpx.InvalidURL, ValueError) as error:
        raise BadUrl(f"This is no URL: {error}") from error
    return parsed


def _read(url: httpx.URL) -> Target:
    if url.scheme not in _DEFAULT_PORTS:
        raise BadUrl("Only URLs that begin with http:// or https:// are fetched.")
    if url.userinfo or "@" in url.netloc.decode("ascii", "replace"):
        raise BadUrl("A URL with a user name or password in it is not fetched.")
    host = url.raw_host.decode("ascii", "replace").lower().removesuffix(".")
    address = parse_network(host)
    if ":" in host and address is not None:
        host = str(address.network_address)
    port = _DEFAULT_PORTS[url.scheme] if url.port is None else url.port
    if _HOST.fullmatch(host) is None or not 1 <= port <= 65535:
        raise BadUrl("The URL names no host and port that could be reached.")
    return Target(url.scheme, host, port, url.raw_path)
