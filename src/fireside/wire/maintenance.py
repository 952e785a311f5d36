"""Maintenance, as admins begin, end and see it."""

from datetime import datetime

import msgspec


class NewMaintenanceBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `PUT /admin/api/maintenance`; the reason is told to whoever is refused."""

    on: bool
    reason: str = ""


class MaintenanceBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `/admin/api/maintenance`."""

    on: bool
    reason: str
    began_at: datetime | None
