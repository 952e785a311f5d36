"""The words that owners put on their assets, in the one form in which they are kept and compared."""

import re
from collections.abc import Iterable

from fireside.domain.errors import BadRequest

MAX_TAGS = 100
MAX_TAG_CHARACTERS = 256
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff,]")


class TooManyTags(BadRequest):
    """More tags on one asset, or more sets of tags among a user's assets, than are kept."""

    code = "too_many_tags"


def normalize_tags(words: Iterable[str]) -> tuple[str, ...]:
    """Trim, fold to lower case, sort, and leave out what is empty or said twice.

    Raises `BadRequest` for a word that is too long or could not be told from several, `TooManyTags` for too many.
    """
    tags = {word.strip().lower() for word in words} - {""}
    for tag in tags:
        if len(tag) > MAX_TAG_CHARACTERS:
            raise BadRequest(f"A tag has at most {MAX_TAG_CHARACTERS} characters.")
        if _CONTROL.search(tag):
            raise BadRequest("A tag has no comma and no control characters.")
    if len(tags) > MAX_TAGS:
        raise TooManyTags(f"An asset has at most {MAX_TAGS} tags.")
    return tuple(sorted(tags))
