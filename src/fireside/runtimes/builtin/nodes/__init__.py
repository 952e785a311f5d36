"""The node classes, by theme; `NODES` is all of them by name."""

from fireside.runtimes.builtin.node import Node
from fireside.runtimes.builtin.nodes import (
    batches,
    blending,
    demos,
    edits,
    loading,
    masks,
    primitives,
    scaling,
    storing,
)

NODES: dict[str, Node] = {
    node.name: node
    for theme in (loading, storing, scaling, edits, blending, batches, masks, primitives, demos)
    for node in theme.NODES
}
