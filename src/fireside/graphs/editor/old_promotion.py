"""Carries the widgets that an old file shows on a subgraph's node (`proxyWidgets`) over to inputs of the subgraph.

Each pair names an inner node and one of its widgets; the saved values of the node are in the order of the pairs. What
is an input of the subgraph already is only given its value; for the others the subgraph gets an input, which all other
nodes that stand for it then have too. What names nothing any more is passed over, as the editor does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fireside.domain.errors import TooLarge
from fireside.graphs.editor.promotion import Budget, bind_port, targets_of, value_at
from fireside.graphs.editor.shapes import list_in
from fireside.graphs.editor.workflow import Frontend, Graph, Input, Link, Node, Port, Workflow

_PROPERTY = "proxyWidgets"
_PREFIX = re.compile(r"^\s*(\d+)\s*:\s*(.+)$")
_PREVIEW = "$$"
_MOST_NESTED = 100
_MOST_PAIRS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """An inner node and its widget, with the value that the outer node has for it, if any."""

    node_id: str
    widget: str
    inner_id: str | None
    value: Any
    has_value: bool


class OldPromotion:
    """Carries the old lists of one graph over; `instances` are the nodes that are configured already, by subgraph."""

    def __init__(self, workflow: Workflow, instances: dict[str, list[Node]], budget: Budget) -> None:
        self._workflow = workflow
        self._instances = instances
        self._budget = budget
        self._taken: dict[str, int] = {}

    def carry_over(self, node: Node) -> None:
        """Carry over the list of one node."""
        subgraph = self._workflow.subgraphs[node.type]
        pairs = self._pairs(node, subgraph)
        # What is to be done with each is decided before anything is done.
        ports: dict[tuple[str, str] | None, Port] = {}
        for port in subgraph.inputs:
            ports.setdefault(self._source_of(subgraph, port), port)
        linked = [ports.get((pair.node_id, pair.widget)) for pair in pairs]
        self._taken = dict.fromkeys((port.name for port in subgraph.inputs), 0)
        primitives: dict[str, list[_Pair]] = {}
        for pair, port in zip(pairs, linked, strict=True):
            inner = subgraph.nodes.get(pair.node_id)
            if port is not None:
                _set_value(node, port.name, pair)
            elif inner is not None and inner.type == Frontend.PRIMITIVE:
                primitives.setdefault(inner.id, []).append(pair)
            elif inner is not None and not pair.widget.startswith(_PREVIEW):
                self._add_input(node, subgraph, inner, pair)
        for primitive_id, of_primitive in primitives.items():
            self._replace_primitive(node, subgraph, subgraph.nodes[primitive_id], of_primitive)

    def _pairs(self, node: Node, subgraph: Graph) -> list[_Pair]:
        pairs: list[_Pair] = []
        listed = list_in(node.properties.get(_PROPERTY))
        if len(listed) > _MOST_PAIRS:
            raise TooLarge(f"the node {node.id} shows more than {_MOST_PAIRS} widgets of its subgraph")
        for place, entry in enumerate(listed):
            match entry:
                case [str(node_id), str(widget), *rest] if len(rest) <= 1 and all(isinstance(o, str) for o in rest):
                    value, has_value = value_at(node.saved_values, place)
                    inner_id = rest[0] if rest else None
                    if not self._is_there(subgraph, node_id, widget):
                        widget, prefix = _without_prefixes(widget)
                        inner_id = prefix or inner_id
                    pairs.append(
                        _Pair(node_id=node_id, widget=widget, inner_id=inner_id, value=value, has_value=has_value)
                    )
                case _:
                    return []
        return pairs

    def _is_there(self, subgraph: Graph, node_id: str, widget: str) -> bool:
        """Whether the inner node has such a widget, or shows one of that name."""
        for _ in range(_MOST_NESTED):
            node = subgraph.nodes.get(node_id)
            if node is None:
                return False
            nested = self._workflow.subgraph_of(node)
            if nested is None:
                return node.widgets.get(widget) is not None
            target = self._target_of(nested, widget)
            if target is None:
                return False
            subgraph, node_id, widget = nested, target[0], target[1]
        return False

    def _target_of(self, subgraph: Graph, name: str) -> tuple[str, str] | None:
        port = next((one for one in subgraph.inputs if one.name == name), None)
        return self._source_of(subgraph, port) if port is not None else None

    def _source_of(self, subgraph: Graph, port: Port) -> tuple[str, str] | None:
        for inner, target in targets_of(port, subgraph):
            if self._workflow.subgraph_of(inner) is not None:
                return inner.id, target.name
            shown = inner.widgets.get(target.widget)
            if shown is not None:
                return inner.id, shown.name
        return None

    def _add_input(self, node: Node, subgraph: Graph, inner: Node, pair: _Pair) -> None:
        target = self._input_of(inner, pair)
        if target is None:
            return
        port = self._new_port(subgraph, pair.widget, target.type)
        _connect(subgraph, port, inner, target)
        self._show(subgraph, port)
        _set_value(node, port.name, pair)

    def _input_of(self, inner: Node, pair: _Pair) -> Input | None:
        nested = self._workflow.subgraph_of(inner)
        if nested is None:
            shown = inner.widgets.get(pair.widget)
            is_value = shown is not None and (shown.is_saved or shown.is_sent)
            return next((one for one in inner.inputs if is_value and one.widget == pair.widget), None)
        for one, port in zip(inner.inputs, nested.inputs, strict=False):
            target = self._source_of(nested, port)
            is_named = target == (pair.inner_id, pair.widget)
            if pair.inner_id is None:
                is_named = one.name == pair.widget or (target is not None and target[1] == pair.widget)
            if is_named and one.widget is not None:
                return one
        return None

    def _replace_primitive(self, node: Node, subgraph: Graph, primitive: Node, pairs: Sequence[_Pair]) -> None:
        targets = [
            found
            for link in list(subgraph.links.values())
            if link.origin == primitive.id and (found := subgraph.target_input(link)) is not None
        ]
        kind = primitive.outputs[0] if primitive.outputs else "*"
        fits = all("*" in {kind, target.type} or target.type == kind for _, target in targets)
        if not targets or not fits or len({pair.widget for pair in pairs}) > 1:
            return
        title = primitive.title if primitive.title != Frontend.PRIMITIVE else None
        port = self._new_port(subgraph, title or pairs[0].widget, kind)
        for inner, target in targets:
            _connect(subgraph, port, inner, target)
        self._show(subgraph, port)
        own, has_own = value_at(primitive.saved_values, 0)
        chosen = next((pair for pair in pairs if pair.has_value), None)
        shown = node.widgets.get(port.name)
        if chosen is not None:
            _set_value(node, port.name, chosen)
        elif has_own and shown is not None:
            shown.value = own

    def _new_port(self, subgraph: Graph, name: str, kind: Any) -> Port:
        unique = name
        while unique in self._taken:
            self._taken[name] += 1
            unique = f"{name}_{self._taken[name]}"
        self._taken[unique] = 0
        port = Port(name=unique, type=kind, links=[])
        subgraph.inputs.append(port)
        return port

    def _show(self, subgraph: Graph, port: Port) -> None:
        instances = self._instances.get(subgraph.id, ())
        self._budget.take(len(instances))
        for instance in instances:
            instance.inputs.append(Input(name=port.name, type=port.type))
            bind_port(instance, len(instance.inputs) - 1, port, subgraph)


def _set_value(node: Node, name: str, pair: _Pair) -> None:
    widget = node.widgets.get(name)
    if widget is not None and pair.has_value:
        widget.value = pair.value


def _connect(subgraph: Graph, port: Port, inner: Node, target: Input) -> None:
    if target.link is not None:
        subgraph.links.pop(target.link, None)
    link_id = f"{port.name} to {inner.id} {target.name}"
    if target.name not in inner.saved_inputs:
        inner.saved_inputs = (*inner.saved_inputs, target.name)
    subgraph.links[link_id] = Link(
        id=link_id,
        origin=subgraph.input_node,
        origin_slot=len(subgraph.inputs) - 1,
        target=inner.id,
        target_slot=inner.saved_inputs.index(target.name),
    )
    port.links.append(link_id)
    target.link = link_id


def _without_prefixes(widget: str) -> tuple[str, str | None]:
    deepest: str | None = None
    for _ in range(_MOST_NESTED):
        match = _PREFIX.match(widget)
        if match is None:
            break
        deepest, widget = match.group(1), match.group(2)
    return widget, deepest
