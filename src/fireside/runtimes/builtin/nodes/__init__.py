"""The node classes, by theme; `NODES` is all of them by name."""

from fireside.runtimes.builtin.node import Node
from fireside.runtimes.builtin.nodes import (
    animating,
    batches,
    blending,
    compositing,
    demos,
    edits,
    filters,
    loading,
    mask_edits,
    masks,
    primitives,
    scaling,
    shaping,
    storing,
)

_THEMES = (
    loading,
    storing,
    animating,
    scaling,
    edits,
    shaping,
    filters,
    blending,
    compositing,
    batches,
    masks,
    mask_edits,
    primitives,
    demos,
)
NODES: dict[str, Node] = {node.name: node for theme in _THEMES for node in theme.NODES}
