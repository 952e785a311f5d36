"""Reading a window of a user's assets in an order, wherever it lies.

A set of tags is a range of the order's index, and up to sixteen ranges are merged by one query; of more, each sixteen
are merged by one and then these. A deep offset is found through blocks, so that fewer rows than a block are skipped.
The cost grows with the number of sets of tags that a filter leaves over, and not with the number of assets.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fireside.domain.asset_listing import AssetPlace, AssetSort
from fireside.domain.ids import UserId
from fireside.store.database import Row, Rows, Transaction
from fireside.store.rows import to_json
from fireside.store.times import from_time

AXES = {
    AssetSort.CREATED_AT: 1,
    AssetSort.NAME: 2,
    AssetSort.UPDATED_AT: 3,
    AssetSort.SIZE: 4,
    AssetSort.LAST_ACCESS_TIME: 5,
}
_TIMES = {AssetSort.UPDATED_AT: "updated_at", AssetSort.LAST_ACCESS_TIME: "accessed_at"}
_SLOTS = 16
_NO_SET = -1
_ROWS_SKIPPED = 1024
_LAST_NUMBER = (1 << 63) - 1
# Behind every title: the last code point, which none begins with.
_LAST_WORD = "\U0010ffff"
_FIRST = AssetPlace(number=-1, place=0)
_BEYOND = AssetPlace(number=_LAST_NUMBER, word=_LAST_WORD, place=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Assets of some sets of tags, of which there are so many of each, in an order."""

    user_id: UserId
    totals: Mapping[int, int]
    sort: AssetSort
    descending: bool

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(self.totals.values())


def place_of(row: Row, sort: AssetSort) -> AssetPlace:
    """Say where a row stands in an order."""
    if sort is AssetSort.NAME:
        return AssetPlace(word=row["folded"], place=row["place"])
    if sort is AssetSort.SIZE:
        return AssetPlace(number=row["size_bytes"], place=row["place"])
    number = from_time(row[_TIMES[sort]]) if sort in _TIMES else 0
    return AssetPlace(number=number, place=row["place"])


def read_window(tx: Transaction, order: Order, skip: int, limit: int) -> Rows:
    """Read a window from the nearer end: the last pages then cost what the first ones do."""
    wanted = min(limit, order.rows - skip)
    if wanted <= 0:
        return []
    behind = order.rows - skip - wanted
    if behind >= skip:
        return _read_on(tx, order, skip, wanted)
    turned = Order(user_id=order.user_id, totals=order.totals, sort=order.sort, descending=not order.descending)
    return _read_on(tx, turned, behind, wanted)[::-1]


def read_after(tx: Transaction, order: Order, after: AssetPlace, limit: int) -> Rows:
    """Read what follows a place."""
    return _read_from(tx, order, bound_after(order.sort, after, descending=order.descending), 0, limit)


def bound_after(sort: AssetSort, after: AssetPlace, *, descending: bool) -> AssetPlace:
    """Give the bound behind a place: queries take what is below it when they descend, and it and what is above."""
    number = after.number if sort is not AssetSort.CREATED_AT else 0
    return AssetPlace(number=number, word=after.word, place=after.place + (not descending))


def _read_on(tx: Transaction, order: Order, skip: int, limit: int) -> Rows:
    bound = _BEYOND if order.descending else _FIRST
    if order.sort is AssetSort.CREATED_AT and order.descending:
        bound = AssetPlace(place=_LAST_NUMBER)
    if skip > _ROWS_SKIPPED:
        found = _find(tx, order, skip)
        if found is not None:
            bound, skip = found[0] or bound, found[1]
    return _read_from(tx, order, bound, skip, limit)


def _read_from(tx: Transaction, order: Order, bound: AssetPlace, skip: int, limit: int) -> Rows:
    sets = [number for number, rows in order.totals.items() if rows > 0]
    if len(sets) <= _SLOTS:
        return _merged(tx, order, sets, bound, skip, limit)
    groups = [sets[start : start + _SLOTS] for start in range(0, len(sets), _SLOTS)]
    found = [_merged(tx, order, group, bound, 0, skip + limit) for group in groups]
    key = _sort_key(order.sort)
    return list(heapq.merge(*found, key=key, reverse=order.descending))[skip : skip + limit]


def _sort_key(sort: AssetSort) -> Any:
    def key(row: Row) -> tuple[int, bytes, int]:
        place = place_of(row, sort)
        # By bytes, as both databases compare texts.
        return place.number, place.word.encode(), place.place

    return key


def _merged(tx: Transaction, order: Order, sets: Sequence[int], bound: AssetPlace, skip: int, limit: int) -> Rows:
    slots = {f"set_{slot}": sets[slot] if slot < len(sets) else _NO_SET for slot in range(_SLOTS)}
    params = {"user_id": order.user_id, "number": bound.number, "word": bound.word, "place": bound.place}
    direction = "descending" if order.descending else "ascending"
    query = f"list_assets_by_{order.sort.value}_{direction}"
    return tx.run(query, params | slots | {"limit": limit, "offset": skip})


def _find(tx: Transaction, order: Order, skip: int) -> tuple[AssetPlace | None, int] | None:
    """Find the block a window begins in: the bound to read from, None for the very end, and how many rows to skip."""
    at_place = order.rows - 1 - skip if order.descending else skip
    sets = to_json(list(order.totals)).decode()
    params = {"user_id": order.user_id, "axis": AXES[order.sort], "sets": sets, "at_place": at_place}
    rows = tx.run("find_asset_block", params)
    if not rows:
        return None
    (found,) = rows
    if not order.descending:
        bound = AssetPlace(number=found["number"], word=found["word"], place=found["place"])
        return bound, at_place - found["before"]
    skip = found["before"] + found["rows"] - 1 - at_place
    if found["next_place"] is None:
        return None, skip
    return AssetPlace(number=found["next_number"], word=found["next_word"], place=found["next_place"]), skip
