"""The store's verbs for the scheduler: who waits, who holds, who leads."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from fireside.domain.ids import UserId
from fireside.store.database import Statement
from fireside.store.records import HeldJob, Leader, QueueHead, Share
from fireside.store.rows import head_of, held_of, share_of, to_json
from fireside.store.verbs import Verbs


class ScheduleVerbs(Verbs):
    """What the leader reads, and its term."""

    async def waiting(self, *, per_user: int) -> tuple[Sequence[Share], Sequence[QueueHead]]:
        """The users that have queued or held jobs, and the first `per_user` queued jobs of each of them.

        The jobs are in queue order, those of the least served users first; of very many users, not all are told.
        Of a user whose queue is paused there are none.
        """
        shares, heads = await self._database.read(
            [Statement("shares", {}), Statement("queue_heads", {"per_user": per_user})]
        )
        return [share_of(row) for row in shares], [head_of(row) for row in heads]

    async def shares(self) -> Sequence[Share]:
        """The users that have queued or held jobs, and how they stand."""
        return [share_of(row) for row in await self._all("shares")]

    async def shares_of(self, user_ids: Collection[UserId]) -> Sequence[Share]:
        """How these users stand, whatever they have in hand; unknown ones are left out."""
        rows = await self._all("shares_of_users", {"user_ids": to_json(sorted(user_ids)).decode()})
        return [share_of(row) for row in rows]

    async def waiting_requirements(self, user_ids: Collection[UserId]) -> Sequence[tuple[UserId, UUID]]:
        """What the queued jobs of these users ask for, each once."""
        rows = await self._all("waiting_requirements", {"user_ids": to_json(sorted(user_ids)).decode()})
        return [(UserId(row["user_id"]), row["requirement_id"]) for row in rows]

    async def heads_of_requirements(
        self, pairs: Sequence[tuple[UserId, UUID]], *, per_pair: int
    ) -> Sequence[QueueHead]:
        """The first queued jobs of each of these users that ask for this, each user's in queue order."""
        named = to_json([[user_id, requirement_id.hex] for user_id, requirement_id in pairs]).decode()
        return [
            head_of(row) for row in await self._all("heads_of_requirements", {"pairs": named, "per_pair": per_pair})
        ]

    async def requirements(self, ids: Collection[UUID]) -> Mapping[UUID, bytes]:
        """What jobs ask of a worker, as it was kept; unknown ones are left out."""
        rows = await self._all("requirements", {"ids": to_json(sorted(one.hex for one in ids)).decode()})
        return {row["id"]: row["body"] for row in rows}

    async def held_jobs(self) -> Sequence[HeldJob]:
        """The jobs that workers hold."""
        return [held_of(row) for row in await self._all("held_jobs")]

    async def take_term(self, holder: str, now: datetime) -> int:
        """Begin a new leader's term and return its number."""
        rows = await self._write("take_term", {"holder": holder, "now": now})
        return rows[0]["term"]

    async def leader(self) -> Leader | None:
        """Who leads, or led last."""
        row = await self._one("leader", {})
        return None if row is None else Leader(term=row["term"], holder=row["holder"], taken_at=row["taken_at"])
