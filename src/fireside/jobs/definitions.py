"""What the fleet can run: the kinds of workers that were ever here, their nodes, and their models.

It is remembered in the store, so that the absence of a worker never refuses a submit. Each kind is kept whole, because
a graph runs on one; their union is what people are shown.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from blake3 import blake3

from fireside.domain.errors import NoDefinitions
from fireside.domain.ids import WorkerId
from fireside.domain.models import ModelName, RegisteredModel
from fireside.domain.workers import Topic, WorkerKind, WorkerProfile, WorkerWish
from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.errors import no_such_worker
from fireside.graphs.node_sets import NodeSet, read_node_set, unite, with_models
from fireside.jobs.editor_files import EditorFiles, read_editor_files, unite_editor_files
from fireside.store.store import Store
from fireside.wire.fleet_joining import ModelFileBody, SubgraphBody

T = TypeVar("T")
_MOST_NAMED = 3
Models = Mapping[str, Mapping[str, int]]
"""Sizes of the model files, by folder and name."""
Subgraphs = Mapping[str, SubgraphBody]
"""Blueprints of node packs, by an id that is the same wherever the pack lies."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The models that workers may fetch, by name."""

    models: Mapping[ModelName, RegisteredModel] = field(default_factory=dict[ModelName, RegisteredModel])

    def __bool__(self) -> bool:
        return bool(self.models)

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """The names by folder."""
        found: dict[str, list[str]] = {}
        for one in sorted(self.models):
            found.setdefault(one.folder, []).append(one.name)
        return found

    @property
    def files(self) -> Models:
        """The sizes by folder and name."""
        names = self.names
        return {
            folder: {name: self.models[ModelName(folder, name)].size_bytes for name in names[folder]}
            for folder in names
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKind:
    """A kind of worker: its nodes, those of them that have a validator of their own, and the workers of it."""

    kind: WorkerKind
    nodes: NodeSet
    validators: frozenset[str]
    workers: Sequence[WorkerProfile]

    @property
    def name(self) -> str:
        """What people know it by."""
        names = [worker.id for worker in self.workers[:_MOST_NAMED]]
        more = f" and {len(self.workers) - _MOST_NAMED} more" if len(self.workers) > _MOST_NAMED else ""
        return f"{self.kind.runtime} ({', '.join(names)}{more})"

    @property
    def definitions(self) -> NodeDefinitions:
        """Its nodes, to hold a graph against."""
        return self.nodes.definitions

    @property
    def can_fetch(self) -> bool:
        """Whether its workers can fetch models."""
        return bool(self.nodes.fetches)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """All that is known at one moment."""

    profiles: Mapping[WorkerId, WorkerProfile] = field(default_factory=dict[WorkerId, WorkerProfile])
    kinds: Mapping[WorkerKind, KnownKind] = field(default_factory=dict[WorkerKind, KnownKind])
    models: Models = field(default_factory=dict[str, Mapping[str, int]])
    subgraphs: Subgraphs = field(default_factory=dict[str, SubgraphBody])
    editor_files: EditorFiles = field(default_factory=EditorFiles)
    union: NodeSet | None = None
    object_info: Mapping[str, Any] = field(default_factory=dict[str, Any])
    registry: Registry = field(default_factory=Registry)
    fetches: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Into which folders of models some worker can fetch files, by class of nodes and input."""

    def kinds_that(self, meet: WorkerWish) -> Sequence[KnownKind]:
        """Give the kinds of the workers that meet a wish; `InvalidGraph` when there never was such a worker."""
        if meet == WorkerWish():
            return list(self.kinds.values())
        kinds = {one.kind for one in self.profiles.values() if meet.is_met_by(one)}
        if not kinds:
            raise no_such_worker(meet, list(self.profiles.values()))
        return [known for kind, known in self.kinds.items() if kind in kinds]

    def workers_with(self, class_type: str) -> list[WorkerId]:
        """Name the workers that have a class of nodes."""
        kinds = [kind for kind in self.kinds.values() if class_type in kind.nodes.entries]
        return sorted(worker.id for kind in kinds for worker in kind.workers)


class DefinitionBook:
    """The known fleet, read anew when workers join; what is published once is read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fleet = Fleet()
        self._node_sets: dict[str, NodeSet] = {}
        self._validators: dict[str, frozenset[str]] = {"": frozenset()}
        self._models: dict[str, Models] = {"": {}}
        self._subgraphs: dict[str, Subgraphs] = {"": {}}
        self._editor_files: dict[str, EditorFiles] = {"": EditorFiles()}
        self._offered: tuple[Mapping[str, NodeSet], Mapping[str, NodeSet], Registry] = ({}, {}, Registry())
        self._reading = asyncio.Lock()

    async def refresh(self) -> None:
        """Read what has been published; called at start, when a worker joins, and by upkeep."""
        async with self._reading:
            profiles, before = await self._read_profiles(), self._fleet
            registry = await self._read_registry(before.registry)
            kinds = await self._kinds(profiles, registry)
            if not kinds:
                return
            sets = _distinct([one.nodes for one in kinds.values()])
            if before.union is None or sets != _distinct([one.nodes for one in before.kinds.values()]):
                union = await asyncio.to_thread(unite, sets)
                object_info: Mapping[str, Any] = {name: entry.info for name, entry in union.entries.items()}
            else:
                union, object_info = before.union, before.object_info
            self._fleet = Fleet(
                profiles={one.id: one for one in profiles},
                kinds=kinds,
                models=_united_models(
                    [
                        *(self._models[one.models_hash] for one in profiles),
                        *([registry.files] if any(one.can_fetch for one in kinds.values()) else []),
                    ]
                ),
                subgraphs=_united_subgraphs([self._subgraphs[one.subgraphs_hash] for one in profiles]),
                editor_files=unite_editor_files(_distinct([self._editor_files[one.editor_hash] for one in profiles])),
                union=union,
                object_info=object_info,
                registry=registry,
                fetches={name: fetches for one in kinds.values() for name, fetches in one.nodes.fetches.items()},
            )

    @property
    def known(self) -> Fleet:
        """What was known when somebody last looked; nothing at first."""
        return self._fleet

    async def fleet(self) -> Fleet:
        """Give what is known; `NoDefinitions` when no worker of any kind was ever here."""
        if self._fleet.union is None:
            await self.refresh()
        if self._fleet.union is None:
            raise NoDefinitions("no worker has joined yet, so no node is known; start a worker and try again")
        return self._fleet

    async def definitions(self) -> NodeDefinitions:
        """Give the nodes that any worker has; `NoDefinitions` as above."""
        fleet = await self.fleet()
        assert fleet.union is not None
        return fleet.union.definitions

    async def object_info(self) -> Mapping[str, Any]:
        """Give the same as ComfyUI's object_info, with empty lists of input files; the same object until it changes."""
        return (await self.fleet()).object_info

    async def models(self) -> Models:
        """Give all model files that any worker has; none when no worker was ever here."""
        if self._fleet.union is None:
            await self.refresh()
        return self._fleet.models

    async def workers_with_model(self, folder: str, name: str) -> Sequence[WorkerProfile]:
        """Give the workers that have a model file, the one seen last first; none for a file that nobody has."""
        if self._fleet.union is None:
            await self.refresh()
        having = [one for one in self._fleet.profiles.values() if name in self._models[one.models_hash].get(folder, {})]
        return sorted(having, key=lambda one: one.seen_at, reverse=True)

    def files_of(self, profile: WorkerProfile) -> Models:
        """Give the model files that a worker has of its own."""
        return self._models.get(profile.models_hash, {})

    async def subgraphs(self) -> Subgraphs:
        """Give the blueprints that any worker's node packs bring along."""
        if self._fleet.union is None:
            await self.refresh()
        return self._fleet.subgraphs

    async def editor_files(self) -> EditorFiles:
        """Give the translations and example workflows that any worker's node packs bring along."""
        if self._fleet.union is None:
            await self.refresh()
        return self._fleet.editor_files

    async def _read_profiles(self) -> Sequence[WorkerProfile]:
        """Read the workers, and what they have published; who is about to publish is what it was before."""
        found, before = await self._store.worker_profiles(), self._fleet.profiles
        named = [*found, *before.values()]
        await self._read_node_sets({one.kind.definitions_hash for one in named})
        await self._read_validators({one.kind.validators_hash for one in named})
        await self._read_models({one.models_hash for one in named})
        await self._read_subgraphs({one.subgraphs_hash for one in named})
        await self._read_editor_files({one.editor_hash for one in named})
        known = [one if self._is_known(one) else before.get(one.id) for one in found]
        return [one for one in known if one is not None]

    def _is_known(self, profile: WorkerProfile) -> bool:
        kind = profile.kind
        return (
            kind.definitions_hash in self._node_sets
            and kind.validators_hash in self._validators
            and profile.models_hash in self._models
            and profile.subgraphs_hash in self._subgraphs
            and profile.editor_hash in self._editor_files
        )

    async def _read_registry(self, before: Registry) -> Registry:
        """Read the registry; the same object while it is as it was."""
        models = {one.name: one for one in await self._store.models()}
        return before if models == before.models else Registry(models)

    async def _kinds(self, profiles: Sequence[WorkerProfile], registry: Registry) -> dict[WorkerKind, KnownKind]:
        """Put the workers together by kind."""
        workers: dict[WorkerKind, list[WorkerProfile]] = {}
        for one in profiles:
            workers.setdefault(one.kind, []).append(one)
        offering = await self._offering({kind.definitions_hash for kind in workers}, registry)
        return {
            kind: KnownKind(
                kind=kind,
                nodes=offering[kind.definitions_hash],
                validators=self._validators[kind.validators_hash],
                workers=workers[kind],
            )
            for kind in sorted(workers)
        }

    async def _offering(self, hashes: set[str], registry: Registry) -> Mapping[str, NodeSet]:
        """Give the nodes with the models that can be fetched; the same objects while nothing of both has changed."""
        sets = {name: self._node_sets[name] for name in sorted(hashes)}
        if not registry:
            return sets
        before, of_sets, of_registry = self._offered
        if of_sets != sets or of_registry is not registry:
            made = await asyncio.to_thread(with_models, list(sets.values()), registry.names)
            before = dict(zip(sets, made, strict=True))
            self._offered = before, sets, registry
        return before

    async def _read_node_sets(self, hashes: set[str]) -> None:
        known = {name: nodes for name, nodes in self._node_sets.items() if name in hashes}
        bodies = await self._missing(Topic.DEFINITIONS, hashes - known.keys())
        # Reading many nodes takes a while; the loop goes on meanwhile.
        for name, body in bodies.items():
            known[name] = await asyncio.to_thread(read_node_set, body, list(known.values()))
        self._node_sets = known

    async def _read_validators(self, hashes: set[str]) -> None:
        bodies = await self._missing(Topic.VALIDATORS, hashes - self._validators.keys())
        read = {name: frozenset(msgspec.json.decode(body, type=list[str])) for name, body in bodies.items()}
        self._validators = {name: of for name, of in (self._validators | read).items() if name in hashes | {""}}

    async def _read_models(self, hashes: set[str]) -> None:
        bodies = await self._missing(Topic.MODELS, hashes - self._models.keys())
        read = {name: _models_of(body) for name, body in bodies.items()}
        self._models = {name: of for name, of in (self._models | read).items() if name in hashes | {""}}

    async def _read_subgraphs(self, hashes: set[str]) -> None:
        bodies = await self._missing(Topic.SUBGRAPHS, hashes - self._subgraphs.keys())
        read = {name: _subgraphs_of(body) for name, body in bodies.items()}
        self._subgraphs = {name: of for name, of in (self._subgraphs | read).items() if name in hashes | {""}}

    async def _read_editor_files(self, hashes: set[str]) -> None:
        bodies = await self._missing(Topic.EDITOR, hashes - self._editor_files.keys())
        read = {name: read_editor_files(body) for name, body in bodies.items()}
        self._editor_files = {name: of for name, of in (self._editor_files | read).items() if name in hashes | {""}}

    async def _missing(self, topic: Topic, hashes: set[str]) -> Mapping[str, bytes]:
        return await self._store.published(topic, hashes) if hashes else {}


def _models_of(body: bytes) -> Models:
    folders = msgspec.json.decode(body, type=dict[str, list[ModelFileBody]])
    return {folder: {file.name: file.size_bytes for file in files} for folder, files in folders.items()}


def _subgraphs_of(body: bytes) -> Subgraphs:
    many = msgspec.json.decode(body, type=list[SubgraphBody])
    return {blake3(f"{one.node_pack}\n{one.name}".encode()).hexdigest(): one for one in many}


def _united_subgraphs(many: Sequence[Subgraphs]) -> Subgraphs:
    """Give the blueprints of all workers; of two versions of one the first worker's by name."""
    return {name: one for of in reversed(_distinct(many)) for name, one in of.items()}


def _united_models(many: Sequence[Models]) -> Models:
    """Give all files that any worker has, sorted by folder and name; of two sizes the larger."""
    united: dict[str, dict[str, int]] = {}
    for models in _distinct(many):
        for folder, files in models.items():
            known = united.setdefault(folder, {})
            known |= {name: max(size, known.get(name, 0)) for name, size in files.items()}
    return {folder: dict(sorted(files.items())) for folder, files in sorted(united.items())}


def _distinct(many: Sequence[T]) -> list[T]:
    return list({id(one): one for one in many}.values())
