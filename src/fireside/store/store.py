"""The verbs of what we remember, written once for every database.

`Store` turns domain values into named queries and back. It decides nothing: rules come decided in the values
(`lifecycle.advance`), and a change that finds the world different from what it was decided on raises `Changed`, so
that the caller reads again and decides again. SQL is in `sql/<dialect>/<query>.sql`; running it, grouping commits and
reading in other threads is the `Database`'s business.

Every write returns only after its transaction is on disk. A full disk raises `StorageFull`.
"""

from dataclasses import dataclass
from datetime import datetime

from fireside.store.account_verbs import AccountVerbs
from fireside.store.asset_blocks import AssetBlockVerbs
from fireside.store.asset_list_verbs import AssetListVerbs
from fireside.store.asset_pieces import AssetPieceVerbs
from fireside.store.asset_verbs import AssetVerbs
from fireside.store.audit_verbs import AuditVerbs
from fireside.store.blob_verbs import BlobVerbs
from fireside.store.database import Statement
from fireside.store.departure_verbs import DepartureVerbs
from fireside.store.enrollment_verbs import EnrollmentVerbs
from fireside.store.equal_verbs import EqualVerbs
from fireside.store.fleet_verbs import FleetVerbs
from fireside.store.history_verbs import HistoryVerbs
from fireside.store.identity_verbs import IdentityVerbs
from fireside.store.key_verbs import KeyVerbs
from fireside.store.maintenance_verbs import MaintenanceVerbs
from fireside.store.model_verbs import ModelVerbs
from fireside.store.queue_verbs import QueueVerbs
from fireside.store.refusals import (
    Changed,
    DuplicateJob,
    DuplicateUser,
    DuplicateWorker,
    JoinTokenUsed,
    KeyReused,
    QueueFull,
    TermEnded,
)
from fireside.store.reuse_verbs import ReuseVerbs
from fireside.store.schedule_verbs import ScheduleVerbs
from fireside.store.sign_in_verbs import SignInVerbs
from fireside.store.task_verbs import TaskVerbs
from fireside.store.usage_verbs import UsageVerbs
from fireside.store.user_data_verbs import UserDataVerbs
from fireside.store.walk_verbs import WalkVerbs
from fireside.store.webhook_verbs import WebhookVerbs

__all__ = [
    "Changed",
    "DatabaseFacts",
    "DuplicateJob",
    "DuplicateUser",
    "DuplicateWorker",
    "JoinTokenUsed",
    "KeyReused",
    "QueueFull",
    "Store",
    "TermEnded",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """What a database is: its program with its version, its size, and the number of the last migration."""

    name: str
    version: str
    size_bytes: int
    schema: int


class Store(
    ReuseVerbs,
    EqualVerbs,
    HistoryVerbs,
    WalkVerbs,
    ScheduleVerbs,
    QueueVerbs,
    AccountVerbs,
    SignInVerbs,
    IdentityVerbs,
    DepartureVerbs,
    AssetVerbs,
    AssetListVerbs,
    AssetBlockVerbs,
    AssetPieceVerbs,
    BlobVerbs,
    UserDataVerbs,
    FleetVerbs,
    EnrollmentVerbs,
    ModelVerbs,
    TaskVerbs,
    KeyVerbs,
    WebhookVerbs,
    UsageVerbs,
    AuditVerbs,
    MaintenanceVerbs,
):
    """What Fireside remembers."""

    async def check(self) -> None:
        """Answer a trivial read and a trivial write; raises when the database does not."""
        await self._all("check_read")
        await self._database.write([Statement("check_write", expect=1)])

    async def clock(self) -> datetime:
        """Read the clock of the database."""
        row = await self._one("database_clock", {})
        assert row is not None
        at: datetime = row["at"]
        return at

    async def database_facts(self) -> DatabaseFacts:
        """Say what the database is and how large."""
        row = await self._one("database_facts", {})
        assert row is not None
        return DatabaseFacts(**row)
