"""What the server knows of its workers, and of the node definitions they publish."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import Any

from fireside.domain.ids import WorkerId

SERVER_NAME = "server"
"""What the server itself is called on the bus, where a worker's name would stand."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OWN_NAME = re.compile(r"local-\d+")
_CPU = "cpu"
BYTES_PER_GB = 10**9
"""Decimal, as cards are sold: one "of 24 GB" tells a little more than that."""


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
    vram_bytes: int = 0

    def stands_for(self, other: "WorkerProfile") -> bool:
        """Whether all that is known of the other one is known of this one too, so that it need not be remembered."""
        told = ("kind", "models_hash", "labels", "subgraphs_hash", "editor_hash", "snapshot_hash")
        is_alike = all(getattr(self, name) == getattr(other, name) for name in told)
        return is_alike and self.vram_bytes >= other.vram_bytes and self.seen_at >= other.seen_at


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerWish:
    """What a job asks of its worker beside what its graph needs: labels, and at least so much video memory."""

    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    vram_bytes: int = 0

    def is_met_by(self, worker: WorkerProfile) -> bool:
        """Whether the worker has all of it."""
        has_labels = all(worker.labels.get(name) == value for name, value in self.labels.items())
        return has_labels and worker.vram_bytes >= self.vram_bytes


def vram_of(devices: Iterable[Mapping[str, Any]]) -> int:
    """Give the video memory of the largest device as the worker told it; the memory of a processor is none."""
    told = [device.get("vram_total") for device in devices if device.get("type") != _CPU]
    return max((int(total) for total in told if isinstance(total, int | float) and isfinite(total)), default=0)


def in_gb(size_bytes: int) -> str:
    """Say a size of memory; rounded down, so that what is asked for after it is there."""
    return f"{size_bytes // (BYTES_PER_GB // 100) / 100:g} GB"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinToken:
    """A credential that lets workers join, once or as often as wished. Of the token itself only its SHA-256 is kept."""

    id: int
    prefix: str
    label: str
    is_reusable: bool
    uses: int
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None

    def why_not(self, now: datetime) -> str:
        """Say why no worker can join with it now; empty when one can."""
        if self.revoked_at is not None:
            return "it was revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "it has expired"
        if self.uses and not self.is_reusable:
            return "it was for one worker, and one has joined with it"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """A worker of another machine that may come in.

    `number` is never given twice. `boot_id` names the process that speaks for the worker, `protocol` and `version` are
    what that process said of itself, and `is_transient` that the worker does not come back once it has gone.
    `key_ends_at` is when the last of what it was given for the bus is over; None: never, if it has ever booted.
    """

    number: int
    worker_id: WorkerId
    protocol: int
    version: str
    boot_id: str
    enrolled_at: datetime
    booted_at: datetime | None
    is_transient: bool = False
    key_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedWorker:
    """One that had joined and was sent away for good; its key on the bus ends at `key_ends_at`, None: never."""

    number: int
    worker_id: WorkerId
    key_ends_at: datetime | None = None


def is_worker_name(name: str) -> bool:
    """Tell whether a worker may go by this name."""
    return _NAME.fullmatch(name) is not None and name.lower() != SERVER_NAME


def is_own_name(name: str) -> bool:
    """Tell whether this is a name that a server gives the workers it starts itself."""
    return _OWN_NAME.fullmatch(name) is not None
