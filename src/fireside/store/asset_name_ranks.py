"""Where the assets of a library stand by name, as ranks.

Names often are a word and a number. So a name is cut before its first digit: words are few, and their order is known,
and of what follows so many characters are told by one number that few names share a rank. A library of too many
different words is told by fences instead: each piece says where its own names are cut into equal parts, and between
which two of these each place is; all fences of a library together then say between which ranks each asset is. Pure, and
without a database.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

from fireside.domain.asset_listing import AssetPlace, AssetSort
from fireside.store.asset_bits import DIGITS
from fireside.store.asset_ranks import Part, Ranks, Whole, laid_out, most_alike
from fireside.store.database import Row, Rows
from fireside.store.rows import from_json, to_json

WORDS = "words"
"""The column of words and what follows them, of a piece with few enough words."""
# So many names are between two fences.
_BETWEEN = 8
_MOST_WORDS = 2048
_MOST_WORDS_OF_LIBRARY = 65_536
# More positions of one rank, or a thousandth of them all, are too many.
_MOST_ALIKE = 2048
# A word's rank, and what follows: nine characters of five bits each.
_SHIFT = 45
_TAIL = 9
# Of a place that has no asset.
_NOTHING = -1
_LABEL = np.dtype("<u2")
_NUMBER = np.dtype("<i8")
_Fence = tuple[bytes, int]


def columns_of_names(rows: Rows, first: int, places: int) -> dict[str, bytes]:
    """Note the names of a piece, given its rows and how many places it has."""
    names = {AssetSort.NAME.value: _fenced(rows, first, places)}
    cut = [(row["place"] - first, *_cut(row["by_name"])) for row in rows]
    words = sorted({word for _, word, _ in cut})
    if len(words) > _MOST_WORDS:
        return names
    labels, tails = np.zeros(places, _LABEL), np.full(places, _NOTHING, _NUMBER)
    known = {word: label for label, word in enumerate(words)}
    for at, word, tail in cut:
        labels[at], tails[at] = known[word], _told(tail)
    return {**names, WORDS: labels.tobytes() + tails.tobytes() + to_json([word.decode() for word in words])}


def ranks_of_words(parts: Sequence[Part], each: int) -> Ranks | None:
    """Tell ranks by words and what follows them; None when there are too many words, or too many names of one rank."""
    both = _LABEL.itemsize + _NUMBER.itemsize
    own: list[list[bytes]] = [
        [word.encode() for word in from_json(entries[places * both :])] for entries, places in parts
    ]
    if sum(map(len, own)) > _MOST_WORDS_OF_LIBRARY:
        return None
    words = sorted({word for its in own for word in its})
    # Between two words there is a rank for what is in no piece.
    known = {word: 2 * rank + 1 << _SHIFT for rank, word in enumerate(words)}
    ranks: list[Whole] = []
    for (entries, places), its in zip(parts, own, strict=True):
        of_words = np.array([known[word] for word in its] or [0], np.int64)
        tails = np.frombuffer(entries, _NUMBER, places, places * _LABEL.itemsize)
        ranks.append(np.where(tails == _NOTHING, 0, of_words[np.frombuffer(entries, _LABEL, places)] + tails))
    whole = laid_out(ranks, each)

    def rank_of(place: AssetPlace) -> int:
        word, tail = _cut(place.word)
        there = known.get(word)
        return 2 * bisect_left(words, word) << _SHIFT if there is None else there + _told(tail)

    if most_alike(whole[whole > 0]) > max(_MOST_ALIKE, len(whole) >> 10):
        return None
    return Ranks(low=whole, high=whole, rank_of=rank_of, nbytes=whole.nbytes + 128 * len(words))


def ranks_of_fences(parts: Sequence[Part], each: int) -> Ranks:
    """Tell ranks by the fences of some pieces."""
    own = [
        [(word.encode(), place) for word, place in from_json(entries[places * _LABEL.itemsize :])]
        for entries, places in parts
    ]
    fences: list[_Fence] = [fence for its in own for fence in its]
    ordered = sorted(range(len(fences)), key=fences.__getitem__)
    known = [fences[at] for at in ordered]
    ranks = np.empty(len(fences), np.int64)
    ranks[ordered] = np.arange(1, len(fences) + 1)
    low: list[Whole] = []
    high: list[Whole] = []
    begin = 0
    for (entries, places), its in zip(parts, own, strict=True):
        labels = np.frombuffer(entries, _LABEL, places)
        mine = ranks[begin : begin + len(its)] if its else np.ones(1, np.int64)
        begin += len(its)
        low.append(mine[labels])
        high.append(np.append(mine[1:] - 1, len(fences))[labels])

    def rank_of(place: AssetPlace) -> int:
        return bisect_right(known, (place.word.encode(), place.place))

    lowest, highest = laid_out(low, each), laid_out(high, each)
    return Ranks(low=lowest, high=highest, rank_of=rank_of, nbytes=2 * lowest.nbytes + 128 * len(fences))


def _fenced(rows: Rows, first: int, places: int) -> bytes:
    """Note between which fences each place is, and then the fences; the first of a part is its fence."""
    ordered = sorted(rows, key=_name_key)
    labels = np.zeros(places, _LABEL)
    labels[[row["place"] - first for row in ordered]] = np.arange(len(ordered)) // _BETWEEN
    return labels.tobytes() + to_json([[row["by_name"], row["place"]] for row in ordered[::_BETWEEN]])


def _name_key(row: Row) -> tuple[bytes, int]:
    # By bytes, as both databases compare texts.
    return row["by_name"].encode(), row["place"]


def _cut(name: str) -> tuple[bytes, bytes]:
    """Cut a name before its first digit, so that the parts are in the order of the names.

    A digit tells a word that something follows it: 0 stands for all of them, as nothing else comes between.
    """
    for at, character in enumerate(name):
        if character in DIGITS:
            return f"{name[:at]}0".encode(), name[at:].encode()
    return name.encode(), b""


def _told(tail: bytes) -> int:
    """Tell the first characters by a number that is not less for what comes later.

    Nothing is told of what stands behind a character that shares its step: it could belong to another one.
    """
    number = 0
    for at, byte in enumerate(tail[:_TAIL]):
        number |= _STEPS[byte] << 5 * (_TAIL - 1 - at)
        if byte not in _ALONE:
            break
    return number


def _steps() -> Sequence[int]:
    """Say how bytes are told apart: what hexadecimal digits and marks are each alone, other letters by some."""
    begins = [1, *b"-./0123456789:_`abcdefgkosw{", 128]
    return [bisect_right(begins, byte) for byte in range(256)]


_STEPS = _steps()
_ALONE = frozenset(byte for byte, step in enumerate(_STEPS) if _STEPS.count(step) == 1)
