"""How a history is cut into blocks, so that a deep offset skips blocks instead of rows.

Two orders are counted: create order by a job's place among its user's jobs, and run time in buckets whose width grows
with the time itself. Each has fine blocks and coarse ones of 64 fine ones. Blocks are pure functions of a row, and the
queries that count (`tally_*`, `fill_*`) cut as this module does.
"""

from dataclasses import dataclass
from enum import Enum

_PLACE_BITS = 10
_RUN_DIGITS = 4096


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
        more, digits = divmod(block, _RUN_DIGITS)
        return digits << 4 * more, (digits + 1) << 4 * more
    return block << _PLACE_BITS, (block + 1) << _PLACE_BITS


def run_block(run_us: int) -> int:
    """Give the fine block of a run time: its three leading hexadecimal digits, after how many more there are."""
    more = max(0, len(f"{run_us:x}") - 3)
    return more * _RUN_DIGITS + (run_us >> 4 * more)
