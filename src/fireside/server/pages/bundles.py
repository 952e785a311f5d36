"""Several files as one zip archive, written while it is read: it takes a chunk of memory, however large the files are.

Nothing is packed smaller, as pictures, films and sound are already.
"""

import io
import re
import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fireside.blobs.base import Blobs
from fireside.domain.assets import Asset
from fireside.server.content import content_headers

_FIRST_YEAR = 1980
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')


def bundle_answer(request: Request, blobs: Blobs, assets: Sequence[Asset], *, name: str) -> Response:
    """Answer with the files in an archive to save."""
    headers = content_headers(name, "application/zip", "attachment") | {"cache-control": "private, no-store"}
    if request.method == "HEAD":
        return Response(headers=headers)
    return StreamingResponse(zipped(blobs, assets), headers=headers)


async def zipped(blobs: Blobs, assets: Sequence[Asset]) -> AsyncIterator[bytes]:
    """Write the archive, chunk by chunk; raises `NotFound` for a file whose bytes are gone."""
    out = _Out()
    names = names_of(assets)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for asset, name in zip(assets, names, strict=True):
            with archive.open(_entry(asset, name), "w", force_zip64=True) as entry:
                async for chunk in blobs.read(asset.hash):
                    entry.write(chunk)
                    yield out.taken()
    yield out.taken()


def names_of(assets: Sequence[Asset]) -> list[str]:
    """Name the files, each once, as every system takes them."""
    names: dict[str, None] = {}
    for asset in assets:
        path = PurePosixPath(_NOT_IN_NAMES.sub("_", asset.path))
        name, number = str(path), 1
        while name in names:
            name, number = str(path.with_stem(f"{path.stem} ({number})")), number + 1
        names[name] = None
    return list(names)


class _Out(io.RawIOBase):
    """Where the archive is written to: what is in it is taken away again and again, so nothing in it is sought."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        """Say that it is there to be written to."""
        return True

    def write(self, data: Any, /) -> int:
        """Take what the archive writes."""
        before = len(self._written)
        self._written += memoryview(data)
        return len(self._written) - before

    def taken(self) -> bytes:
        """Give what has been written since the last time."""
        taken = bytes(self._written)
        self._written.clear()
        return taken


def _entry(asset: Asset, name: str) -> zipfile.ZipInfo:
    at = asset.created_at
    return zipfile.ZipInfo(name, (max(_FIRST_YEAR, at.year), at.month, at.day, at.hour, at.minute, at.second))
