"""Signing in with an OpenID provider: who comes back from it, whether they may come in, and as whom.

What has to be remembered between going there and coming back is sealed into a cookie of the browser that went, so no
other browser can come back with it, and any server can finish what another began. A user is known by issuer and subject
alone. An address may pass to somebody else, and be claimed by anybody: it is looked at only to keep people out.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec

from fireside.accounts.accounts import Accounts
from fireside.accounts.guesses import Guesses
from fireside.accounts.openid_provider import OpenIdProvider
from fireside.accounts.sealing import CannotOpen, Sealer
from fireside.accounts.tokens import digest_of
from fireside.config import Config, ConfigError
from fireside.domain.accounts import User
from fireside.domain.errors import BadRequest, Conflict, Forbidden, NotFound
from fireside.domain.ids import UserId
from fireside.store.database import Unexpected, Violated
from fireside.store.identity_verbs import Identity
from fireside.store.store import DuplicateUser, Store

CALLBACK = "/openid/callback"
FLOW_LASTS = timedelta(minutes=10)
_CONTEXT = "openid sign-in"
_LONGEST_PATH = 1000
_LONGEST_PARAMETER = 4096
_MOST_NAMES = 20
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._@-]+")
_LONGEST_NAME = 58
_BEGIN_ANEW = "This sign-in was begun in another browser, or too long ago, or is over: begin anew."
_NO_ACCOUNT = (
    "You are known there and have no account here. Ask for an invitation; or, if you do have an account, sign in"
    " to it in another way and connect it on your account page."
)
_NOT_IN_GROUP = "You are not in a group that may come in: ask your admin to be added to one."
_NO_ADDRESS = "Only people with a verified address of certain domains may come in, and yours is not one."
_USED_UP = "This invitation does not work: it is used up or too old. Ask for another."


class _Flow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a browser took along when it went to the provider."""

    state: str
    nonce: str
    verifier: str
    expires_at: float
    path: str
    invitation: str = ""
    user_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where to send a browser, and the cookie that it comes back with."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Where a browser goes on to; `session` is a new session's cookie, None for who had one and connected it."""

    path: str
    session: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Who somebody is at a provider; `is_used` tells whether that is the one of the settings, `key` names it to us."""

    key: str
    subject: str
    issuer: str
    is_used: bool


class OpenId:
    """Signs people in with the one provider that the settings name."""

    def __init__(
        self,
        config: Config,
        provider: OpenIdProvider,
        accounts: Accounts,
        store: Store,
        sealer: Sealer,
        clock: Callable[[], datetime],
        *,
        redirect_uri: str,
    ) -> None:
        self._config = config
        self._provider = provider
        self._accounts = accounts
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._guesses = Guesses(store, clock)
        self._redirect_uri = redirect_uri

    @property
    def name(self) -> str:
        """What people know the provider by."""
        return self._config.oidc_name

    async def depart(self, path: str, *, address: str, invitation: str = "", user: User | None = None) -> Departure:
        """Send a browser to the provider; who comes back may use an invitation, or connect the account of `user`.

        `address` is the caller's. Raises `TooMany` or `Unavailable`.
        """
        await self._guesses.count_at_provider(address)
        flow = _Flow(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            expires_at=(self._clock() + FLOW_LASTS).timestamp(),
            path=path if len(path) <= _LONGEST_PATH else "/",
            invitation=invitation[:256],
            user_id=None if user is None else user.id,
        )
        url = await self._provider.authorization_url(
            redirect_uri=self._redirect_uri, state=flow.state, nonce=flow.nonce, challenge=_challenge(flow.verifier)
        )
        sealed = self._sealer.seal(msgspec.json.encode(flow), _CONTEXT)
        return Departure(url=url, cookie=base64.urlsafe_b64encode(sealed).decode())

    async def arrive(self, cookie: str, query: Mapping[str, str], user: User | None, *, address: str) -> Arrival:
        """Take a browser that comes back, with its cookie, the parameters of its address, and who has a session in it.

        Raises `BadRequest`, `Unauthenticated`, `Forbidden`, `Conflict`, `TooMany` or `Unavailable`, with what to do.
        """
        await self._guesses.count_at_provider(address)
        arrival = await self._arrive(cookie, query, user)
        await self._guesses.forget_at_provider(address)
        return arrival

    async def connections(self, user: User) -> Sequence[Connection]:
        """List who a user is at providers."""
        return [
            Connection(
                key=_key_of(one), subject=one.subject, issuer=one.issuer, is_used=one.issuer == self._provider.issuer
            )
            for one in await self._store.identities(user.id)
        ]

    async def disconnect(self, user: User, key: str) -> None:
        """Forget a connection; raises `NotFound`, or `Conflict` for the last way in."""
        found = [one for one in await self._store.identities(user.id) if _key_of(one) == key]
        if not found:
            raise NotFound("You have no such connection.")
        if not await self._store.remove_identity(found[0], user.id, used_issuer=self._provider.issuer):
            raise Conflict("This is your only way in: set a password first.")

    async def _arrive(self, cookie: str, query: Mapping[str, str], user: User | None) -> Arrival:
        flow = self._flow(cookie)
        if not hmac.compare_digest(query.get("state", "").encode("utf-8", "replace"), flow.state.encode()):
            raise BadRequest(_BEGIN_ANEW)
        if query.get("iss", self._provider.issuer) != self._provider.issuer:
            raise BadRequest(_BEGIN_ANEW)
        code = query.get("code", "")
        if "error" in query or not 0 < len(code) <= _LONGEST_PARAMETER:
            raise Forbidden(f"{self.name} did not let you in. Begin anew; if it stays so, tell your admin.")
        claims = await self._provider.claims_for(
            code,
            redirect_uri=self._redirect_uri,
            verifier=flow.verifier,
            nonce=flow.nonce,
            lacks=self._lacks,
        )
        self._check(claims)
        identity = Identity(issuer=self._provider.issuer, subject=claims["sub"])
        if flow.user_id is not None:
            await self._connect(identity, UserId(flow.user_id), user)
            return Arrival(path=flow.path, session=None)
        who = await self._store.identity_owner(identity) or await self._newcomer(identity, claims, flow.invitation)
        return Arrival(path=flow.path, session=await self._accounts.begin_session(who.id))

    def _flow(self, cookie: str) -> _Flow:
        try:
            sealed = base64.b64decode(cookie.encode("ascii"), altchars=b"-_", validate=True)
            flow = msgspec.json.decode(self._sealer.open(sealed, _CONTEXT), type=_Flow)
        except (UnicodeEncodeError, binascii.Error, CannotOpen, msgspec.DecodeError) as error:
            raise BadRequest(_BEGIN_ANEW) from error
        if flow.expires_at <= self._clock().timestamp():
            raise BadRequest(_BEGIN_ANEW)
        return flow

    @property
    def _looks_at_addresses(self) -> bool:
        return bool(self._config.oidc_email_domains) and "*" not in self._config.oidc_email_domains

    def _lacks(self, claims: Mapping[str, Any]) -> bool:
        """Say whether a person's claims do not tell what their name is, or whether they may come in."""
        names, addresses = ("preferred_username", "email"), ("email", "email_verified")
        is_nameless = not any(name in claims for name in names)
        has_no_address = self._looks_at_addresses and not all(name in claims for name in addresses)
        has_no_groups = bool(self._config.oidc_groups) and self._config.oidc_groups_claim not in claims
        return is_nameless or has_no_address or has_no_groups

    def _check(self, claims: Mapping[str, Any]) -> None:
        domains, groups = self._config.oidc_email_domains, self._config.oidc_groups
        if self._looks_at_addresses and _domain_of(claims) not in {domain.casefold() for domain in domains}:
            raise Forbidden(_NO_ADDRESS)
        if groups and not _texts(claims.get(self._config.oidc_groups_claim)) & set(groups):
            raise Forbidden(_NOT_IN_GROUP)

    async def _connect(self, identity: Identity, user_id: UserId, user: User | None) -> None:
        if user is None or user.id != user_id:
            raise Forbidden("Sign in to the account that you want to connect, and begin anew.")
        if await self._store.add_identity(identity, user_id, self._clock()):
            return
        owner = await self._store.identity_owner(identity)
        if owner is None or owner.id != user_id:
            raise Conflict(
                f"You are connected to another account here already; sign out, and sign in with {self.name}."
            )

    async def _newcomer(self, identity: Identity, claims: Mapping[str, Any], invitation: str) -> User:
        try:
            if invitation:
                return await self._invited(identity, claims, invitation)
            if self._config.oidc_new_users:
                return await self._added(identity, claims)
        except Violated as error:
            # The same person has come in by another window meanwhile.
            owner = await self._store.identity_owner(identity)
            if owner is None:
                raise Conflict(_BEGIN_ANEW) from error
            return owner
        raise Forbidden(_NO_ACCOUNT)

    async def _invited(self, identity: Identity, claims: Mapping[str, Any], token: str) -> User:
        digest = digest_of(token)
        found = await self._store.invitation(digest, self._clock())
        if found is None:
            raise Forbidden(_USED_UP)
        names = [found.name] if found.name is not None else _names(claims)
        try:
            return await self._first_free(
                names,
                lambda name: self._store.add_user_with_identity(
                    identity, name, self._clock(), role=found.role, weight=found.weight, invitation=digest
                ),
            )
        except Unexpected as error:
            raise Forbidden(_USED_UP) from error

    async def _added(self, identity: Identity, claims: Mapping[str, Any]) -> User:
        return await self._first_free(
            _names(claims), lambda name: self._store.add_user_with_identity(identity, name, self._clock())
        )

    async def _first_free(self, names: list[str], add: Callable[[str], Any]) -> User:
        for name in names[:-1]:
            try:
                return await add(name)
            except DuplicateUser:
                continue
        return await add(names[-1])


