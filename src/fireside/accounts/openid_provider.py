"""An OpenID provider as we meet it: what it says of itself, its keys, and what it says of people.

Everything is fetched from the issuer's own host and those that the operator names, over https, in seconds, and small;
no redirect is followed. This is not the way to URLs that users name: the operator chose the issuer, and it may well be
in a network of their own. Who may come in is not decided here.
"""

import asyncio
import hmac
import re
import ssl
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import SplitResult, quote_plus, urlencode, urlsplit

import httpx
import jwt
import msgspec
import structlog

from fireside.config import Config, ConfigError
from fireside.domain.errors import Unauthenticated, Unavailable

# Signatures by a key that only the provider has: neither `none` nor those by a shared secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
KEPT_SECONDS = 3600.0
FAILED_SECONDS = 15.0
"""How long a provider that did not answer is not asked again who it is."""
_KEY_TYPES = ("RSA", "EC", "OKP")
_REQUIRED = ("iss", "sub", "aud", "exp", "iat", "nonce")
_LEEWAY_SECONDS = 60
_MOST_BYTES = 1024 * 1024
_FETCH_SECONDS = 10.0
_LONGEST_SUBJECT = 255
_AT_ONCE = 8
_USUAL_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[0-9a-z]([0-9a-z._-]*[0-9a-z])?\.?|[0-9a-f:]*:[0-9a-f:.]*")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NO_ISSUER = "oidc_issuer: an https:// URL without user, query and fragment (http:// on loopback only)"
_DISCOVERY = "/.well-known/openid-configuration"
_NOT_NOW = "The provider cannot be asked now: try again in a minute, or sign in in another way."
_NOT_BELIEVED = "What the provider said of you cannot be believed ({why}). Begin anew; if it stays so, tell your admin."
_log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0, section 3), as far as we need it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str = ""
    access_token: str = ""
    error: str = ""


class _Keys(msgspec.Struct, frozen=True):
    keys: tuple[dict[str, Any], ...]


