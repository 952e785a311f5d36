"""Nodes that turn pictures, give them borders and tell their size. 8-bit equal to ComfyUI."""

import numpy as np

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import MAX_EDGE, Input, Node, Output, Result, whole
from fireside.runtimes.builtin.pictures import Pixels

_FLIPS = {"x-axis: vertically": 1, "y-axis: horizontally": 2}
_QUARTERS = {"none": 0, "90 degrees": 1, "180 degrees": 2, "270 degrees": 3}
_BORDER = np.float32(0.5)
_EDGE_STEP = 8
_MODULE = "comfy_extras.nodes_images"


def _flip(_: Context, image: Pixels, flip_method: str) -> Result:
    return Result((np.ascontiguousarray(np.flip(image, _FLIPS[flip_method])),))


def _rotate(_: Context, image: Pixels, rotation: str) -> Result:
    return Result((np.ascontiguousarray(np.rot90(image, _QUARTERS[rotation], (2, 1))),))


def _size(_: Context, image: Pixels) -> Result:
    batch_size, height, width = image.shape[:3]
    return Result((width, height, batch_size))


def _pad(_: Context, image: Pixels, left: int, top: int, right: int, bottom: int, feathering: int) -> Result:
    batch_size, height, width, channels = image.shape
    size = (height + top + bottom, width + left + right)
    padded = np.full((batch_size, *size, channels), _BORDER, np.float32)
    place = np.s_[:, top : top + height, left : left + width]
    padded[place] = image
    mask = np.ones((1, *size), np.float32)
    mask[place] = _faded(height, width, (top, bottom), (left, right), feathering)
    return Result((padded, mask))


def _faded(height: int, width: int, rows: tuple[int, int], columns: tuple[int, int], feathering: int) -> Pixels:
    """Let the mask fade out inwards from each side that gets a border."""
    if feathering <= 0 or feathering * 2 >= min(height, width):
        return np.zeros((height, width), np.float32)
    distance = np.minimum(_distances(height, rows)[:, None], _distances(width, columns))
    part = np.maximum(feathering - distance, 0) / feathering
    return (part * part).astype(np.float32)


def _distances(length: int, borders: tuple[int, int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How far each line is from the nearer side that has a border."""
    number = np.arange(length)
    before = number if borders[0] else length
    behind = length - number if borders[1] else length
    return np.broadcast_to(np.minimum(before, behind), length)


NODES = (
    Node(
        name="ImageFlip",
        display_name="ImageFlip",
        category="image/transform",
        summary="Mirrors pictures.",
        run=_flip,
        inputs=(Input("image", "IMAGE"), Input("flip_method", tuple(_FLIPS))),
        outputs=(Output("IMAGE"),),
        module=_MODULE,
    ),
    Node(
        name="ImageRotate",
        display_name="ImageRotate",
        category="image/transform",
        summary="Turns pictures by quarters, clockwise.",
        run=_rotate,
        inputs=(Input("image", "IMAGE"), Input("rotation", tuple(_QUARTERS))),
        outputs=(Output("IMAGE"),),
        module=_MODULE,
    ),
    Node(
        name="ImagePadForOutpaint",
        display_name="Pad Image for Outpainting",
        category="image",
        summary="Gives a picture gray borders, and a mask that covers them and fades into the picture.",
        run=_pad,
        inputs=(
            Input("image", "IMAGE"),
            *(whole(side, 0, 0, MAX_EDGE, step=_EDGE_STEP) for side in ("left", "top", "right", "bottom")),
            whole("feathering", 40, 0, MAX_EDGE),
        ),
        outputs=(Output("IMAGE"), Output("MASK")),
    ),
    Node(
        name="GetImageSize",
        display_name="Get Image Size",
        category="image",
        summary="Tells the width, the height and the number of pictures.",
        description="Returns width and height of the image, and passes it through unchanged.",
        run=_size,
        inputs=(Input("image", "IMAGE"),),
        outputs=(Output("INT", "width"), Output("INT", "height"), Output("INT", "batch_size")),
        hidden={"unique_id": "UNIQUE_ID"},
        module=_MODULE,
    ),
)
