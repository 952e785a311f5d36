"""How an admin lets people in: invitations, and links by which a password is chosen."""

from datetime import datetime
from typing import Literal

import msgspec


class NewInvitationBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /admin/api/invitations`; without a name the guest chooses one."""

    name: str | None = None
    role: Literal["admin", "member"] = "member"
    weight: float = 1.0


class InvitationBody(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that nobody has used yet."""

    id: int
    name: str | None
    role: str
    weight: float
    expires_at: datetime


class CreatedInvitationBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /admin/api/invitations`: the only time that `url` is shown."""

    id: int
    name: str | None
    role: str
    url: str
    expires_at: datetime


class InvitationsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /admin/api/invitations`."""

    invitations: list[InvitationBody]


class PasswordLinkQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /admin/api/password-link`."""

    user: str


class PasswordLinkBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /admin/api/password-link`: sets the user's password, once."""

    url: str
    user: str
    expires_at: datetime
