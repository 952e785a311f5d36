"""Where named inputs and outputs lead in a workflow of the editor's: widgets of its nodes.

A node that stands for a subgraph has the widgets that it shows on its outside; those of nodes inside (`12:5`) can be
named too, as far as nothing outside feeds them. A value is set before the workflow is made into a graph, so that it
reaches all that the widget feeds.
"""

from collections.abc import Mapping
from typing import Any

from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.editor.convert import Opened
from fireside.graphs.editor.promotion import targets_of
from fireside.graphs.editor.resolving import PRIMITIVE_WIDGET, FromNode, Level, Literal, Resolver, primitive_value
from fireside.graphs.editor.shapes import list_in
from fireside.graphs.editor.workflow import NOTHING, Frontend, Node, Widget
from fireside.graphs.input_definitions import InputDefinition, read_input
from fireside.graphs.interface.places import (
    Key,
    Misplaced,
    Place,
    input_gone,
    input_linked,
    node_gone,
    not_an_output,
)

_CONTROL = "control_after_generate"
_RANDOM = "randomize"


class EditorPlaces:
    """A workflow that the editor saved, opened."""

    def __init__(self, opened: Opened, definitions: NodeDefinitions) -> None:
        self._opened = opened
        self._definitions = definitions
        self._resolver = Resolver(opened.workflow)

    def input_at(self, node_id: str, name: str) -> Place:
        """Find an input; raises `Misplaced`."""
        level, node = self._node(node_id)
        if node.type == Frontend.PRIMITIVE and name == PRIMITIVE_WIDGET:
            return self._primitive(level, node)
        widget = node.widgets.get(name)
        if widget is None or not widget.is_sent:
            known = any(one.name == name for one in node.inputs)
            if known:
                raise Misplaced("not_settable", f"the input {name!r} of the node {node_id!r} takes links alone")
            raise input_gone(node_id, node.type, name)
        self._check_free(level, node, name)
        return Place(
            key=(level.id_of(node), name),
            class_name=node.type,
            definition=_definition(node.type, widget),
            value=widget.value,
            is_random=self._is_random(node, name),
        )

    def check_output(self, node_id: str) -> None:
        """Make sure that a node makes outputs; raises `Misplaced`."""
        _, node = self._node(node_id)
        definition = self._definitions.get(node.type)
        if definition is None or not definition.is_output:
            raise not_an_output(node_id, node.type)

    def graph(self, values: Mapping[Key, Any]) -> dict[str, Any]:
        """Give the graph that runs with these values."""
        return self._opened.convert(values).graph

    def promoted_from(self, node_id: str, name: str) -> Key | None:
        """Find the one node that shows an inner node's widget on its outside: what older editors named by the inner."""
        root, found = self._opened.workflow.root, list[Key]()
        for host in root.nodes.values():
            subgraph = self._opened.workflow.subgraph_of(host)
            for port in subgraph.inputs if subgraph is not None else ():
                inner = next(targets_of(port, subgraph), None) if subgraph is not None else None
                if inner is not None and (inner[0].id, inner[1].widget) == (node_id, name):
                    found.append((host.id, port.name))
        return found[0] if len(found) == 1 else None

    def _node(self, node_id: str) -> tuple[Level, Node]:
        *path, last = node_id.split(":")
        level: Level | None = self._opened.top
        for step in path:
            level = level.inner.get(step) if level is not None else None
        node = level.graph.nodes.get(last) if level is not None else None
        if level is None or node is None:
            raise node_gone(node_id)
        if not node.is_active:
            raise Misplaced("node_gone", f"the node {node_id!r} is muted or bypassed")
        return level, node

    def _check_free(self, level: Level, node: Node, name: str) -> None:
        for one in node.inputs:
            if one.widget != name:
                continue
            source = self._resolver.source_of(level, node, one)
            if isinstance(source, FromNode):
                raise input_linked(level.id_of(node), name, source.node_id)
            if isinstance(source, Literal):
                place = f"the input {name!r} of the node {level.id_of(node)!r}"
                raise Misplaced("input_linked", f"{place} is set from outside; declare the input there")

    def _primitive(self, level: Level, node: Node) -> Place:
        """Find what a primitive feeds: it takes what that takes."""
        for link in level.graph.links.values():
            target = level.graph.target_input(link) if link.origin == node.id else None
            fed = target[0].widgets.get(target[1].widget) if target is not None else None
            if target is None or fed is None:
                continue
            source = primitive_value(node, "*")
            return Place(
                key=(level.id_of(node), PRIMITIVE_WIDGET),
                class_name=target[0].type,
                definition=_definition(target[0].type, fed),
                value=source.value if isinstance(source, Literal) else NOTHING,
                is_random=_RANDOM in list_in(node.saved_values)[1:2],
            )
        raise input_gone(level.id_of(node), node.type, PRIMITIVE_WIDGET)

    def _is_random(self, node: Node, name: str) -> bool:
        subgraph = self._opened.workflow.subgraph_of(node)
        if subgraph is not None:
            port = next((one for one in subgraph.inputs if one.name == name), None)
            inner = next(targets_of(port, subgraph), None) if port is not None else None
            return inner is not None and inner[1].widget is not None and self._is_random(inner[0], inner[1].widget)
        widgets = list(node.widgets)
        following = widgets[1:]
        return any(
            one.name == name and control.name == _CONTROL and control.value == _RANDOM
            for one, control in zip(widgets, following, strict=False)
        )


def _definition(class_name: str, widget: Widget) -> InputDefinition:
    return read_input(class_name, widget.name, [widget.kind, dict(widget.options)], required=True)
