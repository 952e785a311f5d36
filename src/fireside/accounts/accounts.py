"""Users and the ways they show who they are.

The store keeps only digests of credentials; what is returned here in the clear is shown once. When a key or a session
was used is noted in memory and written now and then (`flush_last_used`), so that no request waits for a write.
"""

import asyncio
import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fireside.accounts.tokens import API_KEY_PREFIX, digest_of, new_api_key, new_token, shown_prefix
from fireside.config import MOST_DAYS, MOST_QUOTA, Config
from fireside.domain.accounts import ALL_SCOPES, ApiKey, Principal, PrincipalKind, Role, Scope, User
from fireside.domain.errors import BadRequest, Conflict, NotFound, Unauthenticated
from fireside.domain.ids import UserId
from fireside.store.store import DuplicateUser, Store

FIRST_USER = "admin"
_USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_MAX_LABEL_CHARACTERS = 100
_MAX_TOKEN_CHARACTERS = 256
_MOST_JOBS = 1 << 40
_LONGEST_KEY = timedelta(days=MOST_DAYS)
_USED_WITHIN = timedelta(minutes=1)
_SEEN_WITHIN = timedelta(hours=1)
_RENEWED_AFTER = timedelta(days=1)
_FORMER_WORKS = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """What a user is created from; limits of None are the server's settings."""

    name: str
    role: Role = Role.MEMBER
    weight: float = 1.0
    max_running: int | None = None
    max_queued: int | None = None
    max_run_seconds: float | None = None
    keep_jobs: int | None = None
    keep_days: int | None = None
    reuse: bool | None = None
    quota_gpu_seconds: float | None = None
    quota_jobs: int | None = None
    quota_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStart:
    """What the first start of a server gives its owner, once."""

    user: User
    api_key: str = field(repr=False)
    login_token: str = field(repr=False)


