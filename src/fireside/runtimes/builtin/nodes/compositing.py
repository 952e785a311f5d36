"""ImageCompositeMasked: one picture laid into another.

8-bit equal to ComfyUI. A source with fewer channels than the destination gets an opaque one, where ComfyUI 0.3.75
fails.
"""

import numpy as np

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import MAX_EDGE, Input, Node, Output, Result, whole
from fireside.runtimes.builtin.nodes.batches import repeated, with_channels
from fireside.runtimes.builtin.pictures import Pixels
from fireside.runtimes.builtin.resampling import resize


def _composite(
    _: Context, destination: Pixels, source: Pixels, x: int, y: int, resize_source: bool, mask: Pixels | None = None
) -> Result:
    made = destination.copy()
    height, width = made.shape[1:3]
    source = with_channels(source, made.shape[-1])
    if resize_source:
        source = resize(source, width, height, "bilinear")
    source = repeated(source, len(made))
    cover = _cover(mask, source)
    left = max(-source.shape[2], min(x, width))
    top = max(-source.shape[1], min(y, height))
    # What of the source lies within the destination.
    seen = np.s_[:, : height - top + min(0, top), : width - left + min(0, left)]
    place = np.s_[:, top : top + source.shape[1], left : left + source.shape[2]]
    made[place] = cover[seen] * source[seen] + (1 - cover[seen]) * made[place]
    return Result((made,))


def _cover(mask: Pixels | None, source: Pixels) -> Pixels:
    """Give the mask in the source's size and number, [B,H,W,1]."""
    if mask is None:
        return np.ones((*source.shape[:3], 1), np.float32)
    return repeated(resize(mask[..., None], source.shape[2], source.shape[1], "bilinear"), len(source))


NODES = (
    Node(
        name="ImageCompositeMasked",
        display_name="ImageCompositeMasked",
        category="image",
        summary="Lays a picture into another one, where a mask covers it.",
        run=_composite,
        inputs=(
            Input("destination", "IMAGE"),
            Input("source", "IMAGE"),
            whole("x", 0, 0, MAX_EDGE),
            whole("y", 0, 0, MAX_EDGE),
            Input("resize_source", "BOOLEAN", {"default": False}),
            Input("mask", "MASK", optional=True),
        ),
        outputs=(Output("IMAGE"),),
        module="comfy_extras.nodes_mask",
    ),
)
