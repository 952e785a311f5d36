"""Start-time fair queueing over users, in seconds of work divided by weight.

Each user has a virtual time. A free worker goes to the eligible user whose virtual time is least; the job's estimate
is charged at once and corrected at its end, so that nobody fills all workers before the first job is done. (Goyal, Vin,
Cheng: Start-time Fair Queuing, 1996.) That a user who becomes active starts level with the others is the store's
doing, in the transaction of the submit. A job goes only to a worker that can run it, and waits only when none of the
free ones can; `choose_worker` is where model affinity will go.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from fireside.domain.ids import JobId, UserId, WorkerId

DEFAULT_ESTIMATE_SECONDS = 5.0


class Head(NamedTuple):
    """A queued job, how long it is believed to take, and what it asks of a worker; None for nothing."""

    job_id: JobId
    estimate_seconds: float
    requirement_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A user who has queued jobs: their share so far, their limits, and the head of their queue in order."""

    user_id: UserId
    weight: float
    virtual_time: float
    held: int
    max_running: int | None
    heads: Sequence[Head]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All a decision is made from: users with queued jobs, and workers that can take one now.

    `suiting` says for each requirement which of the free workers meet it.
    """

    candidates: Sequence[Candidate]
    free_workers: Sequence[WorkerId]
    suiting: Mapping[UUID, Collection[WorkerId]] = field(default_factory=dict[UUID, Collection[WorkerId]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One job for one worker, and the estimate it is charged by."""

    job_id: JobId
    user_id: UserId
    worker_id: WorkerId
    estimate_seconds: float


def decide(snapshot: Snapshot) -> list[Placement]:
    """Fill the free workers, one job each, in fair order."""
    free = _Free(snapshot)
    turns = [_Turn(candidate, free) for candidate in snapshot.candidates]
    placements: list[Placement] = []
    while free.workers:
        ready = [turn for turn in turns if turn.is_eligible()]
        if not ready:
            break
        turn = min(ready, key=lambda turn: (turn.virtual_time, turn.candidate.user_id))
        head = turn.take()
        worker_id = choose_worker(free.suiting(head.requirement_id), free.uses)
        free.take(worker_id)
        placements.append(
            Placement(
                job_id=head.job_id,
                user_id=turn.candidate.user_id,
                worker_id=worker_id,
                estimate_seconds=head.estimate_seconds,
            )
        )
    return placements


def choose_worker(suiting: Sequence[WorkerId], uses: Mapping[WorkerId, int]) -> WorkerId:
    """Pick the worker for the job whose turn it is: the one that is of least use for other jobs that wait."""
    return min(suiting, key=lambda worker_id: uses.get(worker_id, 0))


class _Free:
    """The workers that are left while a decision is being made."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.workers = dict.fromkeys(snapshot.free_workers)
        self._suiting = {wanted: self.workers.keys() & set(them) for wanted, them in snapshot.suiting.items()}
        self.uses: dict[WorkerId, int] = {}
        for them in self._suiting.values():
            for worker_id in them:
                self.uses[worker_id] = self.uses.get(worker_id, 0) + 1

    def has(self, requirement_id: UUID | None) -> bool:
        """Whether one of them meets the requirement; once that is false it stays so."""
        return bool(self.workers if requirement_id is None else self._suiting[requirement_id])

    def suiting(self, requirement_id: UUID | None) -> list[WorkerId]:
        """Give those that meet the requirement, in order."""
        if requirement_id is None:
            return list(self.workers)
        return [worker_id for worker_id in self.workers if worker_id in self._suiting[requirement_id]]

    def take(self, worker_id: WorkerId) -> None:
        del self.workers[worker_id]
        for them in self._suiting.values():
            them.discard(worker_id)


class _Turn:
    """A candidate while a decision is being made."""

    def __init__(self, candidate: Candidate, free: _Free) -> None:
        self.candidate = candidate
        self.virtual_time = candidate.virtual_time
        self._free = free
        self._taken = 0
        self._next = 0

    def is_eligible(self) -> bool:
        limit = self.candidate.max_running
        if limit is not None and self.candidate.held + self._taken >= limit:
            return False
        heads = self.candidate.heads
        # What no worker that is left can run is passed over for good: they only become fewer.
        while self._next < len(heads) and not self._free.has(heads[self._next].requirement_id):
            self._next += 1
        return self._next < len(heads)

    def take(self) -> Head:
        head = self.candidate.heads[self._next]
        self._next += 1
        self._taken += 1
        self.virtual_time += head.estimate_seconds / self.candidate.weight
        return head