class Accounts:
    """Creates users and credentials, and says who a credential belongs to."""

    def __init__(self, store: Store, clock: Callable[[], datetime], config: Config) -> None:
        self._store = store
        self._clock = clock
        self._config = config
        self._used: dict[int, datetime] = {}
        self._seen: dict[bytes, datetime] = {}
        self._flushing = asyncio.Lock()

    async def authenticate(self, token: str) -> Principal | None:
        """Say whose API key this is, if it is one that is not revoked."""
        if not token.startswith(API_KEY_PREFIX) or len(token) > _MAX_TOKEN_CHARACTERS:
            return None
        found = await self._store.key_owner(digest_of(token), self._clock())
        if found is None:
            return None
        key, user = found
        self._note_use(key)
        return Principal(user=user, kind=PrincipalKind.KEY, key_id=key.id, scopes=key.scopes)

    async def session(self, cookie: str) -> Principal | None:
        """Say whose session this cookie is, while it lasts."""
        if not cookie or len(cookie) > _MAX_TOKEN_CHARACTERS:
            return None
        digest, now = digest_of(cookie), self._clock()
        session = await self._store.session(digest, now, idle_at=self._idle_at(now))
        if session is None:
            return None
        if now - session.seen_at >= _SEEN_WITHIN:
            self._seen[digest] = now
        return Principal(user=session.user, kind=PrincipalKind.SESSION)

    async def renewed_session(self, cookie: str) -> str | None:
        """Give the cookie that a session goes on with when it has had this one for a day; the former works a little."""
        digest, now = digest_of(cookie), self._clock()
        session = await self._store.session(digest, now, idle_at=self._idle_at(now))
        if session is None or now - session.began_at < _RENEWED_AFTER:
            return None
        renewed = new_token()
        end_at = now + _FORMER_WORKS
        return renewed if await self._store.replace_session(digest, digest_of(renewed), now, end_at=end_at) else None

    async def local_user(self, name: str) -> Principal:
        """Say who calls at the local port of the user with this name; raises `Unauthenticated` while there is none."""
        user = await self._store.user_named(name)
        if user is None:
            raise Unauthenticated(
                f"This port is for the user {name}, and there is none: `fireside users create NAME` adds one."
            )
        return Principal(user=user, kind=PrincipalKind.LOCAL)

    async def end_session(self, cookie: str) -> None:
        """Sign out: the cookie is worth nothing from now on."""
        await self._store.end_session(digest_of(cookie))

    async def end_sessions(self, user: User) -> None:
        """Sign a user out everywhere."""
        await self._store.end_sessions_of(user.id)

    async def create_user(self, new: NewUser) -> User:
        """Add a user; raises `BadRequest`, or `DuplicateUser` for a name that is taken."""
        _check_user(new)
        return await self._store.add_user(
            new.name,
            new.role,
            self._clock(),
            weight=new.weight,
            max_running=new.max_running,
            max_queued=new.max_queued,
            max_run_seconds=new.max_run_seconds,
            keep_jobs=new.keep_jobs,
            keep_days=new.keep_days,
            reuse=new.reuse,
            quota_gpu_seconds=new.quota_gpu_seconds,
            quota_jobs=new.quota_jobs,
            quota_bytes=new.quota_bytes,
        )

    async def change_user(self, user: User) -> User:
        """Write a user's role, weight and limits as they are here.

        Raises `BadRequest`, `NotFound`, or `Conflict` for the last admin, who stays one.
        """
        _check_limits(user)
        changed = await self._store.change_user(user)
        if changed is None:
            await self.user_named(user.name)
            raise Conflict(f"{user.name} is the last admin: make somebody else one first")
        return changed

    async def delete_user(self, user: User) -> None:
        """Let nobody be this user any more, and have all that is theirs removed; raises `Conflict` for the last admin.

        The name is free at once. Jobs are canceled and removed by upkeep, and so are files and everything else.
        """
        if not await self._store.delete_user(user.id, self._clock()):
            raise Conflict(f"{user.name} is the last admin: make somebody else one first")

    async def users(self) -> Sequence[User]:
        """List all users."""
        return await self._store.users()

    async def user_named(self, name: str) -> User:
        """Find a user by name; raises `NotFound`."""
        user = await self._store.user_named(name) if _USER_NAME.fullmatch(name) else None
        if user is None:
            raise NotFound(f"there is no user {name!r}")
        return user

    async def first_admin(self) -> User:
        """Find the admin who came first, and create one where there is none; on the machine itself one acts as them."""
        admin = await self._oldest_admin()
        if admin is None:
            with suppress(DuplicateUser):  # another caller was faster
                return await self.create_user(NewUser(name=FIRST_USER, role=Role.ADMIN))
            admin = await self._oldest_admin()
        if admin is None:
            raise Conflict(f"nobody is an admin, and the name {FIRST_USER!r} is taken")
        return admin

    async def create_key(
        self,
        user: User,
        label: str = "",
        *,
        scopes: frozenset[Scope] = ALL_SCOPES,
        works_for: timedelta | None = None,
    ) -> tuple[ApiKey, str]:
        """Make an API key; the second value is the key itself, which nobody can show again.

        Without `works_for` it is good until it is revoked.
        """
        if len(label) > _MAX_LABEL_CHARACTERS or not label.isprintable():
            raise BadRequest(f"a label has at most {_MAX_LABEL_CHARACTERS} printable characters")
        if not scopes:
            raise BadRequest("a key has one scope at least: submit, read or admin")
        if works_for is not None and not timedelta() < works_for <= _LONGEST_KEY:
            raise BadRequest(f"a key works for more than 0 and at most {MOST_DAYS} days; leave it out for no end")
        secret, now = new_api_key(), self._clock()
        key = await self._store.add_key(
            user.id,
            digest_of(secret),
            shown_prefix(secret),
            label,
            now,
            scopes=scopes,
            expires_at=None if works_for is None else now + works_for,
        )
        return key, secret

    async def keys(self, user: User | None = None) -> Sequence[ApiKey]:
        """List the keys of a user, or of everybody; revoked ones included."""
        await self.flush_last_used()
        return await self._store.keys(None if user is None else user.id)

    async def revoke_key(self, key_id: int) -> bool:
        """End a key, at once; False when there is no such key or it is revoked already."""
        return await self._store.revoke_key(key_id, self._clock())

    async def login_link(self, user: User) -> str:
        """Make the token of a one-time login link."""
        token = new_token()
        expires_at = self._clock() + timedelta(minutes=self._config.login_link_minutes)
        await self._store.add_login_link(digest_of(token), user.id, expires_at)
        return token

    async def use_login_link(self, token: str) -> str | None:
        """Consume a login link and begin a session: its cookie's value, or None for a link that does not work."""
        if not token or len(token) > _MAX_TOKEN_CHARACTERS:
            return None
        user = await self._store.use_login_link(digest_of(token), self._clock())
        return None if user is None else await self.begin_session(user.id)

    async def begin_session(self, user_id: UserId) -> str:
        """Sign a user in and give the cookie's value."""
        cookie, now = new_token(), self._clock()
        expires_at = now + timedelta(days=self._config.session_days)
        await self._store.add_session(digest_of(cookie), user_id, now, expires_at, idle_at=self._idle_at(now))
        return cookie

    async def first_start(self) -> FirstStart | None:
        """Give the first admin a key and a login link; None when that admin has ever had a key."""
        user = await self.first_admin()
        if await self._store.keys(user.id):
            return None
        _, secret = await self.create_key(user, "first start")
        return FirstStart(user=user, api_key=secret, login_token=await self.login_link(user))

    async def flush_last_used(self) -> None:
        """Write when keys and sessions were last used; what cannot be written now is written next time."""
        async with self._flushing:
            used, seen = dict(self._used), dict(self._seen)
            await self._store.touch_keys(used)
            self._used = {key: at for key, at in self._used.items() if used.get(key) != at}
            await self._store.touch_sessions(seen)
            self._seen = {digest: at for digest, at in self._seen.items() if seen.get(digest) != at}

    async def _oldest_admin(self) -> User | None:
        admins = [user for user in await self._store.users() if user.role is Role.ADMIN]
        return min(admins, key=lambda user: user.id, default=None)

    def _idle_at(self, now: datetime) -> datetime:
        return now - timedelta(days=self._config.session_idle_days)

    def _note_use(self, key: ApiKey) -> None:
        now = self._clock()
        if key.last_used_at is None or now - key.last_used_at >= _USED_WITHIN:
            self._used[key.id] = now


