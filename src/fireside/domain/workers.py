"""What the server knows of its workers, and of the node definitions they publish."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fireside.domain.ids import WorkerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker that has joined.

    `boot_id` changes with every start of its process, `definitions_hash` names its nodes. `labels` are its owner's
    words for it, which a job may ask for.
    """

    id: WorkerId
    boot_id: str
    runtime: str
    version: str
    definitions_hash: str
    joined_at: datetime
    system: Mapping[str, Any] = field(default_factory=dict[str, Any])
    devices: tuple[Mapping[str, Any], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
