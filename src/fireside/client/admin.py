"""What only an admin may ask: users, keys, login links, and how the server is."""

from typing import Any
from urllib.parse import quote

import msgspec

from fireside.client.connection import Connection, json_body
from fireside.wire.admin import (
    ChangedUserBody,
    CountersBody,
    CreatedJoinTokenBody,
    CreatedKeyBody,
    DoctorBody,
    FleetWorkerBody,
    JoinTokenBody,
    JoinTokensBody,
    KeyBody,
    KeysBody,
    KeyScope,
    LoginLinkBody,
    LoginLinkQuery,
    NewJoinTokenBody,
    NewKeyBody,
    NewUserBody,
    PoolBody,
    PoolQuery,
    PoolsBody,
    RevokedBody,
    UserBody,
    UsersBody,
    WorkersBody,
)
from fireside.wire.audit import AuditBody
from fireside.wire.maintenance import MaintenanceBody, NewMaintenanceBody
from fireside.wire.people import (
    CreatedInvitationBody,
    InvitationBody,
    InvitationsBody,
    NewInvitationBody,
    PasswordLinkBody,
    PasswordLinkQuery,
)
from fireside.wire.queues import AdminPauseBody, AdminResumeBody, PauseBody, PausesBody, ResumedBody
from fireside.wire.usage import AllUsageBody


