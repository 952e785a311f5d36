"""Reading a window of what a search has found, in the cheapest way, and never further than a search may look.

All that one condition leaves over are looked up and sorted, or an order is walked along until the window is full: that
of the assets with a fact where one is asked for, that of the library where very many match. Evenly spread, that is at
most the geometric mean of what is walked along and of where the window ends. But matches may lie all at the far end. So
a walk has a stop; titles with a text are read as ranges instead (`asset_ranges`), and what none of these ways finds is
refused.
"""

from dataclasses import replace

from fireside.domain.asset_listing import AssetPlace, AssetSort, AssetWindow, SearchTooBroad
from fireside.store.asset_orders import LAST_NUMBER, Order, bound_after, edge_of, place_of, stop_params, window_params
from fireside.store.asset_ranges import TitleRanges
from fireside.store.asset_search import FEW, ROWS_AS_DEAR, Found
from fireside.store.database import Rows, Transaction

# Few assets with a fact among so many times as many may lie all at the far end of them: these are not walked along.
_FAR = 64
# A walk that is expected to be as short as this is tried first, so many times as far as expected.
_SHORT = 1024
_TRIED = 3
# So many rows of the ranges of titles may be read, most of them only counted, for one asset that may be looked at.
_ROWS_OF_RANGES = 8


def advice(most: int) -> str:
    """Say what to do about a search that would look at more assets than it may."""
    return (
        f"More than {most:,} assets would have to be looked at one by one. Add a tag or a longer part of the name, sort"
        " in another order or the other way round, or use after, the next_cursor of the page before, instead of an"
        " offset."
    )


class Reading:
    """How a window of what was found in an order is read, looking at so many assets at most."""

    def __init__(self, tx: Transaction, order: Order, found: Found, most: int) -> None:
        self._tx = tx
        self._order = order
        self._found = found
        self._most = most

    def read(self, window: AssetWindow) -> Rows:
        """Read a window, one more than its limit; raises `SearchTooBroad`."""
        skip, wanted, behind = 0 if window.after else window.offset, window.limit + 1, LAST_NUMBER
        if self._found.is_exact:
            wanted = min(wanted, self._found.total - skip)
            behind = skip if window.after else self._found.total - skip - wanted
        if wanted <= 0:
            return []
        reach = min(skip, behind) + wanted
        rows = self._sort(window, skip) if self._is_better_sorted(self._expected(reach)) else None
        if rows is None and behind < skip:
            turned = self._along(self._order.turned, self._edge(self._order.turned), behind, wanted)
            rows = turned and turned[::-1]
        elif rows is None:
            rows = self._along(self._order, self._begin(window) or self._edge(self._order), skip, wanted)
        if rows is None and self._found.candidates <= self._most:
            rows = self._sort(window, skip)
        if rows is None:
            raise SearchTooBroad(advice(self._most))
        return rows

    def _expected(self, reach: int) -> int:
        """Say how far a walk goes, if what was found lies evenly."""
        if not self._found.is_exact:
            return self._most
        return reach * self._among // max(1, self._found.total)

    @property
    def _among(self) -> int:
        return self._order.library if self._found.having_fact is None else self._found.having_fact

    def _is_better_sorted(self, walked: int) -> bool:
        candidates, having = self._found.candidates, self._found.having_fact
        if candidates > self._most:
            return False
        if having is None:
            return candidates <= max(FEW, walked)
        if candidates <= FEW and candidates * _FAR < having:
            return True
        return candidates <= (walked if self._found.params["asks_more"] else walked // ROWS_AS_DEAR)

    def _begin(self, window: AssetWindow) -> AssetPlace | None:
        return bound_after(window.sort, window.after, descending=window.descending) if window.after else None

    def _edge(self, order: Order) -> AssetPlace:
        """Say where the first can be: by name, not before the first form that has the text."""
        if self._found.words is None or order.sort is not AssetSort.NAME:
            return edge_of(order)
        first, last = self._found.words
        # What has the last word stands before the bound.
        return (
            replace(edge_of(order), word=last, place=LAST_NUMBER)
            if order.descending
            else replace(edge_of(order), word=first)
        )

    def _along(self, order: Order, bound: AssetPlace, skip: int, limit: int) -> Rows | None:
        """Read on from a bound; None when that would go too far."""
        if not self._found.is_formed:
            return self._walk(order, bound, skip, limit, self._most)
        expected = self._expected(skip + limit)
        rows = self._walk(order, bound, skip, limit, _TRIED * expected + FEW // 8) if expected <= _SHORT else None
        if rows is None:
            rows = self._in_ranges(order, bound, skip, limit)
        return self._walk(order, bound, skip, limit, self._most) if rows is None else rows

    def _walk(self, order: Order, bound: AssetPlace, skip: int, limit: int, most: int) -> Rows | None:
        """Look at each row of the order from a bound on; None when the window is not full after so many."""
        most = min(most, self._most)
        what = "assets" if self._found.having_fact is None else "asset_fact"
        if self._found.having_fact is not None:
            most *= ROWS_AS_DEAR
        if skip + limit > most:
            return None
        query, stop = f"walk_{what}_{order.suffix()}", None
        anything = self._found.params | {"any_set": True, "needle": "", "asks_more": False}
        if most < self._among:
            probe = query if what == "asset_fact" else f"scan_assets_{order.suffix()}"
            ahead = self._tx.run(probe, anything | window_params(bound, most, 1) | stop_params(order, None))
            stop = place_of(ahead[0], order.sort) if ahead else None
        params = self._found.params | window_params(bound, skip, limit) | stop_params(order, stop)
        rows = self._tx.run(query, params)
        return None if stop is not None and len(rows) < limit else rows

    def _in_ranges(self, order: Order, bound: AssetPlace, skip: int, limit: int) -> Rows | None:
        ranges = TitleRanges(self._tx, order, self._found.params, bound, _ROWS_OF_RANGES * self._most)
        return ranges.read(skip, limit, self._expected(skip + limit))

    def _sort(self, window: AssetWindow, skip: int) -> Rows:
        bound = self._begin(window)
        how = {"source": self._found.source, "sort": window.sort.value, "is_bounded": bound is not None}
        params = self._found.params | how | window_params(bound or AssetPlace(place=0), skip, window.limit + 1)
        return self._tx.run(f"search_assets_{'descending' if window.descending else 'ascending'}", params)
