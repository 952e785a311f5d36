"""What is kept of a user's ended jobs, and which of them go."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fireside.domain.ids import JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedJob:
    """What decides when an ended job goes, and what its removal costs."""

    id: JobId
    ended_at: datetime
    outputs_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """The newest `jobs` are kept, of those that ended within `span`; None: no such limit."""

    jobs: int | None = None
    span: timedelta | None = None

    @classmethod
    def of(cls, jobs: int, days: int) -> "Retention":
        """Read the limits as settings write them: 0 keeps everything."""
        return cls(jobs=jobs or None, span=timedelta(days=days) if days else None)

    def is_exceeded(self, ended: int, first_ended_at: datetime | None, now: datetime) -> bool:
        """Whether jobs of a history are to go, by how many have ended and when the first of them did."""
        is_too_old = first_ended_at is not None and self._is_too_old(first_ended_at, now)
        return is_too_old or self._surplus(ended) > 0

    def superfluous(self, first: Iterable[EndedJob], ended: int, now: datetime, *, weight: int) -> list[JobId]:
        """Choose those that go, of the jobs that ended first of all the `ended`, given in that order.

        Jobs and their outputs together weigh at most `weight`, but one job always goes if any is to.
        """
        chosen: list[JobId] = []
        for place, job in enumerate(first):
            weight -= 1 + job.outputs_count
            is_superfluous = place < self._surplus(ended) or self._is_too_old(job.ended_at, now)
            if not is_superfluous or (chosen and weight < 0):
                break
            chosen.append(job.id)
        return chosen

    def _surplus(self, ended: int) -> int:
        return 0 if self.jobs is None else ended - self.jobs

    def _is_too_old(self, ended_at: datetime, now: datetime) -> bool:
        return self.span is not None and now - ended_at >= self.span
