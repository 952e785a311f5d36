"""Finding a window among titles with a text, wherever in an order they lie.

Titles of a form with a set of tags are a range of an index in each order, so all that have a text are some ranges, of
which nothing has to be skipped. How far these must be read for a window to be full is found through the places where
the library's blocks begin: what stands between two of them is counted, of twice as many blocks each time, and then of
fewer again. So about as many rows are read as the window's end is far away, and those of one block more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fireside.domain.asset_listing import AssetPlace, AssetSort
from fireside.store.asset_orders import AXES, Order, edge_of, window_params
from fireside.store.database import Rows, Transaction

_BLOCK = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """What stands between two stops, of which so many are before the first; and whether the window ends in it."""

    begin: int
    end: int
    before: int


class TitleRanges:
    """The ranges of titles with a text, from a bound on in an order; no more than so many rows of them are read."""

    def __init__(self, tx: Transaction, order: Order, params: dict[str, Any], bound: AssetPlace, most: int) -> None:
        self._tx = tx
        self._order = order
        self._params = params
        self._left = most
        self._stops = [bound, *self._cuts_behind(bound), edge_of(order.turned)]

    def read(self, skip: int, limit: int, expected: int) -> Rows | None:
        """Read a window, whose end is expected behind so many rows of the order; None when that is too far."""
        if skip + limit > self._left:
            return None
        span = self._span_of(skip, limit, max(1, 1 + expected // _BLOCK))
        if span is None:
            return None
        params = self._between(span.begin, span.end) | window_params(edge_of(self._order), skip - span.before, limit)
        return self._tx.run(f"walk_asset_forms_{self._order.suffix()}", params)

    def _span_of(self, skip: int, limit: int, blocks: int) -> _Span | None:
        last, begin, before, end = len(self._stops) - 1, 0, 0, 0
        known, counted = 0, 0
        end = min(blocks, last)
        while True:
            lacking = skip + limit - counted
            found = self._count(known, end, lacking + _BLOCK)
            if found is None:
                return None
            if found > lacking + _BLOCK and end > known + 1:
                end = known + (end - known) // 2
                continue
            if found >= lacking or end == last:
                return _Span(begin=begin, end=end, before=before)
            counted += found
            known, blocks = end, blocks * 2
            if counted <= skip:
                begin, before = known, counted
            end = min(end + blocks, last)

    def _count(self, begin: int, end: int, most: int) -> int | None:
        (counted,) = self._tx.run(
            f"count_asset_forms_by_{self._order.sort.value}", self._between(begin, end) | {"limit": most + 1}
        )
        self._left -= counted["n"]
        return counted["n"] if self._left >= 0 else None

    def _between(self, begin: int, end: int) -> dict[str, Any]:
        low, high = self._stops[begin], self._stops[end]
        if self._order.descending:
            low, high = high, low
        return self._params | {
            "low_number": low.number,
            "low_word": low.word,
            "low_place": low.place,
            "high_number": high.number,
            "high_word": high.word,
            "high_place": high.place,
        }

    def _cuts_behind(self, bound: AssetPlace) -> Sequence[AssetPlace]:
        mine = {"user_id": self._order.user_id, "axis": AXES[self._order.sort]}
        rows = self._tx.run("asset_cut_places", mine)
        cuts = [AssetPlace(number=row["number"], word=row["word"], place=row["place"]) for row in rows]
        if self._order.descending:
            return [cut for cut in cuts[::-1] if self._key(cut) < self._key(bound)]
        return [cut for cut in cuts if self._key(cut) > self._key(bound)]

    def _key(self, place: AssetPlace) -> tuple[int, bytes, int]:
        # In create order, bounds say nothing but their place.
        number = 0 if self._order.sort in (AssetSort.CREATED_AT, AssetSort.NAME) else place.number
        return number, place.word.encode(), place.place
