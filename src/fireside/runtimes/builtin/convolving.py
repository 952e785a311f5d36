"""Blurring and sharpening with the core nodes' kernels, as torch computes them: tap by tap, one rounding for each.

Numpy is slow at that, so a large picture is blurred by rows and columns first, and the taps are summed one by one only
where the cut to 8 bits hangs on how the sum is rounded. In flat areas that is everywhere, but there one sum per color
is enough.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fireside.runtimes.builtin.fused import fused, summed
from fireside.runtimes.builtin.pictures import Pixels

_LANES, _CHAINS = 8, 4
_MATRIX_ROWS = 64
_BLOCK_ELEMENTS = 1 << 16
# What is worked on at a time, so that a large picture does not take many times its own memory.
_STRIP_ELEMENTS = 1 << 22
# Up to here everything is summed tap by tap, in a tenth of a second.
_FEW_PRODUCTS = 2e7
# More doubt than this is settled faster without looking for it.
_MUCH_DOUBT = 0.15
_ROUNDING = 2.0**-24
_Wide = NDArray[np.float64]
_Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Kernel:
    """The weights [K,K], which are about `scale * outer(line, line)` and `center` more in the middle."""

    weights: Pixels
    line: Pixels
    scale: float = 1.0
    center: float = 0.0

    @property
    def radius(self) -> int:
        """How far it reaches."""
        return len(self.line) // 2


def blurring(radius: int, sigma: float) -> Kernel:
    """Make a Gaussian that spans -1 to 1 whatever the radius, so that sigma is in units of the radius."""
    weights = _gaussian(radius, sigma)
    return Kernel(weights / _sum(weights), _line(radius, sigma))


def sharpening(radius: int, sigma: float, alpha: float) -> Kernel:
    """Make the kernel that takes a blurred picture away and keeps flat areas as they are."""
    gaussian = _gaussian(radius, sigma)
    scale = -(alpha * 10)
    weights = gaussian / _sum(gaussian) * np.float32(scale)
    weights[radius, radius] = weights[radius, radius] - _sum(weights) + np.float32(1)
    line = _line(radius, sigma)
    return Kernel(weights, line, scale, float(weights[radius, radius]) - scale * float(line[radius]) ** 2)


def convolve(image: Pixels, kernel: Kernel, check: _Check) -> Pixels:
    """Weigh every pixel's surroundings in one [H,W,C], mirrored at the edges; `check` is called now and then."""
    radius = kernel.radius
    height, width, channels = image.shape
    if radius >= min(height, width):
        raise ValueError(f"A radius of {radius} needs more than {radius} pixels; the picture has {width}x{height}.")
    padded = np.pad(image, ((radius, radius), (radius, radius), (0, 0)), mode="reflect")
    made = np.empty_like(image)
    step = max(1, _STRIP_ELEMENTS // (width * channels))
    for start in range(0, height, step):
        check()
        strip = padded[start : start + step + 2 * radius]
        made[start : start + step] = _convolved(strip, kernel, check)
    return made


def _convolved(padded: Pixels, kernel: Kernel, check: _Check) -> Pixels:
    radius, wide = kernel.radius, padded.astype(np.float64)
    image = padded[radius:-radius, radius:-radius]
    if image.size * kernel.weights.size <= _FEW_PRODUCTS:
        return _sum_all(wide, kernel, check)
    made = _blurred(padded, kernel.line)
    made *= np.float32(kernel.scale)
    made += image * np.float32(kernel.center)
    doubtful = _doubtful(made, kernel)
    flat = doubtful & _flat(padded, len(kernel.line))
    colors, places = np.unique(image[flat], return_inverse=True)
    made[flat] = _sum_flat(colors, kernel)[places]
    doubtful &= ~flat
    if np.count_nonzero(doubtful) > _MUCH_DOUBT * image.size:
        return _sum_all(wide, kernel, check)
    made[doubtful] = _sum_some(wide, doubtful, kernel, check)
    return made


def _gaussian(radius: int, sigma: float) -> Pixels:
    step = np.float32(2) / np.float32(2 * radius)
    number = np.arange(radius, dtype=np.float32)
    left = fused(number, step, np.float32(-1))
    place = np.concatenate([left, np.zeros(1, np.float32), -left[::-1]])
    distance = np.sqrt(place * place + (place * place)[:, None])
    exponent = -(distance * distance) / np.float32(2.0 * sigma * sigma)
    return np.exp(exponent.astype(np.float64)).astype(np.float32)


def _line(radius: int, sigma: float) -> Pixels:
    place = np.linspace(-1, 1, 2 * radius + 1)
    line = np.exp(-(place * place) / (2 * sigma * sigma))
    return (line / line.sum()).astype(np.float32)


def _sum(weights: Pixels) -> np.float32:
    """Sum in torch's order: in lanes, and what does not fill them first."""
    values = weights.ravel()
    whole = len(values) // _LANES * _LANES
    total = np.float32(0)
    for value in (*values[whole:], *summed(values[:whole].reshape(-1, _LANES), _CHAINS)):
        total += value
    return total


def _sum_all(padded: _Wide, kernel: Kernel, check: _Check) -> Pixels:
    size = len(kernel.line)
    height, width = padded.shape[0] - size + 1, padded.shape[1] - size + 1
    made = np.zeros((height, width, padded.shape[2]), np.float32)
    step = max(1, _BLOCK_ELEMENTS // made[0].size)
    for start in range(0, height, step):
        check()
        total = made[start : start + step]
        wide = np.empty(total.shape)
        for row, weights in enumerate(kernel.weights, start):
            for column, weight in enumerate(weights):
                window = padded[row : row + len(total), column : column + width]
                np.multiply(window, np.float64(weight), out=wide)
                wide += total
                total[...] = wide
    return made


def _sum_some(padded: _Wide, chosen: NDArray[np.bool_], kernel: Kernel, check: _Check) -> Pixels:
    _, row_length, channels = padded.shape
    rows, columns, bands = np.nonzero(chosen)
    places = (rows * row_length + columns) * channels + bands
    values = padded.reshape(-1)
    made = np.zeros(len(places), np.float32)
    for start in range(0, len(places), _BLOCK_ELEMENTS):
        check()
        block, total = places[start : start + _BLOCK_ELEMENTS], made[start : start + _BLOCK_ELEMENTS]
        for row, weights in enumerate(kernel.weights):
            for column, weight in enumerate(weights):
                offset = (row * row_length + column) * channels
                total[...] = values[block + offset] * np.float64(weight) + total
    return made


def _sum_flat(colors: Pixels, kernel: Kernel) -> Pixels:
    total = np.zeros_like(colors)
    for weight in kernel.weights.ravel():
        total = fused(colors, weight, total)
    return total


def _doubtful(made: Pixels, kernel: Kernel) -> NDArray[np.bool_]:
    """Mark where the value lies so near to a whole 255th that the roundings of its sum decide."""
    taps = kernel.weights.size
    slack = 255 * _ROUNDING * 8 * np.sqrt(taps) * np.abs(kernel.weights).sum()
    scaled = made * np.float32(255)
    is_near = np.abs(scaled - np.rint(scaled)) < slack
    return is_near & (scaled > -slack) & (scaled < 255 + slack)


def _flat(padded: Pixels, size: int) -> NDArray[np.bool_]:
    """Mark where all surroundings have the pixel's own color (and their neighbors above and to the left)."""
    changes = np.zeros(padded.shape, np.bool_)
    changes[1:] |= padded[1:] != padded[:-1]
    changes[:, 1:] |= padded[:, 1:] != padded[:, :-1]
    counts = np.zeros((padded.shape[0] + 1, padded.shape[1] + 1, padded.shape[2]), np.int32)
    counts[1:, 1:] = changes.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)
    found = counts[size:, size:] - counts[:-size, size:] - counts[size:, :-size] + counts[:-size, :-size]
    return found == 0


def _blurred(padded: Pixels, line: Pixels) -> Pixels:
    """Blur by columns and then by rows."""
    height, width, channels = padded.shape
    lines = _blur_lines(padded.reshape(height, width * channels), line).reshape(-1, width, channels)
    turned = np.ascontiguousarray(lines.transpose(1, 0, 2)).reshape(width, -1)
    blurred = _blur_lines(turned, line).reshape(-1, len(lines), channels)
    return np.ascontiguousarray(blurred.transpose(1, 0, 2))


def _blur_lines(padded: Pixels, line: Pixels) -> Pixels:
    """Convolve along the first axis, block by block, as a product with a band matrix: much faster than tap by tap."""
    reach = len(line) - 1
    band = np.zeros((_MATRIX_ROWS, _MATRIX_ROWS + reach), np.float32)
    for row in range(_MATRIX_ROWS):
        band[row, row : row + len(line)] = line
    made = np.empty((len(padded) - reach, padded.shape[1]), np.float32)
    for start in range(0, len(made), _MATRIX_ROWS):
        count = min(_MATRIX_ROWS, len(made) - start)
        np.matmul(band[:count, : count + reach], padded[start : start + count + reach], out=made[start : start + count])
    return made
