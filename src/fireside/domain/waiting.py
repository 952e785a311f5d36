"""Why a job waits, and until when about: pure, from what is known of its owner, the queue and the fleet.

Reasons are told in the order in which they would have to go away: while a queue is paused, no worker helps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from fireside.domain.models import ModelOnItsWay
from fireside.domain.pauses import Pause, PauseOrigin
from fireside.domain.workers import in_gb

_MOST_NAMED = 3


class WaitReason(StrEnum):
    """What a job waits for; the words are public and never change."""

    STARTING = "starting"
    """Nothing: a worker has it and is about to begin."""
    READY = "ready"
    """The job that a worker runs, which begins this one next."""
    FETCHING_MODEL = "fetching_model"
    """A model, which the worker that has it fetches."""
    EQUAL_JOB = "equal_job"
    """Another job of the same owner that makes the same."""
    FLEET_PAUSED = "fleet_paused"
    PAUSED_BY_ADMIN = "paused_by_admin"
    PAUSED = "paused"
    MAX_RUNNING = "max_running"
    """As many of the owner's jobs are with workers as may be."""
    NO_WORKER = "no_worker"
    """No worker that is there can run it."""
    QUEUE = "queue"
    """Earlier jobs of the same owner."""
    CAPACITY = "capacity"
    """A worker that is free."""


