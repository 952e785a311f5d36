"""What a subgraph shows on its outside: inputs of nodes inside that are set, or fed, on the node that stands for it.

The inputs and values of such a node follow the subgraph's definition. Before editors wrote them there, a list of pairs
on the node (`proxyWidgets`) said which widgets of which inner nodes it shows; `old_promotion` carries those over.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fireside.domain.errors import TooLarge
from fireside.graphs.editor.shapes import list_in, object_in
from fireside.graphs.editor.workflow import Graph, Input, Named, Node, Port, Widget
from fireside.graphs.limits import GraphLimits

_QUARANTINE = "proxyWidgetErrorQuarantine"
_OUTSIDE = "-1"
_INPUTS_PER_NODE = 10


class Budget:
    """How many inputs the nodes that stand for subgraphs may have altogether.

    A file with many uses of a subgraph of many inputs is small, and what becomes of it is not.
    """

    def __init__(self, limits: GraphLimits) -> None:
        self._left = _INPUTS_PER_NODE * limits.max_nodes

    def take(self, count: int) -> None:
        """Count some more; raises `TooLarge` when there are too many."""
        self._left -= count
        if self._left < 0:
            raise TooLarge("the subgraphs of the workflow show too many inputs on the nodes that stand for them")


def configure_instance(node: Node, subgraph: Graph, budget: Budget) -> None:
    """Give a node that stands for a subgraph its inputs, outputs and saved values."""
    budget.take(len(subgraph.inputs) + len(subgraph.outputs))
    links = {one.name: one.link for one in node.inputs}
    node.inputs = Named(Input(name=port.name, type=port.type, link=links.get(port.name)) for port in subgraph.inputs)
    node.outputs = [port.type for port in subgraph.outputs]
    node.widgets = Named()
    for place, port in enumerate(subgraph.inputs):
        bind_port(node, place, port, subgraph)
    _restore(node)


def bind_port(node: Node, place: int, port: Port, subgraph: Graph) -> None:
    """Show on the node the widget that the subgraph's input leads to, if it leads to one."""
    for inner, target in targets_of(port, subgraph):
        shown = inner.widgets.get(target.widget)
        if shown is not None:
            node.inputs[place].widget = port.name
            node.widgets.append(Widget(name=port.name, kind=shown.kind, value=shown.value, options=shown.options))
            return


def targets_of(port: Port, subgraph: Graph) -> Iterator[tuple[Node, Input]]:
    """Give the inputs inside that a subgraph's input leads to."""
    for link_id in port.links:
        link = subgraph.links.get(link_id)
        found = subgraph.target_input(link) if link is not None else None
        if found is not None:
            yield found


def value_at(values: Any, place: int) -> tuple[Any, bool]:
    """Give the saved value at a place, and whether there is one."""
    listed = list_in(values)
    return (listed[place], True) if place < len(listed) else (None, False)


def _restore(node: Node) -> None:
    kept_apart = _kept_apart(node)
    by_name = object_in(node.saved_values)
    for place, widget in enumerate(node.widgets):
        value, is_there = value_at(node.saved_values, place)
        if widget.name in kept_apart:
            widget.value = kept_apart[widget.name]
        elif widget.name in by_name:
            widget.value = by_name[widget.name]
        elif is_there:
            widget.value = value


def _kept_apart(node: Node) -> Mapping[str, Any]:
    """Give the values of inputs that the editor could not carry over and keeps by name."""
    kept: dict[str, Any] = {}
    for entry in list_in(node.properties.get(_QUARANTINE)):
        match entry:
            case {"originalEntry": [_, str(name), *_] as original, "hostValue": value} if original[0] == _OUTSIDE:
                kept.setdefault(name, value)
            case _:
                pass
    return kept
