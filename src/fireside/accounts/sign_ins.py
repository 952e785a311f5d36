"""Signing in with a password, choosing one, and invitations."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from fireside.accounts.accounts import Accounts, check_user_name
from fireside.accounts.guesses import Guesses
from fireside.accounts.passwords import Passwords, check_password
from fireside.accounts.tokens import digest_of, new_token
from fireside.config import Config
from fireside.domain.accounts import Invitation, Role, User
from fireside.domain.errors import BadRequest, Forbidden, NotFound, Unauthenticated
from fireside.store.database import Unexpected
from fireside.store.store import Store

_MAX_TOKEN_CHARACTERS = 256
_MAX_WEIGHT = 1e6
_NOT_RIGHT = "The name or the password is not right."
_USED_UP = "This link does not work: it is used up, too old, or not whole. Ask for another."


class SignIns:
    """How people come in and go on to come in."""

    def __init__(
        self,
        accounts: Accounts,
        store: Store,
        clock: Callable[[], datetime],
        config: Config,
        passwords: Passwords | None = None,
    ) -> None:
        self._accounts = accounts
        self._store = store
        self._clock = clock
        self._links_last = timedelta(days=config.invitation_days)
        self._guesses = Guesses(store, clock)
        self._passwords = passwords or Passwords()

    async def with_password(self, name: str, password: str, address: str) -> str:
        """Give a new session's cookie; raises `Unauthenticated`, or `TooMany` after too many guesses.

        `address` is the caller's. A name that nobody has takes as long as a wrong password and is answered the same.
        """
        if not name or not password:
            raise BadRequest("Give a name and a password.")
        await self._guesses.count(name, address)
        found = await self._store.password_of(name)
        if not await self._passwords.matches(password, found[1] if found else None) or found is None:
            raise Unauthenticated(_NOT_RIGHT)
        await self._guesses.forget(name, address)
        return await self._accounts.begin_session(found[0].id)

    async def change_password(self, user: User, former: str, password: str, address: str) -> str:
        """Set a user's password, for which they show the former one if they have any; ends all their sessions.

        Returns the cookie of a new session. Raises `Forbidden`, `BadRequest` or `TooMany`.
        """
        check_password(password, user.name)
        found = await self._store.password_of(user.name)
        kept = found[1] if found else None
        if kept is not None:
            await self._guesses.count(user.name, address)
            if not await self._passwords.matches(former, kept):
                raise Forbidden("The present password is not right.")
            await self._guesses.forget(user.name, address)
        await self._store.set_password(user.id, await self._passwords.kept(password))
        return await self._accounts.begin_session(user.id)

    async def password_link(self, user: User) -> tuple[str, datetime]:
        """Make the token of a link by which a user chooses a new password, and say until when it works."""
        token, expires_at = new_token(), self._clock() + self._links_last
        await self._store.add_login_link(digest_of(token), user.id, expires_at, sets_password=True)
        return token, expires_at

    async def user_of_password_link(self, token: str) -> User:
        """Say whose password a link sets, without using it up; raises `NotFound`."""
        user = await self._store.login_link(_digest(token), self._clock(), sets_password=True)
        if user is None:
            raise NotFound(_USED_UP)
        return user

    async def use_password_link(self, token: str, password: str) -> str:
        """Set the password, use the link up, and give a new session's cookie; raises `BadRequest` or `NotFound`."""
        user = await self.user_of_password_link(token)
        check_password(password, user.name)
        try:
            await self._store.use_password_link(_digest(token), user.id, await self._passwords.kept(password))
        except Unexpected as error:
            raise NotFound(_USED_UP) from error
        return await self._accounts.begin_session(user.id)

    async def invite(self, name: str | None, role: Role, weight: float) -> tuple[Invitation, str]:
        """Invite somebody; the second value is the token of their link. Without a name they choose one."""
        if name is not None:
            check_user_name(name)
            if await self._store.user_named(name) is not None:
                raise BadRequest(f"a user named {name} exists already; `fireside password-link` lets them in again")
        if not 0 < weight <= _MAX_WEIGHT:
            raise BadRequest("a weight is a number above 0")
        token, now = new_token(), self._clock()
        invitation = Invitation(id=0, name=name, role=role, weight=weight, expires_at=now + self._links_last)
        return await self._store.add_invitation(digest_of(token), invitation, now), token

    async def invitations(self) -> Sequence[Invitation]:
        """List the invitations that nobody has used yet."""
        return await self._store.invitations(self._clock())

    async def take_back(self, invitation_id: int) -> None:
        """Take an invitation back; raises `NotFound`."""
        if not await self._store.remove_invitation(invitation_id):
            raise NotFound(f"there is no invitation {invitation_id}; it may have been used")

    async def invitation(self, token: str) -> Invitation:
        """Read the invitation of a link, without using it up; raises `NotFound`."""
        found = await self._store.invitation(_digest(token), self._clock())
        if found is None:
            raise NotFound(_USED_UP)
        return found

    async def accept(self, token: str, name: str, password: str) -> str:
        """Become a user, and give the cookie of the first session.

        Raises `BadRequest`, `DuplicateUser`, which leaves the invitation as it was, or `NotFound`.
        """
        invitation = await self.invitation(token)
        name = invitation.name or name
        check_user_name(name)
        check_password(password, name)
        kept = await self._passwords.kept(password)
        try:
            user = await self._store.accept_invitation(_digest(token), invitation, name, kept, self._clock())
        except Unexpected as error:
            raise NotFound(_USED_UP) from error
        return await self._accounts.begin_session(user.id)


def _digest(token: str) -> bytes:
    return digest_of(token[:_MAX_TOKEN_CHARACTERS])
