"""Nodes that make or change single pictures.

All are 8-bit equal to ComfyUI but ImageBlur, which is within 1/255, because sums are rounded in another order.
"""

import numpy as np

from fireside.runtimes.builtin.blurring import blur
from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import MAX_EDGE, Input, Node, Output, Result, decimal, whole
from fireside.runtimes.builtin.pictures import Pixels

_MAX_BATCH = 4096
_MAX_COLOR = 0xFFFFFF
_MAX_RADIUS = 31


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


def _blur(context: Context, image: Pixels, blur_radius: int, sigma: float) -> Result:
    made = np.empty_like(image)
    for number, item in enumerate(image):
        context.check_stop()
        made[number] = blur(item, blur_radius, sigma)
    return Result((made,))


NODES = (
    Node(
        name="EmptyImage",
        display_name="EmptyImage",
        category="image",
        description="Makes pictures of one color.",
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
        description="Turns light into dark.",
        run=_invert,
        inputs=(Input("image", "IMAGE"),),
        outputs=(Output("IMAGE"),),
    ),
    Node(
        name="ImageCrop",
        display_name="Image Crop",
        category="image/transform",
        description="Cuts out a rectangle, as far as the picture reaches.",
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
    Node(
        name="ImageBlur",
        display_name="ImageBlur",
        category="image/postprocessing",
        description="Blurs with a Gaussian whose sigma is in units of the radius.",
        run=_blur,
        inputs=(
            Input("image", "IMAGE"),
            whole("blur_radius", 1, 1, _MAX_RADIUS),
            decimal("sigma", 1.0, 0.1, 10.0, 0.1),
        ),
        outputs=(Output("IMAGE"),),
        module="comfy_extras.nodes_post_processing",
    ),
)
