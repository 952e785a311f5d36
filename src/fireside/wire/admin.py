"""The server's own dialect for whoever runs it: users, keys, login links and the state of the house.

Served below `/admin/api/` to an admin's key, and on the admin socket in the data folder.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from fireside.wire.queues import FetchedModelBody

KeyScope = Literal["submit", "read", "admin"]


class NewUserBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /admin/api/users`; limits left out are the server's settings, `keep_…` of 0 keep all,
    `quota_…` of 0 are no limit."""

    name: str
    role: Literal["admin", "member"] = "member"
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


class ChangedUserBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Body of `PATCH /admin/api/users/{name}`: what is left out stays; a limit of null is the server's setting."""

    role: Literal["admin", "member"] | msgspec.UnsetType = msgspec.UNSET
    weight: float | msgspec.UnsetType = msgspec.UNSET
    max_running: int | msgspec.UnsetType | None = msgspec.UNSET
    max_queued: int | msgspec.UnsetType | None = msgspec.UNSET
    max_run_seconds: float | msgspec.UnsetType | None = msgspec.UNSET
    keep_jobs: int | msgspec.UnsetType | None = msgspec.UNSET
    keep_days: int | msgspec.UnsetType | None = msgspec.UNSET
    reuse: bool | msgspec.UnsetType | None = msgspec.UNSET
    quota_gpu_seconds: float | msgspec.UnsetType | None = msgspec.UNSET
    quota_jobs: int | msgspec.UnsetType | None = msgspec.UNSET
    quota_bytes: int | msgspec.UnsetType | None = msgspec.UNSET


class UserBody(msgspec.Struct, frozen=True, kw_only=True):
    """A user."""

    id: int
    name: str
    role: str
    weight: float
    max_running: int | None
    max_queued: int | None
    max_run_seconds: float | None
    keep_jobs: int | None
    keep_days: int | None
    reuse: bool | None
    quota_gpu_seconds: float | None
    quota_jobs: int | None
    quota_bytes: int | None
    created_at: datetime


class UsersBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /admin/api/users`."""

    users: list[UserBody]


class NewKeyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /admin/api/keys`; without `scopes` it has all, and without `expires_seconds` no end."""

    user: str
    label: str = ""
    scopes: list[KeyScope] | None = None
    expires_seconds: float | None = None


class KeyBody(msgspec.Struct, frozen=True, kw_only=True):
    """An API key by what may be shown of it; a time of None has not come."""

    id: int
    user: str
    prefix: str
    label: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    scopes: list[str]
    expires_at: datetime | None


class KeysQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Query of `GET /admin/api/keys`; without a name everybody's."""

    user: str = ""


class KeysBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /admin/api/keys`."""

    keys: list[KeyBody]


class CreatedKeyBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /admin/api/keys`: the only time that `key` is shown."""

    id: int
    user: str
    prefix: str
    label: str
    scopes: list[str]
    expires_at: datetime | None
    key: str


class RevokedBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /admin/api/keys/{id}/revoke`: whether this call ended the key."""

    revoked: bool


class LoginLinkQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /admin/api/login-link`; without a name the link is the caller's."""

    user: str | None = None


class LoginLinkBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /admin/api/login-link`: opens a session once, within the minutes given."""

    url: str
    user: str
    minutes: int


class WorkerBody(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that is there now."""

    id: str
    runtime: str
    ready: bool
    draining: bool
    jobs: int


