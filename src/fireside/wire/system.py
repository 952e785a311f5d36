"""The server's own dialect for how it is: versions, settings, health, disk and backups, for whoever runs it."""

from datetime import datetime
from typing import Literal

import msgspec

Health = Literal["well", "warning", "problem"]


class RuntimeBody(msgspec.Struct, frozen=True, kw_only=True):
    """A runtime of the fleet in one version; `there` counts those of its `workers` that are not away."""

    runtime: str
    version: str
    workers: int
    there: int


class VersionsBody(msgspec.Struct, frozen=True, kw_only=True):
    """What runs here, and in the fleet; None: there is none, or it is away. `schema` is that of the database."""

    fireside: str
    python: str
    database: str | None
    schema: int | None
    nats: str | None
    editor: str | None
    runtimes: list[RuntimeBody]


class SettingBody(msgspec.Struct, frozen=True, kw_only=True):
    """A setting in force. A secret has no value here, and user and password of a URL are left out of it."""

    name: str
    value: str | bool | int | float | list[str] | None
    origin: Literal["default", "file", "environment", "flag"]
    is_secret: bool
    is_set: bool
    help: str


class CheckBody(msgspec.Struct, frozen=True, kw_only=True):
    """How a part of the server is, and what there is to say of it."""

    name: str
    state: Health
    text: str


class LoopBody(msgspec.Struct, frozen=True, kw_only=True):
    """A duty that is done again and again; a `resting` one is done by the server that leads.

    `trouble` is what kept it from being done the last time.
    """

    name: str
    state: Literal["running", "failing", "resting"]
    every_seconds: float
    done_at: datetime | None
    trouble: str


class DiskBody(msgspec.Struct, frozen=True, kw_only=True):
    """The disk that the data folder is on, and what of it is ours.

    `blobs_bytes` were counted by the last walk over all files, at `blobs_counted_at`; None: no walk has ended here
    since this server leads. `database_is_here` is false for a PostgreSQL, whose disk is its own, and `blobs_are_here`
    for files that `blobs_url` keeps elsewhere.
    """

    folder: str
    total_bytes: int
    free_bytes: int
    blobs: int | None
    blobs_bytes: int | None
    blobs_counted_at: datetime | None
    blobs_are_here: bool
    database_bytes: int | None
    database_is_here: bool
    logs_bytes: int


class BackupsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Fireside makes no backups by itself; this command makes one while it runs."""

    automatic: bool
    command: str


class SystemBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /admin/api/system`."""

    at: datetime
    versions: VersionsBody
    settings: list[SettingBody]
    health: list[CheckBody]
    loops: list[LoopBody]
    disk: DiskBody
    backups: BackupsBody
