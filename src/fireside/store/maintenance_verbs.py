"""The store's verbs about maintenance, which all servers of a database are in together."""

from datetime import datetime

from fireside.domain.audit import Deed
from fireside.domain.maintenance import Maintenance
from fireside.store.audit_verbs import AuditedVerbs
from fireside.store.database import Row, Statement


class MaintenanceVerbs(AuditedVerbs):
    """Beginning and ending it."""

    async def maintenance(self) -> Maintenance | None:
        """Read the maintenance that goes on; None where there is none."""
        row = await self._one("maintenance", {})
        return _maintenance_of(row) if row else None

    async def begin_maintenance(self, reason: str, now: datetime) -> Maintenance:
        """Begin maintenance, or say another reason."""
        (rows,) = await self._write_audited(
            [Statement("begin_maintenance", {"reason": reason, "now": now})],
            lambda _: Deed(action="maintenance.on", details={"reason": reason}),
        )
        return _maintenance_of(rows[0])

    async def end_maintenance(self) -> bool:
        """End maintenance; False where there was none."""
        (rows,) = await self._write_audited(
            [Statement("end_maintenance")], lambda results: Deed(action="maintenance.off") if results[0] else None
        )
        return bool(rows)


def _maintenance_of(row: Row) -> Maintenance:
    return Maintenance(began_at=row["began_at"], reason=row["reason"])
