"""What workers hold ready while they compute something else, as the leader of this process knows it.

It learns of them as it hands them out, forgets those that begin or end, and finds at each look what it was not told:
what a former leader has handed out, and what other servers have heard.
"""

from collections.abc import Iterable, Mapping, Sequence

from fireside.dispatch.ledger import Ledger
from fireside.domain.ids import JobId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.scheduler.values import Placement, Readied
from fireside.store.records import HeldJob, NewJob, Share
from fireside.wire.fleet import LeaseBody, Presence


class ReadiedJobs:
    """Those of one leader."""

    def __init__(self) -> None:
        self._known: dict[JobId, Readied] = {}

    def __bool__(self) -> bool:
        return bool(self._known)

    def except_of(self, workers: Iterable[WorkerId]) -> list[Readied]:
        """Give them all, but those that are being offered to these workers."""
        busy = set(workers)
        return [one for one in self._known.values() if one.worker_id not in busy]

    def put(self, placement: Placement, kind: int) -> None:
        """Take one that is handed out to a worker of this kind."""
        self._known[placement.job_id] = Readied(
            job_id=placement.job_id,
            user_id=placement.user_id,
            worker_id=placement.worker_id,
            kind=kind,
            side=placement.side,
            order=placement.order,
            charged_seconds=placement.estimate_seconds,
            is_bent=placement.is_bent,
        )

    def drop(self, job_id: JobId) -> None:
        """Forget one."""
        self._known.pop(job_id, None)

    def forget(self) -> None:
        """Forget all."""
        self._known = {}

    def heard(self, before: Job | None, after: Job, new: NewJob | None, share: Share | None) -> None:  # noqa: ARG002 - the store's watcher
        """Take in a change that this process has made."""
        if after.state is not JobState.ASSIGNED:
            self.drop(after.id)

    async def reconcile(
        self, held_jobs: Sequence[HeldJob], present: Mapping[WorkerId, Presence], ledger: Ledger
    ) -> None:
        """Compare with what the store and the workers say."""
        waiting = {held.job.id: held for held in held_jobs if held.job.state is JobState.ASSIGNED}
        self._known = {job_id: one for job_id, one in self._known.items() if job_id in waiting}
        news = [
            held
            for job_id, held in waiting.items()
            if job_id not in self._known and _is_ahead(held, present.get(held.worker_id))
        ]
        if not news:
            return
        spots = await ledger.spots({held.worker_id: present[held.worker_id] for held in news})
        kinds = {spot.worker_id: spot.kind for spot in spots}
        for held in news:
            kind, job = kinds[held.worker_id], held.job
            self._known[job.id] = Readied(
                job_id=job.id,
                user_id=job.user_id,
                worker_id=held.worker_id,
                kind=kind,
                side=frozenset({kind}),
                order=(job.number, job.created_at.timestamp()),
                charged_seconds=held.charged_seconds,
                is_bent=True,
            )


def _is_ahead(held: HeldJob, said: Presence | None) -> bool:
    if said is None or LeaseBody.of(held.job.lease) not in said.leases:
        return False
    return len(said.leases) - len(said.finishing) > 1
