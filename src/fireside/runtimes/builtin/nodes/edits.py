"""Nodes that make or change single pictures. 8-bit equal to ComfyUI."""

import numpy as np

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import MAX_EDGE, Input, Node, Output, Result, whole
from fireside.runtimes.builtin.pictures import Pixels

_MAX_BATCH = 4096
_MAX_COLOR = 0xFFFFFF


def _empty(_: Context, width: int, height: int, batch_size: int = 1, color: int = 0) -> Result:
    channels = [(color >> shift & 0xFF) / 0xFF for shift in (16, 8, 0)]
    image = np.empty((batch_size, height, width, 3), np.float32)
    image[:] = channels
    return Result((image,))


def _invert(_: Context, image: Pixels) -> Result:
    return Result((1 - image,))


def _crop(_: Context, image: Pixels, width: int, height: int, x: int, y: int) -> Result:
    left, top = min(x, image.shape[2] - 1), min(y, image.shape[1] - 1)
    # A copy, so that the whole picture is not kept alive by a part of it.
    return Result((image[:, top : top + height, left : left + width].copy(),))


NODES = (
    Node(
        name="EmptyImage",
        display_name="EmptyImage",
        category="image",
        summary="Makes pictures of one color.",
        run=_empty,
        inputs=(
            whole("width", 512, 1, MAX_EDGE),
            whole("height", 512, 1, MAX_EDGE),
            Input("batch_size", "INT", {"default": 1, "min": 1, "max": _MAX_BATCH}),
            whole("color", 0, 0, _MAX_COLOR, display="color"),
        ),
        outputs=(Output("IMAGE"),),
    ),
    Node(
        name="ImageInvert",
        display_name="Invert Image",
        category="image",
        summary="Turns light into dark.",
        run=_invert,
        inputs=(Input("image", "IMAGE"),),
        outputs=(Output("IMAGE"),),
    ),
    Node(
        name="ImageCrop",
        display_name="Image Crop",
        category="image/transform",
        summary="Cuts out a rectangle, as far as the picture reaches.",
        run=_crop,
        inputs=(
            Input("image", "IMAGE"),
            whole("width", 512, 1, MAX_EDGE),
            whole("height", 512, 1, MAX_EDGE),
            whole("x", 0, 0, MAX_EDGE),
            whole("y", 0, 0, MAX_EDGE),
        ),
        outputs=(Output("IMAGE"),),
        module="comfy_extras.nodes_images",
    ),
)
