"""How a history is cut into blocks, so that a deep offset skips blocks instead of rows.

Two orders are counted: create order by a job's place among its user's jobs, and run time in buckets whose width grows
with the time itself. Each has fine blocks and coarse ones of 64 fine ones. Blocks are pure functions of a row, and the
queries that count (`tally_*`, `fill_*`) cut as this module does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

_PLACE_BITS = 10
_FINE_IN_COARSE_BITS = 6
_RUN_DIGITS = 4096
LAST_BLOCK = 1 << 40


class Stretch(Enum):
    """Jobs that one index has in order. Sorted by run time, those that never ran stand beside those that did."""

    CREATED = "created"
    """All jobs, in create order."""
    RUN = "run"
    """Those that ran, by run time."""
    IDLE = "idle"
    """Those that never ran, in create order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grain:
    """One size of blocks: its axes in the table, of ended jobs by stretch and of those that have not ended."""

    ended: Mapping[Stretch, int]
    active: int
    place_bits: int


FINE = Grain(ended={Stretch.CREATED: 1, Stretch.RUN: 3, Stretch.IDLE: 5}, active=1, place_bits=_PLACE_BITS)
COARSE = Grain(
    ended={Stretch.CREATED: 2, Stretch.RUN: 4, Stretch.IDLE: 6},
    active=2,
    place_bits=_PLACE_BITS + _FINE_IN_COARSE_BITS,
)


@dataclass(frozen=True, slots=True)
class Found:
    """The block that holds an offset, how many rows to skip inside of it, and how many it holds."""

    block: int
    skip: int
    rows: int


def find_block(blocks: Sequence[tuple[int, int]], skip: int, *, descending: bool) -> Found:
    """Find the block of the row that stands after `skip` others; `blocks` are (number, rows) in rising order."""
    for block, rows in reversed(blocks) if descending else blocks:
        if skip < rows:
            return Found(block, skip, rows)
        skip -= rows
    raise ValueError("the offset lies behind the last block")


def fine_range(coarse: int) -> tuple[int, int]:
    """Give the first and the last fine block of a coarse one."""
    return coarse << _FINE_IN_COARSE_BITS, ((coarse + 1) << _FINE_IN_COARSE_BITS) - 1


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
