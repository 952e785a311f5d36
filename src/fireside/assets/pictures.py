"""Pictures of strangers, opened with care.

The header is read and measured first, only then pixels are unpacked, and never those of more than two pictures at once.
All of it runs in threads. What a picture is called and whose it is, is known elsewhere.
"""

import asyncio
import warnings
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Literal, TypeVar

from PIL import Image, ImageFile, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from fireside.domain.errors import BadRequest

Channel = Literal["rgb", "a", "alpha"]
PreviewFormat = Literal["webp", "jpeg"]
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_FRAMES_IN_HEADER = frozenset({"PNG", "WEBP", "AVIF"})
# Two threads of their own: pictures waiting for each other must not keep blobs from being written.
_THREADS = ThreadPoolExecutor(2, thread_name_prefix="picture")
_T = TypeVar("_T")
# Pillow only warns of pictures up to twice its own limit.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class NotAPicture(BadRequest):
    """The bytes are no picture of a known format, or a damaged one."""

    code = "not_a_picture"


class PictureTooLarge(BadRequest):
    """The picture is larger than the limits; the public API answers 400 here."""

    code = "picture_too_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    """What is taken, at most; by default the limits of Comfy Cloud."""

    max_bytes: int = 50 * 1024 * 1024
    max_edge: int = 16384
    max_pixels: int = 67108864


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureInfo:
    """What a picture is. `frames` is 2 for every animated GIF and TIFF: counting theirs means reading all of them."""

    width: int
    height: int
    format: str
    frames: int
    has_alpha: bool


def check_bytes(size_bytes: int, limits: PictureLimits) -> None:
    """Raise `PictureTooLarge` for a picture of more bytes than are taken."""
    if size_bytes > limits.max_bytes:
        raise PictureTooLarge(f"The picture has {size_bytes} bytes; at most {limits.max_bytes} are taken.")


async def inspect_picture(path: Path, limits: PictureLimits) -> PictureInfo:
    """Look at a picture and make sure that it can be unpacked.

    Raises `PictureTooLarge`, with the limit in its message, or `NotAPicture`.
    """
    return await _in_thread(lambda: _inspect(path, limits))


async def extract_channel(
    path: Path, channel: Channel, out: Path | IO[bytes], limits: PictureLimits | None = None
) -> None:
    """Write a PNG: for `rgb` without alpha, else with the alpha alone over black. Raises as `inspect_picture`."""
    await _in_thread(lambda: _extract_channel(path, channel, out, limits or PictureLimits()))


async def apply_mask(original: Path, mask: Path, out: Path | IO[bytes], limits: PictureLimits | None = None) -> None:
    """Write the original as PNG with the alpha of the mask, and the text metadata it had.

    Raises as `inspect_picture`, and `BadRequest` when the two differ in size.
    """
    await _in_thread(lambda: _apply_mask(original, mask, out, limits or PictureLimits()))


async def make_preview(
    path: Path,
    preview_format: PreviewFormat,
    quality: int = 90,
    *,
    longest_edge: int | None = None,
    is_opaque: bool = False,
    limits: PictureLimits | None = None,
) -> bytes:
    """Encode the first frame anew, shrunk to `longest_edge` if it is longer, and without alpha if it is to be opaque.

    Raises as `inspect_picture`.
    """
    return await _in_thread(
        lambda: _preview(
            path, preview_format, quality, longest_edge, is_opaque=is_opaque, limits=limits or PictureLimits()
        )
    )


async def read_texts(path: Path, limits: PictureLimits) -> Mapping[str, str]:
    """Read the texts that a picture carries, by name; in Exif they are written `name:text`. Raises as above."""
    return await _in_thread(lambda: _texts(path, limits))


async def _in_thread(work: Callable[[], _T]) -> _T:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work)


def _inspect(path: Path, limits: PictureLimits) -> PictureInfo:
    with _open(path, limits) as image:
        info = PictureInfo(
            width=image.width,
            height=image.height,
            format=str(image.format).lower(),
            frames=_frames(image),
            has_alpha=image.has_transparency_data,
        )
        _check_whole(image)
    return info


def _extract_channel(path: Path, channel: Channel, out: Path | IO[bytes], limits: PictureLimits) -> None:
    with _open(path, limits) as image:
        if channel == "rgb":
            made = image.convert("RGB") if not image.has_transparency_data else image.convert("RGBA").convert("RGB")
        else:
            made = Image.new("RGBA", image.size)
            made.putalpha(image.convert("RGBA").getchannel("A"))
    made.save(out, format="PNG")


def _apply_mask(original: Path, mask: Path, out: Path | IO[bytes], limits: PictureLimits) -> None:
    with _open(mask, limits) as image:
        alpha = image.convert("RGBA").getchannel("A")
    with _open(original, limits) as image:
        if image.size != alpha.size:
            raise BadRequest(
                f"The mask has {alpha.width} x {alpha.height} pixels and the picture {image.width} x {image.height}; "
                "send a mask of the picture's size."
            )
        masked = image.convert("RGBA")
        text = _text_of(image)
    masked.putalpha(alpha)
    # ComfyUI's own level: what is saved later names the hash of this file.
    masked.save(out, format="PNG", compress_level=4, pnginfo=text)


def _preview(
    path: Path,
    preview_format: PreviewFormat,
    quality: int,
    longest_edge: int | None,
    *,
    is_opaque: bool,
    limits: PictureLimits,
) -> bytes:
    with _open(path, limits) as image:
        if longest_edge is not None:
            image.draft("RGB", (longest_edge, longest_edge))
        keeps_alpha = preview_format == "webp" and not is_opaque and image.has_transparency_data
        made = image.convert("RGBA" if keeps_alpha else "RGB")
    if longest_edge is not None:
        made.thumbnail((longest_edge, longest_edge))
    made.info.pop("comment", None)  # a stranger's text, which Pillow would carry over
    buffer = BytesIO()
    try:
        made.save(buffer, format=preview_format, quality=min(max(quality, 1), 100))
    except (OSError, ValueError) as error:  # WebP ends at 16383 pixels
        raise PictureTooLarge(f"The picture does not fit into {preview_format}: {error}") from error
    return buffer.getvalue()


@contextmanager
def _open(path: Path, limits: PictureLimits) -> Generator[ImageFile.ImageFile]:
    """Open a picture whose size is within the limits; its pixels are not unpacked yet."""
    check_bytes(path.stat().st_size, limits)
    with _damage_as_refusal(limits), Image.open(path, formats=_FORMATS) as image:
        _measure(image, limits)
        yield image


@contextmanager
def _damage_as_refusal(limits: PictureLimits) -> Generator[None]:
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge(f"The picture is too large; at most {limits.max_pixels} pixels are taken.") from error
    except UnidentifiedImageError as error:
        raise NotAPicture("This is no picture of a known format.") from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError) as error:
        # What Pillow's decoders raise at damaged bytes; a text chunk beyond its bounds is a ValueError.
        raise NotAPicture(f"The picture is damaged: {error}") from error


def _measure(image: Image.Image, limits: PictureLimits) -> None:
    size = f"The picture has {image.width} x {image.height} pixels"
    if max(image.size) > limits.max_edge:
        raise PictureTooLarge(f"{size}; its longest edge may have {limits.max_edge}.")
    if image.width * image.height > limits.max_pixels:
        raise PictureTooLarge(f"{size}; at most {limits.max_pixels} are taken.")


def _frames(image: ImageFile.ImageFile) -> int:
    if image.format in _FRAMES_IN_HEADER:
        return int(getattr(image, "n_frames", 1))
    return 2 if getattr(image, "is_animated", False) else 1


def _check_whole(image: ImageFile.ImageFile) -> None:
    if image.format == "PNG":
        image.verify()  # every checksum, without unpacking
        return
    # JPEG only: an eighth of the memory, every byte read.
    image.draft("L", (max(1, image.width // 8), max(1, image.height // 8)))
    image.load()


def _texts(path: Path, limits: PictureLimits) -> Mapping[str, str]:
    with _open(path, limits) as image:
        texts = {str(name): value for name, value in image.info.items() if isinstance(value, str)}
        for value in image.getexif().values():
            name, colon, text = value.partition(":") if isinstance(value, str) else ("", "", "")
            if colon:
                texts.setdefault(name.lower(), text)
    return texts


def _text_of(image: Image.Image) -> PngInfo:
    text = PngInfo()
    for name, value in getattr(image, "text", {}).items():
        text.add_text(name, value)
    return text
