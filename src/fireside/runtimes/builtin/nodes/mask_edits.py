"""Nodes that change masks. 8-bit equal to ComfyUI."""

from collections.abc import Callable

import numpy as np

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import MAX_EDGE, Input, Node, Output, Result, decimal, whole
from fireside.runtimes.builtin.pictures import Pixels, filled

_SETTLED_EVERY = 16
_MODULE = "comfy_extras.nodes_mask"


def _crop(_: Context, mask: Pixels, x: int, y: int, width: int, height: int) -> Result:
    # A copy, so that the whole mask is not kept alive by a part of it.
    return Result((filled(mask)[:, y : y + height, x : x + width].copy(),))


def _composite(_: Context, destination: Pixels, source: Pixels, x: int, y: int, operation: str) -> Result:
    made, source = filled(destination).copy(), filled(source)
    height, width = made.shape[1:]
    right, bottom = min(x + source.shape[2], width), min(y + source.shape[1], height)
    below = made[:, y:bottom, x:right]
    below[...] = _OPERATIONS[operation](below, source[:, : bottom - y, : right - x])
    return Result((np.clip(made, 0, 1),))


def _multiply(below: Pixels, above: Pixels) -> Pixels:
    return below * above


def _add(below: Pixels, above: Pixels) -> Pixels:
    return below + above


def _subtract(below: Pixels, above: Pixels) -> Pixels:
    return below - above


def _and(below: Pixels, above: Pixels) -> Pixels:
    return ((np.rint(below) != 0) & (np.rint(above) != 0)).astype(np.float32)


def _or(below: Pixels, above: Pixels) -> Pixels:
    return ((np.rint(below) != 0) | (np.rint(above) != 0)).astype(np.float32)


def _xor(below: Pixels, above: Pixels) -> Pixels:
    return ((np.rint(below) != 0) ^ (np.rint(above) != 0)).astype(np.float32)


_OPERATIONS: dict[str, Callable[[Pixels, Pixels], Pixels]] = {
    "multiply": _multiply,
    "add": _add,
    "subtract": _subtract,
    "and": _and,
    "or": _or,
    "xor": _xor,
}


def _feather(_: Context, mask: Pixels, left: int, top: int, right: int, bottom: int) -> Result:
    made = filled(mask).copy()
    for lines, before, behind in ((made.transpose(2, 0, 1), left, right), (made.transpose(1, 0, 2), top, bottom)):
        # Backwards it begins with line -0, which is the first one: so does ComfyUI.
        for reach, step in ((before, 1), (behind, -1)):
            count = min(reach, len(lines))
            rates = (np.arange(1, count + 1) / count).astype(np.float32) if count > 0 else np.empty(0, np.float32)
            lines[step * np.arange(len(rates))] *= rates[:, None, None]
    return Result((made,))


def _grow(context: Context, mask: Pixels, expand: int, tapered_corners: bool) -> Result:
    pick = np.minimum if expand < 0 else np.maximum
    made = filled(mask).copy()
    for number in range(1, abs(expand) + 1):
        context.check_stop()
        grown = _picked(made, made, 1, pick)
        grown = _picked(grown, made if tapered_corners else grown.copy(), 2, pick)
        is_settled = number % _SETTLED_EVERY == 0 and np.array_equal(grown, made, equal_nan=True)
        made = grown
        if is_settled:
            break
    return Result((made,))


def _picked(into: Pixels, neighbors: Pixels, axis: int, pick: np.ufunc) -> Pixels:
    """Pick the greatest, or the least, of each value and its two neighbors on an axis."""
    made = into.copy() if into is neighbors else into
    lines, others = np.moveaxis(made, axis, 0), np.moveaxis(neighbors, axis, 0)
    pick(lines[1:], others[:-1], out=lines[1:])
    pick(lines[:-1], others[1:], out=lines[:-1])
    return made


def _threshold(_: Context, mask: Pixels, value: float) -> Result:
    return Result(((mask > value).astype(np.float32),))


NODES = (
    Node(
        name="CropMask",
        display_name="CropMask",
        category="mask",
        summary="Cuts out a rectangle, as far as the mask reaches.",
        run=_crop,
        inputs=(
            Input("mask", "MASK"),
            whole("x", 0, 0, MAX_EDGE),
            whole("y", 0, 0, MAX_EDGE),
            whole("width", 512, 1, MAX_EDGE),
            whole("height", 512, 1, MAX_EDGE),
        ),
        outputs=(Output("MASK"),),
        module=_MODULE,
    ),
    Node(
        name="MaskComposite",
        display_name="MaskComposite",
        category="mask",
        summary="Combines a second mask with a part of the first.",
        run=_composite,
        inputs=(
            Input("destination", "MASK"),
            Input("source", "MASK"),
            whole("x", 0, 0, MAX_EDGE),
            whole("y", 0, 0, MAX_EDGE),
            Input("operation", tuple(_OPERATIONS)),
        ),
        outputs=(Output("MASK"),),
        module=_MODULE,
    ),
    Node(
        name="FeatherMask",
        display_name="FeatherMask",
        category="mask",
        summary="Fades a mask out towards its edges.",
        run=_feather,
        inputs=(
            Input("mask", "MASK"),
            whole("left", 0, 0, MAX_EDGE),
            whole("top", 0, 0, MAX_EDGE),
            whole("right", 0, 0, MAX_EDGE),
            whole("bottom", 0, 0, MAX_EDGE),
        ),
        outputs=(Output("MASK"),),
        module=_MODULE,
    ),
    Node(
        name="GrowMask",
        display_name="GrowMask",
        category="mask",
        summary="Lets what a mask covers grow, or shrink with a negative number.",
        run=_grow,
        inputs=(
            Input("mask", "MASK"),
            whole("expand", 0, -MAX_EDGE, MAX_EDGE),
            Input("tapered_corners", "BOOLEAN", {"default": True}),
        ),
        outputs=(Output("MASK"),),
        module=_MODULE,
    ),
    Node(
        name="ThresholdMask",
        display_name="ThresholdMask",
        category="mask",
        summary="Covers fully what is covered by more than a value, and nothing else.",
        run=_threshold,
        inputs=(Input("mask", "MASK"), decimal("value", 0.5, 0.0, 1.0, 0.01)),
        outputs=(Output("MASK"),),
        module=_MODULE,
    ),
)
