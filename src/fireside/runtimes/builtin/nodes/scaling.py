"""Nodes that change a picture's size.

8-bit equal to ComfyUI, but for `area` from a large picture down to a single pixel, which is within 1/255: torch sums in
threads there.
"""

import math

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import MAX_EDGE, Input, Node, Output, Result, decimal, whole
from fireside.runtimes.builtin.pictures import Pixels
from fireside.runtimes.builtin.resampling import CROPS, METHODS, resize


def _scale(_: Context, image: Pixels, upscale_method: str, width: int, height: int, crop: str) -> Result:
    old_height, old_width = image.shape[1:3]
    if width == 0 and height == 0:
        return Result((image,))
    # A zero stands for "as the aspect asks for".
    width = width or max(1, round(old_width * height / old_height))
    height = height or max(1, round(old_height * width / old_width))
    return Result((resize(image, width, height, upscale_method, crop),))


def _scale_by(_: Context, image: Pixels, upscale_method: str, scale_by: float) -> Result:
    height, width = (round(edge * scale_by) for edge in image.shape[1:3])
    return Result((resize(image, width, height, upscale_method),))


def _scale_to_total(_: Context, image: Pixels, upscale_method: str, megapixels: float) -> Result:
    old_height, old_width = image.shape[1:3]
    scale_by = math.sqrt(int(megapixels * 1024 * 1024) / (old_width * old_height))
    return Result((resize(image, round(old_width * scale_by), round(old_height * scale_by), upscale_method),))


NODES = (
    Node(
        name="ImageScale",
        display_name="Upscale Image",
        category="image/upscaling",
        summary="Resizes to a width and a height; a zero keeps the aspect.",
        run=_scale,
        inputs=(
            Input("image", "IMAGE"),
            Input("upscale_method", METHODS),
            whole("width", 512, 0, MAX_EDGE),
            whole("height", 512, 0, MAX_EDGE),
            Input("crop", CROPS),
        ),
        outputs=(Output("IMAGE"),),
    ),
    Node(
        name="ImageScaleBy",
        display_name="Upscale Image By",
        category="image/upscaling",
        summary="Resizes by a factor.",
        run=_scale_by,
        inputs=(Input("image", "IMAGE"), Input("upscale_method", METHODS), decimal("scale_by", 1.0, 0.01, 8.0, 0.01)),
        outputs=(Output("IMAGE"),),
    ),
    Node(
        name="ImageScaleToTotalPixels",
        display_name=None,
        category="image/upscaling",
        summary="Resizes to a number of pixels, with the same aspect.",
        run=_scale_to_total,
        has_schema=True,
        inputs=(
            Input("image", "IMAGE"),
            Input("upscale_method", METHODS),
            decimal("megapixels", 1.0, 0.01, 16.0, 0.01),
        ),
        outputs=(Output("IMAGE"),),
        module="comfy_extras.nodes_post_processing",
    ),
)
