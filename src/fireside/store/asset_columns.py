"""The bits of several pieces of a library put one behind the other, a column for each key.

So a condition is one large number, and conditions are combined by one operation each, however many pieces there are.
Without a database; what is asked for is `asset_matches`' business.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from fireside.store.asset_bits import fact_key, from_bits
from fireside.store.database import Row, Rows


class Columns:
    """The bits of each key over all pieces, one behind the other."""

    def __init__(self, pieces: Sequence[Row], rows: Rows) -> None:
        self._starts: dict[int, int] = {}
        self.size = 0
        for piece in pieces:
            self._starts[piece["first_place"]] = self.size
            self.size += size_of(piece)
        self._firsts = list(self._starts)
        self._sizes = {piece["first_place"]: size_of(piece) for piece in pieces}
        self._bits: dict[str, bytearray] = {}
        for row in rows:
            start = self._starts.get(row["first_place"])
            if start is not None:
                self._put(self._column(row["what"]), start, self._sizes[row["first_place"]], row["bits"])

    def add_facts(self, rows: Rows) -> None:
        """Note facts of single places."""
        for row in rows:
            self._note(self._column(fact_key(row["fact"])), row["place"])

    def any_of(self, keys: Iterable[str]) -> int:
        """Give what has any of the keys."""
        found = 0
        for key in keys:
            found |= int.from_bytes(self._bits.get(key, b""), "little")
        return found

    def of_places(self, places: Iterable[int]) -> int:
        """Give these places, those that are in no piece left out."""
        bits = bytearray(self.size)
        for place in places:
            self._note(bits, place)
        return int.from_bytes(bits, "little")

    def _put(self, column: bytearray, start: int, size: int, bits: bytes) -> None:
        if len(bits) == size:
            column[start : start + size] = bits
            return
        for place in from_bits(bits, size):
            column[start + (place >> 3)] |= 1 << (place & 7)

    def _note(self, bits: bytearray, place: int) -> None:
        at = bisect_right(self._firsts, place) - 1
        first = self._firsts[at] if at >= 0 else place
        inside = place - first
        if at >= 0 and inside >> 3 < self._sizes[first]:
            bits[self._starts[first] + (inside >> 3)] |= 1 << (inside & 7)

    def _column(self, key: str) -> bytearray:
        column = self._bits.get(key)
        if column is None:
            column = self._bits[key] = bytearray(self.size)
        return column


def places_of(piece: Row) -> int:
    """Say how many places a piece has."""
    return piece["last_place"] + 1 - piece["first_place"]


def size_of(piece: Row) -> int:
    """Say how many bytes its bits take."""
    return places_of(piece) >> 3
