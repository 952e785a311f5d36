"""What a user's files are: named records over blobs."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fireside.domain.ids import AssetId, BlobHash, JobId, UserId


class Folder(StrEnum):
    """The three places of ComfyUI a file can be in."""

    INPUT = "input"
    OUTPUT = "output"
    TEMP = "temp"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileName:
    """Where a user finds a file: unique per user. `subfolder` is empty or a relative path without dots."""

    folder: Folder
    subfolder: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOrigin:
    """Which item of which node of which job made a file: `outputs[node_id][key][index]`."""

    job_id: JobId
    node_id: str
    key: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A user's file: its name, its bytes by hash, and the job that made it, if one did."""

    id: AssetId
    user_id: UserId
    file: FileName
    hash: BlobHash
    size_bytes: int
    content_type: str
    created_at: datetime
    origin: OutputOrigin | None = None
