"""A Gaussian blur like the core node's: its kernel spans -1 to 1 whatever the radius, edges are mirrored."""

import numpy as np

from fireside.runtimes.builtin.pictures import Pixels

_BLOCK = 64


def blur(image: Pixels, radius: int, sigma: float) -> Pixels:
    """Blur one [H,W,C]; sigma is in units of the radius, as in the core node."""
    height, width, channels = image.shape
    if radius >= min(height, width):
        raise ValueError(
            f"A blur radius of {radius} needs more than {radius} pixels; the picture has {width}x{height}."
        )
    kernel = _kernel(radius, sigma)
    columns = np.ascontiguousarray(image.transpose(1, 0, 2)).reshape(width, height * channels)
    blurred = _blur_rows(columns, kernel).reshape(width, height, channels)
    rows = np.ascontiguousarray(blurred.transpose(1, 0, 2)).reshape(height, width * channels)
    return _blur_rows(rows, kernel).reshape(height, width, channels)


def _kernel(radius: int, sigma: float) -> Pixels:
    x = np.linspace(-1, 1, 2 * radius + 1)
    kernel = np.exp(-(x * x) / (2 * sigma * sigma))
    return (kernel / kernel.sum()).astype(np.float32)


def _blur_rows(rows: Pixels, kernel: Pixels) -> Pixels:
    """Convolve along the first axis, block by block, as a product with a band matrix: much faster than tap by tap."""
    radius = len(kernel) // 2
    padded = np.pad(rows, ((radius, radius), (0, 0)), mode="reflect")
    band = np.zeros((_BLOCK, _BLOCK + 2 * radius), np.float32)
    for row in range(_BLOCK):
        band[row, row : row + len(kernel)] = kernel
    made = np.empty_like(rows)
    for start in range(0, len(rows), _BLOCK):
        count = min(_BLOCK, len(rows) - start)
        np.matmul(
            band[:count, : count + 2 * radius],
            padded[start : start + count + 2 * radius],
            out=made[start : start + count],
        )
    return made
