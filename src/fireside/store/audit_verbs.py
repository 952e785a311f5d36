"""The store's verbs about the audit log, and how other verbs write into it within their own transaction.

Who acts is ambient, as it is for lines of the log: the edge says so once for a request of an admin (`act_as`), and a
verb that is an admin's writes its deed beside its change. Where nobody is said to act, nothing is written.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import TypeVar

from fireside.domain.audit import AuditEntry, Author, Deed
from fireside.domain.ids import UserId
from fireside.store.database import Row, Rows, Statement, Transaction, run_all
from fireside.store.rows import from_json, to_json
from fireside.store.verbs import Verbs

T = TypeVar("T")
_NEWEST = (1 << 63) - 1
_AUTHOR: ContextVar[Author | None] = ContextVar("author", default=None)


def act_as(author: Author | None) -> None:
    """Say which admin acts in this task from now on."""
    _AUTHOR.set(author)


class AuditedVerbs(Verbs):
    """Verbs that an admin's deed is written with."""

    async def _write_audited(
        self, change: Sequence[Statement], deed: Callable[[list[Rows]], Deed | None]
    ) -> list[Rows]:
        """Make a change of statements; `deed` says by their rows what was done, or that nothing was."""
        return await self._decide_audited(lambda tx: run_all(tx, change), deed)

    async def _decide_audited(self, change: Callable[[Transaction], T], deed: Callable[[T], Deed | None]) -> T:
        author = _AUTHOR.get()
        if author is None:
            return await self._database.decide(change)

        def change_and_note(tx: Transaction) -> T:
            result = change(tx)
            done = deed(result)
            if done is not None:
                tx.run("add_audit_entry", _params(author, done), expect=1)
            return result

        return await self._database.decide(change_and_note)


class AuditVerbs(AuditedVerbs):
    """Reading the log, and forgetting what is old."""

    async def note_deed(self, deed: Deed) -> None:
        """Write down what is not one change of the store."""
        await self._write_audited([], lambda _: deed)

    async def audit_entries(self, *, before: int | None = None, actor: str = "", limit: int) -> Sequence[AuditEntry]:
        """Read entries, the newest first; `before` is the id of the last one that was read."""
        params = {"before": _NEWEST if before is None else before, "actor": actor, "limit": limit}
        return [_entry_of(row) for row in await self._all("audit_entries", params)]

    async def forget_audit_entries(self, before: datetime) -> int:
        """Forget the entries from before then; answer how many."""
        return len(await self._write("forget_audit_entries", {"before_at": before}))


def _params(author: Author, deed: Deed) -> dict[str, object]:
    return {
        "at": author.at,
        "actor_id": author.user_id,
        "actor": author.name,
        "way": author.way.value,
        "address": author.address,
        "action": deed.action,
        "target": deed.target,
        "target_id": deed.target_id,
        "details": to_json(deed.details).decode(),
    }


def _entry_of(row: Row) -> AuditEntry:
    return AuditEntry(
        id=row["id"],
        at=row["at"],
        actor_id=UserId(row["actor_id"]),
        actor=row["actor"],
        way=row["way"],
        address=row["address"],
        action=row["action"],
        target=row["target"],
        details=from_json(row["details"].encode()),
    )
