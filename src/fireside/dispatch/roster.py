"""Who belongs to the fleet, as the store has it: which process speaks for a worker, and which workers take no jobs.

Of workers that nobody has let in it knows nothing, and has nothing against them: a server starts them itself, and signs
what they come in with.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from fireside.domain.ids import WorkerId
from fireside.domain.workers import Enrollment
from fireside.store.store import Store
from fireside.wire.fleet import OLDEST_PROTOCOL, PROTOCOL

_FRESH_FOR = timedelta(seconds=0.5)
_GOOD_FOR = timedelta(seconds=10)


class Roster:
    """What was read last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._enrolled: Mapping[WorkerId, Enrollment] = {}
        self._removed: Collection[WorkerId] = ()
        self._read_at: datetime | None = None
        self.drained: frozenset[WorkerId] = frozenset()
        """Workers that take no more jobs."""

    async def refresh(self, now: datetime) -> None:
        """Read it anew."""
        self._enrolled = {one.worker_id: one for one in await self._store.enrollments()}
        self._removed = frozenset(one.worker_id for one in await self._store.removed_workers())
        self.drained = await self._store.drained_workers()
        # Last, so that nobody takes what was known before for fresh.
        self._read_at = now

    def is_old(self, now: datetime) -> bool:
        """Tell whether it is to be read anew in case a word of a change was lost."""
        return self._read_at is None or not timedelta(0) <= now - self._read_at < _GOOD_FOR

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether it was read just now."""
        return self._read_at is not None and timedelta(0) <= now - self._read_at < _FRESH_FOR

    def may_stay(self, worker_id: WorkerId) -> bool:
        """Tell whether a worker was not sent away, and is understood."""
        enrollment = self._enrolled.get(worker_id)
        return worker_id not in self._removed if enrollment is None else _is_understood(enrollment)

    def objection(self, worker_id: WorkerId, boot_id: str) -> str:
        """Say why this process may not speak for this worker; empty when it may."""
        enrollment = self._enrolled.get(worker_id)
        if enrollment is None:
            return f"the worker {worker_id} was removed from the fleet" if worker_id in self._removed else ""
        if not _is_understood(enrollment):
            return "it speaks another protocol than the server: install the server's version of Fireside"
        if enrollment.boot_id != boot_id:
            return f"another process has taken the place of this one as worker {worker_id}"
        return ""


def _is_understood(enrollment: Enrollment) -> bool:
    return OLDEST_PROTOCOL <= enrollment.protocol <= PROTOCOL