class _Bearer(httpx.Auth):
    """Shows an access token (RFC 6750, section 2.1)."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Put the token into the request."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class _Rejected(Exception):
    """A token that cannot be believed; the text says why, and holds nothing of the token."""


class OpenIdProvider:
    """The one provider that the settings name."""

    def __init__(self, config: Config, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._issuer = config.oidc_issuer
        self._client_id = config.oidc_client_id
        self._secret = config.oidc_client_secret
        self._scope = " ".join(dict.fromkeys(("openid", *config.oidc_scopes)))
        self._schemes = _schemes_of(config.oidc_issuer)
        self._hosts = frozenset({_place_of(urlsplit(self._issuer)), *map(_named_place, config.oidc_hosts)})
        self._seconds = seconds
        self._discovery: tuple[Discovery, float] | None = None
        self._failed_at: float | None = None
        self._discovering = asyncio.Lock()
        self._keys: tuple[Sequence[jwt.PyJWK], float] | None = None
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._tls: ssl.SSLContext | None = None

    @property
    def issuer(self) -> str:
        """The issuer, as every token must name it."""
        return self._issuer

    async def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Give the address where a person signs in at the provider; raises `Unavailable`."""
        parameters = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": self._scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = (await self._discovered()).authorization_endpoint
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(parameters)}"

    async def claims_for(
        self, code: str, *, redirect_uri: str, verifier: str, nonce: str, lacks: Callable[[Mapping[str, Any]], bool]
    ) -> Mapping[str, Any]:
        """Use a code up and give what the provider says of the person; raises `Unauthenticated` or `Unavailable`.

        An id token that `lacks` something is completed by what the provider says when asked with the access token.
        """
        tokens = await self._exchange(code, redirect_uri, verifier)
        if not tokens.id_token:
            # A code that was used before, or is of another client, is told so here.
            _log.warning("the OpenID provider gave no id token", error=tokens.error[:100])
            raise Unauthenticated("The provider did not take what your browser brought from it: begin anew.")
        try:
            claims = await self._believed(tokens.id_token, nonce)
        except _Rejected as error:
            _log.warning("an id token is refused", reason=str(error))
            raise Unauthenticated(_NOT_BELIEVED.format(why=error)) from error
        if tokens.access_token and lacks(claims):
            return _completed(claims, await self._user_info(tokens.access_token, claims["sub"]))
        return claims

    async def _user_info(self, access_token: str, subject: str) -> Mapping[str, Any]:
        """Ask for more of a person (OpenID Connect Core 1.0, section 5.3); nothing where that fails."""
        endpoint = (await self._discovered()).userinfo_endpoint
        if not endpoint:
            return {}
        try:
            info = await self._fetch(dict[str, Any], endpoint, auth=_Bearer(access_token))
        except Unavailable:
            return {}
        if info.get("sub") != subject:
            _log.warning("the OpenID provider tells of somebody else than it was asked for")
            return {}
        return info

    async def _exchange(self, code: str, redirect_uri: str, verifier: str) -> _Tokens:
        discovery = await self._discovered()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        by_header = "client_secret_basic" in discovery.token_endpoint_auth_methods_supported
        if self._secret and by_header:
            # RFC 6749, section 2.3.1: both are encoded as in a form first.
            return await self._fetch(
                _Tokens,
                discovery.token_endpoint,
                form,
                httpx.BasicAuth(quote_plus(self._client_id), quote_plus(self._secret)),
            )
        form["client_id"] = self._client_id
        if self._secret:
            form["client_secret"] = self._secret
        return await self._fetch(_Tokens, discovery.token_endpoint, form)

    async def _believed(self, token: str, nonce: str) -> Mapping[str, Any]:
        """Hold a token against OpenID Connect Core 1.0, section 3.1.3.7."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise _Rejected("it is no signed token") from error
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise _Rejected("it is signed in a way that is not taken")
        key = await self._key(header.get("kid"), algorithm)
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._client_id,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": list(_REQUIRED)},
            )
        except (jwt.InvalidTokenError, jwt.InvalidKeyError) as error:
            raise _Rejected(_REASONS.get(type(error), "a claim or the signature is wrong")) from error
        _check_claims(claims, self._client_id, nonce)
        return claims

    async def _key(self, key_id: object, algorithm: str) -> Any:
        # Tokens come from the provider itself, so nobody else can have us ask for its keys again and again.
        for is_anew in (False, True):
            fitting = [
                key
                for key in await self._known_keys(anew=is_anew)
                if key_id in (None, key.key_id) and _fits(key, algorithm)
            ]
            if fitting and (key_id is not None or len(fitting) == 1):
                return fitting[0].key
        raise _Rejected("its key is not among the provider's")

    async def _discovered(self) -> Discovery:
        # One at a time: while the provider does not answer, nobody asks it what somebody else is asking.
        async with self._discovering:
            now = self._seconds()
            if self._discovery is not None and now - self._discovery[1] < KEPT_SECONDS:
                return self._discovery[0]
            if self._failed_at is not None and now - self._failed_at < FAILED_SECONDS:
                raise Unavailable(_NOT_NOW)
            try:
                discovery = await self._discover()
            except Unavailable:
                self._failed_at = self._seconds()
                raise
            self._discovery, self._failed_at = (discovery, now), None
            return discovery

    async def _discover(self) -> Discovery:
        discovery = await self._fetch(Discovery, self._issuer.rstrip("/") + _DISCOVERY)
        if discovery.issuer != self._issuer:
            raise _unavailable("it calls itself another issuer than `oidc_issuer` says")
        page = _parts_of(discovery.authorization_endpoint)
        if page is None or page.scheme not in self._schemes:
            raise _unavailable("the page where people sign in is not on https")
        return discovery

    async def _known_keys(self, *, anew: bool) -> Sequence[jwt.PyJWK]:
        now = self._seconds()
        if anew or self._keys is None or now - self._keys[1] >= KEPT_SECONDS:
            found = await self._fetch(_Keys, (await self._discovered()).jwks_uri)
            self._keys = _read_keys(found.keys), now
        return self._keys[0]

    async def _fetch(
        self,
        kind: type[_T],
        url: str,
        form: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
    ) -> _T:
        """Get, or post a form; what comes back is JSON, and also read when it is a refusal of a form."""
        parts = _parts_of(url)
        if parts is None or parts.scheme not in self._schemes or _place_of(parts) not in self._hosts:
            raise _unavailable(f"{url[:200]!r} is neither on the issuer's host nor on one of `oidc_hosts`")
        try:
            async with self._turns, asyncio.timeout(_FETCH_SECONDS):
                status, body = await self._read(url, form, auth)
            if status != 200 and not (form is not None and status in (400, 401)):
                raise _unavailable(f"{parts.netloc} answers {status}")
            return msgspec.json.decode(body, type=kind)
        except TimeoutError as error:
            raise _unavailable(f"{parts.netloc} takes too long") from error
        except httpx.HTTPError as error:
            raise _unavailable(f"{parts.netloc} cannot be reached: {type(error).__name__}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _unavailable(f"{parts.netloc} does not answer as an OpenID provider does") from error

    async def _read(self, url: str, form: Mapping[str, str] | None, auth: httpx.Auth | None) -> tuple[int, bytes]:
        self._tls = self._tls or ssl.create_default_context()
        # What is packed could unfold to any size, so nothing packed is asked for, nor unpacked.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with (
            httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=_FETCH_SECONDS) as client,
            client.stream("GET" if form is None else "POST", url, data=form, auth=auth, headers=headers) as answer,
        ):
            body = bytearray()
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise _unavailable(f"{urlsplit(url).netloc} answers with more than {_MOST_BYTES} bytes")
            return answer.status_code, bytes(body)


_REASONS: Mapping[type[Exception], str] = {
    jwt.ExpiredSignatureError: "it has expired",
    jwt.InvalidAudienceError: "it is for another client",
    jwt.InvalidIssuerError: "it is from another issuer",
    jwt.InvalidSignatureError: "its signature is wrong",
    jwt.ImmatureSignatureError: "it is from the future",
}


def _completed(claims: Mapping[str, Any], info: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add to an id token's claims what it does not say; an address and its being verified come from one of the two."""
    is_same = "email_verified" not in claims and info.get("email") == claims.get("email")
    said = info if "email" not in claims or is_same else claims
    return {**info, **claims, "email": said.get("email"), "email_verified": said.get("email_verified")}


