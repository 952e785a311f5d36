"""Which of very many matching assets are near a window, so that only these are looked at more closely.

A few of all that match tell between which steps of an order the window is, with some room on both sides; whether that
is right is then counted for all of them. It hardly ever is not, and then nothing is left out. Pure, and without a
database.
"""

from dataclasses import dataclass
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from fireside.domain.asset_listing import AssetWindow
from fireside.store.asset_ranks import Bits, Indexes, Ranks, Steps, Whole

MANY = 32_768
"""So many are not sorted as they are: it is worth knowing coarser ranks of all."""
# One byte of bits in so many is looked at.
_EVERY = 16
_ENOUGH = 256
_ROOM = 8
_TOP = 65_535
_Near = tuple[Bits, Indexes, int]


def positions_of(bits: Bits) -> Indexes:
    """Say which bits are set."""
    return np.flatnonzero(np.unpackbits(bits, bitorder="little").view(np.bool_))


def near_window(ranks: Ranks, steps: Steps, bits: Bits, others: Whole, window: AssetWindow, total: int) -> _Near | None:
    """Give the bits near a window, the numbers of others there, and how many to skip of these; None for all.

    `others` are the ranks of what matches beside the bits, `total` is how many match in all.
    """
    sample = np.sort(steps.each[_some_positions(bits)])
    if len(sample) < _ENOUGH:
        return None
    there = _Counted(steps=steps.each, bits=bits, others=steps.of(others))
    if window.after is None:
        return _around_ranks(there, sample, window, total)
    return _behind(there, sample, window, int(steps.of(np.array([ranks.rank_of(window.after)]))[0]), total)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """Steps of what matches, and what of it is between two of them, both included."""

    steps: NDArray[np.uint16]
    bits: Bits
    others: NDArray[np.uint16]

    def between(self, first: int, last: int) -> tuple[Bits, Indexes]:
        """Give the bits and others there."""
        inside = np.packbits((self.steps >= first) & (self.steps <= last), bitorder="little") & self.bits
        return inside, np.flatnonzero((self.others >= first) & (self.others <= last))

    def count(self, first: int, last: int) -> int:
        """Say how many there are."""
        inside, others = self.between(first, last)
        return int(np.bitwise_count(inside).sum()) + len(others)


def _around_ranks(there: _Counted, sample: NDArray[np.uint16], window: AssetWindow, total: int) -> _Near | None:
    begin, end = min(window.offset, total), min(window.offset + window.limit + 1, total)
    if window.descending:
        begin, end = total - end, total - begin
    room, count = _room(sample), len(sample)
    first = _step(sample, begin * count // total - room)
    last = _step(sample, end * count // total + room)
    inside, others = there.between(first, last)
    before = there.count(0, first - 1) if first else 0
    held = int(np.bitwise_count(inside).sum()) + len(others)
    if before > begin or before + held < end:
        return None
    return inside, others, window.offset - (total - before - held if window.descending else before)


def _behind(there: _Counted, sample: NDArray[np.uint16], window: AssetWindow, step: int, total: int) -> _Near | None:
    wanted = window.limit + 1
    far = wanted * len(sample) // total + _room(sample)
    if window.descending:
        first, last = _step(sample, int(np.searchsorted(sample, step, "left")) - far - 1), step
        is_enough = first == 0 or there.count(first, step - 1) >= wanted
    else:
        first, last = step, _step(sample, int(np.searchsorted(sample, step, "right")) + far)
        is_enough = last == _TOP or there.count(step + 1, last) >= wanted
    return (*there.between(first, last), 0) if is_enough else None


def _some_positions(bits: Bits) -> Indexes:
    found = positions_of(np.ascontiguousarray(bits[::_EVERY]))
    return (found >> 3) * (_EVERY << 3) + (found & 7)


def _room(sample: NDArray[np.uint16]) -> int:
    """Say how far a rank told by a sample may be off, about."""
    return 2 * isqrt(len(sample)) + _ROOM


def _step(sample: NDArray[np.uint16], at: int) -> int:
    if at < 0:
        return 0
    return int(sample[at]) if at < len(sample) else _TOP
