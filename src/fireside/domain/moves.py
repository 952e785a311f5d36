"""Another place for a job in its user's queue: a number between those of its new neighbors."""

from dataclasses import dataclass
from typing import Literal

from fireside.domain.ids import JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Where a job is to go: to an end of the queue, or right `before` or `after` the job `anchor`."""

    to: Literal["front", "back", "before", "after"]
    anchor: JobId | None = None


def number_between(low: float | None, high: float | None, next_number: int) -> float | None:
    """Choose a number between two neighbors, None where there is no room.

    What is submitted later goes behind all with `next_number`, and before all with its negative: both stay so as long
    as the numbers of the queue leave that.
    """
    if low is None and high is None:
        return 0.0
    if low is None:
        assert high is not None
        low = float(-next_number) if -next_number < high else high - 2.0
    if high is None:
        high = float(next_number) if low < next_number else low + 2.0
    middle = low + (high - low) / 2
    return middle if low < middle < high else None
