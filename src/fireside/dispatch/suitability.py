"""Which free workers can run what waits: by their kind's nodes and models, and by their labels.

Whether a kind meets a requirement never changes, so it is found out once for each pair.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from fireside.domain.ids import WorkerId
from fireside.domain.workers import WorkerKind, WorkerProfile
from fireside.graphs.requirements import Requirement, can_run, decode_requirement, has_labels
from fireside.jobs.desk import Desk
from fireside.store.records import NOTHING_REQUIRED

_MOST_KEPT = 20_000


class Suitability:
    """Answers for one leader."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._requirements: dict[UUID, Requirement] = {}
        self._answers: dict[tuple[UUID, WorkerKind], bool] = {}
        self._asked_about: dict[WorkerId, str] = {}

    async def workers_for(
        self, requirement_ids: Collection[UUID], free: Mapping[WorkerId, str]
    ) -> dict[UUID, Collection[WorkerId]]:
        """Say for each requirement which of the free workers, given with their boot ids, meet it."""
        wanted = set(requirement_ids)
        found: dict[UUID, Collection[WorkerId]] = {}
        if NOTHING_REQUIRED in wanted:
            found[NOTHING_REQUIRED] = free.keys()
            wanted.discard(NOTHING_REQUIRED)
        if wanted:
            profiles = await self._profiles(free)
            await self._read(wanted)
            found |= {one: frozenset(self._suiting(one, profiles)) for one in wanted}
        return found

    def _suiting(self, requirement_id: UUID, profiles: Sequence[WorkerProfile]) -> list[WorkerId]:
        requirement = self._requirements.get(requirement_id)
        if requirement is None:
            return []
        labels = dict(requirement.labels)
        return [
            one.id
            for one in profiles
            if has_labels(one.labels, labels) and self._can_run(requirement_id, requirement, one.kind)
        ]

    def _can_run(self, requirement_id: UUID, requirement: Requirement, kind: WorkerKind) -> bool:
        answer = self._answers.get((requirement_id, kind))
        if answer is None:
            known = self._desk.definitions.known.kinds.get(kind)
            if known is None:
                return False
            if len(self._answers) >= _MOST_KEPT:
                self._answers.clear()
            answer = self._answers[requirement_id, kind] = can_run(requirement, known.definitions)
        return answer

    async def _profiles(self, free: Mapping[WorkerId, str]) -> list[WorkerProfile]:
        """Give what is known of the workers; of those whose start is news it is looked up, once."""
        book = self._desk.definitions
        known = book.known.profiles
        news = {
            worker_id: boot_id
            for worker_id, boot_id in free.items()
            if self._asked_about.get(worker_id) != boot_id
            and (worker_id not in known or known[worker_id].boot_id != boot_id)
        }
        if news:
            self._asked_about |= news
            await book.refresh()
            known = book.known.profiles
        return [known[worker_id] for worker_id in free if worker_id in known]

    async def _read(self, wanted: set[UUID]) -> None:
        missing = wanted - self._requirements.keys()
        if missing:
            if len(self._requirements) + len(missing) >= _MOST_KEPT:
                self._requirements.clear()
                missing = wanted
            bodies = await self._desk.store.requirements(missing)
            self._requirements |= {one: decode_requirement(body) for one, body in bodies.items()}
