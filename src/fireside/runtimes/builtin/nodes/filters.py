"""Nodes that blur, sharpen and reduce colors.

8-bit equal to ComfyUI with an equal Pillow, but for a few values of wide blurs, which are one step off: torch takes
roots and exponentials from a library that rounds their last bit otherwise.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.convolving import Kernel, blurring, convolve, sharpening
from fireside.runtimes.builtin.node import Input, Node, Output, Result, decimal, whole
from fireside.runtimes.builtin.pictures import Pixels, from_8bit

_MAX_RADIUS = 31
_MAX_COLORS = 256
_COLOR_CHANNELS = 3
_DITHERS = {"none": 0, "floyd-steinberg": 0, "bayer-2": 2, "bayer-4": 4, "bayer-8": 8, "bayer-16": 16}
_MODULE = "comfy_extras.nodes_post_processing"


def _blur(context: Context, image: Pixels, blur_radius: int, sigma: float) -> Result:
    if blur_radius == 0:
        return Result((image,))
    return Result((_convolved(context, image, blurring(blur_radius, sigma)),))


def _sharpen(context: Context, image: Pixels, sharpen_radius: int, sigma: float, alpha: float) -> Result:
    if sharpen_radius == 0:
        return Result((image,))
    return Result((np.clip(_convolved(context, image, sharpening(sharpen_radius, sigma, alpha)), 0, 1),))


def _convolved(context: Context, image: Pixels, kernel: Kernel) -> Pixels:
    made = np.empty_like(image)
    for number, item in enumerate(image):
        made[number] = convolve(item, kernel, context.check_stop)
    return made


def _quantize(context: Context, image: Pixels, colors: int, dither: str) -> Result:
    if image.shape[-1] != _COLOR_CHANNELS:
        raise ValueError(f"Colors are counted in pictures of 3 channels; this one has {image.shape[-1]}.")
    made = np.empty_like(image)
    for number, item in enumerate(image):
        context.check_stop()
        # Over whole numbers, so that what is out of range wraps around as it does in torch.
        picture = Image.fromarray((item * np.float32(255)).astype(np.int32).astype(np.uint8))
        palette = picture.quantize(colors)
        if _DITHERS[dither]:
            picture = _dithered(picture, palette, _DITHERS[dither])
        way = Image.Dither.FLOYDSTEINBERG if dither == "floyd-steinberg" else Image.Dither.NONE
        made[number] = from_8bit(np.asarray(picture.quantize(palette=palette, dither=way).convert("RGB")))
    return Result((made,))


def _dithered(picture: Image.Image, palette: Image.Image, order: int) -> Image.Image:
    """Add a Bayer pattern, the stronger the fewer colors there are."""
    colors = len(palette.getpalette() or ()) // _COLOR_CHANNELS
    pattern = np.float32(2 * 256 / colors) * _bayer(order) + np.float32(0.5)
    times = (-(-picture.height // order), -(-picture.width // order))
    tiled = np.tile(pattern, times)[: picture.height, : picture.width, None]
    return Image.fromarray(np.clip(np.asarray(picture) + tiled, 0, 255).astype(np.uint8))


def _bayer(order: int) -> NDArray[np.float32]:
    if order == 1:
        return np.zeros((1, 1), np.float32)
    count = np.float32(order * order)
    inner = count * _bayer(order // 2)
    blocks: Any = [
        [inner - np.float32(1.5), inner + np.float32(0.5)],
        [inner + np.float32(1.5), inner - np.float32(0.5)],
    ]
    return np.block(blocks).astype(np.float32) / count


NODES = (
    Node(
        name="ImageBlur",
        display_name=None,
        category="image/postprocessing",
        summary="Blurs with a Gaussian whose sigma is in units of the radius.",
        run=_blur,
        has_schema=True,
        inputs=(
            Input("image", "IMAGE"),
            whole("blur_radius", 1, 1, _MAX_RADIUS),
            decimal("sigma", 1.0, 0.1, 10.0, 0.1),
        ),
        outputs=(Output("IMAGE"),),
        module=_MODULE,
    ),
    Node(
        name="ImageSharpen",
        display_name=None,
        category="image/postprocessing",
        summary="Strengthens what differs from its blurred surroundings.",
        run=_sharpen,
        has_schema=True,
        inputs=(
            Input("image", "IMAGE"),
            whole("sharpen_radius", 1, 1, _MAX_RADIUS),
            decimal("sigma", 1.0, 0.1, 10.0, 0.01),
            decimal("alpha", 1.0, 0.0, 5.0, 0.01),
        ),
        outputs=(Output("IMAGE"),),
        module=_MODULE,
    ),
    Node(
        name="ImageQuantize",
        display_name=None,
        category="image/postprocessing",
        summary="Reduces a picture to a number of colors.",
        run=_quantize,
        has_schema=True,
        inputs=(
            Input("image", "IMAGE"),
            whole("colors", _MAX_COLORS, 1, _MAX_COLORS),
            Input("dither", tuple(_DITHERS)),
        ),
        outputs=(Output("IMAGE"),),
        module=_MODULE,
    ),
)
