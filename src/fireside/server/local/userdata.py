"""The editor's files at ComfyUI's bare paths, listed and told of as ComfyUI does.

ComfyUI's newer list is here alone: below `/api` its path, `/api/v2/userdata`, is one of the API v2, which answers it in
its own words.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import BadRequest, NotFound
from fireside.domain.user_files import FilePath, UserFile, checked_folder
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.reading import read_query
from fireside.server.routes import Answer, Refusal, Route
from fireside.server.v1.userdata import entry_of, userdata_routes
from fireside.wire.v1_userdata import (
    MOST_LISTED,
    SaveQuery,
    UserFileEntry,
    UserFilesQuery,
    UserFolderEntry,
    UserFolderQuery,
)

_FILE = "file"
_FOLDER = "directory"


async def list_folder(request: Request) -> Response:
    """List all files below a folder, and the folders they lie in: folders first, each by name."""
    asked, services = read_query(request, UserFolderQuery), services_of(request)
    folder = checked_folder(asked.path or ".", max_depth=services.config.max_userdata_depth)
    user_id = user_of(request).id
    files = await services.store.user_files(user_id, folder, recurse=True, limit=MOST_LISTED)
    if folder and not files:
        path = FilePath.checked(folder, max_depth=services.config.max_userdata_depth)
        if await services.store.user_file(user_id, path) is not None:
            raise BadRequest("Requested path is not a directory")
        raise NotFound("Requested path not found")
    folders = {one for file in files for one in file.path.ancestors if len(one) > len(folder)}
    entries = [
        *(UserFolderEntry(name=one.rpartition("/")[2], path=one, type=_FOLDER) for one in folders),
        *(_file_entry(file) for file in files),
    ]
    return json_answer(sorted(entries, key=lambda one: (one.type != _FOLDER, one.name.lower(), one.path)))


def _file_entry(file: UserFile) -> UserFolderEntry:
    path = file.path
    modified = file.modified_at.timestamp()
    return UserFolderEntry(name=path.name, path=path.text, type=_FILE, size=file.size_bytes, modified=modified)


def _listed(file: UserFile, relative: str, asked: UserFilesQuery) -> UserFileEntry | str | Sequence[str]:
    if asked.full_info.lower() == "true":
        return entry_of(file, relative)
    return [relative, *relative.split("/")] if asked.split.lower() == "true" else relative


def _saved(file: UserFile, asked: SaveQuery) -> UserFileEntry | str:
    return entry_of(file, file.path.text) if asked.full_info.lower() == "true" else file.path.text


ROUTES = (
    *userdata_routes(
        "",
        entry=_listed,
        entries=list[str | list[str] | UserFileEntry],
        saved=_saved,
        answer=str | UserFileEntry,
        dialect="Local",
    ),
    Route(
        method="GET",
        path="/v2/userdata",
        handler=list_folder,
        name="getLocalUserdataFolder",
        text="List the files and folders that the editor keeps below a folder",
        tag="user",
        refusal=Refusal.TEXT,
        query=UserFolderQuery,
        answers={200: Answer(text="Folders first, each by name", body=list[UserFolderEntry])},
        token_in_query=True,
    ),
)
