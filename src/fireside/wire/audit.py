"""The audit log, as admins read it."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Query of `GET /admin/api/audit`: whose deeds, and those after which `next_cursor`."""

    user: str = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    cursor: Annotated[str, Meta(pattern="^[0-9]{0,18}$")] = ""


class AuditEntryBody(msgspec.Struct, frozen=True, kw_only=True):
    """What an admin has done. `way` is how they showed who they are: `key`, `session`, or `socket`.

    `target` is whom or what it was done to, by the name of that time.
    """

    id: int
    at: datetime
    actor: str
    way: str
    address: str
    action: str
    target: str
    details: dict[str, Any]


class AuditBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /admin/api/audit`, the newest first; `next_cursor` is empty on the last page."""

    entries: list[AuditEntryBody]
    next_cursor: str
