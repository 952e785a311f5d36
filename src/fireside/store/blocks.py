"""How a history is cut into blocks, so that a deep offset skips blocks instead of rows.

Two orders are counted: create order by a job's place among its user's jobs, and run time in 1,024 buckets an octave,
so that their width grows with the time itself. Each has fine blocks and coarse ones of 64 fine ones. Blocks are pure
functions of a row, and the queries that count (`tally_*`, `fill_*`) cut as this module does.
"""

from dataclasses import dataclass
from enum import Enum

ALL_RUNS = 1 << 62
"""Longer than any run time."""

_PLACE_BITS = 10
_RUN_BITS = 10
_COARSE_BITS = 6


class Stretch(Enum):
    """Jobs that one index has in order. Sorted by run time, those that never ran stand beside those that did."""

    CREATED = "created"
    """All jobs, in create order."""
    RUN = "run"
    """Those that ran, by run time."""
    IDLE = "idle"
    """Those that never ran, in create order."""


ENDED_AXES = {Stretch.CREATED: 1, Stretch.RUN: 3, Stretch.IDLE: 5}
"""The axis of fine blocks of each stretch, of jobs that have ended; that of coarse ones is the next."""
ACTIVE_AXIS = 1
"""The axis of fine blocks of jobs that have not ended, which are in create order in every stretch they are in."""


@dataclass(frozen=True, slots=True)
class Found:
    """A fine block: how many rows stand before it in rising order, and how many it holds."""

    block: int
    before: int
    rows: int

    def skip(self, place: int, *, descending: bool) -> int:
        """Say how many of its rows to skip for the row of a place, from its upper or its lower edge."""
        inside = place - self.before
        return self.rows - 1 - inside if descending else inside


def edges(stretch: Stretch, block: int) -> tuple[int, int]:
    """Give the bounds of a fine block, the upper one not included: places, or microseconds of run time."""
    if stretch is Stretch.RUN:
        shift = max(0, (block >> _RUN_BITS) - 1)
        first_bits = block - (shift << _RUN_BITS)
        return first_bits << shift, (first_bits + 1) << shift
    return block << _PLACE_BITS, (block + 1) << _PLACE_BITS


def run_block(run_us: int) -> int:
    """Give the fine block of a run time: its first eleven bits, raised by 1,024 for each one more that it has."""
    shift = max(0, run_us.bit_length() - _RUN_BITS - 1)
    return (shift << _RUN_BITS) + (run_us >> shift)


def next_coarse_edge(run_us: int) -> int:
    """Give the upper edge of the coarse block of run times that this one lies in."""
    behind = (run_block(run_us) >> _COARSE_BITS) + 1
    return edges(Stretch.RUN, behind << _COARSE_BITS)[0]
