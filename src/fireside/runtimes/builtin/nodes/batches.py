"""Nodes that put pictures together in batches and take them out.

8-bit equal to ComfyUI.
"""

import numpy as np

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import Input, Node, Output, Result
from fireside.runtimes.builtin.pictures import Pixels
from fireside.runtimes.builtin.resampling import resize

_MAX_BATCH = 4096


def with_channels(image: Pixels, channels: int) -> Pixels:
    """Leave channels out, or add opaque ones."""
    missing = channels - image.shape[-1]
    if missing <= 0:
        return image[..., :channels]
    return np.concatenate([image, np.ones((*image.shape[:-1], missing), np.float32)], axis=-1)


def repeated(items: Pixels, count: int) -> Pixels:
    """Take the items of a batch over and over until there are enough."""
    return items[[number % len(items) for number in range(count)]]


def _batch(_: Context, image1: Pixels, image2: Pixels) -> Result:
    channels = max(image1.shape[-1], image2.shape[-1])
    first, second = with_channels(image1, channels), with_channels(image2, channels)
    if first.shape[1:] != second.shape[1:]:
        second = resize(second, first.shape[2], first.shape[1], "bilinear", "center")
    return Result((np.concatenate([first, second]),))


def _from_batch(_: Context, image: Pixels, batch_index: int, length: int) -> Result:
    start = min(len(image) - 1, batch_index)
    return Result((image[start : start + length].copy(),))


def _repeat(_: Context, image: Pixels, amount: int) -> Result:
    return Result((np.tile(image, (amount, 1, 1, 1)),))


NODES = (
    Node(
        name="ImageBatch",
        display_name="Batch Images",
        category="image",
        summary="Puts pictures into one batch, in the size of the first.",
        run=_batch,
        inputs=(Input("image1", "IMAGE"), Input("image2", "IMAGE")),
        outputs=(Output("IMAGE"),),
    ),
    Node(
        name="ImageFromBatch",
        display_name="ImageFromBatch",
        category="image/batch",
        summary="Takes some pictures out of a batch.",
        run=_from_batch,
        inputs=(
            Input("image", "IMAGE"),
            Input("batch_index", "INT", {"default": 0, "min": 0, "max": _MAX_BATCH - 1}),
            Input("length", "INT", {"default": 1, "min": 1, "max": _MAX_BATCH}),
        ),
        outputs=(Output("IMAGE"),),
        module="comfy_extras.nodes_images",
    ),
    Node(
        name="RepeatImageBatch",
        display_name="RepeatImageBatch",
        category="image/batch",
        summary="Repeats a batch.",
        run=_repeat,
        inputs=(Input("image", "IMAGE"), Input("amount", "INT", {"default": 1, "min": 1, "max": _MAX_BATCH})),
        outputs=(Output("IMAGE"),),
        module="comfy_extras.nodes_images",
    ),
)