def check_user_name(name: str) -> None:
    """Raise `BadRequest` for what cannot be a user's name."""
    if not _USER_NAME.fullmatch(name):
        raise BadRequest("a user's name has 1 to 64 letters, digits or . _ @ - and begins with a letter or digit")


def _check_user(new: NewUser) -> None:
    check_user_name(new.name)
    _check_limits(new)


def _check_limits(new: NewUser | User) -> None:
    if not (math.isfinite(new.weight) and new.weight > 0):
        raise BadRequest("a weight is a number above 0")
    for limit in (new.max_running, new.max_queued):
        if limit is not None and limit < 1:
            raise BadRequest("a limit is at least 1; leave it out for the server's setting")
    seconds = new.max_run_seconds
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
        raise BadRequest("max_run_seconds is a number above 0; leave it out for the server's setting")
    for name, kept, most in (("keep_jobs", new.keep_jobs, _MOST_JOBS), ("keep_days", new.keep_days, MOST_DAYS)):
        if kept is not None and not 0 <= kept <= most:
            raise BadRequest(f"{name} is 0, which keeps all, or up to {most}; leave it out for the server's setting")
    for name, quota in (
        ("quota_gpu_seconds", new.quota_gpu_seconds),
        ("quota_jobs", new.quota_jobs),
        ("quota_bytes", new.quota_bytes),
    ):
        if quota is not None and not 0 <= quota <= MOST_QUOTA:
            raise BadRequest(f"{name} is 0, which is no limit, or more; leave it out for the server's setting")
