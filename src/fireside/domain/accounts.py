"""Who may use this server: users, their API keys and sessions, and the principal a request acts for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fireside.domain.ids import UserId


class Role(StrEnum):
    """What a user may do beyond their own things."""

    ADMIN = "admin"
    MEMBER = "member"


class Scope(StrEnum):
    """What an API key opens, of what its user may do; none of them implies another."""

    SUBMIT = "submit"
    """Changes what is the user's: jobs, files, workflows, settings."""
    READ = "read"
    """Looks at what is the user's."""
    ADMIN = "admin"
    """Administers, where the user may."""


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account that owns jobs and assets and gets a share of the fleet, in proportion to its `weight`.

    `max_running` bounds how many of the user's jobs workers hold at once, `max_queued` how many may wait,
    `max_run_seconds` how long one may run; of the ended ones `keep_jobs` are kept, for `keep_days`, where 0 keeps all.
    `reuse` says whether a job may be answered with what an equal one has made. `quota_…` bound what the user may use
    in a month, and store, where 0 is no limit. None means the setting of the server.
    """

    id: UserId
    name: str
    role: Role
    weight: float
    max_running: int | None
    max_queued: int | None
    max_run_seconds: float | None
    keep_jobs: int | None
    keep_days: int | None
    created_at: datetime
    reuse: bool | None = None
    has_password: bool = False
    quota_gpu_seconds: float | None = None
    quota_jobs: int | None = None
    quota_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that is signed in. `began_at` is when its token was given, `seen_at` when it was used, by the hour."""

    user: User
    began_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Somebody may become a user, once, and choose their own name where `name` is None."""

    id: int
    name: str | None
    role: Role
    weight: float
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A credential of a user. The key itself is known only to its holder; the store has its SHA-256 and this.

    One whose `expires_at` is None is good until it is revoked.
    """

    id: int
    user_id: UserId
    prefix: str
    label: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    scopes: frozenset[Scope] = ALL_SCOPES
    expires_at: datetime | None = None


class PrincipalKind(StrEnum):
    """How a caller has shown who they are."""

    KEY = "key"
    SESSION = "session"
    SOCKET = "socket"
    """The admin socket in the data folder."""
    LOCAL = "local"
    """A port on loopback that the operator gave this user; who can reach it need show nothing."""
    WORKER = "worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The user a request acts for."""

    user: User
    kind: PrincipalKind
    key_id: int | None = None
    """The API key that was shown."""
    scopes: frozenset[Scope] = ALL_SCOPES
    """What the key that was shown opens; whoever came without one may do all that the user may."""

    @property
    def is_admin(self) -> bool:
        """Whether the caller may administer users and the fleet."""
        is_theirs = self.user.role is Role.ADMIN and self.kind is not PrincipalKind.LOCAL
        return is_theirs and Scope.ADMIN in self.scopes
