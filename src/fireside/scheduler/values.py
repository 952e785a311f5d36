"""What goes into a decision and what comes out of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from fireside.domain.ids import JobId, UserId, WorkerId

Side = frozenset[int]
"""The kinds of workers that can run something, by their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How far a decision may go from the plain fair order, for the sake of models that are warm.

    `slack_seconds` is how much more service than the least served user somebody may have had and still go first, over
    weight; negative switches affinity off. A job is passed over at most `most_passes` times, and never later than
    `longest_pass_seconds` after the first. A job whose turn came while no worker that can run it was free goes first
    on the next such one after `reserve_after_seconds`.
    """

    slack_seconds: float = 60.0
    most_passes: int = 5
    longest_pass_seconds: float = 120.0
    reserve_after_seconds: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What all jobs of one requirement ask for: which kinds of workers can run them, and their model files."""

    side: Side
    models: frozenset[str] = frozenset()


class Waiting(NamedTuple):
    """A queued job; `order` is its number and then its age, within its user; `fingerprint` its kind of work."""

    job_id: JobId
    order: tuple[float, float]
    requirement_id: UUID
    fingerprint: str = ""

    @property
    def is_urgent(self) -> bool:
        """Whether it was put in front."""
        return self.order[0] < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a user stands: the weight and the limit, what they have had (GPU-seconds over weight), and hold now.

    Nothing of a paused queue goes. `queued` counts all that waits, also what is not known one by one.
    """

    user_id: UserId
    weight: float
    virtual_time: float
    held: int
    max_running: int | None = None
    is_paused: bool = False
    queued: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A worker that can take a job: its kind, the models that are warm there, and those it need not fetch first."""

    worker_id: WorkerId
    kind: int
    warm: frozenset[str] = frozenset()
    at_hand: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The first queued jobs of a user that ask for the same, in order; `has_more` when the store knows more of them."""

    requirement_id: UUID
    jobs: Sequence[Waiting]
    has_more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One job for one worker, and the estimate it is charged by.

    `models` are those that it reads, `loads` those of them that are not warm there; `side` are the kinds of workers
    that could run it, `order` is its place in its owner's queue. `is_bent` says that it went before a fairer one, as
    it may.
    """

    job_id: JobId
    user_id: UserId
    worker_id: WorkerId
    estimate_seconds: float
    models: frozenset[str] = field(default_factory=frozenset[str])
    loads: frozenset[str] = field(default_factory=frozenset[str])
    fingerprint: str = ""
    side: Side = frozenset()
    order: tuple[float, float] = (0.0, 0.0)
    is_bent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Readied:
    """A job that a worker of this kind makes ready while it computes another; the rest is as in `Placement`."""

    job_id: JobId
    user_id: UserId
    worker_id: WorkerId
    kind: int
    side: Side
    order: tuple[float, float]
    charged_seconds: float
    is_bent: bool = False
