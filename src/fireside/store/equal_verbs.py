"""The store's verbs about equal jobs that have not ended: one of them goes, and the others wait for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from fireside.domain.ids import JobId, UserId
from fireside.domain.jobs import Job
from fireside.store.database import Transaction
from fireside.store.rows import job_of
from fireside.store.verbs import Verbs

_EVERYBODY = (0, 2**31 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedEqual:
    """A job that has ended and that others wait for, or are equal to; `job_id` is None when it was deleted since."""

    key: int
    job_id: JobId | None
    user_id: UserId
    work: bytes


class EqualVerbs(Verbs):
    """What becomes of those that waited."""

    async def ended_equal_jobs(self) -> Sequence[EndedEqual]:
        """Give some of the jobs that have ended and that others wait for."""
        return [
            EndedEqual(
                key=row["job_pk"],
                job_id=None if row["id"] is None else JobId(row["id"]),
                user_id=UserId(row["user_id"]),
                work=bytes(row["work"]),
            )
            for row in await self._all("ended_equal_jobs")
        ]

    async def queued_equal_jobs(self, work: bytes, *, user_id: UserId | None, limit: int) -> Sequence[Job]:
        """Give some of the user's jobs, or anybody's, that make this and wait in the queue."""
        first, last = _EVERYBODY if user_id is None else (user_id, user_id)
        params = {"work": work, "first": first, "last": last, "limit": limit}
        return [job_of(row) for row in await self._all("queued_equal_jobs", params)]

    async def let_next_equal_job_go(self, ended: EndedEqual) -> None:
        """Have the oldest of those that waited go, and the others wait for that one; nothing if it was done before."""
        await self._database.decide(lambda tx: _let_next_go(tx, ended))

    async def let_all_equal_jobs_go(self, ended: EndedEqual) -> None:
        """Have each of those that waited go for itself; nothing if it was done before."""
        await self._database.decide(lambda tx: _let_all_go(tx, ended))


def _let_next_go(tx: Transaction, ended: EndedEqual) -> None:
    mine = {"work": ended.work, "user_id": ended.user_id}
    if not tx.run("forget_ended_equal_job", {"job_pk": ended.key}):
        return
    (following,) = tx.run("next_equal_job", mine)
    if following["job_pk"] is not None:
        next_one = {"job_pk": following["job_pk"]}
        tx.run("let_equal_jobs_go", mine | next_one, expect=1)
        tx.run("lead_equal_jobs", next_one, expect=1)


def _let_all_go(tx: Transaction, ended: EndedEqual) -> None:
    if tx.run("forget_ended_equal_job", {"job_pk": ended.key}):
        mine = {"work": ended.work, "user_id": ended.user_id}
        tx.run("let_equal_jobs_go", mine | {"job_pk": None})
        tx.run("forget_equal_jobs", mine)
