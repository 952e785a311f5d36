"""From the parameters of the routes of assets to what the store is asked for. Pure."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec

from fireside.blobs.base import is_blob_hash
from fireside.domain.asset_listing import AssetFilter, AssetPlace, AssetSort, AssetWindow
from fireside.domain.errors import BadRequest, InvalidCursor, NotFound
from fireside.domain.ids import AssetId, BlobHash, JobId
from fireside.wire.v1_assets import AssetFilterQuery, AssetsQuery

_MOST_TAGS = 100
_MOST_JOBS = 500
_LONGEST_CURSOR = 8192
_LARGEST = 2**63 - 1
_HASH = "blake3:"


class InvalidTagFilter(BadRequest):
    """A filter by tags that contradicts itself, or has too many of them."""

    code = "invalid_tag_filter"


class InvalidHash(BadRequest):
    """A hash that is not written `blake3:` and 64 lowercase hexadecimal digits."""

    code = "invalid_hash"


class _Cursor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`s` and `o` are the order it was made in, `v` the value there, `p` the place in create order."""

    s: AssetSort
    o: str
    v: int | str
    p: int


def asset_id_of(text: str) -> AssetId:
    """Read an asset's id in its canonical spelling; `NotFound` for anything else, as nothing goes by such a name."""
    with suppress(ValueError):
        parsed = UUID(text)
        if str(parsed) == text.lower():
            return AssetId(parsed)
    raise NotFound("There is no such asset.")


def hash_of(text: str) -> BlobHash:
    """Read a hash as it is written on the wire; raises `InvalidHash`."""
    digits = text.removeprefix(_HASH)
    if digits == text or not is_blob_hash(digits):
        raise InvalidHash("A hash is written blake3: and 64 lowercase hexadecimal digits.")
    return BlobHash(digits)


def filter_of(query: AssetFilterQuery) -> AssetFilter:
    """Say which assets are wanted; raises `InvalidTagFilter`, `InvalidHash` or `BadRequest`."""
    include, exclude = _tags(query.include_tags), _tags(query.exclude_tags)
    if (query.include_tags and query.tags_all) or (query.exclude_tags and query.tags_none):
        raise InvalidTagFilter("Use either include_tags and exclude_tags, or tags_all and tags_none.")
    include |= _tags(query.tags_all)
    exclude |= _tags(query.tags_none)
    any_of = _tags(query.tags_any)
    if include & exclude:
        raise InvalidTagFilter("A tag cannot be wanted and unwanted at once.")
    if len(include) + len(exclude) + len(any_of) > _MOST_TAGS:
        raise InvalidTagFilter(f"A filter has at most {_MOST_TAGS} tags.")
    return AssetFilter(
        include=include,
        exclude=exclude,
        any_of=any_of,
        name_contains=query.name_contains,
        metadata=_metadata(query.metadata_filter),
        hash=hash_of(query.hash) if query.hash else None,
        job_ids=_jobs(query.job_ids) if query.job_ids else None,
    )


def window_of(query: AssetsQuery) -> AssetWindow:
    """Say in which order, and which part; raises `InvalidCursor`."""
    window = AssetWindow(
        sort=AssetSort(query.sort), descending=query.order == "desc", offset=query.offset, limit=query.limit
    )
    return replace(window, offset=0, after=_read_cursor(query.after, window)) if query.after else window


def write_cursor(place: AssetPlace, window: AssetWindow) -> str:
    """Write where a page ended, for a page of the same order."""
    value = place.word if window.sort is AssetSort.NAME else place.number
    cursor = _Cursor(s=window.sort, o=_order(window), v=value, p=place.place)
    return urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def _read_cursor(text: str, window: AssetWindow) -> AssetPlace:
    try:
        if len(text) > _LONGEST_CURSOR:
            raise ValueError
        cursor = msgspec.json.decode(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)), type=_Cursor)
    except (ValueError, msgspec.MsgspecError) as error:
        raise InvalidCursor("after is no cursor of this list; take the next_cursor of the page before.") from error
    is_word = isinstance(cursor.v, str)
    if (cursor.s, cursor.o, is_word) != (window.sort, _order(window), window.sort is AssetSort.NAME):
        raise InvalidCursor("after is a cursor of another order; take the next_cursor of the page before.")
    if not 0 <= cursor.p < _LARGEST or not (is_word or abs(int(cursor.v)) < _LARGEST):
        raise InvalidCursor("after is no cursor of this list; take the next_cursor of the page before.")
    return AssetPlace(
        number=0 if isinstance(cursor.v, str) else cursor.v,
        word=cursor.v if isinstance(cursor.v, str) else "",
        place=cursor.p,
    )


def _order(window: AssetWindow) -> str:
    return "desc" if window.descending else "asc"


def _tags(listed: str) -> frozenset[str]:
    return frozenset({word.strip().lower() for word in listed.split(",")} - {""})


def _metadata(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        return msgspec.json.decode(text.encode(), type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadRequest("metadata_filter is a JSON object, as text.") from error


def _jobs(listed: str) -> frozenset[JobId]:
    words = {word.strip() for word in listed.split(",")} - {""}
    if len(words) > _MOST_JOBS:
        raise BadRequest(f"job_ids names at most {_MOST_JOBS} jobs.")
    try:
        return frozenset(JobId(UUID(word)) for word in words)
    except ValueError as error:
        raise BadRequest("job_ids is a list of UUIDs, by commas.") from error
