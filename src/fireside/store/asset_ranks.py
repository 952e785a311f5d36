"""Where the assets of a library stand in an order, as ranks, so that a window is found without a walk.

A piece keeps a column of each order: of sizes and times the numbers themselves, and of names what `asset_name_ranks`
makes of them. A window is first narrowed to those whose ranks may be in it, which are few, and these are sorted. Pure,
and without a database.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fireside.domain.asset_listing import AssetPlace, AssetSort
from fireside.store.database import Rows

SETS = "tag_set"
"""The column of the numbers of sets of tags."""
NUMBERS: Mapping[str, str] = {
    SETS: "tag_set",
    AssetSort.SIZE.value: "by_size",
    AssetSort.UPDATED_AT.value: "by_update",
    AssetSort.LAST_ACCESS_TIME.value: "by_access",
}
"""Columns of numbers, and what they are called in a row of a piece."""
# The ranks of many are told by about so many of them, and by so many more on both sides.
_SOME = 4096
_AROUND = 96
# Fences are told by some ranks, and anew when so small a part of a library has come or changed.
_SAMPLE = 65_536
_FENCES = 4096
_GROWN = 64
_NUMBER = np.dtype("<i8")
_ENDS = np.iinfo(np.int64)

Bits = NDArray[np.uint8]
Whole = NDArray[np.int64]
Indexes = NDArray[np.intp]
Part = tuple[bytes, int]
"""What a column has of a piece, and how many places the piece has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Between which two ranks each position is, both included; `rank_of` says it of what may be in no piece.

    With `is_exact` ranks are the numbers themselves, so that only assets of equal numbers share one.
    """

    low: Whole
    high: Whole
    rank_of: Callable[[AssetPlace], int]
    nbytes: int
    is_exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Between which of some thousand fences each position is: soon compared for a whole library."""

    fences: Whole
    each: NDArray[np.uint16]
    anew: int = 0
    """How many positions have come or changed since the fences were made."""

    @property
    def nbytes(self) -> int:
        """Say how much memory this takes."""
        return self.each.nbytes + self.fences.nbytes

    def of(self, ranks: Whole) -> NDArray[np.uint16]:
        """Say between which fences some ranks are."""
        return np.searchsorted(self.fences, ranks, "right").astype(np.uint16)


def most_alike(ranks: Whole) -> int:
    """Say how many share a rank at most; of many ranks, about."""
    every = max(1, len(ranks) // _SAMPLE)
    # By chance, as names of several kinds may come in turns.
    some = np.sort(ranks if every == 1 else ranks[np.random.default_rng(0).integers(len(ranks), size=_SAMPLE)])
    ends = np.flatnonzero(np.append(some[1:] != some[:-1], some.size > 0))
    return every * int(np.diff(ends, prepend=-1).max(initial=0))


def steps_of(ranks: Whole, former: Steps | None = None, alike: int = 0) -> Steps:
    """Cut ranks into steps; the former ones are kept of so many first positions that are as they were."""
    if former is not None and former.anew + len(ranks) - alike <= len(ranks) // _GROWN:
        each = np.concatenate([former.each[:alike], former.of(ranks[alike:])])
        return replace(former, each=each, anew=former.anew + len(ranks) - alike)
    some = np.sort(ranks[:: max(1, len(ranks) // _SAMPLE)])
    fences = np.unique(some[:: max(1, len(some) // _FENCES)])
    return Steps(fences=fences, each=np.searchsorted(fences, ranks, "right").astype(np.uint16))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Between which ranks some assets are, in the direction that is asked for, and how to get at their places."""

    low: Whole
    high: Whole
    places_of: Callable[[Indexes], Whole]
    """Gives the places of these assets, by their numbers here, ascending in the direction that is asked for."""
    is_exact: bool

    def window(self, skip: int, limit: int) -> tuple[Whole, int]:
        """Give places among which a window is, and how many of these stand before it."""
        if skip >= len(self.low):
            return self.places_of(np.arange(0)), 0
        chosen, skip = _around(self.low, self.high, skip, limit)
        nearer, skip = _around(self.low[chosen], self.high[chosen], skip, limit)
        if not self.is_exact:
            return self.places_of(chosen[nearer]), skip
        return self._sorted(chosen[nearer])[skip : skip + limit], 0

    def behind(self, rank: int, place: int, limit: int) -> Whole:
        """Give places among which those are that follow a place of such a rank; of names, others may be before them."""
        chosen = np.flatnonzero(self.high >= rank)
        surely = self.high[chosen[self.low[chosen] > rank]]
        if len(surely) > limit:
            _, end = _bounds(surely, surely, 0, limit)
            chosen = chosen[self.low[chosen] <= end]
        if not self.is_exact:
            return self.places_of(chosen)
        return self._sorted(chosen[(self.low[chosen] > rank) | (self.places_of(chosen) > place)])[:limit]

    def _sorted(self, chosen: Indexes) -> Whole:
        places = self.places_of(chosen)
        return places[np.lexsort((places, self.low[chosen]))]


def columns_of_numbers(rows: Rows, first: int, places: int) -> dict[str, bytes]:
    """Note the numbers of a piece, given its rows and how many places it has."""
    at = np.array([row["place"] - first for row in rows], np.intp)
    return {what: _numbers(rows, at, name, places) for what, name in NUMBERS.items()}


def numbers_from(parts: Sequence[Part], each: int) -> Whole:
    """Put the columns of numbers of some pieces one behind the other."""
    return laid_out([np.frombuffer(entries, _NUMBER) for entries, _ in parts], each)


def laid_out(parts: Sequence[NDArray[np.int64]], each: int) -> Whole:
    """Put what is of some pieces one behind the other, each in as much room."""
    laid = np.zeros(len(parts) * each, np.int64)
    for at, part in enumerate(parts):
        laid[at * each : at * each + len(part)] = part
    return laid


def ranks_of_numbers(numbers: Whole) -> Ranks:
    """Tell ranks by numbers."""
    return Ranks(low=numbers, high=numbers, rank_of=lambda place: place.number, nbytes=numbers.nbytes, is_exact=True)


def _around(low: Whole, high: Whole, skip: int, limit: int) -> tuple[Indexes, int]:
    """Leave those whose ranks may be in a window, and say how many of these stand before it."""
    begin, end = _bounds(low, high, skip, limit)
    return np.flatnonzero((high >= begin) & (low <= end)), skip - int(np.count_nonzero(high < begin))


def _bounds(low: Whole, high: Whole, skip: int, limit: int) -> tuple[int, int]:
    """Give a rank below which no more stand than are skipped, and one up to which all of a window do.

    Those of many are told by some of them, as long as that is right: then they are a little too wide.
    """
    count, last = len(low), min(skip + limit, len(low)) - 1
    step = count // _SOME
    if step > 1:
        few_low = np.sort(low[::step])
        few_high = few_low if high is low else np.sort(high[::step])
        first, final = skip // step - _AROUND, last // step + _AROUND
        begin = int(few_low[first]) if first >= 0 else _ENDS.min
        end = int(few_high[final]) if final < len(few_high) else _ENDS.max
        if np.count_nonzero(low < begin) <= skip and np.count_nonzero(high <= end) > last:
            return begin, end
    return int(np.partition(low, skip)[skip]), int(np.partition(high, last)[last])


def _numbers(rows: Rows, at: Indexes, name: str, places: int) -> bytes:
    numbers = np.zeros(places, _NUMBER)
    numbers[at] = [row[name] for row in rows]
    return numbers.tobytes()
