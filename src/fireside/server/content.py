"""Users' bytes on their way out.

Users' bytes are hostile, so every answer that carries them is made here, with the headers that keep a browser from
running them in our origin. Pictures, video and sound that are on the list of `blobs.sniff` may be shown in place, all
else is an octet-stream to save. Who may read what is decided before.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fireside.blobs.base import Blobs
from fireside.blobs.signing import Disposition
from fireside.blobs.sniff import OCTET_STREAM, is_inline_safe
from fireside.domain.ids import BlobHash

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-site",
}
IMMUTABLE = "private, max-age=31536000, immutable"
_ONE_RANGE = re.compile(r"bytes=[ \t]*(\d{0,19})-(\d{0,19})[ \t]*", re.IGNORECASE | re.ASCII)
_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')
_NOT_IN_QUOTES = re.compile(r"[^ !#-\[\]-~]|%")


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int


class _Unsatisfiable(Exception):
    """The range lies outside of the bytes."""


def serve_blob(
    request: Request,
    blobs: Blobs,
    blob_hash: BlobHash,
    *,
    filename: str,
    content_type: str,
    size_bytes: int,
    cache: str = IMMUTABLE,
    disposition: Disposition = "auto",
    accel_prefix: str = "",
) -> Response:
    """Answer a GET or HEAD for a blob (RFC 9110, sections 13 and 14); a request for several ranges gets the whole.

    With `accel_prefix` the bytes are left to the proxy. nginx keeps only some headers of an answer that it redirects,
    so its internal location must add the `SECURITY_HEADERS` itself. Raises `NotFound`, from the response before it has
    begun, when the bytes are gone.
    """
    headers = content_headers(filename, content_type, disposition)
    headers |= {"etag": f'"{blob_hash}"', "cache-control": cache, "accept-ranges": "bytes"}
    if is_known(request, blob_hash):
        del headers["content-type"], headers["content-disposition"]
        return Response(status_code=304, headers=headers)
    path = blobs.local_path(blob_hash) if accel_prefix else None
    if path is not None:
        accel = "/".join((accel_prefix.rstrip("/"), *path.parts[-2:]))
        return Response(headers=headers | {"x-accel-redirect": accel})
    try:
        span = _wanted_range(request, blob_hash, size_bytes)
    except _Unsatisfiable:
        del headers["content-type"], headers["content-disposition"]
        return Response(status_code=416, headers=headers | {"content-range": f"bytes */{size_bytes}"})
    status = 200
    if span is not None:
        status = 206
        headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{size_bytes}"
    whole = span or _Span(0, size_bytes)
    headers["content-length"] = str(whole.end - whole.start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return _BlobResponse(blobs.read(blob_hash, whole.start, whole.end), status, headers)


def content_headers(filename: str, content_type: str, disposition: Disposition = "auto") -> dict[str, str]:
    """Give the headers that every answer with users' bytes must have, type and disposition included."""
    is_inline = disposition != "attachment" and is_inline_safe(content_type)
    return SECURITY_HEADERS | {
        "content-type": content_type if is_inline_safe(content_type) else OCTET_STREAM,
        "content-disposition": _content_disposition("inline" if is_inline else "attachment", filename),
    }


def is_known(request: Request, entity_tag: str) -> bool:
    """Tell whether the client has these bytes already, by If-None-Match; the tag is without its quotes."""
    wanted = request.headers.get("if-none-match")
    if wanted is None:
        return False
    return wanted.strip() == "*" or f'"{entity_tag}"' in _ENTITY_TAG.findall(wanted)


class _BlobResponse(Response):
    """Reads the first chunk before it says 200, so that missing bytes can still be refused in order."""

    def __init__(self, chunks: AsyncIterator[bytes], status_code: int, headers: dict[str, str]) -> None:
        super().__init__(status_code=status_code, headers=headers)
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        # Sends fail or become empty when the client has gone; uvicorn holds them back while the client is slow.
        first = await anext(self._chunks, b"")
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for chunk in self._chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _wanted_range(request: Request, blob_hash: BlobHash, size_bytes: int) -> _Span | None:
    wanted = request.headers.get("range")
    condition = request.headers.get("if-range")
    if wanted is None or request.method != "GET" or condition not in (None, f'"{blob_hash}"'):
        return None
    match = _ONE_RANGE.fullmatch(wanted.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        return _suffix(int(match[2]), size_bytes)
    start = int(match[1])
    last = int(match[2]) if match[2] else size_bytes - 1
    if match[2] and last < start:
        return None  # not a range at all, hence ignored
    if start >= size_bytes:
        raise _Unsatisfiable
    return _Span(start, min(last + 1, size_bytes))


def _suffix(length: int, size_bytes: int) -> _Span | None:
    if length == 0:
        raise _Unsatisfiable
    # The end of nothing is nothing, which a 206 cannot say.
    return _Span(max(0, size_bytes - length), size_bytes) if size_bytes else None


def _content_disposition(kind: str, filename: str) -> str:
    """Write the header so that no name can break out of it (RFC 6266, RFC 8187)."""
    plain = _NOT_IN_QUOTES.sub("_", filename)
    header = f'{kind}; filename="{plain}"'
    if plain != filename:
        header += f"; filename*=UTF-8''{quote(filename.encode('utf-8', 'replace'), safe='')}"
    return header
