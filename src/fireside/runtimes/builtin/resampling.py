"""Resizing as ComfyUI asks torch for it (`interpolate` without `align_corners` and antialiasing), in numpy.

Every method but `lanczos` is separable: each output row is a weighted sum of a few input rows, and columns are rows of
the transposed picture. `lanczos` is Pillow's on 8-bit values, which is what ComfyUI does too.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fireside.runtimes.builtin.pictures import Pixels, from_picture, to_picture

METHODS = ("nearest-exact", "bilinear", "area", "bicubic", "lanczos")
CROPS = ("disabled", "center")
_CUBIC_A = np.float32(-0.75)
_Rows = Callable[[Pixels, int], Pixels]
_Taps = tuple[NDArray[np.int64], Pixels]


def resize(images: Pixels, width: int, height: int, method: str, crop: str = "disabled") -> Pixels:
    """Resize [B,H,W,C]; with crop `center` what would distort the aspect is cut off first."""
    if crop == "center":
        images = _crop_to_aspect(images, width, height)
    resized = _lanczos if method == "lanczos" else _separable(method)
    return np.stack([resized(image, width, height) for image in images])


def _crop_to_aspect(images: Pixels, width: int, height: int) -> Pixels:
    old_height, old_width = images.shape[1:3]
    old_aspect, new_aspect = old_width / old_height, width / height
    left = top = 0
    if old_aspect > new_aspect:
        left = round((old_width - old_width * (new_aspect / old_aspect)) / 2)
    elif old_aspect < new_aspect:
        top = round((old_height - old_height * (old_aspect / new_aspect)) / 2)
    return images[:, top : old_height - top, left : old_width - left]


def _lanczos(image: Pixels, width: int, height: int) -> Pixels:
    return from_picture(to_picture(image).resize((width, height), Image.Resampling.LANCZOS))


def _separable(method: str) -> Callable[[Pixels, int, int], Pixels]:
    rows = _ROWS[method]

    def resized(image: Pixels, width: int, height: int) -> Pixels:
        if height <= image.shape[0]:
            return _columns(rows, rows(image, height), width)
        return rows(_columns(rows, image, width), height)

    return resized


def _columns(rows: _Rows, image: Pixels, width: int) -> Pixels:
    turned = np.ascontiguousarray(image.transpose(1, 0, 2))
    return np.ascontiguousarray(rows(turned, width).transpose(1, 0, 2))


def _weighted(taps_of: Callable[[int, int], _Taps]) -> _Rows:
    def rows(image: Pixels, size: int) -> Pixels:
        indices, weights = taps_of(image.shape[0], size)
        made = image[indices[0]] * weights[0][:, None, None]
        for index, weight in zip(indices[1:], weights[1:], strict=True):
            part = image[index]
            part *= weight[:, None, None]
            made += part
        return made

    return rows


def _centers(old: int, new: int) -> Pixels:
    scale = np.float32(old) / np.float32(new)
    return (np.arange(new, dtype=np.float32) + np.float32(0.5)) * scale


def _nearest_rows(image: Pixels, size: int) -> Pixels:
    index = np.floor(_centers(image.shape[0], size)).astype(np.int64)
    return image[np.minimum(index, image.shape[0] - 1)]


def _bilinear_taps(old: int, new: int) -> _Taps:
    place = np.maximum(_centers(old, new) - np.float32(0.5), 0)
    low = np.minimum(place.astype(np.int64), old - 1)
    high = np.minimum(low + 1, old - 1)
    part = np.clip(place - low.astype(np.float32), 0, 1)
    return np.stack([low, high]), np.stack([1 - part, part]).astype(np.float32)


def _bicubic_taps(old: int, new: int) -> _Taps:
    place = _centers(old, new) - np.float32(0.5)
    low = np.floor(place)
    part = (place - low).astype(np.float32)
    weights = np.stack([_cubic_far(part + 1), _cubic_near(part), _cubic_near(1 - part), _cubic_far(2 - part)])
    indices = low.astype(np.int64) + np.arange(-1, 3)[:, None]
    return np.clip(indices, 0, old - 1), weights.astype(np.float32)


def _cubic_near(x: Pixels) -> Pixels:
    return ((_CUBIC_A + 2) * x - (_CUBIC_A + 3)) * x * x + 1


def _cubic_far(x: Pixels) -> Pixels:
    return ((_CUBIC_A * x - 5 * _CUBIC_A) * x + 8 * _CUBIC_A) * x - 4 * _CUBIC_A


def _area_rows(image: Pixels, size: int) -> Pixels:
    old = image.shape[0]
    number = np.arange(size, dtype=np.int64)
    starts, ends = number * old // size, -((number + 1) * old // -size)
    if size >= old:
        # Windows hold one or two rows here.
        half = np.float32(0.5)
        return (image[starts] + image[ends - 1]) * half
    # reduceat sums from each index to the next one; every other sum is a window, the last runs to the end.
    bounds = np.stack([starts, ends], axis=1).reshape(-1)[:-1]
    sums = np.add.reduceat(image, bounds, axis=0)[::2]
    return sums / (ends - starts).astype(np.float32)[:, None, None]


_ROWS: dict[str, _Rows] = {
    "nearest-exact": _nearest_rows,
    "bilinear": _weighted(_bilinear_taps),
    "bicubic": _weighted(_bicubic_taps),
    "area": _area_rows,
}
