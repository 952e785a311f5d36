"""One user's part of the state: how they stand, and the first of their waiting jobs by what those ask for."""

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from fireside.domain.ids import JobId
from fireside.scheduler.values import Group, Standing, Waiting


def _by_order(job: Waiting) -> tuple[float, float]:
    return job.order


@dataclass(slots=True)
class Passed:
    """How often a job was passed over, and since when."""

    since: float
    times: int = 0


class UserQueue:
    """Heads of one user's queue."""

    def __init__(self, standing: Standing) -> None:
        self.user_id = standing.user_id
        self.weight = standing.weight
        self.virtual_time = standing.virtual_time
        self.held = standing.held
        self.max_running = standing.max_running
        self.is_paused = standing.is_paused
        self.queued = standing.queued
        self.groups: dict[UUID, list[Waiting]] = {}
        self._has_more: set[UUID] = set()
        self._passed: dict[JobId, Passed] = {}

    @property
    def may_have_more(self) -> bool:
        """Whether another job of theirs may run now."""
        return not self.is_paused and (self.max_running is None or self.held < self.max_running)

    def stand(self, standing: Standing) -> None:
        """Take how the user stands."""
        self.weight, self.virtual_time = standing.weight, standing.virtual_time
        self.held, self.max_running = standing.held, standing.max_running
        self.is_paused = standing.is_paused
        self.queued = standing.queued

    def set_groups(self, groups: Iterable[Group]) -> None:
        """Take all that is known to wait."""
        self.groups, self._has_more = {}, set()
        for group in groups:
            self.set_group(group)
        if self._passed:
            waiting = {job.job_id for jobs in self.groups.values() for job in jobs}
            self._passed = {job_id: passed for job_id, passed in self._passed.items() if job_id in waiting}

    def set_group(self, group: Group) -> None:
        """Take what is known to wait of one requirement."""
        self._has_more.discard(group.requirement_id)
        if group.has_more:
            self._has_more.add(group.requirement_id)
        if group.jobs:
            self.groups[group.requirement_id] = list(group.jobs)
        else:
            self.groups.pop(group.requirement_id, None)

    def add(self, job: Waiting) -> bool:
        """Take a job that has just been queued, unless it stands behind what is known; say which."""
        jobs = self.groups.get(job.requirement_id)
        has_more = job.requirement_id in self._has_more
        if jobs is None:
            if not has_more:
                self.groups[job.requirement_id] = [job]
            return not has_more
        if has_more and job.order > jobs[-1].order:
            return False
        if all(known.job_id != job.job_id for known in jobs):
            insort(jobs, job, key=_by_order)
        return True

    def may_have(self, queued: int) -> bool:
        """Whether that many queued jobs agree with what is known."""
        known = sum(map(len, self.groups.values()))
        return known == queued or (known < queued and bool(self._has_more))

    def counts(self) -> dict[UUID, int]:
        """Say how many jobs wait of each requirement; those that are not known one by one are dealt out evenly."""
        counts = {requirement_id: len(jobs) for requirement_id, jobs in self.groups.items()}
        open_ended = sorted(self._has_more)
        unknown = max(0, self.queued - sum(counts.values()))
        for number, requirement_id in enumerate(open_ended):
            share = unknown // len(open_ended) + (number < unknown % len(open_ended))
            counts[requirement_id] = counts.get(requirement_id, 0) + share
        return counts

    def take(self, job: Waiting) -> bool:
        """Remove a job that is handed out; say whether its group has to be read anew."""
        jobs = self.groups[job.requirement_id]
        jobs.remove(job)
        self._passed.pop(job.job_id, None)
        if not jobs:
            del self.groups[job.requirement_id]
        return not jobs and job.requirement_id in self._has_more

    def heads(self) -> Iterator[Waiting]:
        """Give the first job of each group."""
        return (jobs[0] for jobs in self.groups.values())

    def pass_over(self, job: Waiting, now: float) -> None:
        """Note that another job went although this one's turn had come."""
        self._passed.setdefault(job.job_id, Passed(now)).times += 1

    def passed(self, job: Waiting) -> Passed | None:
        """Say how often a job was passed over, if ever."""
        return self._passed.get(job.job_id)
