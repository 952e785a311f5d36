"""A job's `class`: its status and the kinds of media among its outputs in one small number.

A listing's filter is then a set of classes, and each class one range of an index. The kinds of media are four bits,
so succeeded jobs begin at 16: below it the other states have room, and `class - 16` is the mask.
"""

from collections.abc import Set as AbstractSet

from fireside.domain.jobs import JobState
from fireside.domain.outputs import Media

RUNNING_CLASS = 1
ACTIVE_CLASSES = frozenset({0, RUNNING_CLASS})
"""The classes of jobs that have not ended."""
ENDED_SLOTS = 18
"""How many other classes there are; a query of a listing names each."""

_SUCCEEDED = 16
_CLASS = {
    JobState.QUEUED: 0,
    JobState.ASSIGNED: 0,
    JobState.RUNNING: 1,
    JobState.CANCELING: 1,
    JobState.FAILED: 3,
    JobState.EXPIRED: 3,
    JobState.CANCELED: 4,
}
COUNTED_STATES: tuple[str, ...] = ("queued", "assigned", "running", "succeeded", "failed", "canceled")
"""The words of `state_of`, and `assigned`, which the counters of users tell from `queued`."""
_WORD = {0: "queued", 1: "running", 3: "failed", 4: "canceled"}


def class_of(state: JobState, media: Media) -> int:
    """The class of a job in this state; only succeeded ones show their media."""
    return _SUCCEEDED | media.value if state is JobState.SUCCEEDED else _CLASS[state]


def classes_of(states: AbstractSet[JobState], media: Media) -> list[int]:
    """The classes of the jobs a listing wants; with `media`, of succeeded ones with an output of such a kind."""
    masks = range(16) if JobState.SUCCEEDED in states else ()
    if media is not Media.NONE:
        return [_SUCCEEDED | mask for mask in masks if mask & media]
    return sorted({_CLASS[state] for state in states if state in _CLASS}) + [_SUCCEEDED | mask for mask in masks]


def state_of(number: int) -> str:
    """The word for the jobs of a class; a queued one may have a worker already, and a running one be told to stop."""
    return "succeeded" if number >= _SUCCEEDED else _WORD[number]


def are_whole(states: AbstractSet[JobState]) -> bool:
    """Whether the states are told from the others by their classes alone."""
    inside = {number for state, number in _CLASS.items() if state in states}
    outside = {number for state, number in _CLASS.items() if state not in states}
    return inside.isdisjoint(outside)
