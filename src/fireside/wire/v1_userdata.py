"""Bodies and parameters of the routes about what the editor keeps for its user."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

MOST_LISTED = 10_000
_Flag = Annotated[str, Meta(description="`true`, or anything else for no")]


class UserFilesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the list of files. `limit` and `after` are ours: other clients ask for everything at once."""

    dir: Annotated[
        str, Meta(min_length=1, description="The folder, with or without a slash at its end; `.` for all there is")
    ]
    recurse: _Flag = ""
    split: Annotated[str, Meta(description="Ignored below /api; at the bare path `true` takes names apart")] = ""
    full_info: Annotated[str, Meta(description="Ignored below /api; at the bare path `true` gives objects")] = ""
    limit: Annotated[int, Meta(ge=1, le=MOST_LISTED, description="Most files to list")] = MOST_LISTED
    after: Annotated[str, Meta(description="Path, relative to `dir`, of the last file that is known already")] = ""


class UserFolderQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of ComfyUI's newer list."""

    path: Annotated[str, Meta(description="The folder; empty for all there is")] = ""


class SaveQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of writing and of moving a file."""

    overwrite: Annotated[str, Meta(description="`false` refuses to replace a file that is there")] = "true"
    full_info: Annotated[
        str, Meta(description="Ignored below /api; at the bare path `true` gives an object instead of the path")
    ] = ""


class UserFileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file in the list: its path relative to the folder asked for, and its times in milliseconds."""

    path: str
    size: int
    modified: int
    created: int


class SavedUserFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was written or moved: its whole path."""

    path: str
    size: int
    modified: datetime


class UserFolderEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file or folder in ComfyUI's newer list; a folder has neither size nor time, which is in seconds."""

    name: str
    path: str
    type: str
    size: int | None = None
    modified: float | None = None
