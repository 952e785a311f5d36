"""How large a workflow graph may be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphLimits:
    """`max_depth` counts nested objects and lists, the graph itself included."""

    max_nodes: int
    max_depth: int
