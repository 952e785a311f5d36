"""The store's verbs about who users are at an OpenID provider: the pair of issuer and subject, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fireside.domain.accounts import Role, User
from fireside.domain.ids import UserId
from fireside.store.database import Statement, Unexpected, Violated
from fireside.store.refusals import DuplicateUser
from fireside.store.rows import user_of
from fireside.store.verbs import Verbs

_NO_LIMITS = dict.fromkeys(("max_running", "max_queued", "max_run_seconds", "keep_jobs", "keep_days", "reuse"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who somebody is at an issuer; neither part ever passes to somebody else."""

    issuer: str
    subject: str


class IdentityVerbs(Verbs):
    """How people come in by a provider."""

    async def identity_owner(self, identity: Identity) -> User | None:
        """Find the user who is this at the issuer, if any."""
        row = await self._one("identity_owner", _params(identity))
        return user_of(row) if row else None

    async def identities(self, user_id: UserId) -> Sequence[Identity]:
        """Read who a user is at providers, in the order in which that was noted."""
        rows = await self._all("identities_of_user", {"user_id": user_id})
        return [Identity(issuer=row["issuer"], subject=row["subject"]) for row in rows]

    async def remove_identity(self, identity: Identity, user_id: UserId, *, used_issuer: str) -> bool:
        """Forget who a user is at a provider; False, and it stays, when they could not sign in without it.

        They can with a password, or by another identity of the issuer that is in use.
        """
        params = _params(identity) | {"user_id": user_id, "used_issuer": used_issuer}
        return bool(await self._write("remove_identity", params))

    async def add_identity(self, identity: Identity, user_id: UserId, now: datetime) -> bool:
        """Note who a user is at an issuer; False when it is noted of somebody, or the user is deleted."""
        params = _params(identity) | {"user_id": user_id, "now": now}
        try:
            await self._database.write([Statement("add_identity", params, expect=1)])
        except (Violated, Unexpected):
            return False
        return True

    async def add_user_with_identity(
        self,
        identity: Identity,
        name: str,
        now: datetime,
        *,
        role: Role = Role.MEMBER,
        weight: float = 1.0,
        invitation: bytes | None = None,
    ) -> User:
        """Add a user who comes in by a provider, and use up the invitation of this SHA-256, if one is given.

        Raises `DuplicateUser`; `Unexpected` when the invitation was used meanwhile; `Violated` when the identity was.
        """
        user = {"name": name, "role": role.value, "weight": weight, "now": now, **_NO_LIMITS}
        used = [Statement("consume_invitation", {"digest": invitation, "now": now}, expect=1)] if invitation else []
        try:
            rows = await self._database.write(
                [
                    Statement("add_user", user, expect=1),
                    Statement("add_user_share", {"name": name}, expect=1),
                    Statement("add_identity_of_new_user", _params(identity) | {"name": name, "now": now}, expect=1),
                    *used,
                ]
            )
        except Violated as error:
            if error.constraint == "user.name":
                raise DuplicateUser(
                    f"a user named {name} exists already: ask for an invitation by another name"
                ) from error
            raise
        return user_of(rows[0][0])


def _params(identity: Identity) -> dict[str, object]:
    return {"issuer": identity.issuer, "subject": identity.subject}
