"""Tasks over the Cloud API v1: files that are fetched in the background, and how far they are."""

import hashlib
import re
from contextlib import suppress
from uuid import UUID, uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.records import Wish, check_wish, record_by_hash
from fireside.domain.assets import Recorded
from fireside.domain.errors import BadRequest, Conflict, NotFound
from fireside.domain.ids import AssetId
from fireside.domain.tags import normalize_tags
from fireside.domain.tasks import FETCH_ASSET, Task, TaskStatus
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.reading import read_body, read_query
from fireside.server.routes import Answer, Route
from fireside.server.v1.assets import asset_route
from fireside.server.v1.assets_query import hash_of
from fireside.server.v1.assets_uploads import created
from fireside.server.v1.files_library import library_of
from fireside.store.task_verbs import TaskFilter
from fireside.wire.live import TaskWord
from fireside.wire.refusals import AssetRefusalBody, RefusalBody
from fireside.wire.tasks import (
    DownloadBody,
    DownloadPayload,
    DownloadResult,
    DownloadTaskBody,
    TaskBody,
    TasksBody,
    TasksQuery,
)
from fireside.wire.v1_assets import CreatedAssetBody

_WORDS: dict[TaskStatus, TaskWord] = {
    TaskStatus.CREATED: "created",
    TaskStatus.RUNNING: "running",
    TaskStatus.COMPLETED: "completed",
    TaskStatus.FAILED: "failed",
    TaskStatus.CANCELED: "cancelled",
}
_STATUSES = {word: status for status, word in _WORDS.items()}
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


async def download_asset(request: Request) -> Response:
    """Fetch a file in the background; asking for the same again while it comes gives the same task."""
    services, user = services_of(request), user_of(request)
    body = await read_body(request, DownloadBody)
    services.imports.check(body.source_url)
    wish = Wish(
        user_id=user.id,
        name=body.name or None,
        tags=normalize_tags(body.tags or ()),
        user_metadata=msgspec.json.encode(body.user_metadata or {}),
        preview_id=AssetId(body.preview_id) if body.preview_id else None,
    )
    await check_wish(services.store, wish)
    payload = DownloadPayload(
        source_url=body.source_url,
        name=wish.name,
        tags=list(wish.tags),
        user_metadata=body.user_metadata or {},
        preview_id=body.preview_id,
    )
    encoded, now = msgspec.json.encode(payload), services.clock()
    new = Task(
        id=uuid4(),
        user_id=user.id,
        name=FETCH_ASSET,
        key=hashlib.sha256(encoded).hexdigest(),
        payload=encoded,
        status=TaskStatus.CREATED,
        attempt=0,
        due_at=now,
        created_at=now,
        changed_at=now,
    )
    present = await _present(request, new.key, payload)
    if present is not None:
        return await created(request, present, status=200)
    task = await services.store.add_task(new, most_waiting=services.config.max_imports_waiting)
    message = f"The file is fetched in the background; GET /api/tasks/{task.id} says how far it is."
    shown = DownloadTaskBody(
        task_id=task.id, status="running" if task.status is TaskStatus.RUNNING else "created", message=message
    )
    return json_answer(shown, 202)


async def list_tasks(request: Request) -> Response:
    """List the caller's tasks."""
    query = read_query(request, TasksQuery)
    wanted = TaskFilter(
        name=query.task_name,
        key=query.idempotency_key,
        statuses=_statuses(query.status) if query.status else tuple(TaskStatus),
        created_after=query.created_after,
        created_before=query.created_before,
        oldest_first=query.sort_order == "asc",
    )
    tasks = await services_of(request).store.tasks(user_of(request).id, wanted, limit=query.limit)
    return json_answer(TasksBody(tasks=[_shown(task) for task in tasks]))


async def show_task(request: Request) -> Response:
    """Show a task."""
    return json_answer(_shown(await _task(request)))


async def cancel_task(request: Request) -> Response:
    """Cancel a task; one that has ended stays as it is."""
    task, services = await _task(request), services_of(request)
    if not await services.store.cancel_task(task.id, services.clock(), user_id=task.user_id):
        raise Conflict("This task has ended already.")
    return Response(status_code=204)


async def _present(request: Request, key: str, payload: DownloadPayload) -> Recorded | None:
    """Record what an equal task has fetched once more, if the caller still has its bytes."""
    services, user = services_of(request), user_of(request)
    done = TaskFilter(name=FETCH_ASSET, key=key, statuses=(TaskStatus.COMPLETED,))
    for task in await services.store.tasks(user.id, done, limit=1):
        result = msgspec.json.decode(task.result or b"{}", type=DownloadResult)
        wish = Wish(
            user_id=user.id,
            name=payload.name or result.filename,
            tags=payload.tags,
            user_metadata=msgspec.json.encode(payload.user_metadata),
            preview_id=AssetId(payload.preview_id) if payload.preview_id else None,
        )
        with suppress(NotFound):
            return await record_by_hash(library_of(request), wish, hash_of(result.hash or ""))
    return None


async def _task(request: Request) -> Task:
    text = str(request.path_params["id"])
    task_id = UUID(text) if _UUID.fullmatch(text) else None
    task = await services_of(request).store.task(task_id, user_id=user_of(request).id) if task_id else None
    if task is None:
        raise NotFound("There is no such task.")
    return task


def _statuses(text: str) -> list[TaskStatus]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in _STATUSES]
    if unknown:
        raise BadRequest(f"status is a list of {', '.join(_STATUSES)}; {unknown[0][:80]!r} is none of them.")
    return [_STATUSES[word] for word in words]


def _shown(task: Task) -> TaskBody:
    return TaskBody(
        id=task.id,
        idempotency_key=task.key,
        task_name=task.name,
        payload=msgspec.Raw(task.payload),
        status=_WORDS[task.status],
        create_time=task.created_at,
        update_time=task.changed_at,
        started_at=task.started_at,
        completed_at=task.ended_at,
        result=msgspec.Raw(task.result) if task.result else None,
        error_message=task.error,
    )


_NO_TASK = Answer(text="The caller has no such task", body=RefusalBody)

ROUTES: tuple[Route, ...] = (
    asset_route(
        method="POST",
        path="/api/assets/download",
        handler=download_asset,
        name="createAssetDownload",
        text="Fetch a file by its URL in the background",
        body=DownloadBody,
        answers={
            200: Answer(text="The caller has it already; this is its asset", body=CreatedAssetBody),
            202: Answer(text="A task fetches the file", body=DownloadTaskBody),
            400: Answer(text="This is no URL that anything could be fetched from", body=AssetRefusalBody),
            403: Answer(text="The operator does not allow this host", body=AssetRefusalBody),
        },
    ),
    Route(
        method="GET",
        path="/api/tasks",
        handler=list_tasks,
        name="listTasks",
        text="List the caller's tasks",
        tag="task",
        query=TasksQuery,
        answers={200: Answer(text="The tasks", body=TasksBody)},
    ),
    Route(
        method="GET",
        path="/api/tasks/{id}",
        handler=show_task,
        name="getTask",
        text="Show a task",
        tag="task",
        answers={200: Answer(text="The task", body=TaskBody), 404: _NO_TASK},
    ),
    Route(
        method="DELETE",
        path="/api/tasks/{id}",
        handler=cancel_task,
        name="cancelTask",
        text="Cancel a task that has not ended",
        tag="task",
        answers={
            204: Answer(text="It is canceled"),
            404: _NO_TASK,
            409: Answer(text="It has ended already", body=RefusalBody),
        },
    ),
)
