"""The store's verbs about signing in: passwords, sessions, links and invitations. Knows digests, no secret."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from fireside.domain.accounts import Invitation, Session, User
from fireside.domain.audit import Deed
from fireside.domain.ids import UserId
from fireside.store.audit_verbs import AuditedVerbs
from fireside.store.database import Statement, Violated
from fireside.store.refusals import DuplicateUser
from fireside.store.rows import invitation_of, session_of, user_of


class SignInVerbs(AuditedVerbs):
    """How people come in with a browser."""

    async def password_of(self, name: str) -> tuple[User, str | None] | None:
        """The user of this name, and what their password is checked by, if they have one."""
        row = await self._one("user_by_name", {"name": name})
        return (user_of(row), row["password_hash"]) if row else None

    async def set_password(self, user_id: UserId, password_hash: str) -> None:
        """Set a password; sessions that began with the former one end, and so do links that were not used."""
        await self._database.write(
            [
                Statement("set_password", {"id": user_id, "password_hash": password_hash}, expect=1),
                Statement("end_sessions_of_user", {"user_id": user_id}),
                Statement("remove_login_links_of_user", {"user_id": user_id}),
            ]
        )

    async def use_password_link(self, digest: bytes, user_id: UserId, password_hash: str) -> None:
        """Set the password of a link's user and use it up; raises Unexpected when it was used meanwhile."""
        await self._database.write(
            [
                Statement("consume_login_link", {"digest": digest, "sets_password": 1}, expect=1),
                Statement("set_password", {"id": user_id, "password_hash": password_hash}, expect=1),
                Statement("end_sessions_of_user", {"user_id": user_id}),
                Statement("remove_login_links_of_user", {"user_id": user_id}),
            ]
        )

    async def add_session(
        self, digest: bytes, user_id: UserId, now: datetime, expires_at: datetime, *, idle_at: datetime
    ) -> None:
        """Add a browser's session by its SHA-256; those that have expired, or were not used since `idle_at`, go."""
        params = {"digest": digest, "user_id": user_id, "now": now, "expires_at": expires_at}
        await self._database.write(
            [
                Statement("remove_expired_sessions", {"now": now}),
                Statement("remove_idle_sessions", {"idle_at": idle_at}),
                Statement("add_session", params, expect=1),
            ]
        )

    async def session(self, digest: bytes, now: datetime, *, idle_at: datetime) -> Session | None:
        """Read a session that has not expired and was used since `idle_at`."""
        row = await self._one("session_owner", {"digest": digest, "now": now, "idle_at": idle_at})
        return session_of(row) if row else None

    async def touch_sessions(self, used: Mapping[bytes, datetime]) -> None:
        """Note when sessions were last used; a note never moves back in time."""
        if used:
            await self._database.write(
                [Statement("touch_session", {"digest": digest, "at": at}) for digest, at in used.items()]
            )

    async def replace_session(self, digest: bytes, new_digest: bytes, now: datetime, *, end_at: datetime) -> bool:
        """Go on under another token; the former works until `end_at`. False where the session ends before that."""
        params = {"digest": digest, "new_digest": new_digest, "now": now, "end_at": end_at}
        added, _ = await self._database.write(
            [Statement("replace_session", params), Statement("end_session_soon", {"digest": digest, "end_at": end_at})]
        )
        return bool(added)

    async def end_session(self, digest: bytes) -> None:
        """End a session, if there is one."""
        await self._write("end_session", {"digest": digest})

    async def end_sessions_of(self, user_id: UserId) -> None:
        """End all sessions of a user."""
        await self._write("end_sessions_of_user", {"user_id": user_id})

    async def add_login_link(
        self, digest: bytes, user_id: UserId, expires_at: datetime, *, sets_password: bool = False
    ) -> None:
        """Add a link by its SHA-256: one that signs in, or one by which a password is chosen."""
        params = {"digest": digest, "user_id": user_id, "sets_password": int(sets_password), "expires_at": expires_at}
        action = "user.password_link" if sets_password else "user.login_link"
        await self._write_audited(
            [Statement("add_login_link", params)],
            lambda _: Deed(action=action, target_id=user_id, details={"expires_at": expires_at}),
        )

    async def login_link(self, digest: bytes, now: datetime, *, sets_password: bool) -> User | None:
        """The user of a link that can still be used; looking does not use it up."""
        params = {"digest": digest, "sets_password": int(sets_password), "now": now}
        row = await self._one("login_link", params)
        return user_of(row) if row else None

    async def use_login_link(self, digest: bytes, now: datetime) -> User | None:
        """Consume the link: the first caller gets its user, every later one None; so does a late one."""
        params = {"digest": digest, "sets_password": 0}
        (consumed,) = await self._database.write([Statement("consume_login_link", params)])
        if not consumed or consumed[0]["expires_at"] <= now:
            return None
        row = await self._one("user_by_id", {"id": consumed[0]["user_id"]})
        return user_of(row) if row else None

    async def add_invitation(self, digest: bytes, invitation: Invitation, now: datetime) -> Invitation:
        """Add an invitation by its SHA-256 and give it with its id; those that nobody used in time go."""
        params = {
            "digest": digest,
            "name": invitation.name,
            "role": invitation.role.value,
            "weight": invitation.weight,
            "now": now,
            "expires_at": invitation.expires_at,
        }
        _, rows = await self._write_audited(
            [Statement("remove_expired_invitations", {"now": now}), Statement("add_invitation", params, expect=1)],
            lambda results: Deed(
                action="invitation.create",
                target=invitation.name or "",
                details={"invitation": results[1][0]["id"], "role": invitation.role.value},
            ),
        )
        return invitation_of(rows[0])

    async def invitations(self, now: datetime) -> Sequence[Invitation]:
        """Read the invitations that can be used, by their end."""
        return [invitation_of(row) for row in await self._all("invitations", {"now": now})]

    async def invitation(self, digest: bytes, now: datetime) -> Invitation | None:
        """Read an invitation that can be used."""
        row = await self._one("invitation", {"digest": digest, "now": now})
        return invitation_of(row) if row else None

    async def remove_invitation(self, invitation_id: int) -> bool:
        """Take an invitation back; False when there is none."""
        (rows,) = await self._write_audited(
            [Statement("remove_invitation", {"id": invitation_id})],
            lambda results: (
                Deed(action="invitation.remove", details={"invitation": invitation_id}) if results[0] else None
            ),
        )
        return bool(rows)

    async def accept_invitation(
        self, digest: bytes, invitation: Invitation, name: str, password_hash: str, now: datetime
    ) -> User:
        """Use an invitation up and add its user; raises DuplicateUser, or Unexpected when it was used meanwhile."""
        limits = dict.fromkeys(("max_running", "max_queued", "max_run_seconds", "keep_jobs", "keep_days", "reuse"))
        user = {"name": name, "role": invitation.role.value, "weight": invitation.weight, "now": now, **limits}
        try:
            rows = await self._database.write(
                [
                    Statement("consume_invitation", {"digest": digest, "now": now}, expect=1),
                    Statement("add_user", user, expect=1),
                    Statement("add_user_share", {"name": name}, expect=1),
                    Statement("set_password_of_new_user", {"name": name, "password_hash": password_hash}, expect=1),
                ]
            )
        except Violated as error:
            if error.constraint == "user.name":
                raise DuplicateUser(f"a user named {name} exists already: choose another name") from error
            raise
        return user_of(rows[3][0])

    async def count_sign_in_try(
        self, subjects: Sequence[bytes], now: datetime, *, counted_for: timedelta
    ) -> Sequence[tuple[int, datetime]]:
        """Count a try for each subject; says how many there were with it, and when the first of them was."""
        counted = await self._database.write(
            [
                Statement("forget_sign_in_tries", {"began_at": now - counted_for}),
                *(Statement("count_sign_in_try", {"subject": subject, "now": now}) for subject in subjects),
            ]
        )
        return [(int(row["tries"]), row["began_at"]) for (row,) in counted[1:]]

    async def clear_sign_in_tries(self, subjects: Sequence[bytes]) -> None:
        """Begin anew to count."""
        await self._database.write([Statement("clear_sign_in_tries", {"subject": subject}) for subject in subjects])
