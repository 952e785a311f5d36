"""Which assets of a large library meet several conditions at once, told from its sealed pieces, and windows of them.

The bits of all pieces are put one behind the other, an array for each condition, and these are combined: all that has a
fact and another one, any value of a name, a tag, or a text. Places that are not sealed, or have changed since, are
looked at one by one. Where that would be too many nothing is told (`None`); and pieces that are not sealed yet are not
waited for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fireside.domain.asset_listing import AssetFilter, AssetPlace, AssetSort, AssetWindow
from fireside.domain.facts import FactConditions
from fireside.domain.ids import UserId
from fireside.store.asset_bits import EVERY, fact_key, tag_key
from fireside.store.asset_columns import LAST_PLACE, Columns, KnownColumns, Pieces, pieces_of
from fireside.store.asset_nearness import MANY, near_window, positions_of
from fireside.store.asset_ranks import Bits, Indexes, Ranks, Standing, Whole
from fireside.store.asset_texts import Telling, ask_for_forms, telling_of
from fireside.store.database import Rows, Transaction
from fireside.store.rows import from_json, to_json

EDITION = 3
"""Which kind of pieces this is the code for; a piece of another edition is made anew."""

MOST_OPEN = 16_384
"""So many places that are in no sealed piece, or have changed since, are looked at one by one."""
# So many titles of which the bits do not tell are looked at one by one.
_MOST_UNSURE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to look for beside what `params` names to queries: the same as texts and facts."""

    user_id: UserId
    wanted: AssetFilter
    needle: str
    conditions: FactConditions
    params: Mapping[str, Any]
    sort: AssetSort
    known: KnownColumns
    most_open: int = MOST_OPEN
    """Nothing is told where more places than these are in no sealed piece, or have changed since."""


class Other(NamedTuple):
    """An asset that was looked at, as a query tells of it."""

    place: int
    tag_set: int
    number: int
    word: str

    @property
    def stands(self) -> AssetPlace:
        """Say where it stands in the order that is asked for."""
        return AssetPlace(number=self.number, word=self.word, place=self.place)


class Matches:
    """The places that match: those in sealed pieces, by bits, and `others` that were looked at."""

    def __init__(self, columns: Columns, pieces: Pieces, bits: Bits, others: Iterable[Other]) -> None:
        self._columns = columns
        self._pieces = pieces
        self._bits = bits
        self._others = sorted(others)
        self._other_places: Whole = np.array([other.place for other in self._others], np.int64)
        self.total = int(np.bitwise_count(bits).sum()) + len(self._others)

    def by_sets(self) -> Mapping[int, int]:
        """Count them by their sets of tags."""
        sets = self._columns.sets()[positions_of(self._bits)]
        numbers, counts = np.unique(
            np.concatenate([sets, [other.tag_set for other in self._others]]).astype(np.int64), return_counts=True
        )
        return dict(zip(numbers.tolist(), counts.tolist(), strict=True))

    def window(self, window: AssetWindow) -> tuple[Sequence[int], int]:
        """Give places among which a window with one more than its limit is, and how many of these stand before it.

        By name, these may be some more; behind a place, names before it may be among them, and are for the reader to
        leave out. Otherwise they are the window.
        """
        if window.sort is AssetSort.CREATED_AT:
            return self._in_create_order(window).tolist(), 0
        limit, sign = window.limit + 1, -1 if window.descending else 1
        ranks = self._columns.ranks(window.sort)
        standing, skip = self._standing(ranks, window)
        if window.after is None:
            places, before = standing.window(skip, limit)
            return np.abs(places).tolist(), before
        rank = ranks.rank_of(window.after)
        return np.abs(standing.behind(sign * rank, sign * window.after.place, limit)).tolist(), 0

    def _standing(self, ranks: Ranks, window: AssetWindow) -> tuple[Standing, int]:
        """Say where those stand that are near a window, and how many of them are to be skipped."""
        others = np.array([ranks.rank_of(other.stands) for other in self._others], np.int64)
        near = None
        if self.total >= MANY and ranks.high is ranks.low:
            near = near_window(ranks, self._columns.steps(window.sort, ranks), self._bits, others, window, self.total)
        bits, chosen, skip = near or (self._bits, np.arange(len(others)), window.offset)
        positions, other_places = positions_of(bits), self._other_places[chosen]

        def places_of(numbers: Indexes) -> Whole:
            inside = numbers < len(positions)
            places = np.empty(len(numbers), np.int64)
            places[inside] = self._pieces.places(positions[numbers[inside]])
            places[~inside] = other_places[numbers[~inside] - len(positions)]
            return -places if window.descending else places

        low = np.concatenate([ranks.low[positions], others[chosen]])
        high = low if ranks.high is ranks.low else np.concatenate([ranks.high[positions], others[chosen]])
        if window.descending:
            turned = -high
            low, high = turned, turned if high is low else -low
        return Standing(low=low, high=high, places_of=places_of, is_exact=ranks.is_exact), skip

    def _in_create_order(self, window: AssetWindow) -> Whole:
        """Read from the bits of the pieces that the window is in alone."""
        before = self._before_pieces()
        limit, skip, after = window.limit + 1, window.offset, window.after
        if after is not None:
            skip = self._before(before, after.place + (not window.descending))
            skip = self.total - skip if window.descending else skip
        begin, end = min(skip, self.total), min(skip + limit, self.total)
        if window.descending:
            begin, end = self.total - end, self.total - begin
        if begin >= end:
            return self._other_places[:0]
        first = max(0, int(np.searchsorted(before, begin, "right")) - 1)
        last = int(np.searchsorted(before, end, "left"))
        found = self._in_pieces(first, last)[begin - int(before[first]) : end - int(before[first])]
        return found[::-1] if window.descending else found

    def _before_pieces(self) -> Whole:
        """Say how many match before each piece, the first having all before it too; and how many in all."""
        counts = np.bitwise_count(self._bits).reshape(len(self._pieces.rows), -1).sum(axis=1, dtype=np.int64)
        others = np.searchsorted(self._other_places, self._pieces.firsts)
        others[0] = 0
        return np.append(np.concatenate([[0], np.cumsum(counts)[:-1]]) + others, self.total)

    def _before(self, before: Whole, place: int) -> int:
        """Say how many match before a place."""
        at = max(0, int(np.searchsorted(self._pieces.firsts, place, "right")) - 1)
        return int(before[at]) + int(np.searchsorted(self._in_pieces(at, at + 1), place))

    def _in_pieces(self, first: int, last: int) -> Whole:
        """Give what matches in some pieces, and behind each up to the next, in order; the first has all before it."""
        size = self._pieces.places_each >> 3
        positions = positions_of(self._bits[first * size : last * size]) + first * self._pieces.places_each
        begin = int(self._pieces.firsts[first]) if first else 0
        end = int(self._pieces.firsts[last]) if last < len(self._pieces.rows) else LAST_PLACE
        inside = slice(*np.searchsorted(self._other_places, [begin, end]).tolist())
        return np.sort(np.concatenate([self._pieces.places(positions), self._other_places[inside]]))


