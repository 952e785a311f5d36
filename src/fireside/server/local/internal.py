"""ComfyUI's routes for its editor alone, in so far as they are harmless: nothing of the machine, only the caller's own.

The log is the whole server's, so it is empty here; `fireside logs` has it, for who may see it.
"""

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.assets import Folder
from fireside.domain.errors import BadRequest
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.routes import Answer, Route
from fireside.wire.refusals import RefusalBody
from fireside.wire.v1_editor import RawLogBody

_MOST_NAMES = 5000


async def get_log(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Give nothing, in the form of a log."""
    return json_answer("")


async def get_raw_log(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Give nothing, in the form of a log's entries."""
    return json_answer(RawLogBody())


async def subscribe_log(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Agree; nothing will ever come."""
    return Response(status_code=200)


async def list_folder_paths(request: Request) -> Response:
    """Name the folders of models; where they lie is each worker's own business."""
    models = await services_of(request).desk.definitions.models()
    return json_answer({folder: [folder] for folder in models})


async def list_files(request: Request) -> Response:
    """Name the caller's files of a folder, the newest first, without those in folders below it."""
    said = str(request.path_params["directory_type"])
    try:
        folder = Folder(said)
    except ValueError as error:
        raise BadRequest("Invalid directory type: it is input, output or temp.") from error
    names = await services_of(request).store.newest_asset_names(user_of(request).id, folder, limit=_MOST_NAMES)
    return json_answer(names)


ROUTES = (
    Route(
        method="GET",
        path="/internal/logs",
        handler=get_log,
        name="getInternalLog",
        text="Always empty: the log is the whole server's",
        tag="editor",
        answers={200: Answer(text="An empty text", body=str)},
    ),
    Route(
        method="GET",
        path="/internal/logs/raw",
        handler=get_raw_log,
        name="getInternalRawLog",
        text="Always empty: the log is the whole server's",
        tag="editor",
        answers={200: Answer(text="No entries", body=RawLogBody)},
    ),
    Route(
        method="PATCH",
        path="/internal/logs/subscribe",
        handler=subscribe_log,
        name="subscribeInternalLog",
        text="Taken, and nothing comes of it",
        tag="editor",
        answers={200: Answer(text="Taken")},
    ),
    Route(
        method="GET",
        path="/internal/folder_paths",
        handler=list_folder_paths,
        name="getInternalFolderPaths",
        text="Name the folders of models, without where they lie",
        tag="editor",
        answers={200: Answer(text="By folder, its name", body=dict[str, list[str]])},
    ),
    Route(
        method="GET",
        path="/internal/files/{directory_type}",
        handler=list_files,
        name="getInternalFiles",
        text="Name the caller's files of a folder, the newest first",
        tag="editor",
        answers={
            200: Answer(text="The names", body=list[str]),
            400: Answer(text="There is no such folder", body=RefusalBody),
        },
    ),
)