def _check_claims(claims: Mapping[str, Any], client_id: str, nonce: str) -> None:
    shown = claims["nonce"]
    if not isinstance(shown, str) or not hmac.compare_digest(shown.encode("utf-8", "replace"), nonce.encode()):
        raise _Rejected("it is for another sign-in")
    audience, party = claims["aud"], claims.get("azp")
    is_for_several = not isinstance(audience, str) and len(audience) > 1
    if party != client_id and (party is not None or is_for_several):
        raise _Rejected("it is for another client")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        raise _Rejected("it names nobody")


def _fits(key: jwt.PyJWK, algorithm: str) -> bool:
    kinds = {"E": "EC" if algorithm != "EdDSA" else "OKP"}
    return key.public_key_use != "enc" and key.key_type == kinds.get(algorithm[0], "RSA")


def _read_keys(found: Sequence[Mapping[str, Any]]) -> Sequence[jwt.PyJWK]:
    """Read the keys that we can use; one of another kind or form is none of ours."""
    keys: list[jwt.PyJWK] = []
    for one in found:
        if one.get("kty") not in _KEY_TYPES:
            continue
        try:
            keys.append(jwt.PyJWK.from_dict(dict(one)))
        except (jwt.PyJWTError, ValueError, TypeError):
            _log.debug("a key of the OpenID provider cannot be used")
    return keys


def _schemes_of(issuer: str) -> frozenset[str]:
    """Say how the provider may be spoken to; raises `ConfigError` for what is no issuer."""
    parts = _parts_of(issuer)
    is_whole = parts is not None and parts.hostname and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts is None or not is_whole or parts.scheme not in ("http", "https"):
        raise ConfigError(_NO_ISSUER)
    if parts.scheme == "https":
        return frozenset({"https"})
    if parts.hostname not in _LOOPBACK:
        raise ConfigError(_NO_ISSUER)
    return frozenset({"http", "https"})


def _place_of(parts: SplitResult) -> tuple[str, int | None]:
    """Give host and port of an address, the port None where it is the usual one."""
    return (parts.hostname or "").rstrip("."), None if parts.port == _USUAL_PORTS.get(parts.scheme) else parts.port


def _named_place(host: str) -> tuple[str, int | None]:
    """Read a host that the operator has named; raises `ConfigError`."""
    parts = _parts_of(f"https://{host}")
    if parts is None or parts.netloc != host or "@" in host or not _HOST.fullmatch(parts.hostname or ""):
        raise ConfigError(
            f"oidc_hosts: {host!r} is no host: write a name alone, as sso.example.org or sso.example.org:8443"
        )
    return _place_of(parts)


def _parts_of(url: str) -> SplitResult | None:
    """Take a URL apart; None for what is none, also by its port or by what no URL has in it."""
    try:
        parts = urlsplit(url)
        httpx.URL(url)
        return parts if parts.port != 0 and not re.search(r"\s", url) else None
    except (ValueError, httpx.InvalidURL):
        return None


def _unavailable(why: str) -> Unavailable:
    _log.warning("the OpenID provider is of no use now", reason=why)
    return Unavailable(_NOT_NOW)
