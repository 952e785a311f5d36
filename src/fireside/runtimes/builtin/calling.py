"""Calling a node's function with lists: ComfyUI's list semantics.

Every input is a list of values. A node is called once per position, where shorter lists repeat their last value;
a node that takes lists is called once with all of them. The results are put together again per output slot.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from fireside.runtimes.builtin.cache import Computed
from fireside.runtimes.builtin.node import Node, Result

Given = TypeVar("Given")


def call_over_lists(node: Node, function: Callable[..., Given], arguments: Mapping[str, Sequence[Any]]) -> list[Given]:
    """Call `function` as often as the lists ask for."""
    if node.takes_lists:
        return [function(**{name: list(values) for name, values in arguments.items()})]
    for name, values in arguments.items():
        if not values:
            raise ValueError(f"The list that feeds {name} is empty.")
    calls = max((len(values) for values in arguments.values()), default=1)
    return [
        function(**{name: values[min(position, len(values) - 1)] for name, values in arguments.items()})
        for position in range(calls)
    ]


def put_together(node: Node, results: Sequence[Result]) -> Computed:
    """Make one result of those of all calls; arrays become read-only, because later nodes share them."""
    slots: list[list[Any]] = [[] for _ in node.outputs]
    for result in results:
        if len(result.values) != len(node.outputs):
            raise TypeError(f"{node.name} gave {len(result.values)} values for {len(node.outputs)} outputs.")
        for slot, output, value in zip(slots, node.outputs, result.values, strict=True):
            slot.extend(value if output.is_list else [value])
    for value in (value for slot in slots for value in slot):
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    shown = [result.ui for result in results if result.ui is not None]
    keys = dict.fromkeys(key for ui in shown for key in ui)
    ui = {key: tuple(item for entry in shown for item in entry.get(key, ())) for key in keys} if shown else None
    return Computed(tuple(tuple(slot) for slot in slots), ui)
