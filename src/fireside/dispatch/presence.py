"""Who is there: the leader's memory of its workers, and the rules of when one is lost.

Plain state and pure questions, told the time from outside; the dispatcher feeds it and acts on its answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from fireside.domain.ids import WorkerId
from fireside.domain.jobs import JobState, Lease
from fireside.store.records import HeldJob
from fireside.wire.fleet import LeaseBody, Presence


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A worker as it was seen last."""

    presence: Presence
    seen_at: datetime
    offered_at: datetime | None = None
    """When it last answered an offer; an older presence says nothing about that job."""
    away: bool = False
    """It did not answer; until its next presence it is not there."""
    replaced_at: datetime | None = None
    """When it came back as a new process before our eyes; what it held before that is lost."""

    @property
    def is_free(self) -> bool:
        """Whether it could take a job now."""
        return self.presence.ready and not self.presence.draining and not self.presence.leases and not self.away


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A held job that its worker will not finish; `lost` when the worker died before our eyes."""

    held: HeldJob
    lost: bool


class Presences:
    """What the leader has seen of its workers in this term."""

    def __init__(self, lost_after: timedelta) -> None:
        self._lost_after = lost_after
        self._seen: dict[WorkerId, Sighting] = {}

    def saw(self, worker_id: WorkerId, presence: Presence, now: datetime) -> None:
        """Take in a worker's word that it is there."""
        before = self._seen.get(worker_id)
        if before is None:
            self._seen[worker_id] = Sighting(presence=presence, seen_at=now)
            return
        is_new = before.presence.boot_id != presence.boot_id
        replaced_at = now if is_new else before.replaced_at
        self._seen[worker_id] = replace(before, presence=presence, seen_at=now, away=False, replaced_at=replaced_at)

    def offered(self, worker_id: WorkerId, lease: Lease | None, now: datetime) -> None:
        """Note that the worker answered an offer; `lease` None when it did not take the job."""
        sighting = self._seen.get(worker_id)
        if sighting is None:
            return
        leases = (LeaseBody.of(lease),) if lease else sighting.presence.leases
        presence = msgspec.structs.replace(sighting.presence, leases=leases)
        self._seen[worker_id] = replace(sighting, presence=presence, offered_at=now, away=lease is None)

    def free_workers(self, now: datetime, busy: set[WorkerId]) -> list[WorkerId]:
        """Give the workers that can take a job, longest seen first; `busy` are those offers are under way to."""
        return [
            worker_id
            for worker_id, sighting in self._seen.items()
            if sighting.is_free and worker_id not in busy and now - sighting.seen_at < self._lost_after
        ]

    def present(self, now: datetime) -> Mapping[WorkerId, Presence]:
        """Give the last word of each worker that was heard lately."""
        return {
            worker_id: sighting.presence
            for worker_id, sighting in self._seen.items()
            if now - sighting.seen_at < self._lost_after
        }

    def judge(self, held_jobs: Sequence[HeldJob], now: datetime, *, listening_since: datetime) -> list[Verdict]:
        """Say which of these held jobs their workers will not finish.

        `held_jobs` are read after the presences were heard. A worker nobody has seen is lost when the leader has
        listened for long enough; one that is seen must name the job's lease, unless its word is older than the offer.
        """
        verdicts: list[Verdict] = []
        for held in held_jobs:
            sighting = self._seen.get(held.worker_id)
            seen_at = max(sighting.seen_at, listening_since) if sighting else listening_since
            if now - seen_at >= self._lost_after:
                verdicts.append(Verdict(held=held, lost=sighting is not None))
            elif sighting is not None and self._has_dropped(sighting, held):
                verdicts.append(Verdict(held=held, lost=_is_of_former_process(sighting, held)))
        return verdicts

    def _has_dropped(self, sighting: Sighting, held: HeldJob) -> bool:
        if sighting.offered_at is not None and sighting.seen_at <= sighting.offered_at:
            return False
        if sighting.seen_at <= held.job.changed_at and held.job.state is JobState.ASSIGNED:
            return False
        return all(lease.lease() != held.job.lease for lease in sighting.presence.leases)


def _is_of_former_process(sighting: Sighting, held: HeldJob) -> bool:
    return sighting.replaced_at is not None and held.job.changed_at <= sighting.replaced_at
