"""Resizing as ComfyUI asks torch for it (`interpolate` without `align_corners` and antialiasing), in numpy.

Bit for bit, so the order of sums and what is rounded where are torch's: see `_interpolated` and `_interpolated_small`.
`lanczos` is Pillow's on 8-bit values, which is what ComfyUI does too.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fireside.runtimes.builtin.fused import fused, summed
from fireside.runtimes.builtin.pictures import Pixels, from_picture, to_picture

METHODS = ("nearest-exact", "bilinear", "area", "bicubic", "lanczos")
CROPS = ("disabled", "center")
_CUBIC_A = np.float32(-0.75)
# Torch has two kernels for `bilinear`, which round differently; the sum of the new edges decides, or the channels.
_SMALL_EDGES = 128
_FEW_CHANNELS = 3
# What is held in float64 at a time.
_BLOCK_ELEMENTS = 1 << 18
_SHORT_WINDOW = 16
_SUMMED_IN_THREADS = 32768
_CHAINS = 4
_Indices = NDArray[np.int64]
_Taps = tuple[_Indices, Pixels]
_Resize = Callable[[Pixels, int, int], Pixels]


def resize(images: Pixels, width: int, height: int, method: str, crop: str = "disabled") -> Pixels:
    """Resize [B,H,W,C]; with crop `center` what would distort the aspect is cut off first."""
    batch_size, old_height, old_width, channels = images.shape
    if min(old_height, old_width) < 1 or (min(width, height) < 1 and method != "area"):
        raise ValueError(f"{old_width}x{old_height} cannot be resized to {width}x{height}: no edge may be 0.")
    if min(batch_size, width, height) < 1 and method != "lanczos":
        # As in torch: no pictures are none in any size, and `area` may end in nothing.
        return np.empty((batch_size, height, width, channels), np.float32)
    if crop == "center":
        images = _crop_to_aspect(images, width, height)
    resized = _RESIZED[method]
    if method == "bilinear" and _is_small(images, width, height):
        resized = _interpolated_small
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


def _is_small(images: Pixels, width: int, height: int) -> bool:
    has_many_channels = images.shape[-1] > _FEW_CHANNELS and images.flags.c_contiguous
    return width + height <= _SMALL_EDGES or has_many_channels


def _lanczos(image: Pixels, width: int, height: int) -> Pixels:
    return from_picture(to_picture(image).resize((width, height), Image.Resampling.LANCZOS))


def _nearest(image: Pixels, width: int, height: int) -> Pixels:
    rows, columns = (_nearest_index(old, new) for old, new in zip(image.shape, (height, width), strict=False))
    return image[rows][:, columns]


def _nearest_index(old: int, new: int) -> _Indices:
    scale = np.float32(old) / np.float32(new)
    index = np.floor((np.arange(new, dtype=np.float32) + np.float32(0.5)) * scale).astype(np.int64)
    return np.minimum(index, old - 1)


def _places(old: int, new: int) -> Pixels:
    """Where the new pixels lie among the old ones."""
    scale = np.float32(old) / np.float32(new)
    return fused(np.arange(new, dtype=np.float32) + np.float32(0.5), scale, np.float32(-0.5))


def _bilinear_taps(old: int, new: int) -> _Taps:
    place = np.maximum(_places(old, new), 0)
    low = np.minimum(place.astype(np.int64), old - 1)
    part = np.clip(place - low.astype(np.float32), 0, 1)
    return np.stack([low, np.minimum(low + 1, old - 1)]), np.stack([1 - part, part])


def _bicubic_taps(old: int, new: int) -> _Taps:
    place = _places(old, new)
    low = np.floor(place)
    near = place - low
    far = 1 - near
    weights = np.stack([_cubic_far(near + 1), _cubic_near(near), _cubic_near(far), _cubic_far(far + 1)])
    indices = low.astype(np.int64) + np.arange(-1, 3)[:, None]
    return np.clip(indices, 0, old - 1), weights


def _cubic_near(x: Pixels) -> Pixels:
    return fused(x, _CUBIC_A + 2, -(_CUBIC_A + 3)) * x * x + 1


def _cubic_far(x: Pixels) -> Pixels:
    return fused(fused(x, _CUBIC_A, -5 * _CUBIC_A), x, 8 * _CUBIC_A) * x - 4 * _CUBIC_A


def _interpolated(taps_of: Callable[[int, int], _Taps]) -> _Resize:
    """Weigh along the rows, then the columns; each sum starts with its second product."""

    def resized(image: Pixels, width: int, height: int) -> Pixels:
        rows, row_weights = taps_of(image.shape[0], height)
        columns, column_weights = taps_of(image.shape[1], width)
        used, places = np.unique(rows, return_inverse=True)
        lines = _by_blocks(
            (len(used), width, image.shape[-1]),
            lambda block: _weighted([image[used[block]][:, column] for column in columns], column_weights[:, :, None]),
        )
        return _by_blocks(
            (height, width, image.shape[-1]),
            lambda block: _weighted([lines[row[block]] for row in places], row_weights[:, block, None, None]),
        )

    return resized


def _weighted(values: Sequence[Pixels], weights: Pixels) -> Pixels:
    total = fused(values[0], weights[0], values[1] * weights[1])
    for value, weight in zip(values[2:], weights[2:], strict=True):
        total = fused(value, weight, total)
    return total


def _interpolated_small(image: Pixels, width: int, height: int) -> Pixels:
    """Weigh four neighbors at once, with the product of their two weights."""
    rows, row_weights = _bilinear_taps(image.shape[0], height)
    columns, column_weights = _bilinear_taps(image.shape[1], width)

    def weighted(block: slice) -> Pixels:
        values = [image[row[block]][:, column] for row in rows for column in columns]
        weights = [line[block, None, None] * column[:, None] for line in row_weights for column in column_weights]
        return _weighted(values, np.stack(weights))

    return _by_blocks((height, width, image.shape[-1]), weighted)


def _by_blocks(shape: tuple[int, int, int], make: Callable[[slice], Pixels]) -> Pixels:
    """Make rows block by block, so that little is held in float64."""
    made = np.empty(shape, np.float32)
    step = max(1, _BLOCK_ELEMENTS // made[0].size)
    for start in range(0, len(made), step):
        block = slice(start, min(start + step, len(made)))
        made[block] = make(block)
    return made


def _area(image: Pixels, width: int, height: int) -> Pixels:
    """Average windows, each summed line by line from its upper left corner."""
    if width == height == 1:
        return _mean(image)[None, None]
    made = np.empty((height, width, image.shape[-1]), np.float32)
    for rows, starts, row_count in _windows(image.shape[0], height):
        for columns, lefts, column_count in _windows(image.shape[1], width):
            total = _window_sums(image, starts, row_count, lefts, column_count)
            made[np.ix_(rows, columns)] = total / np.float32(row_count) / np.float32(column_count)
    return made


def _mean(image: Pixels) -> Pixels:
    """Average all pixels, which torch does by other code than other windows; for large pictures in threads."""
    values = image.reshape(-1, image.shape[-1])
    if values.size >= _SUMMED_IN_THREADS:
        return values.mean(axis=0, dtype=np.float64).astype(np.float32)
    chains = 1 if values.shape[1] > _FEW_CHANNELS else _CHAINS
    return summed(values, chains) / np.float32(len(values))


def _windows(old: int, new: int) -> list[tuple[_Indices, _Indices, int]]:
    """Group the windows by their length: which they are, and where they start."""
    number = np.arange(new, dtype=np.int64)
    starts, ends = number * old // new, -((number + 1) * old // -new)
    lengths = ends - starts
    return [(number[lengths == length], starts[lengths == length], int(length)) for length in np.unique(lengths)]


def _window_sums(image: Pixels, tops: _Indices, row_count: int, lefts: _Indices, column_count: int) -> Pixels:
    total = np.zeros((len(tops), len(lefts), image.shape[-1]), np.float32)
    columns = lefts + np.arange(column_count)[:, None]
    for row in range(row_count):
        lines = image[tops + row]
        if column_count <= _SHORT_WINDOW:
            for column in columns:
                total += lines[:, column]
        else:
            # `accumulate` and not `reduce`, which may sum in pairs.
            summed = np.concatenate([total[:, None], lines[:, columns]], axis=1)
            total = np.add.accumulate(summed, axis=1)[:, -1]
    return total


_RESIZED: dict[str, _Resize] = {
    "nearest-exact": _nearest,
    "bilinear": _interpolated(_bilinear_taps),
    "bicubic": _interpolated(_bicubic_taps),
    "area": _area,
    "lanczos": _lanczos,
}
