"""What a user's files are: named records over blobs."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from fireside.domain.errors import BadRequest
from fireside.domain.ids import AssetId, BlobHash, JobId, UserId

_SEPARATORS = re.compile(r"[/\\]")
MAX_NAME_BYTES = 255
NO_METADATA = b"{}"
_MAX_SUBFOLDERS = 16
_AS_CREATED = datetime.min.replace(tzinfo=UTC)
_OF_FOLDER = ("",)


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

        Parts of a subfolder that are empty or a dot are left out, and backslashes part it as slashes do.
        """
        parts = [part for part in _SEPARATORS.split(subfolder) if part not in {"", "."}]
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
    """A user's file: its name, its bytes by hash, the job that made it, if one did, and what its owner says of it.

    `title` is what people see, at first the file's name; changing it moves nothing. `tags` are sorted, at first the
    folder alone. `content_type` is what the bytes are, `mime_type` what the owner says. `user_metadata` is a JSON
    object as it came. One that `expires_at` some time is removed then. `metadata` is a JSON object, too: what the
    bytes say of themselves; it is kept by their hash, and None where nobody has asked for it.
    """

    id: AssetId
    user_id: UserId
    file: FileName
    hash: BlobHash
    size_bytes: int
    content_type: str
    created_at: datetime
    origin: OutputOrigin | None = None
    title: str = ""
    tags: tuple[str, ...] = _OF_FOLDER
    mime_type: str | None = None
    user_metadata: bytes = NO_METADATA
    metadata: bytes | None = None
    preview_id: AssetId | None = None
    updated_at: datetime = _AS_CREATED
    accessed_at: datetime = _AS_CREATED
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        """Fill in what follows from the rest."""
        self._default("title", self.file.name, is_missing=not self.title)
        self._default("tags", (self.file.folder.value,), is_missing=self.tags == _OF_FOLDER)
        self._default("updated_at", self.created_at, is_missing=self.updated_at == _AS_CREATED)
        self._default("accessed_at", self.created_at, is_missing=self.accessed_at == _AS_CREATED)

    def _default(self, field: str, value: object, *, is_missing: bool) -> None:
        if is_missing:
            object.__setattr__(self, field, value)

    @property
    def path(self) -> str:
        """Where the file is below its folder, as a loader names it."""
        return f"{self.file.subfolder}/{self.file.name}" if self.file.subfolder else self.file.name

    @property
    def loader_value(self) -> str:
        """The value by which a graph's loader finds the file."""
        return self.path if self.file.folder is Folder.INPUT else f"{self.path} [{self.file.folder.value}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A record that was wished for, and whether it was made now or had been there."""

    asset: Asset
    is_new: bool


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
