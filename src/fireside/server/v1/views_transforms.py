"""Pictures seen otherwise than they are: one channel, smaller, or encoded anew.

What is made depends on the bytes and the wish alone, so clients keep it by an ETag, and it is made again for each that
has not got it. A made PNG may be large, so it goes through a file; the other kinds are small.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import IO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fireside.assets.library import Library, blob_file, chunks_of, scratch_file
from fireside.assets.pictures import Channel, PreviewFormat, extract_channel, make_preview
from fireside.domain.assets import Asset
from fireside.server.content import content_headers, is_known
from fireside.wire.v1_files import ViewQuery

_QUALITY = 90
_PREVIEW_FORMATS: dict[str, PreviewFormat] = {"webp": "webp", "jpeg": "jpeg"}


@dataclass(frozen=True, slots=True)
class ChannelOf:
    """A PNG with some of the picture's channels."""

    channel: Channel

    @property
    def key(self) -> str:
        """What tells this wish from every other, in an ETag."""
        return "rgb" if self.channel == "rgb" else "alpha"

    @property
    def format(self) -> str:
        """The format of what is made."""
        return "png"


@dataclass(frozen=True, slots=True)
class Preview:
    """The picture encoded anew, maybe smaller."""

    format: PreviewFormat
    quality: int = _QUALITY
    longest_edge: int | None = None
    is_opaque: bool = False
    """Whether alpha is left out of a format that could hold it."""

    @property
    def key(self) -> str:
        """What tells this wish from every other, in an ETag."""
        return f"{self.format}-{self.quality}-{self.longest_edge or 'full'}{'-opaque' if self.is_opaque else ''}"


Transform = ChannelOf | Preview


def wanted_transform(asked: ViewQuery) -> Transform | None:
    """Say what is to be made of the picture; None for the file as it is. `preview` wins over `channel` over `res`."""
    if asked.preview is not None:
        return _wanted_preview(asked.preview, asked.channel or "", asked.res)
    if asked.channel is not None and asked.channel != "rgba":
        return ChannelOf(asked.channel)
    return Preview("jpeg", longest_edge=asked.res) if asked.res is not None else None


async def serve_transform(
    request: Request, library: Library, asset: Asset, transform: Transform, *, cache: str
) -> Response:
    """Answer with what is made of the picture; raises `NotAPicture` or `PictureTooLarge`."""
    tag = f"{asset.hash}-{transform.key}"
    name = f"{PurePosixPath(asset.file.name).stem}.{transform.format}"
    headers = content_headers(name, f"image/{transform.format}") | {"etag": f'"{tag}"', "cache-control": cache}
    if is_known(request, tag):
        del headers["content-type"], headers["content-disposition"]
        return Response(status_code=304, headers=headers)
    # Only the pixels cost something here: a picture that a worker made may have more bytes than an upload may.
    seen = replace(library, limits=replace(library.limits, max_bytes=asset.size_bytes))
    if isinstance(transform, ChannelOf):
        return await _channel(seen, asset, transform.channel, headers)
    async with blob_file(seen, asset.hash) as path:
        made = await make_preview(
            path,
            transform.format,
            transform.quality,
            longest_edge=transform.longest_edge,
            is_opaque=transform.is_opaque,
            limits=seen.limits,
        )
    return Response(made, headers=headers)


async def _channel(library: Library, asset: Asset, channel: Channel, headers: dict[str, str]) -> Response:
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(scratch_file(library))
        async with blob_file(library, asset.hash) as path:
            await extract_channel(path, channel, out, library.limits)
        headers["content-length"] = str(out.seek(0, 2))
        return StreamingResponse(_chunks_then_close(out, stack.pop_all()), headers=headers)


async def _chunks_then_close(file: IO[bytes], stack: contextlib.ExitStack) -> AsyncIterator[bytes]:
    with stack:
        async for chunk in chunks_of(file):
            yield chunk


def _wanted_preview(text: str, channel: str, res: int | None) -> Preview:
    """Read `jpeg;80` as ComfyUI does: a format that is unknown, or that would lose a wanted alpha, is webp.

    `rgb` is without alpha in any format.
    """
    name, _, rest = text.partition(";")
    quality = rest.rpartition(";")[2]
    is_number = quality.isascii() and quality.isdecimal() and len(quality) <= len("100")
    preview_format = "webp" if "a" in channel else _PREVIEW_FORMATS.get(name, "webp")
    return Preview(
        format=preview_format,
        quality=min(max(int(quality), 1), 100) if is_number else _QUALITY,
        longest_edge=res,
        is_opaque=channel == "rgb" and preview_format == "webp",
    )
