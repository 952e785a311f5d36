"""The files that the editor keeps for its user: saved workflows, bookmarks, a style sheet.

Below /api they are listed and told of as the Cloud API does, at the bare path as ComfyUI does. Bodies are bytes of
whatever kind, and what is read again is never a page of our origin.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.user_files import UserFileLimits, save_user_file
from fireside.blobs.sniff import OCTET_STREAM
from fireside.config import Config
from fireside.domain.errors import NotFound
from fireside.domain.user_files import UserFile, checked_folder
from fireside.server.answers import json_answer
from fireside.server.callers import is_browsers, services_of, user_of
from fireside.server.content import serve_blob
from fireside.server.reading import read_query
from fireside.server.routes import JSON, Answer, Handler, Refusal, Route
from fireside.server.v1.files_library import library_of
from fireside.server.v1.userdata_paths import file_of, files_of_move, is_move
from fireside.store.records import UserDataLimits
from fireside.wire.v1_userdata import SavedUserFile, SaveQuery, UserFileEntry, UserFilesQuery

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_STYLE_SHEET = "user.css"
# What the editor asks for before it has written it: it takes a 404 for the same, and browsers complain of one.
_NOT_YET = {_STYLE_SHEET: b"", "comfy.templates.json": b"[]", "workflows/.index.json": b"{}"}
_ASK_AGAIN = "private, no-cache"
ListShape = Callable[[UserFile, str, UserFilesQuery], Any]
SavedShape = Callable[[UserFile, SaveQuery], Any]


def listing(shape: ListShape) -> Handler:
    """Make the handler that lists a folder in this shape."""

    async def list_files(request: Request) -> Response:
        asked, user_id, store = read_query(request, UserFilesQuery), user_of(request).id, services_of(request).store
        folder = checked_folder(asked.dir, max_depth=services_of(request).config.max_userdata_depth)
        prefix = f"{folder}/" if folder else ""
        files = await store.user_files(
            user_id,
            folder,
            recurse=_is_true(asked.recurse),
            limit=asked.limit + 1,
            after=prefix + asked.after if asked.after else "",
        )
        if not files and not is_browsers(request) and not await store.has_user_folder(user_id, folder):
            raise NotFound("Directory not found")
        answer = json_answer([shape(file, file.path.text.removeprefix(prefix), asked) for file in files[: asked.limit]])
        if len(files) > asked.limit:
            answer.headers["link"] = _next_page(request, files[asked.limit - 1].path.text.removeprefix(prefix))
        return answer

    return list_files


async def get_file(request: Request) -> Response:
    """Give a file's bytes, to be saved; only the user's own style sheet is one."""
    path = file_of(request)
    file = await services_of(request).store.user_file(user_of(request).id, path)
    if file is None and is_browsers(request) and path.text in _NOT_YET:
        return Response(_NOT_YET[path.text], media_type="text/css" if path.text == _STYLE_SHEET else JSON)
    if file is None:
        raise _not_found()
    answer = serve_blob(
        request,
        services_of(request).blobs,
        file.hash,
        filename=path.name,
        content_type=OCTET_STREAM,
        size_bytes=file.size_bytes,
        cache=_ASK_AGAIN,
        disposition="attachment",
    )
    if path.text == _STYLE_SHEET and "content-type" in answer.headers:
        answer.headers["content-type"] = "text/css; charset=utf-8"
        answer.headers["content-disposition"] = "inline"
    return answer


def saving(shape: SavedShape) -> Handler:
    """Make the handler that writes a file, and tells of it in this shape."""

    async def save(request: Request) -> Response:
        asked = read_query(request, SaveQuery)
        file = await save_user_file(
            library_of(request),
            user_of(request).id,
            file_of(request),
            request.stream(),
            overwrite=asked.overwrite != "false",
            limits=_limits(services_of(request).config),
        )
        return json_answer(shape(file, asked))

    return save


def moving(shape: SavedShape) -> Handler:
    """Make the handler that moves a file; an address that only reads like a move is a file to be written."""
    save = saving(shape)

    async def move(request: Request) -> Response:
        if not is_move(request):
            return await save(request)
        asked, (source, target) = read_query(request, SaveQuery), files_of_move(request)
        moved = await services_of(request).store.move_user_file(
            user_of(request).id, source, target, overwrite=asked.overwrite != "false"
        )
        if moved is None:
            raise _not_found()
        return json_answer(shape(moved, asked))

    return move


async def remove_file(request: Request) -> Response:
    """Remove a file."""
    if not await services_of(request).store.remove_user_file(user_of(request).id, file_of(request)):
        raise _not_found()
    return Response(status_code=204)


def entry_of(file: UserFile, relative: str) -> UserFileEntry:
    """Describe a file in a list."""
    return UserFileEntry(
        path=relative,
        size=file.size_bytes,
        modified=(file.modified_at - _EPOCH) // _MILLISECOND,
        created=(file.created_at - _EPOCH) // _MILLISECOND,
    )


def _cloud_entry(file: UserFile, relative: str, asked: UserFilesQuery) -> UserFileEntry:  # noqa: ARG001 - a shape
    return entry_of(file, relative)


def _cloud_saved(file: UserFile, asked: SaveQuery) -> SavedUserFile:  # noqa: ARG001 - a shape
    return SavedUserFile(path=file.path.text, size=file.size_bytes, modified=file.modified_at)


def _limits(config: Config) -> UserFileLimits:
    return UserFileLimits(
        file_bytes=config.max_userdata_file_bytes,
        all_files=UserDataLimits(entries=config.max_userdata_files, size_bytes=config.max_userdata_bytes),
    )


def _is_true(flag: str) -> bool:
    return flag.lower() == "true"


def _next_page(request: Request, after: str) -> str:
    params = {**dict(request.query_params), "after": after}
    return f'<{request.url.path}?{urlencode(params)}>; rel="next"'


def _not_found() -> NotFound:
    return NotFound("You have no such file.")


def userdata_routes(
    prefix: str, *, entry: ListShape, entries: Any, saved: SavedShape, answer: Any, dialect: str = ""
) -> Sequence[Route]:
    """Make the routes at a prefix, with the shapes of its answers; `dialect` keeps names of operations apart."""
    refused = {
        400: Answer(text="The path or a parameter is not as it should be", media_types=("text/plain",)),
        403: Answer(text="The path leads out of the caller's files", media_types=("text/plain",)),
    }
    missing = {404: Answer(text="The caller has no such file or folder", media_types=("text/plain",))}
    taken = {
        409: Answer(text="A file or folder is there already", media_types=("text/plain",)),
        413: Answer(text="The file is too large, or the caller has too many", media_types=("text/plain",)),
    }
    octets = Answer(text="The bytes", media_types=(OCTET_STREAM, "text/css"))

    def route(method: str, path: str, handler: Handler, name: str, text: str, **more: Any) -> Route:
        return Route(
            method=method,
            path=prefix + path,
            handler=handler,
            name=name,
            text=text,
            tag="user",
            refusal=Refusal.TEXT,
            **more,
        )

    return (
        route(
            "GET", "/userdata", listing(entry), f"get{dialect}Userdata",
            "List the files of a folder that the editor keeps",
            query=UserFilesQuery, answers={200: Answer(text="The files", body=entries), **refused, **missing},
        ),
        # Before the files, whose path it would be too.
        route(
            "POST", "/userdata/{file:path}/move/{dest:path}", moving(saved), f"move{dialect}UserdataFile",
            "Move a file that the editor keeps",
            query=SaveQuery, answers={200: Answer(text="Moved", body=answer), **refused, **missing, **taken},
        ),
        route(
            "GET", "/userdata/{file:path}", get_file, f"get{dialect}UserdataFile", "Read a file that the editor keeps",
            answers={
                200: octets, 206: octets, 304: Answer(text="The client has it already"),
                416: Answer(text="The range lies outside of the file"), **refused, **missing,
            },
        ),
        route(
            "POST", "/userdata/{file:path}", saving(saved), f"post{dialect}UserdataFile",
            "Write a file for the editor to keep",
            query=SaveQuery, raw_body=(OCTET_STREAM,),
            answers={200: Answer(text="Written", body=answer), **refused, **taken},
        ),
        route(
            "DELETE", "/userdata/{file:path}", remove_file, f"delete{dialect}UserdataFile",
            "Remove a file that the editor keeps",
            answers={204: Answer(text="Removed"), **refused, **missing},
        ),
    )  # fmt: skip


ROUTES = userdata_routes(
    "/api", entry=_cloud_entry, entries=list[UserFileEntry], saved=_cloud_saved, answer=SavedUserFile
)
