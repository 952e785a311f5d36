"""Where named inputs and outputs lead: inputs of nodes, in a graph of the API format. `editor_places` is its twin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.editor.workflow import NOTHING
from fireside.graphs.errors import InvalidGraph, missing_class, unknown_class
from fireside.graphs.input_definitions import InputDefinition
from fireside.graphs.limits import GraphLimits
from fireside.graphs.links import source_of, unwrap
from fireside.graphs.parse import Node, parse_graph
from fireside.graphs.unknown_classes import with_all_unknown
from fireside.wire.v2_interfaces import FaultCode

Key = tuple[str, str]
"""A node's id in the graph that runs, and the name of the input."""


class Misplaced(Exception):
    """A declaration that leads nowhere."""

    def __init__(self, code: FaultCode, message: str) -> None:
        super().__init__(message)
        self.code: FaultCode = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An input that can be set: what it takes, and the value in the file, NOTHING where there is none."""

    key: Key
    class_name: str
    definition: InputDefinition
    value: Any
    is_random: bool = False
    """Whether the editor draws it anew after each run."""


class Places(Protocol):
    """A workflow of either format, with values that can be set."""

    def input_at(self, node_id: str, name: str) -> Place:
        """Find an input; raises `Misplaced`."""
        ...

    def check_output(self, node_id: str) -> None:
        """Make sure that a node makes outputs; raises `Misplaced`."""
        ...

    def graph(self, values: Mapping[Key, Any]) -> dict[str, Any]:
        """Give the graph that runs with these values; raises `InvalidGraph` where there can be none."""
        ...


class ApiPlaces:
    """A graph in API format; raises `InvalidGraph` for one with classes that nobody has, and as `parse_graph`."""

    def __init__(self, graph: Mapping[str, Any], definitions: NodeDefinitions, limits: GraphLimits) -> None:
        self._raw = graph
        self._graph = parse_graph(dict(graph), limits)
        self._definitions = definitions
        for node in self._graph.nodes.values():
            if definitions.get(node.class_type) is None:
                raise with_all_unknown(_unknown(node), self._graph, definitions)

    def input_at(self, node_id: str, name: str) -> Place:
        """Find an input; raises `Misplaced`."""
        node = self._node(node_id)
        definition = self._definitions.get(node.class_type)
        assert definition is not None, "classes are checked first"
        inputs = {one.name: one for one in definition.inputs_for(node.inputs)[0]}
        if name not in inputs:
            raise input_gone(node_id, definition.name, name)
        value = node.inputs.get(name, inputs[name].options.get("default", NOTHING))
        source = source_of(value)
        if source is not None:
            raise input_linked(node_id, name, source)
        return Place(key=(node_id, name), class_name=definition.name, definition=inputs[name], value=unwrap(value))

    def check_output(self, node_id: str) -> None:
        """Make sure that a node makes outputs; raises `Misplaced`."""
        node = self._node(node_id)
        definition = self._definitions.get(node.class_type)
        if definition is None or not definition.is_output:
            raise not_an_output(node_id, str(node.class_type))

    def graph(self, values: Mapping[Key, Any]) -> dict[str, Any]:
        """Give the graph that runs with these values."""
        changed = dict(self._raw)
        for (node_id, name), value in values.items():
            node = cast("dict[str, Any]", changed[node_id])
            changed[node_id] = {**node, "inputs": {**(node.get("inputs") or {}), name: value}}
        return changed

    def _node(self, node_id: str) -> Node:
        node = self._graph.nodes.get(node_id)
        if node is None:
            raise node_gone(node_id)
        return node


def node_gone(node_id: str) -> Misplaced:
    """Say that a node is not there."""
    return Misplaced("node_gone", f"the workflow has no node {node_id!r}")


def input_gone(node_id: str, class_name: str, name: str) -> Misplaced:
    """Say that a node has no such input."""
    return Misplaced("input_gone", f"the node {node_id!r} ({class_name}) has no input {name!r}")


def input_linked(node_id: str, name: str, source: str) -> Misplaced:
    """Say that an input gets its value from another node."""
    return Misplaced(
        "input_linked",
        f"the input {name!r} of the node {node_id!r} is fed by the node {source!r}; declare an input of that one",
    )


def not_an_output(node_id: str, class_name: str) -> Misplaced:
    """Say that a node is not one that makes outputs."""
    return Misplaced("not_an_output", f"the node {node_id!r} ({class_name}) shows nothing; name one that saves")


def _unknown(node: Node) -> InvalidGraph:
    if not node.has_class:
        return missing_class(node.id, node.title)
    return unknown_class(node.id, node.class_type, node.title)
