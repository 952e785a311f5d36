"""What the assets of a piece of a library have, as bits: a key for each tag, fact and bit of text, and its places.

Of titles there are one to three characters with a digit among them: what has no digit, forms of titles know. Pure, and
without a database; what pieces are is told in `asset_pieces`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from struct import pack, unpack

EVERY = "every"
"""The key of all places that have an asset."""
GRAM = 3
"""So many characters of a title are looked at together, at most."""
DIGITS = "0123456789"

Places = Mapping[str, Sequence[int]]
"""The places of each key, counted from where the piece begins."""
# A fact that fewer places of a piece have is looked up in its index.
_COMMON = 16
_MOST_KEYS = 4096
# Bits are combined sooner than lists of places, which are kept where they take an eighth of the room.
_SPARSE = 1 / 16
_BYTE = re.compile(rb"[^\0]", re.DOTALL)
_RUN = re.compile(f"[{DIGITS}]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceOfLibrary:
    """What the assets of a piece have."""

    every: Sequence[int]
    tags: Places
    facts: Places
    texts: Places

    @property
    def has_tags(self) -> bool:
        """Whether so few tags occur that all are kept."""
        return len(self.tags) <= _MOST_KEYS

    @property
    def has_texts(self) -> bool:
        """Whether so few texts occur that all are kept."""
        return len(self.texts) <= _MOST_KEYS

    def kept(self) -> Places:
        """Give what is kept: tags and texts all or none, and the commonest facts."""
        common = sorted((key for key in self.facts if len(self.facts[key]) >= _COMMON), key=self._rareness)
        facts = {key: self.facts[key] for key in common[:_MOST_KEYS]}
        nothing: Places = {}
        tags, texts = self.tags if self.has_tags else nothing, self.texts if self.has_texts else nothing
        return {EVERY: self.every, **tags, **texts, **facts}

    def _rareness(self, fact: str) -> int:
        return -len(self.facts[fact])


def tag_key(tag: str) -> str:
    """Name a tag."""
    return f"tag {tag}"


def fact_key(fact: int) -> str:
    """Name a fact."""
    return f"fact {fact}"


def text_key(text: str) -> str:
    """Name one to three characters of titles."""
    return f"text {text}"


def has_digits(text: str) -> bool:
    """Whether a digit is in a text."""
    return _RUN.search(text) is not None


def grams(text: str, length: int = GRAM) -> list[str]:
    """Give the parts of a text that are so long and have a digit."""
    return [
        text[start : start + length]
        for run in _RUN.finditer(text)
        for start in range(max(0, run.start() - length + 1), min(run.end(), len(text) - length + 1))
    ]


def texts_of(folded: str) -> set[str]:
    """Give all that is kept of a title."""
    return {*grams(folded, 1), *grams(folded, 2), *grams(folded, 3)}


def by_keys(assets: Iterable[tuple[int, Iterable[str]]]) -> Places:
    """Turn the keys of each place into the places of each key."""
    places: dict[str, list[int]] = {}
    for place, keys in assets:
        for key in keys:
            places.setdefault(key, []).append(place)
    return places


def to_bits(places: Sequence[int], size: int) -> bytes:
    """Note different places in so many bytes, one bit each, or as a list of them where that is much shorter."""
    if len(places) <= size * _SPARSE:
        return pack(f"<{len(places)}H", *places)
    bits = bytearray(size)
    for place in places:
        bits[place >> 3] |= 1 << (place & 7)
    return bytes(bits)


def from_bits(bits: bytes, size: int) -> list[int]:
    """Give the places that are noted, in order."""
    if len(bits) < size:
        return list(unpack(f"<{len(bits) >> 1}H", bits))
    return [found.start() << 3 | bit for found in _BYTE.finditer(bits) for bit in range(8) if found[0][0] >> bit & 1]
