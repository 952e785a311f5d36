"""The values that go into and come out of the store beside the domain's own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from fireside.domain.ids import BlobHash, JobId, UserId, WorkerId
from fireside.domain.jobs import Job
from fireside.domain.outputs import OutputSummary
from fireside.domain.usage import Quota
from fireside.domain.workers import Topic

NOTHING_REQUIRED = UUID(int=0)
"""The requirement of a job that any worker can run."""

EQUAL_JOB_AWAITED = UUID(int=2**128 - 1)
"""What a job asks for while an equal one is on its way: no worker has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsyncedBytes:
    """Small blobs that a change keeps until their files are on the disk; `put` puts these into place, in its thread."""

    contents: Mapping[BlobHash, bytes]
    put: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedInput:
    """A file that a job reads: `value` as the graph writes it, and the bytes it meant when the job was submitted."""

    value: str
    hash: BlobHash
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobBody:
    """The heavy parts of a submit. `graph`, `extra_data` are JSON as they travel; `outputs` the output nodes to run.

    `sealed_secrets` are gone with the job's end.
    """

    graph: bytes
    extra_data: bytes
    outputs: tuple[str, ...]
    inputs: tuple[StagedInput, ...] = ()
    sealed_secrets: bytes | None = None


@dataclass(frozen=True, slots=True)
class KeptRequirement:
    """What a job asks of a worker, as JSON, and the name that equal ones share."""

    id: UUID
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """A key that a caller may use once on a route; whoever uses it before `expired_at` again is refused."""

    route: str
    key: str
    expired_at: datetime
    """Keys that were claimed then or before count no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRun:
    """What a job runs that was submitted by the name of a saved workflow.

    `inputs` are all named inputs with the values they had, `outputs` the nodes behind the named outputs; both are JSON.
    """

    workflow: str
    inputs: bytes
    outputs: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to be queued.

    `number` None takes the user's next one; `front` negates it. `client_id` is the websocket's that submitted it.
    `fingerprint` names the kind of work, for estimates; `requirement` None asks nothing of a worker. `labels` are what
    the caller notes on it, and `key` is used up in the transaction that queues it. `work` is the
    name of what it makes, where that is the same whenever it runs; one that `joins_equals` waits while another one of
    the same user that makes it is on its way. `api_key_id` is the key that submitted it, `quota` what its user may use.
    """

    id: JobId
    user_id: UserId
    body: JobBody
    number: float | None = None
    front: bool = False
    workflow_id: str | None = None
    client_id: str | None = None
    fingerprint: str = ""
    requirement: KeptRequirement | None = None
    webhook_url: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    key: IdempotencyKey | None = None
    named_run: NamedRun | None = None
    work: bytes | None = None
    joins_equals: bool = False
    api_key_id: int | None = None
    quota: Quota | None = None
    estimate_seconds: float | None = None
    """What runs of the same fingerprint have taken, as watchers are told who hear of it; see `QueueHead`."""
    timeline: "Sequence[TimelineEntry]" = ()
    """What there is to say of how it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """What one node of the present attempt has shown: ComfyUI's `output` dictionary, in the order of arrival."""

    node_id: str
    display_node_id: str
    output: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """A fact of a job's life, written with the change it tells of; `data` is small JSON."""

    kind: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a job ends with, beside its state: the summary of its outputs, its error (JSON), and what the run cost.

    `models` are the hashes of the model files that it read, by folder and name; None where nobody vouches for them.
    """

    summary: OutputSummary | None = None
    error: bytes | None = None
    charged_seconds: float = 0.0
    models: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What the scheduler knows of a user: the weight, limits, and how much service they have had.

    `virtual_time` is GPU-seconds over weight; `queued` and `held` count the user's jobs in those states.
    """

    user_id: UserId
    weight: float
    max_running: int | None
    virtual_time: float
    queued: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueHead:
    """A queued job near the front of its user's queue.

    `estimate_seconds` is the moving average of what runs of the same fingerprint took, None before the first.
    """

    job: Job
    fingerprint: str
    requirement_id: UUID
    estimate_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """A server that hands out jobs, since when, and under which term."""

    term: int
    holder: str
    taken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldJob:
    """A job some worker holds, with the estimate it was charged at hand-out."""

    job: Job
    worker_id: WorkerId
    charged_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One hand-out of a job: to whom, when, how it ended, and what ran there (JSON), where that is known."""

    attempt: int
    worker_id: WorkerId
    assigned_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    snapshot: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCounts:
    """How many jobs of a user wait, and how many are with workers."""

    queued: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """How jobs run: how many have ended lately, and when the first of those began.

    `stands_since` is since when the oldest one is with its worker, or else since when the first one of the user waits.
    """

    ended: int
    begun_at: datetime | None
    stands_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedHistory:
    """How many of a user's jobs have ended, when the first of them did, and the user's own limits of what is kept."""

    user_id: UserId
    ended: int
    first_ended_at: datetime | None
    keep_jobs: int | None
    keep_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What some workers have published about themselves: JSON, by the hash of its bytes."""

    topic: Topic
    hash: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDataLimits:
    """How many files or settings a user may have, and how many bytes of them in all."""

    entries: int
    size_bytes: int
