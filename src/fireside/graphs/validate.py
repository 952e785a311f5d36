"""A graph held against the node definitions: refused as a whole, taken as a whole, or taken without its bad chains.

The rules and texts are the open-source server's, so that what it would run is taken and what it would refuse is refused
in its words. Custom validators of nodes are code on a worker and not asked here: what they say is told from outside;
those of the file loaders are known.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fireside.graphs import errors
from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.links import source_of, sources_of
from fireside.graphs.node_check import Checked, NodeChecker
from fireside.graphs.parse import Graph, Node
from fireside.graphs.problems import Problem
from fireside.graphs.walk import Walk

# More than people read, and few enough that a hostile graph is not answered with a hundred times its own size.
_MOST_FAULTY_NODES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidGraph:
    """A graph that can run: what its `outputs` need and nothing else, in API format, its values as nodes get them."""

    graph: Mapping[str, Any]
    outputs: tuple[str, ...]
    node_errors: Mapping[str, Any]

    def node_errors_body(self) -> dict[str, Any]:
        """Say what was wrong with the chains that were left out, empty if none were."""
        return dict(self.node_errors)


def validate_graph(
    graph: Graph,
    definitions: NodeDefinitions,
    *,
    targets: Sequence[str] | None,
    known_files: Collection[str],
    refused: Mapping[str, Sequence[Problem]] | None = None,
) -> ValidGraph:
    """Validate what the graph's outputs need, or only those outputs among them that `targets` names.

    `known_files` are the file values, as written, that exist for the caller, `refused` what nodes' own validators said
    against them, by node. Raises `InvalidGraph` unless at least one
    output can be made.
    """
    _check_classes(graph, definitions)
    outputs = _outputs(graph, definitions, targets)
    walk = Walk(
        NodeChecker(graph, definitions, known_files, refused or {}).check,
        lambda node_id: graph.nodes[node_id].class_type,
    )
    good = tuple(output for output in outputs if walk.visit(output))
    passed = frozenset(good)
    failed = [output for output in outputs if output not in passed]
    node_errors = _node_errors(graph, walk, failed)
    if not good:
        raise errors.outputs_failed(_reasons(walk, failed), node_errors)
    return ValidGraph(graph=_kept(graph, walk, good), outputs=good, node_errors=node_errors)


def _check_classes(graph: Graph, definitions: NodeDefinitions) -> None:
    for node in graph.nodes.values():
        if not node.has_class:
            raise errors.missing_class(node.id, node.title)
        if definitions.get(node.class_type) is None:
            raise errors.unknown_class(node.id, node.class_type, node.title)


def _outputs(graph: Graph, definitions: NodeDefinitions, targets: Sequence[str] | None) -> list[str]:
    wanted = graph.nodes if targets is None else frozenset(target for target in targets if isinstance(target, str))
    outputs = [
        node.id
        for node in graph.nodes.values()
        if node.id in wanted and (definition := definitions.get(node.class_type)) is not None and definition.is_output
    ]
    if not outputs:
        raise errors.no_outputs()
    return outputs


def _node_errors(graph: Graph, walk: Walk, failed: Sequence[str]) -> dict[str, Any]:
    dependents = walk.dependent_outputs(failed)
    faulty = [node_id for node_id, checked in walk.nodes.items() if checked.problems]
    return {
        node_id: {
            "errors": walk.nodes[node_id].problems,
            "dependent_outputs": dependents[node_id],
            "class_type": graph.nodes[node_id].class_type,
        }
        for node_id in faulty[:_MOST_FAULTY_NODES]
    }


def _reasons(walk: Walk, failed: Sequence[str]) -> str:
    return "\n".join(
        f"{problem['message']}: {problem['details']}" for output in failed for problem in walk.nodes[output].problems
    )


def _kept(graph: Graph, walk: Walk, outputs: Sequence[str]) -> dict[str, Any]:
    """Write down what the outputs need, inputs included that only the node's own code knows of."""
    needed: set[str] = set()
    left = list(outputs)
    while left:
        node_id = left.pop()
        if node_id not in needed and node_id in graph.nodes:
            needed.add(node_id)
            left.extend(sources_of(graph.nodes[node_id].inputs))
    return {
        node_id: _written(node, graph, walk.nodes.get(node_id))
        for node_id, node in graph.nodes.items()
        if node_id in needed
    }


def _written(node: Node, graph: Graph, checked: Checked | None) -> dict[str, Any]:
    values = {} if checked is None else checked.values
    # An undeclared link to nowhere is ignored here, and would end the run there.
    inputs = {
        name: values.get(name, value)
        for name, value in node.inputs.items()
        if (source := source_of(value)) is None or source in graph.nodes
    }
    return {**(node.raw or {}), "inputs": inputs}
