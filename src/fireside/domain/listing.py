"""How jobs are asked for: which ones, in which order, which window of them, and what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from fireside.domain.jobs import Job, JobState
from fireside.domain.outputs import Media

ALL_STATES = frozenset(JobState)


class JobSort(StrEnum):
    """What to sort by; ties are broken by create order, in the same direction."""

    CREATE_TIME = "create_time"
    RUN_TIME = "run_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs: all conditions must hold. `media` keeps succeeded jobs with an output of that kind."""

    states: frozenset[JobState] = ALL_STATES
    workflow_id: str | None = None
    media: Media = Media.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which part of the sorted jobs.

    `after` is the place in create order at which the page before ended; it stands instead of the offset, and only in
    create order. A page after a place neither repeats nor leaves out a job, whatever comes or goes meanwhile.
    """

    sort: JobSort = JobSort.CREATE_TIME
    descending: bool = True
    offset: int = 0
    limit: int = 100
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """The jobs of a window, and how many match in all; `next_after` is where this page ends, if more follow.

    Only pages in create order say so.
    """

    jobs: Sequence[Job]
    total: int
    next_after: int | None = None


@dataclass(frozen=True, slots=True)
class PlaceAmongAll:
    """Where a job stands in the common order of all users' jobs: when it came, and its key among those of then."""

    created_us: int
    pk: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsOfAll:
    """Jobs of all users, newest first; `next_after` is where this page ends, if more follow."""

    jobs: Sequence[Job]
    next_after: PlaceAmongAll | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWalk:
    """A page of a walk through a user's jobs, newest first: those in one of the states with all of the labels.

    With `workflow_id` those of this workflow alone. `after` is where the page before ended, by its place in create
    order.
    """

    states: frozenset[JobState] = ALL_STATES
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    workflow_id: str | None = None
    after: int | None = None
    limit: int = 50

    @property
    def is_of_all_states(self) -> bool:
        """Whether jobs of every state are wanted."""
        return self.states == ALL_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkPage:
    """A page of a walk, which may be short or even empty; only with `next_after` None is it the last one."""

    jobs: Sequence[Job]
    next_after: int | None = None
