"""The opaque cursors of listings: where a page ended, written so that nobody is tempted to make their own."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from fireside.domain.errors import BadRequest

_LONGEST = 200
_MAX_PLACE = 2**40 - 1


class _Cursor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`s` is the order it was made in, `v` the place in that order."""

    s: str
    v: int


def write_cursor(place: int) -> str:
    """Write the cursor of a place in create order."""
    return urlsafe_b64encode(msgspec.json.encode(_Cursor(s="create_time", v=place))).rstrip(b"=").decode()


def read_cursor(text: str) -> int:
    """Read the place out of a cursor; raises `BadRequest` for anything that `write_cursor` did not write."""
    try:
        if len(text) > _LONGEST:
            raise ValueError
        cursor = msgspec.json.decode(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)), type=_Cursor)
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadRequest("after is no cursor of this list; take the next_cursor of the page before") from error
    if cursor.s != "create_time" or not 0 <= cursor.v <= _MAX_PLACE:
        raise BadRequest("after is a cursor of another list; take the next_cursor of the page before")
    return cursor.v
