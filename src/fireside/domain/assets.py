"""What a user's files are: named records over blobs."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fireside.domain.errors import BadRequest
from fireside.domain.ids import AssetId, BlobHash, JobId, UserId

_SEPARATORS = re.compile(r"[/\\]")
MAX_NAME_BYTES = 255
_MAX_SUBFOLDERS = 16


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

    @classmethod
    def checked(cls, folder: Folder, subfolder: str, name: str) -> "FileName":
        """Make a name from a stranger's texts; raises `BadRequest` for one that could lead anywhere else.

        Empty parts of a subfolder are left out, and backslashes part it as slashes do.
        """
        parts = [part for part in _SEPARATORS.split(subfolder) if part]
        if len(parts) > _MAX_SUBFOLDERS:
            raise BadRequest(f"A subfolder has at most {_MAX_SUBFOLDERS} parts.")
        for part in (*parts, name):
            check_name_part(part)
        return cls(folder=folder, subfolder="/".join(parts), name=name)


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


def check_name_part(part: str) -> None:
    """Raise `BadRequest` for what is no name of a file or folder, or could lead anywhere else."""
    if part in ("", ".", ".."):
        raise BadRequest(f"{part!r} is no name for a file or folder.")
    if _SEPARATORS.search(part):
        raise BadRequest("The name of a file has no slashes; its folder goes into `subfolder`.")
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in part):
        raise BadRequest("A name has no control characters.")
    try:
        size_bytes = len(part.encode())
    except UnicodeEncodeError as error:
        raise BadRequest("A name is made of whole Unicode characters.") from error
    if size_bytes > MAX_NAME_BYTES:
        raise BadRequest(f"A name has at most {MAX_NAME_BYTES} bytes.")
