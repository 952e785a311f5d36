"""All nodes of a graph that no worker has the class of, for callers who want to hear of them at once."""

from typing import Any

from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.errors import InvalidGraph, missing_class, unknown_class
from fireside.graphs.parse import Graph, Node

_MOST_SHOWN = 1000


def with_all_unknown(error: InvalidGraph, graph: Graph, definitions: NodeDefinitions) -> InvalidGraph:
    """Give a refusal that names one node of an unknown class as one that names them all; any other as it is."""
    if error.type != "missing_node_type":
        return error
    unknown = [node for node in graph.nodes.values() if definitions.get(node.class_type) is None][:_MOST_SHOWN]
    return InvalidGraph(
        error.type,
        error.message,
        details=error.details,
        extra_info=error.extra_info,
        node_errors={node.id: _node_error(node) for node in unknown},
    )


def _node_error(node: Node) -> dict[str, Any]:
    said = unknown_class(node.id, node.class_type, node.title) if node.has_class else missing_class(node.id, node.title)
    problem = {"type": said.type, "message": said.message, "details": said.details, "extra_info": said.extra_info}
    return {"errors": [problem], "dependent_outputs": [], "class_type": node.class_type}
