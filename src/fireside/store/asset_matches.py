"""Which assets of a large library meet several conditions at once, told from its sealed pieces.

The bits of all pieces are put one behind the other, a number for each condition, and these are combined: all that has a
fact and another one, any value of a name, a tag, or a text with digits. Places that are not sealed, or have changed
since, are looked at one by one. Not every text is told by its bits, so it may be that nothing is told (`None`); and
pieces that are not sealed yet are not waited for.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from fireside.domain.asset_listing import AssetFilter, AssetWindow
from fireside.domain.facts import FactConditions
from fireside.domain.ids import UserId
from fireside.store.asset_bits import DIGITS, EVERY, GRAM, fact_key, from_bits, grams, has_digits, tag_key, text_key
from fireside.store.asset_columns import Columns, places_of, size_of
from fireside.store.database import Row, Rows, Transaction
from fireside.store.rows import to_json

# So many places that are in no sealed piece are looked at one by one.
_MOST_OPEN = 16_384
_MOST_FORMS = 10_000
_LAST_PLACE = (1 << 40) - 1
_SAME_DIGITS = str.maketrans(DIGITS, "0" * 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to look for beside what `params` names to queries: the same as texts and facts."""

    user_id: UserId
    wanted: AssetFilter
    needle: str
    conditions: FactConditions
    params: Mapping[str, Any]