class Admin:
    """The admin's calls; over the admin socket, or with an admin's key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create_user(self, new: NewUserBody) -> UserBody:
        """Add a user."""
        return await self._connection.ask("POST", "/admin/api/users", UserBody, **json_body(new))

    async def change_user(self, name: str, changed: ChangedUserBody) -> UserBody:
        """Change a user's role, weight and limits."""
        return await self._connection.ask("PATCH", f"/admin/api/users/{quote(name)}", UserBody, **json_body(changed))

    async def delete_user(self, name: str) -> None:
        """Delete a user with all that is theirs."""
        await self._connection.send("DELETE", f"/admin/api/users/{quote(name, safe='')}")

    async def users(self) -> list[UserBody]:
        """List all users."""
        return (await self._connection.ask("GET", "/admin/api/users", UsersBody)).users

    async def create_key(
        self, user: str, label: str = "", *, scopes: list[KeyScope] | None = None, expires_seconds: float | None = None
    ) -> CreatedKeyBody:
        """Make a key for a user; without `scopes` it has all, and without `expires_seconds` no end."""
        body = json_body(NewKeyBody(user=user, label=label, scopes=scopes, expires_seconds=expires_seconds))
        return await self._connection.ask("POST", "/admin/api/keys", CreatedKeyBody, **body)

    async def keys(self, user: str | None = None) -> list[KeyBody]:
        """List a user's keys, or everybody's."""
        parameters = {"user": user} if user else {}
        return (await self._connection.ask("GET", "/admin/api/keys", KeysBody, params=parameters)).keys

    async def revoke_key(self, key_id: int) -> bool:
        """End a key; False when it was revoked before."""
        return (await self._connection.ask("POST", f"/admin/api/keys/{key_id}/revoke", RevokedBody)).revoked

    async def maintenance(self, *, on: bool | None = None, reason: str = "") -> MaintenanceBody:
        """Put the servers into maintenance or out of it; without `on`, say how it is."""
        if on is None:
            return await self._connection.ask("GET", "/admin/api/maintenance", MaintenanceBody)
        body = json_body(NewMaintenanceBody(on=on, reason=reason))
        return await self._connection.ask("PUT", "/admin/api/maintenance", MaintenanceBody, **body)

    async def audit(self, *, user: str = "", limit: int = 100, cursor: str = "") -> AuditBody:
        """List what admins have done, the newest first."""
        parameters = {"user": user, "limit": str(limit), "cursor": cursor}
        return await self._connection.ask("GET", "/admin/api/audit", AuditBody, params=parameters)

    async def login_link(self, user: str | None = None) -> LoginLinkBody:
        """Make a one-time login link for a user, or for whoever asks."""
        return await self._connection.ask(
            "POST", "/admin/api/login-link", LoginLinkBody, **json_body(LoginLinkQuery(user=user))
        )

    async def invite(self, new: NewInvitationBody) -> CreatedInvitationBody:
        """Invite somebody."""
        return await self._connection.ask("POST", "/admin/api/invitations", CreatedInvitationBody, **json_body(new))

    async def invitations(self) -> list[InvitationBody]:
        """List the invitations that nobody has used yet."""
        return (await self._connection.ask("GET", "/admin/api/invitations", InvitationsBody)).invitations

    async def take_back_invitation(self, invitation_id: int) -> None:
        """Take an invitation back."""
        await self._connection.send("DELETE", f"/admin/api/invitations/{invitation_id}")

    async def password_link(self, user: str) -> PasswordLinkBody:
        """Make a link by which a user chooses a new password."""
        body = json_body(PasswordLinkQuery(user=user))
        return await self._connection.ask("POST", "/admin/api/password-link", PasswordLinkBody, **body)

    async def workers(self) -> list[FleetWorkerBody]:
        """List the workers of the fleet."""
        return (await self._connection.ask("GET", "/admin/api/workers", WorkersBody)).workers

    async def pools(self) -> list[PoolBody]:
        """List the pools of workers, and say how many each should have."""
        return (await self._connection.ask("GET", "/admin/api/pools", PoolsBody)).pools

    async def pool(self, name: str, launcher: PoolQuery | None = None) -> PoolBody:
        """Say how many workers one pool should have, and a launcher, by what it says of itself, how many are its."""
        said: dict[str, Any] = msgspec.to_builtins(launcher) if launcher is not None else {}
        return await self._connection.ask("GET", f"/admin/api/pools/{quote(name)}", PoolBody, params=said)

    async def pause(self, user: str | None, reason: str = "") -> PauseBody:
        """Have nothing of a user's queue handed out, or of nobody's."""
        body = json_body(AdminPauseBody(user=user, reason=reason))
        return await self._connection.ask("POST", "/admin/api/pause", PauseBody, **body)

    async def resume(self, user: str | None) -> ResumedBody:
        """End an admin's pause of a user's queue, or of all."""
        return await self._connection.ask(
            "POST", "/admin/api/resume", ResumedBody, **json_body(AdminResumeBody(user=user))
        )

    async def pauses(self) -> list[PauseBody]:
        """List all pauses."""
        return (await self._connection.ask("GET", "/admin/api/pauses", PausesBody)).pauses

    async def drain_worker(self, name: str) -> None:
        """Let a worker finish what it has and take no more."""
        await self._connection.send("POST", f"/admin/api/workers/{quote(name, safe='')}/drain")

    async def resume_worker(self, name: str) -> None:
        """Let a worker take jobs again."""
        await self._connection.send("POST", f"/admin/api/workers/{quote(name, safe='')}/resume")

    async def remove_worker(self, name: str) -> None:
        """Send a worker away for good."""
        await self._connection.send("DELETE", f"/admin/api/workers/{quote(name, safe='')}")

    async def create_join_token(self, new: NewJoinTokenBody) -> CreatedJoinTokenBody:
        """Make a token that workers join with."""
        return await self._connection.ask("POST", "/admin/api/worker-tokens", CreatedJoinTokenBody, **json_body(new))

    async def join_tokens(self) -> list[JoinTokenBody]:
        """List the tokens that workers join with."""
        return (await self._connection.ask("GET", "/admin/api/worker-tokens", JoinTokensBody)).tokens

    async def revoke_join_token(self, token_id: int) -> bool:
        """End a token; False when it was revoked before."""
        path = f"/admin/api/worker-tokens/{token_id}/revoke"
        return (await self._connection.ask("POST", path, RevokedBody)).revoked

    async def usage(self, user: str, first: str, last: str) -> AllUsageBody:
        """Ask what was used; empty texts ask for everybody, and for this month."""
        params = {"user": user, "from": first, "to": last}
        return await self._connection.ask("GET", "/admin/api/usage", AllUsageBody, params=params)

    async def usage_table(self, user: str, first: str, last: str) -> str:
        """Ask the same as CSV."""
        params = {"user": user, "from": first, "to": last}
        return (await self._connection.send("GET", "/admin/api/usage.csv", params=params)).decode()

    async def recount(self) -> CountersBody:
        """Have all jobs and assets counted anew; says by user how many counters were wrong."""
        return await self._connection.ask("POST", "/admin/api/counters", CountersBody)

    async def doctor(self) -> DoctorBody:
        """Ask the server how it is."""
        return await self._connection.ask("GET", "/admin/api/doctor", DoctorBody)
