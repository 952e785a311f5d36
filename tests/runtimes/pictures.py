"""Small pictures in every form that LoadImage has to understand, the same ones on every machine."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT = 37, 23
_TURNED_RIGHT = 6
_ORIENTATION = 0x0112


def scene(width: int = WIDTH, height: int = HEIGHT, channels: int = 3) -> NDArray[np.uint8]:
    """Slopes with an edge and some grain, so that every kind of resampling shows."""
    y, x = np.mgrid[0:height, 0:width]
    slopes = [x * 255 // max(1, width - 1), y * 255 // max(1, height - 1), (x + y) * 9 % 256, 255 - x * y % 256]
    pixels = np.stack(slopes[:channels], axis=-1)
    pixels[height // 3 : height // 2, width // 4 : width // 2] = 255
    grain = (x * 7919 + y * 104729) % 23
    return np.clip(pixels + grain[..., None] - 11, 0, 255).astype(np.uint8)


def _rgb(path: Path) -> None:
    Image.fromarray(scene()).save(path)


def _large(path: Path) -> None:
    Image.fromarray(scene(61, 47)).save(path)


def _rgba(path: Path) -> None:
    Image.fromarray(scene(channels=4)).save(path)


def _gray(path: Path) -> None:
    Image.fromarray(scene()[..., 0]).save(path)


def _gray_alpha(path: Path) -> None:
    Image.fromarray(scene(channels=4)).convert("LA").save(path)


def _gray_16(path: Path) -> None:
    Image.fromarray(scene()[..., 0].astype(np.uint16) * 257).save(path)


def _gray_32(path: Path) -> None:
    Image.fromarray(scene()[..., 0].astype(np.int32) * 255).save(path)


def _bits(path: Path) -> None:
    Image.fromarray(scene()[..., 0] > 99).save(path)


def _palette(path: Path) -> None:
    _quantized(scene()).save(path)


def _palette_transparent(path: Path) -> None:
    _quantized(scene()).save(path, transparency=3)


def _palette_half_transparent(path: Path) -> None:
    _quantized(scene()).save(path, transparency=bytes(range(0, 256, 16)))


def _rgb_transparent(path: Path) -> None:
    Image.fromarray(scene()).save(path, transparency=(255, 255, 255))


def _turned(path: Path) -> None:
    exif = Image.Exif()
    exif[_ORIENTATION] = _TURNED_RIGHT
    Image.fromarray(scene()).save(path, exif=exif)


def _turned_alpha(path: Path) -> None:
    exif = Image.Exif()
    exif[_ORIENTATION] = _TURNED_RIGHT
    Image.fromarray(scene(channels=4)).save(path, exif=exif)


def _frames(path: Path) -> None:
    first, *others = [_quantized(np.roll(scene(), shift * 5, axis=1)) for shift in range(3)]
    first.save(path, save_all=True, append_images=others, duration=100, loop=0)


def _frames_of_colors(path: Path) -> None:
    first, *others = [Image.fromarray(np.roll(scene(channels=4), shift * 5, axis=1)) for shift in range(3)]
    first.save(path, save_all=True, append_images=others, duration=100)


def _pages(path: Path) -> None:
    first, *others = [Image.fromarray(scene(size, HEIGHT)) for size in (WIDTH, WIDTH + 4, WIDTH)]
    first.save(path, save_all=True, append_images=others)


def _inks(path: Path) -> None:
    Image.fromarray(scene(channels=4), mode="CMYK").save(path)


def _floats(path: Path) -> None:
    Image.fromarray(scene()[..., 0].astype(np.float32)).save(path)


def _quantized(pixels: NDArray[np.uint8]) -> Image.Image:
    """Give a picture with a palette of 16 colors, by arithmetic and not by a search that may change."""
    picture = Image.fromarray(pixels[..., 0] // 16, mode="P")
    picture.putpalette([value for color in range(16) for value in (color * 17, 255 - color * 11, color * color)])
    return picture


PICTURES: dict[str, Callable[[Path], None]] = {
    "rgb.png": _rgb,
    "large.png": _large,
    "rgba.png": _rgba,
    "gray.png": _gray,
    "gray_alpha.png": _gray_alpha,
    "gray_16.png": _gray_16,
    "gray_32.tiff": _gray_32,
    "bits.png": _bits,
    "palette.png": _palette,
    "palette_transparent.png": _palette_transparent,
    "palette_half_transparent.png": _palette_half_transparent,
    "rgb_transparent.png": _rgb_transparent,
    "turned.png": _turned,
    "turned_alpha.png": _turned_alpha,
    "frames.gif": _frames,
    "frames.png": _frames_of_colors,
    "pages.tiff": _pages,
    "inks.tiff": _inks,
    "floats.tiff": _floats,
}


def paint(folder: Path) -> dict[str, Path]:
    """Write all pictures into a folder and give them by name."""
    for name, write in PICTURES.items():
        write(folder / name)
    return {name: folder / name for name in PICTURES}
