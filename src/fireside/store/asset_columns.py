"""The bits and columns of the sealed pieces of a library put one behind the other, each as one array.

So a condition is one array, and conditions are combined by one operation each, however many pieces there are. What a
turn tells of a piece never changes, so arrays are kept in memory, up to a bound, as long as pieces have the same turns.
What is asked for is `asset_matches`' business.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from fireside.domain.asset_listing import AssetSort
from fireside.domain.ids import UserId
from fireside.store.asset_bits import fact_key
from fireside.store.asset_name_ranks import WORDS, ranks_of_fences, ranks_of_words
from fireside.store.asset_ranks import (
    SETS,
    Bits,
    Indexes,
    Part,
    Ranks,
    Steps,
    Whole,
    numbers_from,
    ranks_of_numbers,
    steps_of,
)
from fireside.store.database import Row, Rows, Transaction
from fireside.store.rows import from_json, to_json

_PIECES = "pieces"
_Turns = tuple[str, ...]
_MOST_BYTES = 64 << 20
LAST_PLACE = (1 << 40) - 1
"""No asset stands behind it."""


K = TypeVar("K", np.uint8, np.int64)


class Column(Protocol):
    """Something that is known of all positions."""

    @property
    def nbytes(self) -> int:
        """Say how much memory this takes, about."""
        ...


class KnownColumns:
    """Columns of the libraries that were asked for last, up to 64 MiB of them; threads share it."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[UserId, str], tuple[_Turns, Any]] = OrderedDict()
        self._left = most_bytes

    def get(self, user_id: UserId, what: str) -> tuple[_Turns, Any]:
        """Give the turns of the pieces of which this is known, and what is known; none and nothing where it is not."""
        with self._lock:
            if (user_id, what) not in self._known:
                return (), None
            self._known.move_to_end((user_id, what))
            return self._known[user_id, what]

    def put(self, user_id: UserId, what: str, turns: _Turns, column: Column) -> None:
        """Know this too, and forget what was not asked for longest."""
        with self._lock:
            _, former = self._known.pop((user_id, what), (None, None))
            self._left += former.nbytes if former is not None else 0
            self._known[user_id, what] = turns, column
            self._left -= column.nbytes
            while self._left < 0:
                _, (_, forgotten) = self._known.popitem(last=False)
                self._left += forgotten.nbytes


