"""Which workers can run what waits: by their kind's nodes and models, their labels, and their video memory.

Workers that suit the same are one kind here, by a number. Whether a kind meets a requirement changes only with the
registry of models, so it is found out once for each pair.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from fireside.domain.ids import WorkerId
from fireside.domain.pools import Pool
from fireside.domain.workers import WorkerKind, WorkerProfile
from fireside.graphs.requirements import Requirement, can_run, decode_requirement
from fireside.jobs.definitions import Fleet, Registry
from fireside.jobs.desk import Desk
from fireside.scheduler.values import Need
from fireside.store.records import EQUAL_JOB_AWAITED, NOTHING_REQUIRED
from fireside.wire.fleet import MODEL_MARK

_MOST_KEPT = 20_000
_UNKNOWN = 0
"""The kind of workers of which nothing is known; what asks for nothing runs there, too."""
_Kind = tuple[WorkerKind, tuple[tuple[str, str], ...], int]


@dataclass(frozen=True, slots=True)
class _Registered:
    """A registry of models as placement sees it: by the names that graphs write, whatever folder they are of."""

    registry: Registry
    sizes: Mapping[str, int]
    by_mark: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, registry: Registry) -> "_Registered":
        sizes: dict[str, int] = {}
        by_mark: dict[str, list[str]] = {}
        for name, model in registry.models.items():
            sizes[name.name] = max(model.size_bytes, sizes.get(name.name, 0))
            by_mark.setdefault(model.hash[:MODEL_MARK], []).append(name.name)
        return cls(registry, sizes, by_mark)


class Suitability:
    """Answers for one leader."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._requirements: dict[UUID, Requirement] = {}
        self._answers: dict[tuple[UUID, WorkerKind], bool] = {}
        self._asked_about: dict[WorkerId, str] = {}
        self._kinds: dict[_Kind, int] = {}
        self._examples: dict[int, WorkerProfile] = {}
        """A worker of each kind, as it was first seen."""
        self._seen: tuple[Fleet | None, int] = (None, 0)
        self._pools_seen: Fleet | None = None
        self._pools_for: dict[UUID, frozenset[str]] = {}
        self._registered = _Registered.of(Registry())

    async def kinds_of(self, free: Mapping[WorkerId, str]) -> dict[WorkerId, int]:
        """Give the kind of each of these workers, given with their boot ids."""
        known = await self._profiles(free)
        return {worker_id: self._kind_of(known[worker_id]) if worker_id in known else _UNKNOWN for worker_id in free}

    def has_changed(self) -> bool:
        """Whether needs that were given before may be different ones now; asked once, it is not so any more."""
        now = (self._desk.definitions.known, len(self._kinds))
        before, self._seen = self._seen, now
        return before[0] is not now[0] or before[1] != now[1]

    async def needs(self, requirement_ids: Collection[UUID]) -> dict[UUID, Need]:
        """Say for each requirement which kinds meet it, and which models it reads."""
        self._registry_now()
        await self._read(set(requirement_ids) - {NOTHING_REQUIRED, EQUAL_JOB_AWAITED})
        return {one: self._need(one) for one in requirement_ids}

    async def pools_for(self, requirement_ids: Collection[UUID], pools: Sequence[Pool]) -> dict[UUID, frozenset[str]]:
        """Name for each requirement the pools of which a worker meets it, or has met it as long as it is remembered."""
        self._registry_now()
        fleet = self._desk.definitions.known
        if self._pools_seen is not fleet:
            self._pools_seen, self._pools_for = fleet, {}
        kinds = {pool.name: _kinds_in(pool, fleet) for pool in pools}
        news = set(requirement_ids) - self._pools_for.keys()
        await self._read(news - {NOTHING_REQUIRED, EQUAL_JOB_AWAITED})
        for one in news:
            self._pools_for[one] = frozenset(name for name, workers in kinds.items() if self._meets_any(one, workers))
        return {one: self._pools_for[one] for one in requirement_ids}

    def sizes(self) -> dict[str, int]:
        """Give the sizes of all model files of the fleet by name."""
        models = self._desk.definitions.known.models
        return {name: size for files in models.values() for name, size in files.items()}

    def fetched_sizes(self) -> Mapping[str, int]:
        """Give the sizes of the models that workers fetch, by name."""
        return self._registry_now().sizes

    def at_hand(self, worker_id: WorkerId, fetched: Collection[str]) -> frozenset[str]:
        """Name the models of the registry that a worker has: its own files, and what it says that it has fetched."""
        registry = self._registry_now()
        if not registry.sizes:
            return frozenset()
        named = {name for mark in fetched for name in registry.by_mark.get(mark, ())}
        profile = self._desk.definitions.known.profiles.get(worker_id)
        own = () if profile is None else self._desk.definitions.files_of(profile).values()
        return frozenset(named.union(*(registry.sizes.keys() & files.keys() for files in own)))

    def _registry_now(self) -> "_Registered":
        registry = self._desk.definitions.known.registry
        if self._registered.registry is not registry:
            self._registered = _Registered.of(registry)
            # What a kind can run depends on what it can fetch.
            self._answers.clear()
        return self._registered

    def _need(self, requirement_id: UUID) -> Need:
        if requirement_id == NOTHING_REQUIRED:
            return Need(side=frozenset({_UNKNOWN, *self._kinds.values()}))
        requirement = self._requirements.get(requirement_id)
        if requirement is None:
            return Need(side=frozenset())
        wish = requirement.wish
        side = {
            number
            for number, worker in self._examples.items()
            if wish.is_met_by(worker) and self._can_run(requirement_id, requirement, worker.kind)
        }
        return Need(side=frozenset(side), models=self._models_of(requirement))

    def _meets_any(self, requirement_id: UUID, workers: Collection[WorkerProfile]) -> bool:
        if requirement_id == NOTHING_REQUIRED:
            return bool(workers)
        requirement = self._requirements.get(requirement_id)
        return requirement is not None and any(
            requirement.wish.is_met_by(worker) and self._can_run(requirement_id, requirement, worker.kind)
            for worker in workers
        )

    def _models_of(self, requirement: Requirement) -> frozenset[str]:
        folders = self._desk.definitions.known.models.values()
        values = {value for _, _, value in requirement.choices if isinstance(value, str)}
        return frozenset(value for value in values if any(value in files for files in folders))

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

    def _kind_of(self, profile: WorkerProfile) -> int:
        kind = _kind(profile)
        number = self._kinds.setdefault(kind, len(self._kinds) + 1)
        self._examples.setdefault(number, profile)
        return number

    async def _profiles(self, free: Mapping[WorkerId, str]) -> Mapping[WorkerId, WorkerProfile]:
        """Give what is known of workers; of those whose start is news it is looked up, once."""
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
        return book.known.profiles

    async def _read(self, wanted: set[UUID]) -> None:
        missing = wanted - self._requirements.keys()
        if missing:
            if len(self._requirements) + len(missing) >= _MOST_KEPT:
                self._requirements.clear()
                missing = wanted
            bodies = await self._desk.store.requirements(missing)
            self._requirements |= {one: decode_requirement(body) for one, body in bodies.items()}


def _kind(profile: WorkerProfile) -> _Kind:
    return profile.kind, tuple(sorted(profile.labels.items())), profile.vram_bytes


def _kinds_in(pool: Pool, fleet: Fleet) -> Collection[WorkerProfile]:
    """Give a worker of each kind that a pool has."""
    return {_kind(one): one for one in fleet.profiles.values() if pool.holds(one.labels)}.values()