class FleetWorkerBody(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that belongs to the fleet. `state` is `ready`, `busy`, `starting`, `draining`, `drained` or `away`.

    One that is `draining` still has jobs, one that is `drained` has none and takes none; `reason` says why. `origin` is
    `own` for those that a server starts itself and `joined` for those of other machines. `version` is that of its
    runtime, `fireside` that of Fireside where it is known. `devices` have their free memory of a moment ago where the
    runtime can tell. `jobs` are the ids of those it holds, `ready` of those among them that it has
    made ready and begins next. `warm` are the model files that its runtime holds; None:
    unknown. `up_seconds` is how long its process has been there, `joined_at` when it was ready last, `enrolled_at`
    when it first came with a join token. `fetching` are the models that are on their way to it.
    """

    id: str
    state: Literal["ready", "busy", "starting", "draining", "drained", "away"]
    reason: str
    runtime: str
    version: str
    labels: dict[str, str]
    devices: list[dict[str, Any]]
    jobs: list[UUID]
    joined_at: datetime | None
    origin: Literal["own", "joined"] = "own"
    fireside: str = ""
    warm: list[str] | None = None
    up_seconds: float | None = None
    enrolled_at: datetime | None = None
    ready: list[UUID] = msgspec.field(default_factory=list[UUID])
    fetching: list[FetchedModelBody] = msgspec.field(default_factory=list[FetchedModelBody])


class WorkersBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /admin/api/workers`."""

    workers: list[FleetWorkerBody]


class PoolBody(msgspec.Struct, frozen=True, kw_only=True):
    """A pool of workers, and how many it should have.

    `wanted` is how many there is work for, `desired` the same within `min` and `max`. `workers` are there and not about
    to leave, `busy` of them have something to do, and `idle` names the others. `launchers` follow the figure; to one of
    them that asks, `share` says how many of the desired workers are its own to have.
    """

    name: str
    labels: dict[str, str]
    min: int
    max: int
    wanted: int
    desired: int
    workers: int
    busy: int
    idle: list[str]
    launchers: int = 0
    share: int | None = None


class PoolQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /admin/api/pools/{name}`: what a launcher says of itself; others give none.

    `launcher` is a name that no other has. Of the `most` workers that it could have now, `running` are there and not
    about to leave, and `idle` of these have nothing to do.
    """

    launcher: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9_-]{1,64})?$")] = ""
    most: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    running: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    idle: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class PoolsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /admin/api/pools`."""

    pools: list[PoolBody]


class NewJoinTokenBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Body of `POST /admin/api/worker-tokens`; `expires_seconds` left out is the setting, null never."""

    label: str = ""
    reusable: bool = False
    expires_seconds: float | msgspec.UnsetType | None = msgspec.UNSET


class JoinTokenBody(msgspec.Struct, frozen=True, kw_only=True):
    """A token that workers join with, by what may be shown of it; a time of None has not come."""

    id: int
    prefix: str
    label: str
    reusable: bool
    uses: int
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


class CreatedJoinTokenBody(JoinTokenBody, frozen=True, kw_only=True):
    """Answer of `POST /admin/api/worker-tokens`: the only time that `token` is shown."""

    token: str


class JoinTokensBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /admin/api/worker-tokens`."""

    tokens: list[JoinTokenBody]


class CountersBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `POST /admin/api/counters`: by user, how many counters were wrong; now none is."""

    wrong: dict[str, int]


class DoctorBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /admin/api/doctor`.

    `store`, `blobs` and `bus` are empty when well, else the trouble; None: not in use.
    """

    version: str
    users: int
    store: str
    blobs: str
    bus: str | None
    workers: list[WorkerBody] | None
    leads: bool = False
    """Whether this server hands out jobs; another one may."""
    leader: str = ""
    """Which server hands out jobs, or did last."""
    traces: str | None = None
    """Empty when the collector of traces takes them, else the trouble; None: there is none."""
    maintenance: str | None = None
    """Why the servers take no changes; None when they do."""
    clock_skew_seconds: float | None = None
    """By how much the clock of the database is ahead of the server's; None where that was not to be had."""
    endless_keys: int | None = None
    """How many API keys are good until they are revoked."""
    rate_limits: list[str] | None = None
    """The kinds of limits on how often somebody asks that are set."""


class NewModelBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /admin/api/models`: a file that lies at an address. An empty name is that of the address.

    Without an address it is bytes of this hash that the server has already, in its folder or its bucket.
    """

    folder: str
    blake3: str
    source_url: str = ""
    size_bytes: int = 0
    name: str = ""


class ModelBody(msgspec.Struct, frozen=True, kw_only=True):
    """A model that workers may fetch. Without a `source_url` the server has its bytes itself.

    `workers` are those that are there and have fetched it, `warm_on` those whose runtime holds it; to those of
    `fetching` it is on its way.
    """

    folder: str
    name: str
    blake3: str
    size_bytes: int
    source_url: str | None
    created_at: datetime
    workers: list[str]
    warm_on: list[str] = []
    fetching: list[FetchedModelBody] = []


class ModelsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /admin/api/models`."""

    models: list[ModelBody]
