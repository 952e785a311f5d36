"""Reading a window of a user's assets in an order, wherever it lies.

There are two ways. A set of tags is a range of an index, and up to sixteen ranges are merged by one query; of more,
each sixteen are merged by one and then these. Or the whole order is read on and rows of other sets are left out, which
is better where these are few. A deep offset is found through blocks, so that fewer rows than a block are looked at.
The cost grows with the number of sets of tags that a filter leaves over, and not with the number of assets; a window
that is dear to read so is better asked of the pieces of a large library (`asset_search`).
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fireside.domain.asset_listing import AssetPlace, AssetSort, AssetWindow
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
COARSE = 10
"""So much higher is the axis of an order's coarse blocks."""
_TIMES = {AssetSort.UPDATED_AT: "updated_at", AssetSort.LAST_ACCESS_TIME: "accessed_at"}
_SLOTS = 16
_NO_SET = -1
_MANY_SETS = 256
# So many places are soon looked at as a block is read, and as many sets of tags are merged.
_WORTH_SKIPPING = 1024
_WORTH_MERGING = 16_384
_ROWS_SKIPPED = 1024
_SPARSE = 1 / 64
_DENSE = 1 / 4
# A row that is merged costs as much as so many that are read on.
_MERGING = 4
LAST_NUMBER = (1 << 63) - 1
# Behind every title: the last code point, which none begins with.
_LAST_WORD = "\U0010ffff"
_FIRST = AssetPlace(number=-1, place=0)
_KEY = ("number", "word", "place")
_WHOLE: Row = {"number": -1, "word": "", "place": 0, "next_number": None, "next_word": None, "next_place": None}
_BEYOND = AssetPlace(number=LAST_NUMBER, word=_LAST_WORD, place=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Assets of some sets of tags, of which there are so many of each, in an order of a library of so many."""

    user_id: UserId
    totals: Mapping[int, int]
    library: int
    sort: AssetSort
    descending: bool

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(self.totals.values())

    @property
    def is_whole(self) -> bool:
        """Whether there are no others."""
        return self.rows >= self.library

    @property
    def density(self) -> float:
        """How large a part of the library they are."""
        return self.rows / max(1, self.library)

    @property
    def is_narrow(self) -> bool:
        """Whether one query can merge them."""
        return len(self.totals) <= _SLOTS

    @property
    def turned(self) -> "Order":
        """The same from the other end."""
        return replace(self, descending=not self.descending)

    @property
    def sets(self) -> dict[str, Any]:
        """Name the sets to a query, the largest first: a row's is then found soon."""
        listed = sorted(self.totals, key=lambda number: -self.totals[number])
        return {"user_id": self.user_id, "any_set": self.is_whole, "sets": to_json(listed).decode()}

    def suffix(self) -> str:
        """Say which of the queries reads this order."""
        return f"by_{self.sort.value}_{'descending' if self.descending else 'ascending'}"


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
    return _read_on(tx, order.turned, behind, wanted)[::-1]


def read_after(tx: Transaction, order: Order, after: AssetPlace, limit: int) -> Rows:
    """Read what follows a place."""
    bound = bound_after(order.sort, after, descending=order.descending)
    if order.density >= _DENSE:
        return _scanned(tx, order, bound, 0, limit)
    return _merged(tx, order, bound, 0, limit)


def open_places_worth(order: Order, window: AssetWindow) -> int:
    """Say how many places in no sealed piece are worth looking at, so that pieces tell where a window is.

    0 where it is cheap to read. It is not where it lies deep among few, as more rows than its own are read then, and
    where very many sets of tags are merged.
    """
    if order.density >= _DENSE:
        return 0
    if len(order.totals) > _MANY_SETS and (window.after is not None or order.density < _SPARSE):
        return _WORTH_MERGING
    nearer_end = min(window.offset, order.rows - window.offset - window.limit - 1)
    return _WORTH_SKIPPING if window.after is None and nearer_end > _ROWS_SKIPPED else 0


def bound_after(sort: AssetSort, after: AssetPlace, *, descending: bool) -> AssetPlace:
    """Give the bound behind a place: queries take what is below it when they descend, and it and what is above."""
    number = after.number if sort is not AssetSort.CREATED_AT else 0
    return AssetPlace(number=number, word=after.word, place=after.place + (not descending))


def edge_of(order: Order) -> AssetPlace:
    """Give the bound that an order begins at."""
    if not order.descending:
        return _FIRST
    return AssetPlace(place=LAST_NUMBER) if order.sort is AssetSort.CREATED_AT else _BEYOND


def window_params(bound: AssetPlace, skip: int, limit: int) -> dict[str, Any]:
    """Name a window to a query."""
    return {"number": bound.number, "word": bound.word, "place": bound.place, "limit": limit, "offset": skip}


def _read_on(tx: Transaction, order: Order, skip: int, limit: int) -> Rows:
    if skip <= _ROWS_SKIPPED:
        if order.density >= _DENSE:
            return _scanned(tx, order, edge_of(order), skip, limit)
        if order.is_narrow or order.density < _SPARSE:
            return _merged(tx, order, edge_of(order), skip, limit)
    rows: list[Row] = []
    for block in _blocks_from(tx, order, skip):
        # Not beyond the block: who knows how far away the next one is that has any.
        rows += _read_in_block(tx, order, block, min(limit - len(rows), block.rows - block.skip))
        if len(rows) == limit:
            return rows
    return [*rows, *_read_from(tx, order, edge_of(order), skip + len(rows), limit - len(rows))]


def _read_in_block(tx: Transaction, order: Order, block: "_Block", wanted: int) -> Rows:
    behind = block.rows - block.skip - wanted
    if block.skip <= behind:
        return _read_from(tx, order, block.begin, block.skip, wanted)
    return _read_from(tx, order.turned, block.end, behind, wanted)[::-1]


def _read_from(tx: Transaction, order: Order, bound: AssetPlace, skip: int, limit: int) -> Rows:
    is_dear = order.is_narrow and (skip + limit) * _MERGING > (skip + limit) / order.density
    if order.density < _SPARSE or (order.is_narrow and not is_dear):
        return _merged(tx, order, bound, skip, limit)
    return _scanned(tx, order, bound, skip, limit)


def _scanned(tx: Transaction, order: Order, bound: AssetPlace, skip: int, limit: int) -> Rows:
    return tx.run(f"scan_assets_{order.suffix()}", order.sets | window_params(bound, skip, limit))


def _merged(tx: Transaction, order: Order, bound: AssetPlace, skip: int, limit: int) -> Rows:
    sets = list(order.totals)
    if order.is_narrow:
        return _merge(tx, order, sets, bound, skip, limit)
    groups = [sets[start : start + _SLOTS] for start in range(0, len(sets), _SLOTS)]
    found = [_merge(tx, order, group, bound, 0, skip + limit) for group in groups]
    key = _sort_key(order.sort)
    return list(heapq.merge(*found, key=key, reverse=order.descending))[skip : skip + limit]


def _sort_key(sort: AssetSort) -> Any:
    def key(row: Row) -> tuple[int, bytes, int]:
        place = place_of(row, sort)
        # By bytes, as both databases compare texts.
        return place.number, place.word.encode(), place.place

    return key


def _merge(tx: Transaction, order: Order, sets: Sequence[int], bound: AssetPlace, skip: int, limit: int) -> Rows:
    slots = {f"set_{slot}": sets[slot] if slot < len(sets) else _NO_SET for slot in range(_SLOTS)}
    params = {"user_id": order.user_id} | slots | window_params(bound, skip, limit)
    return tx.run(f"list_assets_{order.suffix()}", params)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Where a block begins and ends in an order's direction, how many rows it holds, and how many of them to skip."""

    begin: AssetPlace
    end: AssetPlace
    rows: int
    skip: int


def _blocks_from(tx: Transaction, order: Order, skip: int) -> Iterator[_Block]:
    """Find the block that a row is in and those behind it, of a library that is cut into blocks."""
    row = skip
    while row < order.rows:
        at_place = order.rows - 1 - row if order.descending else row
        coarse = _cuts(tx, order, COARSE, _WHOLE)
        found = _holding(coarse, at_place)
        if found is None:
            return
        cut, before = found
        fine = _cuts(tx, order, 0, cut)
        for block in _in_direction(order, fine, at_place - before):
            yield block
            row += block.rows - block.skip


def _cuts(tx: Transaction, order: Order, level: int, within: Row) -> list[Row]:
    """Read the cuts of a level between two others, each with the next one."""
    rows = tx.run("asset_cuts_within", order.sets | {"axis": AXES[order.sort] + level} | range_of(within))
    ends = [*({f"next_{name}": row[name] for name in _KEY} for row in rows[1:]), _end_of(within)]
    return [{**row, **end} for row, end in zip(rows, ends, strict=True)] if rows else []


def _end_of(block: Row) -> Row:
    return {f"next_{name}": block[f"next_{name}"] for name in _KEY}


def _holding(cuts: Sequence[Row], at_place: int) -> tuple[Row, int] | None:
    """Give the block that holds a row, and how many rows stand before it."""
    before = 0
    for cut in cuts:
        if at_place < before + cut["n"]:
            return cut, before
        before += cut["n"]
    return None


def _in_direction(order: Order, cuts: Sequence[Row], at_place: int) -> Iterator[_Block]:
    """Give the block that holds a row, and those behind it that are not empty."""
    before = 0
    blocks: list[_Block] = []
    for cut in cuts:
        inside = at_place - before
        before += cut["n"]
        is_behind = inside >= 0 if order.descending else inside < cut["n"]
        if not cut["n"] or not is_behind:
            continue
        lower, upper = _place(cut, ""), edge_of(order if order.descending else order.turned)
        if cut["next_place"] is not None:
            upper = _place(cut, "next_")
        begin, end = (upper, lower) if order.descending else (lower, upper)
        first = cut["n"] - 1 - inside if order.descending else inside
        blocks.append(_Block(begin=begin, end=end, rows=cut["n"], skip=max(0, first)))
    yield from reversed(blocks) if order.descending else blocks


def _place(cut: Row, prefix: str) -> AssetPlace:
    return AssetPlace(number=cut[f"{prefix}number"], word=cut[f"{prefix}word"], place=cut[f"{prefix}place"])


def range_of(block: Row) -> dict[str, Any]:
    """Name to a query where a block begins and ends."""
    ends = {f"end_{name}": block[f"next_{name}"] for name in _KEY}
    begins = {name: block[name] for name in _KEY}
    return begins | ends | {"is_last": block["next_place"] is None}
