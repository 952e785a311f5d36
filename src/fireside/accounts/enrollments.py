"""Workers of other machines: the tokens they join with, their names, and the credentials they come back with.

A worker makes its own secret and shows it with the join token, so that it may ask again when the answer was lost; what
is kept of either is a digest. Who is on the bus, and who is to be thrown out there, is not decided here.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fireside.accounts.tokens import (
    JOIN_TOKEN_PREFIX,
    WORKER_SECRET_PREFIX,
    digest_of,
    new_join_token,
    shown_prefix,
)
from fireside.config import Config
from fireside.domain.errors import BadRequest, Conflict, Forbidden, NotFound, Unavailable
from fireside.domain.ids import WorkerId
from fireside.domain.workers import SERVER_NAME, Enrollment, JoinToken, is_own_name, is_worker_name
from fireside.store.store import DuplicateWorker, JoinTokenUsed, Store

_SECRET = re.compile(re.escape(WORKER_SECRET_PREFIX) + r"[A-Za-z0-9_-]{43,128}")
_MAX_TOKEN_CHARACTERS = 256
_MAX_LABEL_CHARACTERS = 100
_MAX_VERSION_CHARACTERS = 64
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
# Leaves room for a number behind it.
_MAX_HOSTNAME_CHARACTERS = 56
_LARGEST_ID = (1 << 63) - 1


class WrongProtocol(Conflict):
    """The worker speaks a protocol that this server does not."""

    code = "wrong_protocol"


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """A worker that would like to come in; an empty `name` leaves the choice to us."""

    secret: str = field(repr=False)
    protocol: int
    version: str
    name: str
    hostname: str
    is_transient: bool = False


class Enrollments:
    """Lets workers in, and says who a credential belongs to."""

    def __init__(
        self, store: Store, clock: Callable[[], datetime], config: Config, *, protocols: range, keys_are_revoked: bool
    ) -> None:
        """`protocols` are understood. Where keys on the bus cannot be revoked, no name is given a second time."""
        self._store = store
        self._clock = clock
        self._config = config
        self._protocols = protocols
        self._keys_are_revoked = keys_are_revoked

    @property
    def usual_span(self) -> timedelta:
        """How long a token works unless its maker says otherwise."""
        return timedelta(hours=self._config.join_token_hours)

    async def create_token(
        self, *, label: str, is_reusable: bool, works_for: timedelta | None
    ) -> tuple[JoinToken, str]:
        """Make a token to join with, which never expires without `works_for`.

        The second value is the token itself, which nobody can show again.
        """
        if len(label) > _MAX_LABEL_CHARACTERS or not label.isprintable():
            raise BadRequest(f"a label has at most {_MAX_LABEL_CHARACTERS} printable characters")
        now, secret = self._clock(), new_join_token()
        token = await self._store.add_join_token(
            digest_of(secret),
            shown_prefix(secret),
            label,
            now,
            is_reusable=is_reusable,
            expires_at=None if works_for is None else now + works_for,
        )
        return token, secret

    async def tokens(self) -> Sequence[JoinToken]:
        """List the tokens to join with, also those that are over."""
        return await self._store.join_tokens()

    async def revoke_token(self, token_id: int) -> bool:
        """End a token; False when it was revoked before. Raises `NotFound`. Who has joined with it stays."""
        known = 0 < token_id <= _LARGEST_ID and any(one.id == token_id for one in await self.tokens())
        if not known:
            raise NotFound(f"there is no join token {token_id}")
        return await self._store.revoke_join_token(token_id, self._clock())

    async def token(self, secret: str) -> JoinToken | None:
        """Find the token to join with, whether it is still good or not."""
        if not secret.startswith(JOIN_TOKEN_PREFIX) or len(secret) > _MAX_TOKEN_CHARACTERS:
            return None
        return await self._store.join_token(digest_of(secret))

    async def enroll(self, token: JoinToken, new: Newcomer) -> Enrollment:
        """Let a worker in; one that asks again with the same secret is the same worker.

        Raises `BadRequest`, `WrongProtocol`, `JoinTokenUsed` or `DuplicateWorker`.
        """
        if not _SECRET.fullmatch(new.secret):
            raise BadRequest(f"a worker's secret is {WORKER_SECRET_PREFIX} and at least 43 characters of base64url")
        self.check_protocol(new.protocol)
        digest = digest_of(new.secret)
        while True:
            known = await self._store.enrollment(digest)
            if known is not None:
                return known
            why_not = token.why_not(self._clock())
            if why_not:
                raise JoinTokenUsed(
                    f"no worker can join with this token: {why_not}. `fireside worker-token create` makes another."
                )
            name = await self._free_name(new)
            try:
                return await self._store.enroll(
                    name,
                    digest,
                    token,
                    self._clock(),
                    protocol=new.protocol,
                    version=_short(new.version),
                    is_transient=new.is_transient,
                )
            except (DuplicateWorker, JoinTokenUsed):
                # Somebody else was faster: the next look says what has come of it.
                token = await self._again(token)

    async def worker_of(self, secret: str) -> Enrollment | None:
        """Say whose credential this is."""
        if not _SECRET.fullmatch(secret):
            return None
        return await self._store.enrollment(digest_of(secret))

    async def boot(
        self,
        seen: Enrollment,
        boot_id: str,
        *,
        protocol: int,
        version: str,
        is_transient: bool = False,
        key_ends_at: datetime | None = None,
    ) -> Enrollment:
        """Note which process speaks for the worker from now on; raises `WrongProtocol`."""
        self.check_protocol(protocol)
        if not is_worker_name(boot_id):
            raise BadRequest("boot_id has 1 to 64 letters, digits, - or _")
        booted = await self._store.boot_worker(
            seen,
            boot_id,
            self._clock(),
            protocol=protocol,
            version=_short(version),
            is_transient=is_transient,
            key_ends_at=key_ends_at,
        )
        if booted is None:
            raise Unavailable("another process of this worker came in at the same time; try again", retry_after=1)
        return booted

    def check_protocol(self, protocol: int) -> None:
        """Raise `WrongProtocol` for one that is not understood here."""
        if protocol in self._protocols:
            return
        oldest, newest = self._protocols[0], self._protocols[-1]
        older = "older" if protocol < oldest else "newer"
        spoken = str(newest) if oldest == newest else f"{oldest} to {newest}"
        raise WrongProtocol(
            f"This worker is {older} than the server: it speaks protocol {protocol}, the server {spoken}."
            " Install the server's version of Fireside on the worker's machine."
        )

    async def _free_name(self, new: Newcomer) -> WorkerId:
        taken = {one.worker_id for one in await self._store.enrollments()}
        gone: Collection[WorkerId] = ()
        if not self._keys_are_revoked:
            gone = {one.worker_id for one in await self._store.removed_workers()}
        if new.name:
            return _checked(new.name, taken, gone)
        base = _NOT_IN_NAMES.sub("-", new.hostname.partition(".")[0]).strip("-_").lower()[:_MAX_HOSTNAME_CHARACTERS]
        base = base if is_worker_name(base) and not is_own_name(f"{base}-1") else "worker"
        numbers = range(2, len(taken) + len(gone) + 3)
        names = [WorkerId(base), *(WorkerId(f"{base}-{number}") for number in numbers)]
        return next(name for name in names if name not in taken and name not in gone)

    async def _again(self, token: JoinToken) -> JoinToken:
        found = next((one for one in await self._store.join_tokens() if one.id == token.id), None)
        if found is None:
            raise Forbidden("this join token is gone")
        return found


def _checked(name: str, taken: Collection[WorkerId], gone: Collection[WorkerId]) -> WorkerId:
    if not is_worker_name(name):
        raise BadRequest(f"a worker's name has 1 to 64 letters, digits, - or _, and is not {SERVER_NAME!r}")
    if is_own_name(name):
        raise BadRequest(f"names like {name!r} are for workers that a server starts itself; choose another")
    if name in taken:
        raise DuplicateWorker(
            f"a worker named {name} has joined already: choose another name, start that worker from its own data"
            f" folder, or send it away first (fireside workers remove {name})"
        )
    if name in gone:
        raise DuplicateWorker(f"a worker named {name} was removed, and still has a key to the bus: choose another name")
    return WorkerId(name)


def _short(version: str) -> str:
    return "".join(letter for letter in version if letter.isprintable())[:_MAX_VERSION_CHARACTERS]
