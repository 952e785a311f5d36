"""Nodes between pictures and masks.

8-bit equal to ComfyUI.
"""

import numpy as np

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import MAX_EDGE, Input, Node, Output, Result, decimal, whole
from fireside.runtimes.builtin.pictures import Pixels, filled
from fireside.runtimes.builtin.resampling import resize

_CHANNELS = ("red", "green", "blue", "alpha")
_COLORS = 3


def _mask_to_image(_: Context, mask: Pixels) -> Result:
    return Result((np.repeat(filled(mask)[..., None], _COLORS, axis=-1),))


def _image_to_mask(_: Context, image: Pixels, channel: str) -> Result:
    return Result((image[..., _CHANNELS.index(channel)].copy(),))


def _invert_mask(_: Context, mask: Pixels) -> Result:
    return Result((1 - mask,))


def _solid_mask(_: Context, value: float, width: int, height: int) -> Result:
    return Result((np.full((1, height, width), value, np.float32),))


def _split(_: Context, image: Pixels) -> Result:
    colors, alpha = image[..., :_COLORS], image[..., _COLORS:]
    mask = 1 - alpha[..., 0] if alpha.shape[-1] else np.zeros(image.shape[:-1], np.float32)
    return Result((colors.copy(), mask))


def _join(_: Context, image: Pixels, alpha: Pixels) -> Result:
    height, width = image.shape[1:3]
    fitted = resize(alpha[..., None], width, height, "bilinear")
    size = min(len(image), len(fitted))
    return Result((np.concatenate([image[:size, ..., :_COLORS], 1 - fitted[:size]], axis=-1),))


NODES = (
    Node(
        name="MaskToImage",
        display_name="Convert Mask to Image",
        category="mask",
        summary="Shows a mask as a gray picture.",
        run=_mask_to_image,
        inputs=(Input("mask", "MASK"),),
        outputs=(Output("IMAGE"),),
        module="comfy_extras.nodes_mask",
    ),
    Node(
        name="ImageToMask",
        display_name="Convert Image to Mask",
        category="mask",
        summary="Takes one channel of a picture as a mask.",
        run=_image_to_mask,
        inputs=(Input("image", "IMAGE"), Input("channel", _CHANNELS)),
        outputs=(Output("MASK"),),
        module="comfy_extras.nodes_mask",
    ),
    Node(
        name="InvertMask",
        display_name="InvertMask",
        category="mask",
        summary="Swaps what is covered and what is not.",
        run=_invert_mask,
        inputs=(Input("mask", "MASK"),),
        outputs=(Output("MASK"),),
        module="comfy_extras.nodes_mask",
    ),
    Node(
        name="SolidMask",
        display_name="SolidMask",
        category="mask",
        summary="Makes a mask of one value.",
        run=_solid_mask,
        inputs=(
            decimal("value", 1.0, 0.0, 1.0, 0.01),
            whole("width", 512, 1, MAX_EDGE),
            whole("height", 512, 1, MAX_EDGE),
        ),
        outputs=(Output("MASK"),),
        module="comfy_extras.nodes_mask",
    ),
    Node(
        name="SplitImageWithAlpha",
        display_name="Split Image with Alpha",
        category="mask/compositing",
        summary="Takes a picture's transparency apart as a mask.",
        run=_split,
        has_schema=True,
        inputs=(Input("image", "IMAGE"),),
        outputs=(Output("IMAGE"), Output("MASK")),
        module="comfy_extras.nodes_compositing",
    ),
    Node(
        name="JoinImageWithAlpha",
        display_name="Join Image with Alpha",
        category="mask/compositing",
        summary="Makes a picture transparent where the mask covers it.",
        run=_join,
        has_schema=True,
        inputs=(Input("image", "IMAGE"), Input("alpha", "MASK")),
        outputs=(Output("IMAGE"),),
        module="comfy_extras.nodes_compositing",
    ),
)
