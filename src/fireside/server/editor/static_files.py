"""A folder of files that never change while we serve them: packed once, and known to browsers by their content.

What has been packed is kept in a folder of its own under the hash of what it was made of, so that it is packed once
for all starts and versions. Whether a caller may have the files is decided before.
"""

import asyncio
import contextlib
import gzip
import os
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from uuid import uuid4

import structlog
from blake3 import blake3
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from fireside.domain.errors import NotFound
from fireside.server.content import is_known
from fireside.server.encodings import takes_gzip

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
NEVER_KEPT = "no-store"
_NONE: Mapping[str, str] = {}
_GZIP_LEVEL = 9
_PACKED = frozenset({".js", ".css", ".html", ".json", ".svg", ".md", ".txt", ".ttf", ".eot", ".ico", ".wasm"})
_MEDIA_TYPES: Mapping[str, str] = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".ico": "image/vnd.microsoft.icon",
    ".webm": "video/webm",
    ".mp4": "video/mp4",
    ".mp3": "audio/mpeg",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".eot": "application/vnd.ms-fontobject",
}
_PAGES = frozenset({".html", ".svg"})
"""What a browser would show as a page of ours, scripts and all, if somebody led it there."""
_NO_PAGE = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
# As the editor's bundler names what it makes: eight characters of the content's hash before the ending.
_NAMED_BY_CONTENT = re.compile(r"assets/[^/]*-(?=[^./]*[A-Z0-9])[A-Za-z0-9_-]{8}\.[a-z0-9]+")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    """What is known of a file; `packed` is what is sent to whoever takes gzip."""

    tag: str
    packed: bytes | None


class StaticFiles:
    """The files of one folder, by their names below it. A name that is not there is not looked for outside."""

    def __init__(self, folder: Path, packed: Path) -> None:
        self._folder = folder
        self._packed = packed
        self._names: frozenset[str] | None = None
        self._held: dict[str, _Held] = {}

    async def names(self) -> frozenset[str]:
        """Give the names of all files, with slashes between their parts; read once."""
        if self._names is None:
            self._names = await asyncio.to_thread(self._walk)
        return self._names

    async def answer(self, request: Request, name: str, headers: Mapping[str, str] = _NONE) -> Response:
        """Answer a GET or HEAD for a file, with these headers more; raises `NotFound`."""
        if name not in await self.names():
            raise _not_found()
        try:
            held = self._held.get(name)
            if held is None:
                held = self._held[name] = await asyncio.to_thread(self._hold, name)
            made = self._headers(name, held) | dict(headers)
            if is_known(request, held.tag) and made["cache-control"] != NEVER_KEPT:
                del made["content-type"]
                return Response(status_code=304, headers=made)
            if held.packed is not None and takes_gzip(request):
                return Response(held.packed, headers=made | {"content-encoding": "gzip"})
            path = self._folder / name
            return FileResponse(path, headers=made, stat_result=await asyncio.to_thread(path.stat))
        except OSError as error:  # removed or replaced under a server that runs
            _log.warning("a file of the editor cannot be read", file=name, reason=str(error))
            raise _not_found() from error

    def _walk(self) -> frozenset[str]:
        return frozenset(
            (Path(place) / file).relative_to(self._folder).as_posix()
            for place, _, files in os.walk(self._folder)
            for file in files
        )

    def _headers(self, name: str, held: _Held) -> dict[str, str]:
        suffix = PurePosixPath(name).suffix.lower()
        made = {
            "content-type": _MEDIA_TYPES.get(suffix, "application/octet-stream"),
            "cache-control": FOR_EVER if _NAMED_BY_CONTENT.fullmatch(name) else ASK_AGAIN,
            "etag": f'W/"{held.tag}"',
            "vary": "Accept-Encoding",
            "x-content-type-options": "nosniff",
        }
        return made | ({"content-security-policy": _NO_PAGE} if suffix in _PAGES else {})

    def _hold(self, name: str) -> _Held:
        content = (self._folder / name).read_bytes()
        tag = blake3(content).hexdigest()
        is_packed = PurePosixPath(name).suffix.lower() in _PACKED
        return _Held(tag, self._pack(tag, content) if is_packed else None)

    def _pack(self, tag: str, content: bytes) -> bytes:
        kept = self._packed / f"{tag}.gz"
        with contextlib.suppress(FileNotFoundError):
            found = kept.read_bytes()
            # The end of a packed file says what it was made of; one that a power cut left in part is made anew.
            if found[-8:] == struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF):
                return found
        made = gzip.compress(content, _GZIP_LEVEL, mtime=0)
        aside = kept.with_name(f".{uuid4().hex}")
        try:
            self._packed.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(made)
            aside.replace(kept)
        except OSError as error:  # a full disk only means that it is packed again at the next start
            aside.unlink(missing_ok=True)
            _log.info("a packed file of the editor is not kept", reason=str(error))
        return made


def _not_found() -> NotFound:
    return NotFound("The editor has no such file.")
