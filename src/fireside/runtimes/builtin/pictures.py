"""Pixels between numpy and Pillow.

An IMAGE is float32 [B,H,W,C] from 0 to 1, a MASK float32 [B,H,W], as in ComfyUI.
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.float32]
_PREVIEW_EDGE = 512
_PREVIEW_QUALITY = 80


def filled(mask: Pixels) -> Pixels:
    """Give the mask, unless there is nothing in it."""
    if not mask.size:
        raise ValueError(f"The mask is empty: {'x'.join(str(edge) for edge in mask.shape)}.")
    return mask


def as_8bit(pixels: Pixels) -> NDArray[np.uint8]:
    """Convert to bytes as ComfyUI does: clipped, fractions cut off, not rounded."""
    with np.errstate(invalid="ignore"):
        # What is no number becomes black.
        return np.clip(np.float32(255.0) * pixels, 0, 255).astype(np.uint8)


def from_8bit(values: NDArray[np.uint8]) -> Pixels:
    """Convert bytes to the range 0 to 1."""
    return values.astype(np.float32) / np.float32(255.0)


def to_picture(pixels: Pixels) -> Image.Image:
    """Make a Pillow picture of one [H,W,C]; 1, 3 or 4 channels become L, RGB or RGBA."""
    values = as_8bit(pixels)
    if values.shape[-1] == 1:
        values = values[..., 0]
    return Image.fromarray(values)


def from_picture(picture: Image.Image) -> Pixels:
    """Give a picture's pixels as [H,W,C]."""
    values = np.asarray(picture)
    return from_8bit(values if values.ndim == 3 else values[..., None])


def preview_of(pixels: Pixels) -> bytes:
    """Encode one [H,W,C] as a small JPEG."""
    # Every n-th pixel first: converting a large picture whole would cost more than the node's own step.
    stride = max(1, max(pixels.shape[:2]) // (2 * _PREVIEW_EDGE))
    picture = to_picture(pixels[::stride, ::stride]).convert("RGB")
    picture.thumbnail((_PREVIEW_EDGE, _PREVIEW_EDGE))
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=_PREVIEW_QUALITY)
    return buffer.getvalue()
