"""Who is there: the leader's memory of its workers, and the rules of when one is lost.

Plain state and pure questions, told the time from outside; the dispatcher feeds it and acts on its answers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from fireside.domain.ids import WorkerId
from fireside.domain.jobs import JobState, Lease
from fireside.store.records import HeldJob
from fireside.wire.fleet import LONGEST_BUS_PAUSE_SECONDS, MOST_AHEAD, MOST_FINISHING, LeaseBody, Presence

_FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A worker as it was seen last."""

    presence: Presence
    seen_at: datetime
    offered_number: int = -1
    """The number of the last presence it sent before it answered an offer; what came before knows nothing of that."""
    away: bool = False
    """It did not answer; until its next presence it is not there."""
    replaced_at: datetime | None = None
    """When it came back as a new process; what it held before that is lost."""
    former_seen_at: datetime | None = None
    """When the process before that was seen last."""

    @property
    def is_free(self) -> bool:
        """Whether it could take a job now."""
        said = self.presence
        return self._is_open and len(said.leases) == len(said.finishing)

    @property
    def takes_ahead(self) -> bool:
        """Whether it computes, and could take a job to make ready."""
        said = self.presence
        # Whatever it says: a worker must not be able to gather what others could run.
        return self._is_open and 0 < len(said.leases) - len(said.finishing) <= min(said.ahead, MOST_AHEAD)

    @property
    def _is_open(self) -> bool:
        said = self.presence
        return said.ready and not said.draining and len(said.finishing) <= MOST_FINISHING and not self.away


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A held job that its worker will not finish; `lost` when the worker died before our eyes."""

    held: HeldJob
    lost: bool


class Presences:
    """What the leader has seen of its workers in this term."""

    def __init__(self, lost_after: timedelta) -> None:
        self._lost_after = lost_after
        self._back_within = lost_after + timedelta(seconds=LONGEST_BUS_PAUSE_SECONDS)
        self._seen: dict[WorkerId, Sighting] = {}

    def saw(self, worker_id: WorkerId, presence: Presence, now: datetime) -> bool:
        """Take in a worker's word that it is there; say whether there may be a job for it now, and was not before."""
        before = self._seen.get(worker_id)
        after = Sighting(presence=presence, seen_at=now) if before is None else _renewed(before, presence, now)
        self._seen[worker_id] = after
        # A job less may let its user have another one running, also where there was room before.
        has_more = before is None or before.presence.leases != after.presence.leases
        return (after.is_free and (has_more or before is None or not before.is_free)) or (
            after.takes_ahead and (has_more or before is None or not before.takes_ahead)
        )

    def offered(self, worker_id: WorkerId, lease: Lease | None, *, number: int = 0) -> bool:
        """Note that the worker answered an offer after its presence `number`; no lease: it did not take the job.

        Says whether it could take another one now.
        """
        sighting = self._seen.get(worker_id)
        if sighting is None:
            return False
        said = sighting.presence
        if lease is not None and said.number <= number:
            said = msgspec.structs.replace(said, leases=(*said.leases, LeaseBody.of(lease)))
        sighting = replace(sighting, presence=said, offered_number=number, away=lease is None)
        self._seen[worker_id] = sighting
        return sighting.is_free or sighting.takes_ahead

    def free_workers(self, now: datetime, busy: set[WorkerId], *, listening_since: datetime) -> list[WorkerId]:
        """Give the workers that can take a job, longest known first; `busy` are those offers are under way to.

        Only a worker that was heard since the leader listens can hear the leader.
        """
        return self._able(lambda sighting: sighting.is_free, now, busy, listening_since)

    def workers_ahead(self, now: datetime, busy: set[WorkerId], *, listening_since: datetime) -> list[WorkerId]:
        """Give the workers that compute and can make another job ready meanwhile."""
        return self._able(lambda sighting: sighting.takes_ahead, now, busy, listening_since)

    def _able(
        self, is_able: Callable[[Sighting], bool], now: datetime, busy: set[WorkerId], listening_since: datetime
    ) -> list[WorkerId]:
        return [
            worker_id
            for worker_id, sighting in self._seen.items()
            if is_able(sighting)
            and worker_id not in busy
            and sighting.seen_at >= listening_since
            and now - sighting.seen_at < self._lost_after
        ]

    def words_of(self, worker_ids: Iterable[WorkerId]) -> dict[WorkerId, Presence]:
        """Give the last word of each of these workers."""
        return {worker_id: self._seen[worker_id].presence for worker_id in worker_ids}

    def boot_of(self, worker_id: WorkerId) -> str:
        """Say which start of this worker was seen last; empty for one that is not known."""
        sighting = self._seen.get(worker_id)
        return "" if sighting is None else sighting.presence.boot_id

    def is_leaving(self, worker_id: WorkerId) -> bool:
        """Whether the worker's last word is that it takes no more jobs."""
        sighting = self._seen.get(worker_id)
        return sighting is not None and (sighting.presence.draining or not sighting.presence.ready)

    def present(self, now: datetime) -> Mapping[WorkerId, Presence]:
        """Give the last word of each worker that was heard lately."""
        return {
            worker_id: sighting.presence
            for worker_id, sighting in self._seen.items()
            if now - sighting.seen_at < self._lost_after
        }

    def named(self, now: datetime) -> set[tuple[WorkerId, Lease]]:
        """Give the leases that the workers who are there believe they hold."""
        return {
            (worker_id, lease.lease()) for worker_id, presence in self.present(now).items() for lease in presence.leases
        }

    def judge(self, held_jobs: Sequence[HeldJob], now: datetime, *, listening_since: datetime) -> list[Verdict]:
        """Say which of these held jobs their workers will not finish.

        One that has not been heard since the leader listens may still be pausing between two tries to reach the bus
        that was away for both, so it has that much longer. One that is seen must name the job's lease, unless its word
        is older than the offer; of an offer by whoever led before, that cannot be told in the first moments. The loss
        counts only when the worker was seen since the leader listens: what happened while it could not listen did not
        happen before its eyes.
        """
        verdicts: list[Verdict] = []
        for held in held_jobs:
            sighting = self._seen.get(held.worker_id)
            was_heard = sighting is not None and sighting.seen_at >= listening_since
            silence = now - (sighting.seen_at if sighting is not None and was_heard else listening_since)
            if silence >= (self._lost_after if was_heard else self._back_within):
                verdicts.append(Verdict(held=held, lost=was_heard))
            elif sighting is not None and was_heard and self._has_dropped(sighting, held, now - listening_since):
                verdicts.append(Verdict(held=held, lost=_died_before_our_eyes(sighting, held, listening_since)))
        return verdicts

    def _has_dropped(self, sighting: Sighting, held: HeldJob, listened_for: timedelta) -> bool:
        if held.job.state is JobState.ASSIGNED and (
            sighting.seen_at <= held.job.changed_at or listened_for < self._lost_after
        ):
            return False
        return all(lease.lease() != held.job.lease for lease in sighting.presence.leases)

    def keep(self, may_stay: Callable[[WorkerId], bool]) -> None:
        """Forget at once the workers that do not belong to the fleet any more: what they hold is for others."""
        self._seen = {worker_id: sighting for worker_id, sighting in self._seen.items() if may_stay(worker_id)}

    def forget_long_gone(self, now: datetime) -> None:
        """Drop workers that will hardly come back under their name."""
        self._seen = {
            worker_id: sighting
            for worker_id, sighting in self._seen.items()
            if now - sighting.seen_at < _FORGOTTEN_AFTER
        }

    def set_back(self, now: datetime) -> None:
        """Follow a clock that was set back, so that nobody stays seen in the future."""
        self._seen = {
            worker_id: replace(sighting, seen_at=min(sighting.seen_at, now))
            for worker_id, sighting in self._seen.items()
        }


def _renewed(before: Sighting, presence: Presence, now: datetime) -> Sighting:
    if before.presence.boot_id == presence.boot_id:
        if presence.number <= before.offered_number:
            # On its way before the last answer; what that told is newer.
            return replace(before, seen_at=now)
        return replace(before, presence=presence, seen_at=now, away=False)
    return Sighting(presence=presence, seen_at=now, replaced_at=now, former_seen_at=before.seen_at)


def _died_before_our_eyes(sighting: Sighting, held: HeldJob, listening_since: datetime) -> bool:
    return (
        sighting.replaced_at is not None
        and held.job.changed_at <= sighting.replaced_at
        and sighting.former_seen_at is not None
        and sighting.former_seen_at >= listening_since
    )