def openid_of(
    config: Config,
    accounts: Accounts,
    store: Store,
    sealer: Sealer,
    clock: Callable[[], datetime],
    *,
    public_url: str,
) -> OpenId | None:
    """Give the way in that the settings name, if they name one; raises `ConfigError`."""
    if not config.oidc_issuer:
        return None
    if not config.oidc_client_id:
        raise ConfigError("oidc_client_id: name the client that the provider knows this server by")
    if config.oidc_new_users and not (config.oidc_email_domains or config.oidc_groups):
        raise ConfigError("oidc_new_users: say who, by oidc_email_domains (`*` for everybody) or oidc_groups")
    redirect_uri = public_url + CALLBACK
    return OpenId(config, OpenIdProvider(config), accounts, store, sealer, clock, redirect_uri=redirect_uri)


def _key_of(identity: Identity) -> str:
    return hashlib.sha256(f"{identity.issuer}\0{identity.subject}".encode()).hexdigest()[:32]


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _domain_of(claims: Mapping[str, Any]) -> str | None:
    """Give the domain of an address that the provider has verified."""
    address = claims.get("email")
    # Some providers write the truth as a text.
    if not isinstance(address, str) or claims.get("email_verified") not in (True, "true"):
        return None
    return address.rpartition("@")[2].casefold()


def _texts(claim: object) -> set[str]:
    if isinstance(claim, str):
        return {claim}
    return {one for one in cast("list[object]", claim) if isinstance(one, str)} if isinstance(claim, list) else set()


def _names(claims: Mapping[str, Any]) -> list[str]:
    """Give names for a new user, the wished one first; one that is taken is another person's, whoever has it."""
    address = claims.get("email")
    wishes = [claims.get("preferred_username"), address.partition("@")[0] if isinstance(address, str) else None]
    cleaned = [_NOT_IN_NAMES.sub("-", wish).strip("._@-")[:_LONGEST_NAME] for wish in wishes if isinstance(wish, str)]
    name = next((one for one in cleaned if one), "user")
    return [name, *(f"{name}-{number}" for number in range(2, _MOST_NAMES)), f"{name}-{secrets.token_hex(2)}"]
