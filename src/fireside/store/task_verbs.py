"""The store's verbs about tasks: who may take one, and that it ends once, whoever took it before."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from fireside.domain.errors import TooMany
from fireside.domain.ids import UserId
from fireside.domain.tasks import Task, TaskStatus
from fireside.store.database import Row, Transaction
from fireside.store.refusals import Changed
from fireside.store.rows import to_json
from fireside.store.verbs import Verbs


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks are listed; the defaults say all, the newest first."""

    name: str | None = None
    key: str | None = None
    statuses: Collection[TaskStatus] = field(default_factory=lambda: tuple(TaskStatus))
    created_after: datetime | None = None
    created_before: datetime | None = None
    oldest_first: bool = False


class TaskVerbs(Verbs):
    """Work in the background, which outlives the process that does it."""

    async def add_task(self, task: Task, *, most_waiting: int) -> Task:
        """Add a task, or give the user's one with its key that has not ended; raises `TooMany`."""
        return await self._database.decide(lambda tx: _add(tx, task, most_waiting))

    async def task(self, task_id: UUID, *, user_id: UserId) -> Task | None:
        """Read a task of the user."""
        row = await self._one("task_by_id", {"id": task_id, "user_id": user_id})
        return _task_of(row) if row else None

    async def tasks(self, user_id: UserId, wanted: TaskFilter, *, limit: int) -> Sequence[Task]:
        """List tasks of the user."""
        params = {
            "user_id": user_id,
            "name": wanted.name,
            "key": wanted.key,
            "statuses": to_json([status.value for status in wanted.statuses]).decode(),
            "created_after": wanted.created_after,
            "created_before": wanted.created_before,
            "limit": limit,
        }
        query = "list_tasks_ascending" if wanted.oldest_first else "list_tasks_descending"
        return [_task_of(row) for row in await self._all(query, params)]

    async def take_tasks(self, now: datetime, until: datetime, *, most_of_a_user: int, limit: int) -> Sequence[Task]:
        """Take tasks whose time has come, in turns among the users, as many of each as may run at once.

        A task is its taker's until then, or until `keep_task` says longer; after that somebody else may take it.
        """
        if not await self._all("users_of_due_tasks", {"now": now}):
            return ()
        return await self._database.decide(lambda tx: _take(tx, now, until, most_of_a_user, limit))

    async def keep_task(
        self, task: Task, now: datetime, until: datetime, *, bytes_done: int, bytes_total: int | None
    ) -> Task:
        """Write how far a task is that was taken, and keep it for longer; `Changed` when it is not the taker's now."""
        counts = {"bytes_done": bytes_done, "bytes_total": bytes_total}
        return self._mine(await self._write("keep_task", _held(task, now) | counts | {"until": until}), task)

    async def end_task(
        self, task: Task, now: datetime, *, result: bytes | None = None, error: str | None = None
    ) -> Task:
        """End a task that was taken, failed when there is an error; `Changed` when it is not the taker's now."""
        status = TaskStatus.COMPLETED if error is None else TaskStatus.FAILED
        params = _held(task, now) | {"status": status.value, "result": result, "error": error}
        return self._mine(await self._write("end_task", params), task)

    async def give_task_back(self, task: Task, now: datetime, due_at: datetime, *, error: str | None = None) -> Task:
        """Let a task that was taken wait for its next turn; `Changed` when it is not the taker's now."""
        params = _held(task, now) | {"next_at": due_at, "error": error}
        return self._mine(await self._write("give_task_back", params), task)

    async def cancel_task(self, task_id: UUID, now: datetime, *, user_id: UserId) -> bool:
        """End a task of the user that has not ended; whether this did it."""
        params = {"id": task_id, "user_id": user_id, "now": now}
        return bool(await self._write("cancel_task", params))

    async def forget_tasks(self, ended_before: datetime) -> None:
        """Remove tasks that ended long ago."""
        await self._write("forget_tasks", {"before": ended_before})

    def _mine(self, rows: Sequence[Row], task: Task) -> Task:
        if not rows:
            raise Changed(f"task {task.id} was canceled, or taken by somebody else")
        return _task_of(rows[0])


def _held(task: Task, now: datetime) -> dict[str, object]:
    return {"id": task.id, "attempt": task.attempt, "now": now}


def _add(tx: Transaction, task: Task, most_waiting: int) -> Task:
    mine = {"user_id": task.user_id}
    present = tx.run("active_task_of_key", mine | {"key": task.key})
    if present:
        return _task_of(present[0])
    (count,) = tx.run("count_active_tasks", mine, expect=1)
    if count["tasks"] >= most_waiting:
        raise TooMany(f"{most_waiting} of your tasks have not ended: let some of them end first", retry_after=30)
    row = {
        "id": task.id,
        "user_id": task.user_id,
        "name": task.name,
        "key": task.key,
        "payload": task.payload,
        "now": task.created_at,
        "bytes_total": task.bytes_total,
    }
    return _task_of(tx.run("add_task", row, expect=1)[0])


def _take(tx: Transaction, now: datetime, until: datetime, most_of_a_user: int, limit: int) -> Sequence[Task]:
    taken: list[Task] = []
    for user in tx.run("users_of_due_tasks", {"now": now}):
        mine = {"user_id": user["user_id"], "now": now}
        (count,) = tx.run("count_taken_tasks", mine, expect=1)
        room = min(most_of_a_user - count["tasks"], limit - len(taken))
        if room > 0:
            taken += map(_task_of, tx.run("take_due_tasks", mine | {"until": until, "limit": room}))
    return taken


def _task_of(row: Row) -> Task:
    return Task(
        id=row["id"],
        user_id=UserId(row["user_id"]),
        name=row["name"],
        key=row["key"],
        payload=row["payload"],
        status=TaskStatus(row["status"]),
        attempt=row["attempt"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        bytes_total=row["bytes_total"],
        bytes_done=row["bytes_done"],
        result=row["result"],
        error=row["error"],
    )