def find_matches(tx: Transaction, asked: Asked) -> Matches | None:
    """Find all that matches; None where bits do not tell, or too much is not sealed."""
    # All are asked for before one is looked at: a database far away answers them together.
    mine = {"user_id": asked.user_id}
    turns = tx.run("asset_piece_turns", mine | {"edition": EDITION})
    few = mine | {"limit": asked.most_open + 1}
    changes = [tx.run("changed_asset_places", few)]
    if asked.sort is AssetSort.LAST_ACCESS_TIME:
        changes.append(tx.run("touched_asset_places", few))
    newest = tx.run("newest_asset_place", mine)
    forms = ask_for_forms(tx, asked.user_id, asked.needle)
    if not turns[0]["turns"]:
        return None
    pieces = pieces_of(tx, asked.known, asked.user_id, turns[0]["turns"], EDITION)
    if asked.wanted.include | asked.wanted.any_of | asked.wanted.exclude:
        pieces = pieces.with_all("has_tags")
    telling = _telling(asked.needle, forms, pieces)
    changed = [row["place"] for rows in changes for row in rows]
    if not pieces.rows or newest[0]["place"] + 1 - pieces.places_covered + len(changed) > asked.most_open:
        return None
    columns = Columns(tx, asked.user_id, pieces, asked.known)
    met = _met(columns, asked, telling)
    if changed:
        met = met & ~pieces.bits_at(pieces.positions(changed))
    sure, doubtful = _without_doubts(columns, pieces, met, telling, asked.needle)
    return Matches(columns, pieces, sure, _look_at(tx, asked, pieces, [*changed, *doubtful]))


def _telling(needle: str, forms: Rows, pieces: Pieces) -> Telling:
    """Say what tells of a text, as far as all pieces know that."""
    telling = telling_of(needle, forms)
    if telling.parts and not all(piece["has_texts"] for piece in pieces.rows):
        return Telling(unsure=None)
    if telling.by_forms and not all(piece["has_forms"] for piece in pieces.rows):
        return Telling(parts=telling.parts, unsure=None)
    return telling


def _met(columns: Columns, asked: Asked, telling: Telling) -> Bits:
    """Give the places of sealed pieces that meet all conditions as far as bits tell."""
    wanted, conditions = asked.wanted, asked.conditions
    needed = [[key] for key in (*telling.parts, *map(tag_key, wanted.include))]
    needed += [list(map(fact_key, group)) for group in conditions.wanted]
    needed += [list(map(tag_key, wanted.any_of))] if wanted.any_of else []
    needed = needed or [[EVERY]]
    refused = [*map(tag_key, wanted.exclude), *map(fact_key, conditions.unwanted), *telling.wrong]
    facts = [fact for group in (*conditions.wanted, conditions.unwanted) for fact in group]
    columns.load([key for keys in (*needed, refused, telling.unsure or ()) for key in keys], facts)
    met = np.bitwise_and.reduce([columns.any_of(keys) for keys in needed])
    return met & ~columns.any_of(refused) if refused else met


def _without_doubts(
    columns: Columns, pieces: Pieces, met: Bits, telling: Telling, needle: str
) -> tuple[Bits, Sequence[int]]:
    """Leave out the places of which bits do not tell whether they have the text, and give these too, if few."""
    if telling.unsure is not None and not telling.unsure:
        return met, ()
    unsure = met if telling.unsure is None else met & columns.any_of(telling.unsure)
    if int(np.bitwise_count(unsure).sum()) > _MOST_UNSURE:
        return met & columns.titled(needle), ()
    return met & ~unsure, pieces.places(positions_of(unsure)).tolist()


def _look_at(tx: Transaction, asked: Asked, pieces: Pieces, places: Sequence[int]) -> Iterable[Other]:
    """Look at these places, and at those that are in no piece, for those that match."""
    ranges = [*pieces.others, *((place, place) for place in places)]
    params = {**asked.params, "ranges": to_json(ranges).decode(), "sort": asked.sort.value}
    (row,) = tx.run("open_asset_places", params)
    return {Other(*other) for other in from_json(row["found"].encode())}