class Pieces:
    """Sealed pieces, and where their places are when they are put one behind the other: their positions.

    Each takes the room of the largest one, so that what is behind the places of a shorter one is never set.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.places_each = max(map(places_of, rows), default=0)
        self.size = len(rows) * self.places_each >> 3
        """The number of bytes that one bit for each position takes."""
        self.turns = tuple(row["turn"] for row in rows)
        self.access_turns = tuple(row["turn"] + row["access_turn"] for row in rows)
        self.firsts: Whole = np.array([row["first_place"] for row in rows], np.int64)
        self._counts: Whole = np.array([places_of(row) for row in rows], np.int64)

    @property
    def nbytes(self) -> int:
        """Say how much memory this takes, about."""
        return 1024 * len(self.rows)

    def with_all(self, flag: str) -> "Pieces":
        """Give those that have a flag."""
        having = [row for row in self.rows if row[flag]]
        return self if len(having) == len(self.rows) else Pieces(having)

    @property
    def places_covered(self) -> int:
        """How many places they have."""
        return int(self._counts.sum())

    @property
    def others(self) -> Sequence[tuple[int, int]]:
        """Give from which to which place there is none in a piece, the last ones without an end."""
        begins = [0, *(self.firsts + self._counts).tolist()]
        ends = [*(self.firsts - 1).tolist(), LAST_PLACE]
        return [(begin, end) for begin, end in zip(begins, ends, strict=True) if begin <= end]

    def places(self, positions: Indexes) -> Whole:
        """Say which places are at these positions."""
        at, inside = np.divmod(positions, self.places_each)
        return self.firsts[at] + inside

    def positions(self, places: Sequence[int]) -> Indexes:
        """Say at which positions these places are; those that are in no piece are left out."""
        wanted = np.array(places, np.int64)
        at = np.searchsorted(self.firsts, wanted, "right") - 1
        inside = wanted - self.firsts[at]
        return (at * self.places_each + inside)[(at >= 0) & (inside < self._counts[at])]

    def bits_at(self, positions: Indexes) -> Bits:
        """Give a bit for each position, set at these."""
        flags = np.zeros(self.size << 3, np.bool_)
        flags[positions] = True
        return np.packbits(flags, bitorder="little")


def pieces_of(tx: Transaction, known: KnownColumns, user_id: UserId, turns: str, edition: int) -> Pieces:
    """Give the pieces that have these turns, as they were known or read anew."""
    known_turns, pieces = known.get(user_id, _PIECES)
    if known_turns != (turns,):
        pieces = Pieces(tx.run("asset_pieces", {"user_id": user_id, "edition": edition}))
        known.put(user_id, _PIECES, (turns,), pieces)
    return pieces


class Columns:
    """Reads the columns of some pieces, or knows them; only the pieces that have other turns are read anew."""

    def __init__(self, tx: Transaction, user_id: UserId, pieces: Pieces, known: KnownColumns) -> None:
        self._tx, self._user_id, self._pieces, self._known = tx, user_id, pieces, known
        self._bits: dict[str, Bits] = {}

    def load(self, keys: Iterable[str], facts: Sequence[int]) -> None:
        """Have the bits of these keys and facts at hand."""
        missing: dict[str, tuple[int, Bits]] = {}
        for key in {*keys, *map(fact_key, facts)}:
            begin, self._bits[key] = self._known_bits(key)
            if begin < len(self._pieces.rows):
                missing[key] = begin, self._bits[key]
        if missing:
            self._read(missing, [fact for fact in facts if fact_key(fact) in missing])

    def any_of(self, keys: Iterable[str]) -> Bits:
        """Give what has any of the keys, which are at hand."""
        columns = [self._bits[key] for key in keys]
        if len(columns) == 1:
            return columns[0]
        return np.bitwise_or.reduce(columns) if columns else np.zeros(self._pieces.size, np.uint8)

    def titled(self, needle: str) -> Bits:
        """Give what has a text in its title, by looking at each title of pieces of which that is not known yet."""
        key, pieces = f"needle {needle}", self._pieces
        begin, column = self._known_bits(key)
        if begin < len(pieces.rows):
            params: dict[str, Any] = {"user_id": self._user_id, "needle": needle}
            if begin:
                places = {"begin": pieces.rows[begin]["first_place"], "end": pieces.rows[-1]["last_place"]}
                rows = self._tx.run("asset_places_titled_behind", params | places)
            else:
                rows = self._tx.run("asset_places_titled", params)
            column |= pieces.bits_at(pieces.positions(from_json(rows[0]["found"].encode())))
            self._known.put(self._user_id, key, pieces.turns, column)
        return column

    def sets(self) -> Whole:
        """Give the number of each position's set of tags."""
        turns = self._pieces.turns
        begin, numbers = self._begun(turns, self._pieces.size << 3, *self._known.get(self._user_id, SETS), np.int64)
        self._fill_numbers(SETS, numbers, begin)
        self._known.put(self._user_id, SETS, turns, numbers)
        return numbers

    def ranks(self, sort: AssetSort) -> Ranks:
        """Say where each position stands in an order."""
        turns = self._turns_of(sort)
        former_turns, former = self._known.get(self._user_id, f"by {sort.value}")
        if former_turns == turns:
            return former
        ranks = self._ranks_of_names() if sort is AssetSort.NAME else self._ranks_of(sort, turns, former, former_turns)
        self._known.put(self._user_id, f"by {sort.value}", turns, ranks)
        return ranks

    def steps(self, sort: AssetSort, ranks: Ranks) -> Steps:
        """Give coarser ranks of an order, given its ranks, of which each asset has one."""
        key, turns = f"steps {sort.value}", self._turns_of(sort)
        former_turns, former = self._known.get(self._user_id, key)
        if former_turns == turns:
            return former
        alike = 0
        # Where names stand is told by all words of the library.
        if former and sort is not AssetSort.NAME:
            alike = _alike(turns, self._pieces.size << 3, former_turns, len(former.each))
        steps = steps_of(ranks.low, former, alike * self._each)
        self._known.put(self._user_id, key, turns, steps)
        return steps

    def _ranks_of(self, sort: AssetSort, turns: _Turns, former: Ranks | None, former_turns: _Turns) -> Ranks:
        begin, numbers = self._begun(
            turns, self._pieces.size << 3, former_turns, former.low if former else None, np.int64
        )
        self._fill_numbers(sort.value, numbers, begin)
        return ranks_of_numbers(numbers)

    def _turns_of(self, sort: AssetSort) -> _Turns:
        return self._pieces.access_turns if sort is AssetSort.LAST_ACCESS_TIME else self._pieces.turns

    def _ranks_of_names(self) -> Ranks:
        words = self._parts(WORDS, 0)
        ranks = ranks_of_words(words, self._each) if len(words) == len(self._pieces.rows) else None
        return ranks or ranks_of_fences(self._parts(AssetSort.NAME.value, 0), self._each)

    @property
    def _each(self) -> int:
        return self._pieces.places_each

    def _fill_numbers(self, what: str, numbers: Whole, begin: int) -> None:
        if begin < len(self._pieces.rows):
            numbers[begin * self._each :] = numbers_from(self._parts(what, begin), self._each)

    def _known_bits(self, what: str) -> tuple[int, Bits]:
        return self._begun(self._pieces.turns, self._pieces.size, *self._known.get(self._user_id, what), np.uint8)

    def _begun(
        self, turns: _Turns, size: int, known_turns: _Turns, known: NDArray[K] | None, kind: type[K]
    ) -> tuple[int, NDArray[K]]:
        """Say how many of the first pieces are known, and give a column with these, for the others to be filled in."""
        if known_turns == turns and known is not None:
            return len(turns), known
        column = np.zeros(size, kind)
        if known is None:
            return 0, column
        alike = _alike(turns, size, known_turns, len(known))
        column[: alike * size // len(turns)] = known[: alike * size // len(turns)]
        return alike, column

    def _parts(self, what: str, begin: int) -> list[Part]:
        """Read a column from a piece on, but for pieces that have none."""
        pieces = self._pieces.rows[begin:]
        params = {"user_id": self._user_id, "what": what, "begin": pieces[0]["first_place"]}
        entries: dict[int, bytes] = {
            row["first_place"]: row["entries"] for row in self._tx.run("asset_piece_columns", params)
        }
        having = [piece for piece in pieces if piece["first_place"] in entries]
        return [(entries[piece["first_place"]], places_of(piece)) for piece in having]

    def _read(self, missing: Mapping[str, tuple[int, Bits]], facts: Sequence[int]) -> None:
        """Fill in the bits of the pieces that are missing."""
        begin = min(begin for begin, _ in missing.values())
        pieces = self._pieces.rows[begin:]
        params = {
            "user_id": self._user_id,
            "keys": to_json(sorted(missing)).decode(),
            "begin": pieces[0]["first_place"],
        }
        of_keys: dict[str, list[Row]] = {key: [] for key in missing}
        for row in self._tx.run("asset_piece_bits", params):
            of_keys[row["what"]].append(row)
        loose = self._loose_facts(facts, of_keys, pieces)
        room = self._pieces.places_each >> 3
        for key, (_, column) in missing.items():
            column[begin * room :] = 0
            self._fill(column, of_keys[key], loose.get(key, ()))
            self._known.put(self._user_id, key, self._pieces.turns, column)

    def _fill(self, column: Bits, rows: Sequence[Row], loose: Sequence[int]) -> None:
        """Set the bits of one key, and single places."""
        room = self._pieces.places_each >> 3
        pieces = {piece["first_place"]: (at * room, size_of(piece)) for at, piece in enumerate(self._pieces.rows)}
        single = [self._pieces.positions(loose)] if loose else []
        for row in rows:
            start, size = pieces.get(row["first_place"], (0, 0))
            if size and len(row["bits"]) == size:
                column[start : start + size] = np.frombuffer(row["bits"], np.uint8)
            elif size:
                single.append(np.frombuffer(row["bits"], "<u2") + np.intp(start << 3))
        if single:
            column |= self._pieces.bits_at(np.concatenate(single))

    def _loose_facts(
        self, facts: Sequence[int], of_keys: Mapping[str, Sequence[Row]], pieces: Rows
    ) -> Mapping[str, Sequence[int]]:
        """Look up the facts that are not common in a piece, by their keys."""
        asked: list[list[int]] = []
        for fact in facts:
            there = {row["first_place"] for row in of_keys[fact_key(fact)]}
            asked += [
                [fact, piece["first_place"], piece["last_place"]]
                for piece in pieces
                if piece["first_place"] not in there
            ]
        found: dict[str, list[int]] = {}
        if asked:
            params = {"user_id": self._user_id, "pieces": to_json(asked).decode()}
            for row in self._tx.run("loose_asset_facts", params):
                found.setdefault(fact_key(row["fact"]), []).append(row["place"])
        return found


def _alike(turns: _Turns, size: int, known_turns: _Turns, known_size: int) -> int:
    """Say of how many of the first pieces a column is known already; one of another size of pieces is another one."""
    if known_size * len(turns) != size * len(known_turns):
        return 0
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(turns, known_turns, strict=False)))


def places_of(piece: Row) -> int:
    """Say how many places a piece has."""
    return piece["last_place"] + 1 - piece["first_place"]


def size_of(piece: Row) -> int:
    """Say how many bytes its bits take."""
    return places_of(piece) >> 3
