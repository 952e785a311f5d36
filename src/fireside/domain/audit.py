"""What admins do, as it is written down: who, when, from where, what, and to whom. Never a secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fireside.domain.accounts import PrincipalKind
from fireside.domain.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The admin who acts, how they showed who they are, and the address that they came from."""

    user_id: UserId
    name: str
    way: PrincipalKind
    address: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What was done, and to whom: a user by their id, or anything by its name."""

    action: str
    target: str = ""
    target_id: UserId | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A line of the audit log. Names are those of that time: it outlives who is in it."""

    id: int
    at: datetime
    actor_id: UserId
    actor: str
    way: str
    address: str
    action: str
    target: str
    details: Mapping[str, Any]