class Matches:
    """The places that match: those in sealed pieces, and others that were looked at."""

    def __init__(self, pieces: Sequence[Row], bits: bytes, others: Iterable[int]) -> None:
        self._pieces = pieces
        self._bits = bits
        self._others = sorted(others)
        self.total = int.from_bytes(bits, "little").bit_count() + len(self._others)

    def places(self) -> list[int]:
        """Give all of them in order."""
        return self._between(0, _LAST_PLACE, 0, self.total, descending=False)

    def marked(self) -> bytes:
        """Give one bit for each place of the library, from the first one on."""
        newest = max([*self._others[-1:], *(piece["last_place"] for piece in self._pieces[-1:])], default=0)
        marks = bytearray((newest >> 3) + 1)
        at = 0
        for piece in self._pieces:
            first, size = piece["first_place"] >> 3, size_of(piece)
            marks[first : first + size] = self._bits[at : at + size]
            at += size
        for place in self._others:
            marks[place >> 3] |= 1 << (place & 7)
        return bytes(marks)

    def window(self, window: AssetWindow) -> list[int]:
        """Give those of a window of create order, one more than its limit."""
        first, last, skip = 0, _LAST_PLACE, window.offset
        if window.after is not None:
            skip = 0
            first, last = (0, window.after.place - 1) if window.descending else (window.after.place + 1, _LAST_PLACE)
        return self._between(first, last, skip, window.limit + 1, descending=window.descending)

    def _between(self, first: int, last: int, skip: int, limit: int, *, descending: bool) -> list[int]:
        found: list[int] = []
        for part in self._parts(descending=descending):
            if part.last < first or part.first > last:
                continue
            if part.first >= first and part.last <= last and skip >= part.count:
                skip -= part.count
                continue
            places = [place for place in part.places() if first <= place <= last]
            if descending:
                places.reverse()
            found += places[skip : skip + limit - len(found)]
            skip = max(0, skip - len(places))
            if len(found) >= limit:
                break
        return found

    def _parts(self, *, descending: bool) -> "Iterator[_Part]":
        """Cut what matches into pieces, and what is between and behind them."""
        ends = [-1, *(piece["last_place"] for piece in self._pieces)]
        starts = list(accumulate(map(size_of, self._pieces), initial=0))
        behind = self._part(ends[-1] + 1, _LAST_PLACE, b"")
        if descending:
            yield behind
        each = range(len(self._pieces))
        for at in reversed(each) if descending else each:
            piece = self._pieces[at]
            inside = self._part(piece["first_place"], piece["last_place"], self._bits[starts[at] : starts[at + 1]])
            between = self._part(ends[at] + 1, piece["first_place"] - 1, b"")
            yield from (inside, between) if descending else (between, inside)
        if not descending:
            yield behind

    def _part(self, first: int, last: int, bits: bytes) -> "_Part":
        others = self._others[bisect_left(self._others, first) : bisect_right(self._others, last)]
        return _Part(first=first, last=last, bits=bits, others=others)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What matches between two places: bits from the first one on, and others."""

    first: int
    last: int
    bits: bytes
    others: Sequence[int]

    @property
    def count(self) -> int:
        """How many match."""
        return int.from_bytes(self.bits, "little").bit_count() + len(self.others)

    def places(self) -> list[int]:
        """Give them in order."""
        return sorted([*(self.first + place for place in from_bits(self.bits, len(self.bits))), *self.others])


def find_matches(tx: Transaction, asked: Asked) -> Matches | None:
    """Find all that matches; None where bits do not tell, or too much is not sealed."""
    if not _is_told(tx, asked):
        return None
    library = _Library(tx, asked)
    if not library.pieces or library.open_places > _MOST_OPEN:
        return None
    return Matches(library.pieces, library.met(), library.others())


def _is_told(tx: Transaction, asked: Asked) -> bool:
    """Whether titles with all parts of the text have the text: each part has one place in their forms, inside of it."""
    if len(asked.needle) <= GRAM or not has_digits(asked.needle):
        return has_digits(asked.needle) or not asked.needle
    parts = [part.translate(_SAME_DIGITS) for part in grams(asked.needle)]
    form = asked.needle.translate(_SAME_DIGITS)
    params = {"user_id": asked.user_id, "needle": parts[0], "limit": _MOST_FORMS}
    rows = tx.run("asset_forms_with", params)
    if not rows or rows[0]["forms"] >= _MOST_FORMS:
        return False
    having = (row["form"] for row in rows if all(part in row["form"] for part in parts))
    return all(form in one and not any(_is_twice(part, one) for part in parts) for one in having)


def _is_twice(part: str, form: str) -> bool:
    return form.find(part, form.find(part) + 1) >= 0


class _Library:
    """The sealed pieces of a library that can tell what is asked, and what is not in them."""

    def __init__(self, tx: Transaction, asked: Asked) -> None:
        mine = {"user_id": asked.user_id}
        wanted, needle = asked.wanted, asked.needle
        tags = wanted.include | wanted.any_of | wanted.exclude
        self._tx, self._asked = tx, asked
        self._texts = [text_key(text) for text in ([needle] if len(needle) <= GRAM else grams(needle)) if text]
        self._facts = [fact for group in (*asked.conditions.wanted, asked.conditions.unwanted) for fact in group]
        is_narrowed = wanted.include or wanted.any_of or asked.conditions.wanted or needle
        self._all = [] if is_narrowed else [EVERY]
        keys = [*self._all, *map(tag_key, tags), *self._texts, *map(fact_key, self._facts)]
        pieces = tx.run("asset_pieces", mine)
        newest = tx.run("newest_asset_place", mine)
        changed = tx.run("changed_asset_places", mine)
        self._rows = tx.run("asset_piece_bits", mine | {"keys": to_json(keys).decode()})
        self.pieces = [
            piece for piece in pieces if (piece["has_tags"] or not tags) and (piece["has_texts"] or not needle)
        ]
        self._changed = [row["place"] for row in changed]
        self.open_places = newest[0]["place"] + 1 - sum(map(places_of, self.pieces)) + len(self._changed)

    def met(self) -> bytes:
        """Give the places of sealed pieces that match and have not changed."""
        columns = Columns(self.pieces, self._rows)
        columns.add_facts(self._loose_facts())
        wanted, conditions = self._asked.wanted, self._asked.conditions
        needed = [[key] for key in (*self._all, *self._texts, *map(tag_key, wanted.include))]
        needed += [list(map(fact_key, group)) for group in conditions.wanted]
        needed += [list(map(tag_key, wanted.any_of))] if wanted.any_of else []
        met = columns.any_of(needed[0])
        for keys in needed[1:]:
            met &= columns.any_of(keys)
        met &= ~columns.any_of([*map(tag_key, wanted.exclude), *map(fact_key, conditions.unwanted)])
        met &= ~columns.of_places(self._changed)
        return met.to_bytes(columns.size, "little")

    def others(self) -> Sequence[int]:
        """Look at places that are not sealed, or have changed, for those that match."""
        ranges = [[place, place] for place in self._changed]
        begin = 0
        for piece in self.pieces:
            ranges.append([begin, piece["first_place"] - 1])
            begin = piece["last_place"] + 1
        ranges = [one for one in [*ranges, [begin, _LAST_PLACE]] if one[0] <= one[1]]
        rows = self._tx.run("open_asset_places", {**self._asked.params, "ranges": to_json(ranges).decode()})
        return list({row["place"] for row in rows})

    def _loose_facts(self) -> Rows:
        """Look up the facts that are not common in a piece."""
        there: dict[str, set[int]] = {}
        for row in self._rows:
            there.setdefault(row["what"], set()).add(row["first_place"])
        pieces = [
            [fact, piece["first_place"], piece["last_place"]]
            for fact in self._facts
            for known in [there.get(fact_key(fact), set())]
            for piece in self.pieces
            if piece["first_place"] not in known
        ]
        params = {"user_id": self._asked.user_id, "pieces": to_json(pieces).decode()}
        return self._tx.run("loose_asset_facts", params) if pieces else []
