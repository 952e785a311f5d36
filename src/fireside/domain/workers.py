"""What the server knows of its workers, and of the node definitions they publish."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from fireside.domain.ids import WorkerId


class Topic(StrEnum):
    """What a worker publishes about itself under its hash, so that equal workers cost one copy.

    `DEFINITIONS` is ComfyUI's object_info, `MODELS` the files by model folder, `VALIDATORS` the classes whose nodes
    have a validator of their own, `SNAPSHOT` what runs: versions, commits, packages, `SUBGRAPHS` the blueprints of node
    packs for the editor, `EDITOR` their translations and example workflows.
    """

    DEFINITIONS = "definitions"
    MODELS = "models"
    VALIDATORS = "validators"
    SNAPSHOT = "snapshot"
    SUBGRAPHS = "subgraphs"
    EDITOR = "editor"


@dataclass(frozen=True, slots=True, order=True)
class WorkerKind:
    """What of a worker decides whether a graph runs on it.

    Its models stand in the lists of its definitions; labels are each worker's own.
    """

    runtime: str
    definitions_hash: str
    validators_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker that has joined.

    `boot_id` changes with every start of its process. The hashes name what it has published, empty ones nothing.
    `labels` are its owner's words for it, which a job may ask for.
    """

    id: WorkerId
    boot_id: str
    runtime: str
    version: str
    definitions_hash: str
    joined_at: datetime
    models_hash: str = ""
    validators_hash: str = ""
    snapshot_hash: str = ""
    subgraphs_hash: str = ""
    editor_hash: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    system: Mapping[str, Any] = field(default_factory=dict[str, Any])
    devices: tuple[Mapping[str, Any], ...] = ()

    @property
    def publications(self) -> Mapping[Topic, str]:
        """What it has published, by topic."""
        named = {
            Topic.DEFINITIONS: self.definitions_hash,
            Topic.MODELS: self.models_hash,
            Topic.VALIDATORS: self.validators_hash,
            Topic.SNAPSHOT: self.snapshot_hash,
            Topic.SUBGRAPHS: self.subgraphs_hash,
            Topic.EDITOR: self.editor_hash,
        }
        return {topic: name for topic, name in named.items() if name}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerProfile:
    """The part of a worker that says what it can run."""

    id: WorkerId
    boot_id: str
    kind: WorkerKind
    models_hash: str
    labels: Mapping[str, str]
    seen_at: datetime
    subgraphs_hash: str = ""
    editor_hash: str = ""
    snapshot_hash: str = ""
