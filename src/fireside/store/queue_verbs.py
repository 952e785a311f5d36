"""The store's verbs about queues as their owners see them: pauses, places, and what is known of how long they take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fireside.domain.audit import Deed
from fireside.domain.ids import JobId, UserId
from fireside.domain.jobs import Job
from fireside.domain.moves import Move, number_between
from fireside.domain.pauses import Pause, PauseOrigin
from fireside.store.audit_verbs import AuditedVerbs
from fireside.store.database import Row, Statement, Transaction
from fireside.store.records import HeldJob, Share
from fireside.store.refusals import Changed
from fireside.store.rows import held_of, job_of, share_of

_EVERYBODY = 0
_ALL = "everybody"
_FIRST = -1e300
_LAST = 1e300
_MOST_PLACES = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFacts:
    """What the store knows of a job that waits and of those it competes with; `place` is None for one that does not."""

    place: int | None
    pauses: Sequence[Pause]
    shares: Sequence[Share]
    held: Sequence[HeldJob]
    seconds_each: float
    requirement: bytes | None
    awaited: JobId | None = None
    """The job that makes the same, and that this one waits for."""


class QueueVerbs(AuditedVerbs):
    """Pausing, moving and looking at queues."""

    async def pause(self, user_id: UserId | None, origin: PauseOrigin, reason: str, now: datetime) -> Pause:
        """Pause a user's queue, or everybody's; one that is paused already gets the new reason."""
        params = {"user_id": user_id or _EVERYBODY, "origin": origin.value, "reason": reason, "now": now}
        (rows,) = await self._write_audited(
            [Statement("pause_queue", params)],
            lambda _: Deed(action="queue.pause", target=_ALL, target_id=user_id, details={"reason": reason}),
        )
        return _pause_of(rows[0])

    async def resume(self, user_id: UserId | None, origin: PauseOrigin) -> bool:
        """End a pause, if there is this one; its user has earned no credit by it."""
        params = {"user_id": user_id or _EVERYBODY, "origin": origin.value}
        resume = [Statement("resume_queue", params)]
        if user_id is not None:
            resume.append(Statement("lift_resumed_share", {"user_id": user_id}))
        rows, *_ = await self._write_audited(
            resume, lambda results: Deed(action="queue.resume", target=_ALL, target_id=user_id) if results[0] else None
        )
        return bool(rows)

    async def pauses(self, user_id: UserId | None = None) -> Sequence[Pause]:
        """Read what pauses a user's queue; without one, all pauses."""
        if user_id is None:
            return [_pause_of(row) for row in await self._all("pauses")]
        return [_pause_of(row) for row in await self._all("pauses_of_user", {"user_id": user_id})]

    async def queue_facts(self, job: Job, *, unknown_seconds: float) -> QueueFacts:
        """Read, over one state, what decides when a job's turn comes; cheap also where very many jobs wait."""
        mine = {"user_id": job.user_id}
        places, pauses, shares, held, estimates, requirements, awaited = await self._database.read(
            [
                Statement("queue_place", {"id": job.id}),
                Statement("pauses_of_user", mine),
                Statement("shares"),
                Statement("held_jobs"),
                Statement("queue_estimate", mine | {"unknown_seconds": unknown_seconds}),
                Statement("requirement_of_job", {"id": job.id}),
                Statement("awaited_equal_job", {"id": job.id}),
            ]
        )
        seconds = estimates[0]["seconds"] if estimates else None
        return QueueFacts(
            place=places[0]["place"] if places else None,
            pauses=[_pause_of(row) for row in pauses],
            shares=[share_of(row) for row in shares],
            held=[held_of(row) for row in held],
            seconds_each=unknown_seconds if seconds is None else float(seconds),
            requirement=requirements[0]["body"] if requirements else None,
            awaited=JobId(awaited[0]["id"]) if awaited else None,
        )

    async def move_job(self, user_id: UserId, job_id: JobId, move: Move) -> Job:
        """Put a job of the user that waits at another place of the queue; raises `Changed` when one does not wait."""
        return job_of(await self._database.decide(lambda tx: _move(tx, user_id, job_id, move)))


def _move(tx: Transaction, user_id: UserId, job_id: JobId, move: Move) -> Row:
    mine = {"user_id": user_id, "id": job_id}
    _place(tx, user_id, job_id)
    (share,) = tx.run("next_number_of_user", {"user_id": user_id}, expect=1)
    for is_spread in (False, True):
        low, high = _gap(tx, user_id, job_id, move)
        number = number_between(low, high, share["next_number"])
        if number is not None:
            (row,) = tx.run("number_job", mine | {"number": number}, expect=1)
            tx.run("bring_equal_job_forward", {"id": job_id})
            return row
        if not is_spread:
            tx.run("spread_queue", {"user_id": user_id})
    raise Changed("there is no room between these jobs")


def _gap(tx: Transaction, user_id: UserId, job_id: JobId, move: Move) -> tuple[float | None, float | None]:
    """Give the numbers of the neighbors at the new place."""
    if move.to == "front":
        number, pk, is_before = _FIRST, 0, False
    elif move.to == "back":
        number, pk, is_before = _LAST, _MOST_PLACES, True
    else:
        assert move.anchor is not None
        anchor = _place(tx, user_id, move.anchor)
        number, pk, is_before = float(anchor["number"]), anchor["pk"], move.to == "before"
    params = {"user_id": user_id, "id": job_id, "number": number, "pk": pk}
    rows = tx.run("queued_before" if is_before else "queued_after", params)
    neighbor = float(rows[0]["number"]) if rows else None
    anchored = number if move.anchor is not None else None
    return (neighbor, anchored) if is_before else (anchored, neighbor)


def _place(tx: Transaction, user_id: UserId, job_id: JobId) -> Row:
    rows = tx.run("place_in_queue", {"user_id": user_id, "id": job_id})
    if not rows:
        raise Changed(f"job {job_id} does not wait any more")
    return rows[0]


def _pause_of(row: Row) -> Pause:
    user_id = row["user_id"]
    return Pause(
        user_id=None if user_id == _EVERYBODY else UserId(user_id),
        origin=PauseOrigin(row["origin"]),
        paused_at=row["paused_at"],
        reason=row["reason"],
    )
