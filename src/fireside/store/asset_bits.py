"""What the assets of a piece of a library have, as bits: a key for each tag, fact, form and text, and its places.

Of titles there are all parts of one to three characters, and their forms, in which all digits are the same. Pure, and
without a database; what pieces are is told in `asset_pieces`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
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
_MOST_TAGS = 4096
_MOST_FACTS = 4096
_MOST_FORMS = 4096
_MOST_TEXTS = 16_384
# Bits are combined sooner than lists of places, which are kept where they take an eighth of the room.
_SPARSE = 1 / 16
_BYTE = re.compile(rb"[^\0]", re.DOTALL)
_DIGIT = re.compile(f"[{DIGITS}]")
_SAME_DIGITS = str.maketrans(DIGITS, "0" * 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceOfLibrary:
    """What the assets of a piece have."""

    every: Sequence[int]
    tags: Places
    facts: Places
    texts: Places
    forms: Places

    @property
    def has_tags(self) -> bool:
        """Whether so few tags occur that all are kept."""
        return len(self.tags) <= _MOST_TAGS

    @property
    def has_texts(self) -> bool:
        """Whether so few texts occur that all are kept."""
        return len(self.texts) <= _MOST_TEXTS

    @property
    def has_forms(self) -> bool:
        """Whether so few forms of titles occur that all are kept."""
        return len(self.forms) <= _MOST_FORMS

    def kept(self) -> Places:
        """Give what is kept: tags, texts and forms all or none, and the commonest facts."""
        common = sorted((key for key in self.facts if len(self.facts[key]) >= _COMMON), key=self._rareness)
        return {EVERY: self.every, **self.needed(), **{key: self.facts[key] for key in common[:_MOST_FACTS]}}

    def needed(self) -> Places:
        """Give what is kept all or none, but for all places."""
        nothing: Places = {}
        tags, texts = self.tags if self.has_tags else nothing, self.texts if self.has_texts else nothing
        return {**tags, **texts, **(self.forms if self.has_forms else nothing)}

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


def form_key(form: str) -> str:
    """Name a form of titles."""
    return f"form {form}"


def form_of(text: str) -> str:
    """Give a text with all digits the same."""
    return text.translate(_SAME_DIGITS)


def has_digits(text: str) -> bool:
    """Whether a digit is in a text."""
    return _DIGIT.search(text) is not None


def grams(text: str, length: int = GRAM) -> list[str]:
    """Give the parts of a text that are so long."""
    return [text[start : start + length] for start in range(len(text) - length + 1)]


def texts_of(folded: str) -> set[str]:
    """Give all that is kept of a title."""
    return {*folded, *grams(folded, 2), *grams(folded, 3)}


def places_of_titles(titles: Iterable[tuple[int, str]]) -> tuple[Places, Places]:
    """Give the places of each text in titles, and of each form."""
    forms: dict[str, list[tuple[int, str]]] = {}
    for place, folded in titles:
        forms.setdefault(form_of(folded), []).append((place, folded))
    texts: dict[str, list[int]] = {}
    for form, alike in forms.items():
        # What has no digit, all titles of a form have; what has one stands in the same places in all of them.
        places = [place for place, _ in alike]
        for text in texts_of(form):
            if not has_digits(text):
                texts.setdefault(text, []).extend(places)
        numbered = _numbered(form)
        if numbered:
            parts_of = itemgetter(*numbered, numbered[0])
            for place, folded in alike:
                for text in set(parts_of(folded)):
                    texts.setdefault(text, []).append(place)
    by_form = {form_key(form): [place for place, _ in alike] for form, alike in forms.items()}
    return {text_key(text): places for text, places in texts.items()}, by_form


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
    """Give the places that are noted."""
    if len(bits) < size:
        return list(unpack(f"<{len(bits) >> 1}H", bits))
    return [found.start() << 3 | bit for found in _BYTE.finditer(bits) for bit in range(8) if found[0][0] >> bit & 1]


def _numbered(form: str) -> list[slice]:
    """Say where in a form the parts are that have a digit."""
    return [
        slice(start, start + length)
        for length in range(1, GRAM + 1)
        for start in range(len(form) - length + 1)
        if has_digits(form[start : start + length])
    ]
