"""Nodes that hold a single value, and one that shows any value as text.

The same results as ComfyUI's, but for the text of pixels, which is numpy's and not torch's.
"""

import json
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import Input, Node, Output, Result

_MAX_NUMBER = 2**63 - 1
_SHOWN_NUMBERS = 100
_RANGE = {"min": -_MAX_NUMBER, "max": _MAX_NUMBER}


def _value(_: Context, value: Any) -> Result:
    return Result((value,))


def _show(_: Context, source: Any = None) -> Result:
    return Result(ui={"text": (_as_text(source),)})


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, int | float | bool):
        return str(value)
    if isinstance(value, np.ndarray):
        return np.array2string(cast("NDArray[Any]", value), threshold=_SHOWN_NUMBERS)
    try:
        return json.dumps(value, indent=4)
    except (TypeError, ValueError):
        return str(value)


def _primitive(name: str, display_name: str, kind: str, options: dict[str, Any]) -> Node:
    return Node(
        name=name,
        display_name=display_name,
        category="utils/primitive",
        summary="Holds one value.",
        run=_value,
        has_schema=True,
        inputs=(Input("value", kind, options),),
        outputs=(Output(kind),),
        module="comfy_extras.nodes_primitive",
    )


NODES = (
    _primitive("PrimitiveInt", "Int", "INT", {**_RANGE, "control_after_generate": True}),
    _primitive("PrimitiveFloat", "Float", "FLOAT", _RANGE),
    _primitive("PrimitiveString", "String", "STRING", {"multiline": False}),
    _primitive("PrimitiveStringMultiline", "String (Multiline)", "STRING", {"multiline": True}),
    _primitive("PrimitiveBoolean", "Boolean", "BOOLEAN", {}),
    Node(
        name="PreviewAny",
        display_name="Preview as Text",
        category="utils",
        summary="Shows a value as text.",
        run=_show,
        is_output=True,
        inputs=(Input("source", "*", {}),),
        module="comfy_extras.nodes_preview_any",
    ),
)
