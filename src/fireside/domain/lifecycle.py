"""The one table of what may happen to a job, and the one function that applies it.

Each row says: this verb, in this state, leads to that state, and how the fence is treated. Workers speak only with
their lease (`HOLDS`); whoever takes a job away from a worker raises the fence (`BREAKS`), so that the
worker's next word is stale. The store's CHECK constraints are a second lock, not a second rule.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fireside.domain.errors import IllegalTransition, StaleLease
from fireside.domain.ids import WorkerId
from fireside.domain.jobs import HELD_STATES, TERMINAL_STATES, Job, JobState, Lease


class Verb(StrEnum):
    """What can be done to a job that exists."""

    ASSIGN = "assign"
    WITHDRAW = "withdraw"
    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    RELEASE = "release"
    RESCUE = "rescue"
    ABANDON = "abandon"
    CANCEL = "cancel"
    EXPIRE = "expire"
    REUSE = "reuse"


class Fence(StrEnum):
    """What a transition does with the fence."""

    OPENS = "opens"
    """A new lease begins: attempt and fence rise."""
    HOLDS = "holds"
    """The caller must show the present lease."""
    BREAKS = "breaks"
    """The present lease, if any, ends: the fence rises."""
    KEEPS = "keeps"
    """Nobody's lease is touched and none is asked for."""


@dataclass(frozen=True, slots=True)
class Transition:
    """The target of a verb and its treatment of the fence."""

    target: JobState
    fence: Fence


_V = Verb
_S = JobState
_F = Fence

TRANSITIONS: dict[tuple[Verb, JobState], Transition] = {
    (_V.ASSIGN, _S.QUEUED): Transition(_S.ASSIGNED, _F.OPENS),
    (_V.WITHDRAW, _S.ASSIGNED): Transition(_S.QUEUED, _F.BREAKS),
    (_V.START, _S.ASSIGNED): Transition(_S.RUNNING, _F.HOLDS),
    (_V.SUCCEED, _S.RUNNING): Transition(_S.SUCCEEDED, _F.HOLDS),
    (_V.FAIL, _S.ASSIGNED): Transition(_S.FAILED, _F.HOLDS),
    (_V.FAIL, _S.RUNNING): Transition(_S.FAILED, _F.HOLDS),
    (_V.RELEASE, _S.ASSIGNED): Transition(_S.QUEUED, _F.HOLDS),
    (_V.RELEASE, _S.RUNNING): Transition(_S.QUEUED, _F.HOLDS),
    (_V.RESCUE, _S.ASSIGNED): Transition(_S.QUEUED, _F.BREAKS),
    (_V.RESCUE, _S.RUNNING): Transition(_S.QUEUED, _F.BREAKS),
    (_V.ABANDON, _S.ASSIGNED): Transition(_S.FAILED, _F.BREAKS),
    (_V.ABANDON, _S.RUNNING): Transition(_S.FAILED, _F.BREAKS),
    (_V.CANCEL, _S.QUEUED): Transition(_S.CANCELED, _F.BREAKS),
    (_V.CANCEL, _S.ASSIGNED): Transition(_S.CANCELED, _F.BREAKS),
    (_V.CANCEL, _S.RUNNING): Transition(_S.CANCELING, _F.KEEPS),
    (_V.SUCCEED, _S.CANCELING): Transition(_S.CANCELED, _F.HOLDS),
    (_V.FAIL, _S.CANCELING): Transition(_S.CANCELED, _F.HOLDS),
    (_V.RELEASE, _S.CANCELING): Transition(_S.CANCELED, _F.HOLDS),
    (_V.RESCUE, _S.CANCELING): Transition(_S.CANCELED, _F.BREAKS),
    (_V.ABANDON, _S.CANCELING): Transition(_S.CANCELED, _F.BREAKS),
    (_V.EXPIRE, _S.QUEUED): Transition(_S.EXPIRED, _F.BREAKS),
    (_V.REUSE, _S.QUEUED): Transition(_S.SUCCEEDED, _F.BREAKS),
}


def advance(
    job: Job,
    verb: Verb,
    now: datetime,
    *,
    lease: Lease | None = None,
    worker_id: WorkerId | None = None,
    lost: bool = False,
) -> Job:
    """Apply the verb to the job and return the job as it is afterwards.

    A worker's verb shows its `lease`; ASSIGN names the `worker_id`; `lost` says that this RESCUE or RELEASE counts,
    because the worker, or its runtime, died while it ran the job. After WITHDRAW it is as if there had been no attempt.
    Raises `StaleLease` before anything else for a lease that is not the present one, and `IllegalTransition` for a verb
    that this state does not know.
    """
    if lease is not None and (lease != job.lease or job.state not in HELD_STATES):
        raise StaleLease(f"job {job.id} is no longer held under fence {lease.fence}")
    transition = TRANSITIONS.get((verb, job.state))
    if transition is None:
        raise IllegalTransition(f"a job that is {job.state} cannot {verb}")
    if (transition.fence is Fence.HOLDS) != (lease is not None):
        raise IllegalTransition(f"{verb} of a job that is {job.state} takes {_who(transition.fence)}")
    if (verb is Verb.ASSIGN) != (worker_id is not None):
        raise IllegalTransition("assign, and only assign, names a worker")
    moved = _moved(job, transition, now, worker_id=worker_id, lost=lost)
    return replace(moved, attempt=job.attempt - 1) if verb is Verb.WITHDRAW else moved


def _who(fence: Fence) -> str:
    return "the lease of the worker that holds it" if fence is Fence.HOLDS else "no lease"


def _moved(job: Job, transition: Transition, now: datetime, *, worker_id: WorkerId | None, lost: bool) -> Job:
    target, opens = transition.target, transition.fence is Fence.OPENS
    # The clock may step back; what a job remembers of time must not.
    at = max(now, job.changed_at)
    return replace(
        job,
        state=target,
        attempt=job.attempt + opens,
        losses=job.losses + lost,
        fence=job.fence + (opens or transition.fence is Fence.BREAKS),
        worker_id=worker_id if opens else job.worker_id if target in HELD_STATES else None,
        changed_at=at,
        started_at=_started_at(job, target, at),
        ended_at=at if target in TERMINAL_STATES else None,
    )


def _started_at(job: Job, target: JobState, at: datetime) -> datetime | None:
    if target is JobState.RUNNING:
        return at
    return None if target is JobState.QUEUED else job.started_at