_FORESEEABLE = frozenset(
    {
        WaitReason.STARTING,
        WaitReason.READY,
        WaitReason.FETCHING_MODEL,
        WaitReason.MAX_RUNNING,
        WaitReason.QUEUE,
        WaitReason.CAPACITY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """What a worker would need to run the job and does not have."""

    nodes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    vram_bytes: int = 0
    """As much video memory as the job asks for, where the worker has less."""

    @property
    def count(self) -> int:
        """How much it is; none for a worker that can run the job."""
        return len(self.nodes) + len(self.models) + len(self.labels) + bool(self.vram_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Helper:
    """A worker that is there: what it lacks for the job, and whether it is free and takes jobs at all."""

    name: str
    lack: Lack
    is_free: bool
    takes_jobs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitFacts:
    """What is known. `share` is the owner's part of the fleet among those who have jobs now, from 0 to 1."""

    position: int
    is_handed_out: bool
    pauses: Sequence[Pause]
    held: int
    max_running: int | None
    helpers: Sequence[Helper]
    away: Sequence[str]
    """Workers that could run it and are not there."""
    seconds_each: float
    """What the owner's next jobs are believed to take."""
    seconds_until_free: float
    """When the next of the busy workers is believed to be free."""
    share: float
    behind_others_on: str | None = None
    """The worker that has the job ready, where that computes another one before it."""
    fetching: ModelOnItsWay | None = None
    """What the worker that has the job fetches for it."""
    awaited: str | None = None
    """The id of the job that makes the same, and that this one waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Where a job stands in its owner's queue, from 1 on, what it waits for, and when it may begin."""

    position: int
    reason: WaitReason
    message: str
    lack: Lack | None = None
    starts_at: datetime | None = None
    fetching: ModelOnItsWay | None = None


def explain(facts: WaitFacts, now: datetime) -> Waiting:
    """Say why the job waits; there is no estimate where nobody can know how long the cause lasts."""
    suiting = [one for one in facts.helpers if not one.lack.count and one.takes_jobs]
    reason, message, lack = _why(facts, suiting)
    starts_at = None
    if reason in _FORESEEABLE and suiting:
        seconds = _seconds(facts, suiting)
        starts_at = _rounded(now, timedelta(seconds=seconds)) if seconds is not None else None
    return Waiting(
        position=1 if facts.is_handed_out else facts.position,
        reason=reason,
        message=message,
        lack=lack,
        starts_at=starts_at,
        fetching=facts.fetching if reason is WaitReason.FETCHING_MODEL else None,
    )


def _why(facts: WaitFacts, suiting: Sequence[Helper]) -> tuple[WaitReason, str, Lack | None]:
    if facts.is_handed_out and facts.fetching is not None:
        then = ", and begins the job after the one that it runs" if facts.behind_others_on is not None else ""
        coming = facts.fetching
        message = f"The worker {coming.worker} fetches the model {coming.model} ({coming.how_far}){then}."
        return WaitReason.FETCHING_MODEL, message, None
    if facts.is_handed_out and facts.behind_others_on is not None:
        message = f"The worker {facts.behind_others_on} has it ready, and begins it after the job that it runs."
        return WaitReason.READY, message, None
    if facts.is_handed_out:
        return WaitReason.STARTING, "A worker has the job and is about to begin.", None
    if facts.awaited is not None:
        message = f"It waits for the equal job {facts.awaited}, and ends at once with what that one makes."
        return WaitReason.EQUAL_JOB, message, None
    paused = _paused(facts.pauses)
    if paused is not None:
        return *paused, None
    if not suiting:
        return WaitReason.NO_WORKER, *_nobody(facts)
    limit = facts.max_running
    if limit is not None and facts.held >= limit:
        return WaitReason.MAX_RUNNING, f"{facts.held} of your jobs run, and you may have {limit} at once.", None
    if facts.position > 1:
        ahead = facts.position - 1
        return WaitReason.QUEUE, f"{ahead} of your own {'jobs are' if ahead > 1 else 'jobs is'} ahead of it.", None
    busy = sum(not one.is_free for one in suiting)
    if busy < len(suiting):
        return WaitReason.CAPACITY, "It is about to be handed to a worker.", None
    whose = "The worker that can run it is" if busy == 1 else f"All {busy} workers that can run it are"
    return WaitReason.CAPACITY, f"{whose} busy.", None


def _paused(pauses: Sequence[Pause]) -> tuple[WaitReason, str] | None:
    # Those of the fleet and of an admin come first: their end is not in the owner's hands.
    for pause in sorted(pauses, key=lambda one: (one.user_id is not None, one.origin is PauseOrigin.OWNER)):
        why = f": {pause.reason}" if pause.reason else ""
        if pause.user_id is None:
            return WaitReason.FLEET_PAUSED, f"An admin has paused all queues{why or '.'}"
        if pause.origin is PauseOrigin.ADMIN:
            return WaitReason.PAUSED_BY_ADMIN, f"An admin has paused your queue{why or '.'}"
        return WaitReason.PAUSED, f"You have paused your queue{why or '.'}"
    return None


def _nobody(facts: WaitFacts) -> tuple[str, Lack | None]:
    idle = [one.name for one in facts.helpers if not one.lack.count]
    if idle:
        return f"{_named(idle)} could run it and {'takes' if len(idle) == 1 else 'take'} no jobs now.", None
    if facts.away:
        return f"{_named(facts.away)} could run it and {'is' if len(facts.away) == 1 else 'are'} away.", None
    if not facts.helpers:
        return "No worker is there.", None
    nearest = min(facts.helpers, key=lambda one: one.lack.count).lack
    parts = [
        *(f"the node {name}" for name in nearest.nodes[:_MOST_NAMED]),
        *(f"the file {name}" for name in nearest.models[:_MOST_NAMED]),
        *(f"the label {key}={value}" for key, value in list(nearest.labels.items())[:_MOST_NAMED]),
        *([f"{in_gb(nearest.vram_bytes)} of VRAM"] if nearest.vram_bytes else []),
    ]
    more = nearest.count - len(parts)
    listed = ", ".join(parts) + (f" and {more} more" if more else "")
    return f"No worker that is there has {listed}.", nearest


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _seconds(facts: WaitFacts, suiting: Sequence[Helper]) -> float | None:
    """Let the owner's earlier jobs flow through the part of the fleet that is theirs; None: nobody can know."""
    if facts.is_handed_out:
        until_free = facts.seconds_until_free if facts.behind_others_on is not None else 0.0
        if facts.fetching is None:
            return until_free
        left = facts.fetching.seconds_left
        return None if left is None else max(until_free, left)
    slots = len(suiting) * facts.share
    if facts.max_running is not None:
        slots = min(slots, facts.max_running)
    ahead = (facts.position - 1) * facts.seconds_each / max(slots, 1 / max(len(suiting), 1))
    is_full = facts.max_running is not None and facts.held >= facts.max_running
    first = facts.seconds_until_free if is_full or not any(one.is_free for one in suiting) else 0.0
    return first + ahead


def _rounded(now: datetime, span: timedelta) -> datetime:
    """Give the time to whole seconds, or to ten in what is far: nobody knows more."""
    step = timedelta(seconds=10 if span > timedelta(minutes=2) else 1)
    at = now + span
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + -(-(at - midnight) // step) * step
