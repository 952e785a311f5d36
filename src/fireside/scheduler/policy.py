"""Start-time fair queueing over users, in seconds of work divided by weight.

Each user has a virtual time. The free worker goes to the eligible user whose virtual time is least; the job's estimate
is charged at once and corrected at its end, so that nobody fills all workers before the first job is done. (Goyal, Vin,
Cheng: Start-time Fair Queuing, 1996.) That a user who becomes active starts level with the others is the store's
doing, in the transaction of the submit. Placement looks only at which workers are free; `choose_worker` is where
model affinity will go.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fireside.domain.ids import JobId, UserId, WorkerId

DEFAULT_ESTIMATE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A user who has queued jobs: their share so far, their limits, and the head of their queue in order."""

    user_id: UserId
    weight: float
    virtual_time: float
    held: int
    max_running: int | None
    heads: Sequence[tuple[JobId, float]]
    """Job and estimated seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All a decision is made from: users with queued jobs, and workers that can take one now."""

    candidates: Sequence[Candidate]
    free_workers: Sequence[WorkerId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One job for one worker, and the estimate it is charged by."""

    job_id: JobId
    user_id: UserId
    worker_id: WorkerId
    estimate_seconds: float


def decide(snapshot: Snapshot) -> list[Placement]:
    """Fill the free workers, one job each, in fair order."""
    turns = {candidate.user_id: _Turn(candidate) for candidate in snapshot.candidates}
    free = list(snapshot.free_workers)
    placements: list[Placement] = []
    while free:
        ready = [turn for turn in turns.values() if turn.is_eligible]
        if not ready:
            break
        turn = min(ready, key=lambda turn: (turn.virtual_time, turn.candidate.user_id))
        job_id, estimate = turn.take()
        worker_id = choose_worker(free)
        free.remove(worker_id)
        placements.append(
            Placement(
                job_id=job_id,
                user_id=turn.candidate.user_id,
                worker_id=worker_id,
                estimate_seconds=estimate,
            )
        )
    return placements


def choose_worker(free: Sequence[WorkerId]) -> WorkerId:
    """Pick the worker for the job whose turn it is."""
    return free[0]


class _Turn:
    """A candidate while a decision is being made."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.virtual_time = candidate.virtual_time
        self._taken = 0

    @property
    def is_eligible(self) -> bool:
        limit = self.candidate.max_running
        under_limit = limit is None or self.candidate.held + self._taken < limit
        return under_limit and self._taken < len(self.candidate.heads)

    def take(self) -> tuple[JobId, float]:
        job_id, estimate = self.candidate.heads[self._taken]
        self._taken += 1
        self.virtual_time += estimate / self.candidate.weight
        return job_id, estimate
