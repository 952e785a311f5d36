"""What a task is: work that the server does for a user in the background, until it has ended once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from fireside.domain.ids import UserId

FETCH_ASSET = "asset_download"
"""The name of tasks that fetch a file by its URL."""


class TaskStatus(StrEnum):
    """How far a task is."""

    CREATED = "created"
    """It waits for its turn, the first one or the next."""
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work. `payload` and `result` are JSON; equal tasks that have not ended share a `key`.

    `due_at` is when somebody may take it: its turn, or the time at which whoever runs it counts as gone; None at its
    end. `attempt` rises whenever somebody takes it, and only the last taker may write.
    """

    id: UUID
    user_id: UserId
    name: str
    key: str
    payload: bytes
    status: TaskStatus
    attempt: int
    due_at: datetime | None
    created_at: datetime
    changed_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    bytes_total: int | None = None
    bytes_done: int = 0
    result: bytes | None = None
    error: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status in (TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELED)
