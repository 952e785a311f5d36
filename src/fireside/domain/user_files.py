"""What a user's own files for the editor are: saved workflows, style sheets, whatever it keeps by path.

They are no assets: no job reads or makes them, and their names lie in one tree of folders that a user may shape.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fireside.domain.assets import check_name_part
from fireside.domain.errors import BadRequest, Forbidden
from fireside.domain.ids import BlobHash, UserId

MAX_PATH_BYTES = 1024
"""So that a folder and a path stay together within a row of an index."""
_SEPARATORS = re.compile(r"[/\\]")
_ROOTS = frozenset({".", "/", "./"})


@dataclass(frozen=True, slots=True)
class FilePath:
    """Where a file is in its user's tree: parts joined with slashes, none of which leads elsewhere."""

    text: str

    @classmethod
    def checked(cls, text: str, *, max_depth: int) -> "FilePath":
        """Make a path from a stranger's text.

        Raises `Forbidden` for one that leads out of the tree, and `BadRequest` for one that is no path of a file.
        """
        parts = _parts(text, max_depth=max_depth)
        if not parts or text.endswith(("/", "\\")):
            raise BadRequest("Name a file; a path that ends with a slash is a folder.")
        return cls("/".join(parts))

    @property
    def folder(self) -> str:
        """The folder it lies in; empty for the root."""
        return self.text.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Its name in that folder."""
        return self.text.rpartition("/")[2]

    @property
    def ancestors(self) -> Sequence[str]:
        """All folders it lies in, without the root."""
        parts = self.text.split("/")
        return ["/".join(parts[:count]) for count in range(1, len(parts))]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFile:
    """A file of a user's tree, and its bytes by hash.

    `interface` is what its workflow takes and gives by name, where its owner has said so beside the file (JSON).
    """

    user_id: UserId
    path: FilePath
    hash: BlobHash
    size_bytes: int
    created_at: datetime
    modified_at: datetime
    interface: bytes | None = None


def checked_folder(text: str, *, max_depth: int) -> str:
    """Make a folder's path from a stranger's text, empty for the root; raises as `FilePath.checked`."""
    return "" if text in _ROOTS else "/".join(_parts(text, max_depth=max_depth))


def _parts(text: str, *, max_depth: int) -> list[str]:
    """Take a path apart; empty parts and single dots are left out, and backslashes part it as slashes do."""
    if text.startswith(("/", "\\")):
        raise Forbidden("A path is relative to your own files; it does not begin with a slash.")
    parts = [part for part in _SEPARATORS.split(text) if part not in ("", ".")]
    if ".." in parts:
        raise Forbidden("A path does not lead out of your own files.")
    if len(parts) - 1 > max_depth:
        raise BadRequest(f"A path has at most {max_depth} folders.")
    for part in parts:
        check_name_part(part)
    if len("/".join(parts).encode()) > MAX_PATH_BYTES:
        raise BadRequest(f"A path has at most {MAX_PATH_BYTES} bytes.")
    return parts
