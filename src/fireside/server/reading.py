"""Reading what callers send: bounded bodies, JSON, query parameters. What is wrong in them is a `BadRequest`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from fireside.domain.errors import BadRequest, TooLarge, WrongMediaType
from fireside.server.callers import services_of

T = TypeVar("T")
_SHOWN_CHARACTERS = 80
_MISSING = "Object missing required field "
_NOT_ONE_OF = "Invalid enum value"
_AS_IT_IS = frozenset({"", "identity"})
_HALF_A_PAIR = (
    "A text in the body holds half of a surrogate pair, as of an emoji cut in the middle. Send whole characters."
)


async def read_bytes(request: Request, limit: int | None = None) -> bytes:
    """Read the whole body; raises `TooLarge` above `limit` bytes, by default the setting `max_body_bytes`.

    Raises `WrongMediaType` for one that is packed, which is never unpacked here.
    """
    _refuse_packed(request)
    limit = services_of(request).config.max_body_bytes if limit is None else limit
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) > len(str(limit)) + 1:
        raise _too_large(limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


async def read_json(request: Request, limit: int | None = None) -> Any:
    """Read the body as JSON, whatever its Content-Type says: small clients send none."""
    return decode_json(await read_bytes(request, limit), object)


async def read_body(request: Request, kind: type[T], *, limit: int | None = None, if_empty: bytes | None = None) -> T:
    """Read the body as JSON of this type; `if_empty` stands for a body that is empty."""
    content = await read_bytes(request, limit)
    return decode_json(if_empty if not content.strip() and if_empty is not None else content, kind)


def decode_json(content: bytes, kind: type[T]) -> T:
    """Decode JSON of this type; raises `BadRequest` with what is wrong and where."""
    if not content.strip():
        raise BadRequest("The body is empty; send JSON.")
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequest(f"The body is not as it should be: {error}") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadRequest(_HALF_A_PAIR if _has_half_a_pair(content) else f"The body is not JSON: {error}") from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error


def read_query(request: Request, kind: type[T]) -> T:
    """Read the query's parameters; one that comes several times is joined with commas, an empty one is left out."""
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if value != "":
            given[name] = f"{given[name]},{value}" if name in given else value
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(_about_parameter(str(error), given, kind)) from error


def _refuse_packed(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "").strip()
    if encoding.lower() not in _AS_IT_IS:
        raise WrongMediaType(
            f"The body has the Content-Encoding {encoding[:_SHOWN_CHARACTERS]!r}, which is not taken: send it as it is."
        )


def _has_half_a_pair(content: bytes) -> bool:
    """Tell whether this is all that is wrong with JSON that was refused; Python's own decoder lets halves pass."""
    try:
        json.dumps(json.loads(content), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def _about_parameter(reason: str, given: Mapping[str, str], kind: type) -> str:
    """Turn msgspec's "Expected `int` >= 1 - at `$.limit`" into a sentence with the parameter and what it was."""
    if reason.startswith(_MISSING):
        return f"The parameter {reason.removeprefix(_MISSING)} is missing."
    what, _, where = reason.partition(" - at `$.")
    name = where.rstrip("`")
    if what.startswith(_NOT_ONE_OF):
        what = f"it is one of {', '.join(_words_of(kind, name))}"
    return f"{name} cannot be {given[name][:_SHOWN_CHARACTERS]!r}: {what}" if name in given else reason


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than the {limit} bytes that are taken here.")


def _words_of(kind: type, name: str) -> list[str]:
    """Give the words that a parameter may be."""
    of = msgspec.inspect.type_info(kind)
    assert isinstance(of, msgspec.inspect.StructType)
    return [word for field in of.fields if field.encode_name == name for word in _words_in(field.type)]


def _words_in(kind: msgspec.inspect.Type) -> Iterator[str]:
    match kind:
        case msgspec.inspect.LiteralType(values=words):
            yield from map(str, words)
        case msgspec.inspect.Metadata(type=inner):
            yield from _words_in(inner)
        case msgspec.inspect.UnionType(types=many):
            for one in many:
                yield from _words_in(one)
        case _:
            return
