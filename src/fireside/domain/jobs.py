"""What a job is: one execution of a workflow, from its submit to its end.

`Job` is the narrow record that rules decide on and listings read. Its heavy parts (graph, outputs, timeline) are
kept apart by the store. A job changes only in `lifecycle.advance`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fireside.domain.ids import JobId, UserId, WorkerId


class JobState(StrEnum):
    """Where a job stands; the last four are final."""

    QUEUED = "queued"
    ASSIGNED = "assigned"
    RUNNING = "running"
    CANCELING = "canceling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


TERMINAL_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED, JobState.EXPIRED})
HELD_STATES = frozenset({JobState.ASSIGNED, JobState.RUNNING, JobState.CANCELING})
"""The states in which a worker holds the job's lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One worker's right to one attempt at a job; `fence` rises whenever that right passes on."""

    job_id: JobId
    attempt: int
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The narrow record of a job.

    `number` orders a user's queue (lower first, ties by age). `attempt` counts hand-outs, `losses` those of them
    that ended because the worker, or its runtime, died while the job ran. `preview`, `error` and `metadata`, the
    labels that its owner gave it, are JSON, kept encoded because listings pass them on as they are. `charged_seconds`
    is what its user's share was charged for the present attempt.
    """

    id: JobId
    user_id: UserId
    state: JobState
    number: float
    attempt: int
    losses: int
    fence: int
    worker_id: WorkerId | None
    created_at: datetime
    changed_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    workflow_id: str | None = None
    outputs_count: int = 0
    previewable_count: int = 0
    preview: bytes | None = None
    error: bytes | None = None
    charged_seconds: float = 0.0
    metadata: bytes | None = None

    @property
    def lease(self) -> Lease:
        """The lease of whoever holds the job now."""
        return Lease(job_id=self.id, attempt=self.attempt, fence=self.fence)

    @property
    def is_terminal(self) -> bool:
        """Whether nothing can change any more."""
        return self.state in TERMINAL_STATES

    @property
    def run_time(self) -> timedelta:
        """How long it ran; zero for a job that never did both start and end."""
        if self.started_at is None or self.ended_at is None:
            return timedelta(0)
        return self.ended_at - self.started_at
