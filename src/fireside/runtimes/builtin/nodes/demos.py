"""Nodes of our own, for demonstrations and tests: they take time, fail, choose and make lists."""

import os
from collections.abc import Collection
from typing import Any

import numpy as np

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import Input, Node, Output, Result, decimal, whole
from fireside.runtimes.builtin.pictures import Pixels

_CATEGORY = "fireside/demo"
_MODULE = "fireside"
_MAX_SECONDS = 3600.0
_MAX_STEPS = 10_000
_BEHAVIORS = ("raise", "crash")


def _sleep(context: Context, image: Pixels, seconds: float, steps: int) -> Result:
    """Let the picture appear from above, step by step."""
    shown = np.zeros_like(image[0])
    for step in range(1, steps + 1):
        context.wait(seconds / steps)
        reached = len(shown) * step // steps
        shown[:reached] = image[0][:reached]
        context.step(step, steps, shown)
    return Result((image,))


def _fail(_: Context, message: str, how: str, **_passed: Pixels) -> Result:
    if how == "crash":
        os._exit(1)
    raise ValueError(message)


def _switch(_: Context, switch: bool, on_false: Any = None, on_true: Any = None) -> Result:
    return Result((on_true if switch else on_false,))


def _wanted_branch(_: Context, switch: bool, on_false: Any = None, on_true: Any = None) -> Collection[str]:
    branch = ("on_true", on_true) if switch else ("on_false", on_false)
    return [branch[0]] if branch[1] is None else []


def _split(_: Context, text: str) -> Result:
    return Result((text.splitlines(),))


def _join(_: Context, texts: list[str]) -> Result:
    return Result(("\n".join(texts),))


def _demo(summary: str, **declared: Any) -> Node:
    return Node(category=_CATEGORY, module=_MODULE, summary=summary, description=summary, **declared)


NODES = (
    _demo(
        "Passes a picture on after a while, with progress and previews.",
        name="FiresideSleep",
        display_name="Sleep",
        run=_sleep,
        inputs=(
            Input("image", "IMAGE"),
            decimal("seconds", 1.0, 0.0, _MAX_SECONDS, 0.1),
            whole("steps", 10, 1, _MAX_STEPS),
        ),
        outputs=(Output("IMAGE"),),
    ),
    _demo(
        "Fails with a message, or takes the runtime's process down.",
        name="FiresideFail",
        display_name="Fail",
        run=_fail,
        inputs=(
            Input("image", "IMAGE"),
            Input("message", "STRING", {"default": "This node always fails."}),
            Input("how", _BEHAVIORS),
        ),
        outputs=(Output("IMAGE"),),
    ),
    _demo(
        "Gives one of two values; what feeds the other one does not run.",
        name="FiresideSwitch",
        display_name="Switch",
        run=_switch,
        check_lazy=_wanted_branch,
        inputs=(
            Input("switch", "BOOLEAN", {"default": True}),
            Input("on_false", "*", {"lazy": True}, optional=True),
            Input("on_true", "*", {"lazy": True}, optional=True),
        ),
        outputs=(Output("*", "value"),),
    ),
    _demo(
        "Makes a list of the lines of a text; later nodes run once for each.",
        name="FiresideSplitLines",
        display_name="Split Lines",
        run=_split,
        inputs=(Input("text", "STRING", {"multiline": True, "default": ""}),),
        outputs=(Output("STRING", "line", is_list=True),),
    ),
    _demo(
        "Makes one text of a list.",
        name="FiresideJoinLines",
        display_name="Join Lines",
        run=_join,
        takes_lists=True,
        inputs=(Input("texts", "STRING", {"forceInput": True}),),
        outputs=(Output("STRING", "text"),),
    ),
)
