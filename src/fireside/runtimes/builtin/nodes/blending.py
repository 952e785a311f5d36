"""ImageBlend: two pictures into one.

The second picture gets as many channels as the first: an opaque one is added, or transparency is left out. 8-bit
equal to ComfyUI.
"""

from collections.abc import Callable

import numpy as np

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import Input, Node, Output, Result, decimal
from fireside.runtimes.builtin.nodes.batches import with_channels
from fireside.runtimes.builtin.pictures import Pixels
from fireside.runtimes.builtin.resampling import resize


def _blend(_: Context, image1: Pixels, image2: Pixels, blend_factor: float, blend_mode: str) -> Result:
    top = with_channels(image2, image1.shape[-1])
    if image1.shape[1:] != top.shape[1:]:
        top = resize(top, image1.shape[2], image1.shape[1], "bicubic", "center")
    blended = _MODES[blend_mode](image1, top)
    return Result((np.clip(image1 * (1 - blend_factor) + blended * blend_factor, 0, 1),))


def _normal(_: Pixels, top: Pixels) -> Pixels:
    return top


def _multiply(base: Pixels, top: Pixels) -> Pixels:
    return base * top


def _screen(base: Pixels, top: Pixels) -> Pixels:
    return 1 - (1 - base) * (1 - top)


def _overlay(base: Pixels, top: Pixels) -> Pixels:
    return np.where(base <= 0.5, 2 * base * top, 1 - 2 * (1 - base) * (1 - top))


def _soft_light(base: Pixels, top: Pixels) -> Pixels:
    darker = base - (1 - 2 * top) * base * (1 - base)
    lighter = base + (2 * top - 1) * (_soft_curve(base) - base)
    return np.where(top <= 0.5, darker, lighter)


def _soft_curve(base: Pixels) -> Pixels:
    low = ((16 * base - 12) * base + 4) * base
    return np.where(base <= 0.25, low, np.sqrt(np.maximum(base, 0)))


def _difference(base: Pixels, top: Pixels) -> Pixels:
    return base - top


_MODES: dict[str, Callable[[Pixels, Pixels], Pixels]] = {
    "normal": _normal,
    "multiply": _multiply,
    "screen": _screen,
    "overlay": _overlay,
    "soft_light": _soft_light,
    "difference": _difference,
}

NODES = (
    Node(
        name="ImageBlend",
        display_name=None,
        category="image/postprocessing",
        summary="Mixes a second picture into the first.",
        run=_blend,
        has_schema=True,
        inputs=(
            Input("image1", "IMAGE"),
            Input("image2", "IMAGE"),
            decimal("blend_factor", 0.5, 0.0, 1.0, 0.01),
            Input("blend_mode", tuple(_MODES)),
        ),
        outputs=(Output("IMAGE"),),
        module="comfy_extras.nodes_post_processing",
    ),
)
