"""Files that users name by URL: fetched straight into a blob, and recorded as an upload is.

Nothing is kept of a fetch that fails or is broken off. Where a URL may lead, and how large and slow a source may be,
is the business of `outbound`.
"""

import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from email.message import Message
from urllib.parse import unquote, urlsplit

from fireside.assets.library import Library
from fireside.assets.records import Wish, record_upload_as_asset
from fireside.assets.uploads import discard_unrecorded
from fireside.domain.assets import Recorded
from fireside.domain.errors import TooMany
from fireside.domain.ids import UserId
from fireside.outbound.client import Fetched, Outbound, Patience
from fireside.outbound.errors import FetchFailed

Progress = Callable[[int, int | None], Awaitable[None]]
_MOST_BYTES = 100
_SEPARATORS = re.compile(r"[/\\]")
_UNFIT = re.compile(r"[\x00-\x1f\x7f<>:\"|?*\[\]]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where to fetch from, and what is too much."""

    url: str
    limit_bytes: int
    patience: Patience


class TooManyImports(TooMany):
    """The caller waits for as many fetches as they may."""

    code = "too_many_imports"


class ImportTurns:
    """Counts the fetches that users wait for, so that none of them holds all connections of this server."""

    def __init__(self, most_of_a_user: int) -> None:
        self._most = most_of_a_user
        self._taken: Counter[UserId] = Counter()

    @contextlib.contextmanager
    def taken(self, user_id: UserId) -> Generator[None]:
        """Count a fetch as long as the block lasts; raises `TooManyImports`."""
        if self._taken[user_id] >= self._most:
            raise TooManyImports(
                f"You wait for {self._most} files already: let one come first, or let this one come in the background"
                " by POST /api/assets/download."
            )
        self._taken[user_id] += 1
        try:
            yield
        finally:
            self._taken[user_id] -= 1
            if not self._taken[user_id]:
                del self._taken[user_id]


async def _no_progress(came: int, expected: int | None) -> None:
    """Tell nobody."""


async def import_asset(
    library: Library, imports: Outbound, source: Source, wish: Wish, progress: Progress = _no_progress
) -> Recorded:
    """Fetch the file and record it; `progress` hears how many bytes have come, of how many, and may break it off.

    Raises what `Outbound.get` and `record_upload_as_asset` do.
    """
    async with imports.get(source.url, limit_bytes=source.limit_bytes, patience=source.patience) as fetched:
        blob = await library.blobs.write(_told(fetched, progress), limit_bytes=source.limit_bytes)
    try:
        if not blob.size_bytes:
            raise FetchFailed("There are no bytes at this URL.")
        return await record_upload_as_asset(library, wish, blob, filename=filename_of(source.url, fetched.headers))
    finally:
        await discard_unrecorded(library, blob)


def filename_of(url: str, headers: Mapping[str, str]) -> str:
    """Give the name that the source says the file has, or else its URL; empty when there is none that is fit."""
    message = Message()
    message["content-disposition"] = headers.get("content-disposition", "")
    said = message.get_filename() or unquote(urlsplit(url).path)
    last = _SEPARATORS.split(said)[-1]
    name = _UNFIT.sub("_", last.encode("utf-8", "replace").decode()).strip(" .")
    stem, dot, suffix = name.rpartition(".")
    return f"{_cut(stem)}{dot}{_cut(suffix)}"


def _cut(text: str) -> str:
    return text.encode()[:_MOST_BYTES].decode(errors="ignore")


async def _told(fetched: Fetched, progress: Progress) -> AsyncIterator[bytes]:
    came = 0
    await progress(came, fetched.content_length)
    async for chunk in fetched.chunks():
        came += len(chunk)
        await progress(came, fetched.content_length)
        yield chunk
