"""Forms with files, read as they come: fields bounded in memory, files straight into blobs, nothing spooled.

The parser is fed only when a part wants more, so a slow disk slows the client down. Whether a form has the fields that
a route needs is the route's business.
"""

import re
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from fireside.blobs.base import Blobs, WrittenBlob
from fireside.domain.errors import BadRequest, TooLarge

_T = TypeVar("_T")
_HARMLESS_ENCODINGS = frozenset({b"", b"7bit", b"8bit", b"binary"})
_PARAMETER = re.compile(rb';\s*([^=;\s]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
_EXTENDED = re.compile(rb"utf-8'[^']*'(.+)", re.IGNORECASE)
_NAME_IT = "If it is a file, send the file with a file name."


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLimits:
    """How much of a form is taken."""

    max_fields: int = 100
    max_field_bytes: int = 1024 * 1024
    max_header_bytes: int = 8 * 1024
    max_files: int = 10
    max_file_bytes: int | None = None

    @property
    def most_bytes(self) -> int | None:
        """Say how long a form within the limits may be at most; None without a limit of its files."""
        if self.max_file_bytes is None:
            return None
        # Twice the headers, for the boundary and what stands between their names and values.
        fields = self.max_fields * (self.max_field_bytes + 2 * self.max_header_bytes)
        return fields + self.max_files * (self.max_file_bytes + 2 * self.max_header_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file of a form: its name and type as they were sent, not to be trusted, and the blob it became."""

    filename: str
    content_type: str
    blob: WrittenBlob


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form; a name can come several times."""

    fields: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    files: dict[str, list[UploadedFile]] = field(default_factory=dict[str, list[UploadedFile]])

    def field(self, name: str) -> str | None:
        """Give the one value of a field; None when it is absent. Raises `BadRequest` when it came several times."""
        return _only(self.fields.get(name, []), name)

    def file(self, name: str) -> UploadedFile | None:
        """Give the one file of that name; None when it is absent. Raises `BadRequest` when it came several times."""
        return _only(self.files.get(name, []), name)


async def read_form(request: Request, blobs: Blobs, *, limits: FormLimits, into: Form | None = None) -> Form:
    """Read a multipart/form-data body to its end (RFC 7578).

    Raises `BadRequest` for a malformed form, `TooLarge` beyond the limits, and what `Blobs.write` raises. A file that
    was whole before a later part failed stays as a blob that nothing uses; a caller that gives the form to read `into`
    finds it there and can remove it.
    """
    _check_announced(request, limits)
    parts = _Parts(request.stream(), _boundary(request), limits)
    form = Form() if into is None else into
    while (part := await parts.next_part()) is not None:
        if part.filename is None:
            _count(form.fields, limits.max_fields, "fields")
            form.fields.setdefault(part.name, []).append(await _read_field(part.name, parts, limits))
        else:
            _count_file(form.files, limits.max_files)
            blob = await blobs.write(parts.data(), limit_bytes=limits.max_file_bytes)
            uploaded = UploadedFile(filename=part.filename, content_type=part.content_type, blob=blob)
            form.files.setdefault(part.name, []).append(uploaded)
    return form


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    name: str
    filename: str | None
    content_type: str


class _Mark(Enum):
    PART_ENDS = auto()
    FORM_ENDS = auto()


class _Parts:
    """The parts of a body, pulled one after the other: `next_part`, then all of `data`."""

    def __init__(self, stream: AsyncIterator[bytes], boundary: bytes, limits: FormLimits) -> None:
        self._stream = stream
        self._limits = limits
        self._found: deque[_Part | bytes | _Mark] = deque()
        self._headers: dict[bytes, bytes] = {}
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._header_bytes = 0
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": lambda: self._found.append(_Mark.PART_ENDS),
                    "on_end": lambda: self._found.append(_Mark.FORM_ENDS),
                },
                max_header_size=limits.max_header_bytes,
            )
        except FormParserError as error:
            raise BadRequest("The boundary of the form is too long.") from error

    async def next_part(self) -> _Part | None:
        found = await self._next()
        if isinstance(found, _Part):
            return found
        async for _ in self._stream:
            pass  # an epilogue means nothing, yet a body not read to its end would cost the connection
        return None

    async def data(self) -> AsyncIterator[bytes]:
        while isinstance(found := await self._next(), bytes):
            yield found

    async def _next(self) -> _Part | bytes | _Mark:
        while not self._found:
            chunk = await anext(self._stream, None)
            if chunk is None:
                raise BadRequest("The form is cut off: its last boundary is missing.")
            if chunk:
                self._parse(chunk)
        return self._found.popleft()

    def _parse(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise BadRequest(f"The form is not well-formed multipart/form-data: {error}") from error

    def _on_part_begin(self) -> None:
        self._headers = {}
        self._header_bytes = 0

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header_value += data[start:end]

    def _count_header(self, more: int) -> None:
        self._header_bytes += more
        if self._header_bytes > self._limits.max_header_bytes:
            raise TooLarge(f"The headers of a part are longer than {self._limits.max_header_bytes} bytes.")

    def _on_header_end(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _on_headers_finished(self) -> None:
        self._found.append(_part(self._headers))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._found.append(data[start:end])


def _check_announced(request: Request, limits: FormLimits) -> None:
    """Refuse what says that it is too long before it comes, which may take hours."""
    announced = request.headers.get("content-length", "")
    if limits.most_bytes is None or not (announced.isascii() and announced.isdecimal()):
        return
    if int(announced[:20]) > limits.most_bytes:
        raise TooLarge(f"The file is larger than {limits.max_file_bytes} bytes, the most that is taken here.")


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        raise BadRequest("Send the form as multipart/form-data.")
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise BadRequest("The Content-Type of the form names no boundary.")
    return boundary


def _part(headers: dict[bytes, bytes]) -> _Part:
    disposition = headers.get(b"content-disposition", b"")
    kind, options = parse_options_header(disposition)
    if kind != b"form-data" or not options.get(b"name"):
        raise BadRequest("A part of the form has no Content-Disposition with a name.")
    content_type = headers.get(b"content-type", b"")
    if content_type.lower().startswith(b"multipart/"):
        raise BadRequest("A form inside of a form is not taken; send each file as a part of its own.")
    if headers.get(b"content-transfer-encoding", b"").strip().lower() not in _HARMLESS_ENCODINGS:
        raise BadRequest("A part has a Content-Transfer-Encoding; send its bytes as they are.")
    filename = _extended_filename(disposition) or options.get(b"filename")
    return _Part(
        name=_decode(options[b"name"], "name"),
        filename=None if filename is None else _decode(filename, "file name"),
        content_type=content_type.decode("latin-1"),
    )


def _extended_filename(disposition: bytes) -> bytes | None:
    """Find the name in `filename*` (RFC 8187); one that is not said to be UTF-8 is passed over.

    RFC 7578 has clients send none in a form; some do all the same, and nothing else says the name then.
    """
    for name, value in _PARAMETER.findall(disposition):
        found = _EXTENDED.fullmatch(value.strip().strip(b'"')) if name.lower() == b"filename*" else None
        if found is not None:
            return unquote_to_bytes(found[1])
    return None


async def _read_field(name: str, parts: _Parts, limits: FormLimits) -> str:
    value = bytearray()
    async for data in parts.data():
        value += data
        if len(value) > limits.max_field_bytes:
            raise TooLarge(f"The field {name!r} is longer than {limits.max_field_bytes} bytes. {_NAME_IT}")
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The field {name!r} is not UTF-8. {_NAME_IT}") from error


def _decode(raw: bytes, what: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The {what} is not UTF-8.") from error


def _count_file(there: dict[str, list[UploadedFile]], limit: int) -> None:
    if limit == 1 and there:
        raise BadRequest("The form has more than one file: send one in each request.")
    _count(there, limit, "files")


def _count(there: dict[str, list[str]] | dict[str, list[UploadedFile]], limit: int, what: str) -> None:
    if sum(len(values) for values in there.values()) >= limit:
        raise TooLarge(f"The form has more than {limit} {what}.")


def _only(values: list[_T], name: str) -> _T | None:
    if len(values) > 1:
        raise BadRequest(f"The form has {name!r} {len(values)} times; send it once.")
    return values[0] if values else None
