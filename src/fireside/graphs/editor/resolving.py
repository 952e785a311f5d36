"""Follows links to where something really comes from: through reroutes, bypassed nodes, and in and out of subgraphs.

Without recursion, so that a chain of thousands of reroutes costs no stack.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fireside.graphs.editor.promotion import value_at
from fireside.graphs.editor.workflow import Frontend, Graph, Input, Mode, Node, Workflow

_ANY = frozenset({"", "*", "0"})
PRIMITIVE_WIDGET = "value"
"""The widget of a primitive, which its file does not name."""

Given = Mapping[tuple[str, str], Any]
"""Values that stand instead of those in the file, by a node's id in the graph that runs and the widget's name."""


@dataclass(frozen=True, slots=True)
class FromNode:
    """An output of a node that runs."""

    node_id: str
    slot: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that was set outside."""

    value: Any


Source = FromNode | Literal | None
"""Where an input comes from; None if it is from nowhere."""


@dataclass(slots=True, eq=False)
class Level:
    """One use of a graph: the workflow itself, or a subgraph where a node stands for it."""

    graph: Graph
    path: tuple[str, ...] = ()
    host: Node | None = None
    outer: "Level | None" = None
    inner: "dict[str, Level]" = field(default_factory=dict[str, "Level"])

    def id_of(self, node: Node) -> str:
        """Give the id of a node in the graph that runs."""
        return ":".join((*self.path, node.id))

    def uses(self, subgraph: Graph) -> bool:
        """Whether this is inside the subgraph."""
        level: Level | None = self
        while level is not None:
            if level.graph is subgraph:
                return True
            level = level.outer
        return False


_Place = tuple[int, str, str, str]


class Loop(Exception):
    """A link leads back to itself without passing a node that runs."""

    def __init__(self, node_id: str) -> None:
        super().__init__(node_id)
        self.node_id = node_id


@dataclass(slots=True)
class _At:
    """Where the search is: at an input, or at the output of this number."""

    level: Level
    node: Node
    kind: Any
    input: Input | None = None
    output: int = -1

    def place(self) -> _Place:
        """Name it; from the same place one comes to the same source."""
        slot = f"out {self.output}" if self.input is None else f"in {id(self.input)}"
        return id(self.level), self.node.id, slot, str(self.kind)


class Resolver:
    """Finds sources; the nodes must have been configured."""

    def __init__(self, workflow: Workflow, given: Given | None = None) -> None:
        self._workflow = workflow
        self._given = given or {}
        self._setters: dict[str, dict[str, Node]] = {}
        self._found: dict[_Place, Source] = {}

    def source_of(self, level: Level, node: Node, wanted: Input) -> Source:
        """Find where an input comes from; raises `Loop`."""
        at: _At | Source = _At(level, node, None, input=wanted)
        way: dict[_Place, None] = {}
        while isinstance(at, _At):
            place = at.place()
            if place in way:
                raise Loop(at.level.id_of(at.node))
            if place in self._found:
                at = self._found[place]
                break
            way[place] = None
            at = self._from_input(at, at.input) if at.input is not None else self._from_output(at)
        # Many may come the same long way; each part of it is gone once.
        self._found |= dict.fromkeys(way, at)
        return at

    def _from_input(self, at: _At, wanted: Input) -> _At | Source:
        graph = at.level.graph
        link = graph.links.get(wanted.link) if wanted.link is not None else None
        if link is None:
            return None
        if at.level.host is not None and link.origin == graph.input_node:
            return self._at_outside(at.level, link.origin_slot)
        origin = graph.nodes.get(link.origin)
        kind = wanted.type if at.kind is None else at.kind
        return None if origin is None else _At(at.level, origin, kind, output=link.origin_slot)

    def _from_output(self, at: _At) -> _At | Source:
        node = at.node
        if node.mode == Mode.MUTED:
            return None
        if node.mode == Mode.BYPASSED:
            passed = _bypass(node, at.output, at.kind)
            return None if passed is None else _At(at.level, node, None, input=passed)
        if self._workflow.subgraph_of(node) is not None:
            return self._at_inside(at)
        if node.type in Frontend.REROUTE:
            return _At(at.level, node, at.kind, input=node.inputs[0]) if node.inputs else None
        if node.type == Frontend.PRIMITIVE:
            place = (at.level.id_of(node), PRIMITIVE_WIDGET)
            return Literal(self._given[place]) if place in self._given else primitive_value(node, at.kind)
        if node.type == Frontend.GET:
            setter = self._setter(at.level, node)
            return None if setter is None else _At(setter[0], setter[1], at.kind, input=setter[1].inputs[0])
        if Frontend.knows(node.type):
            return None
        return FromNode(at.level.id_of(node), at.output)

    def _at_outside(self, level: Level, slot: int) -> _At | Source:
        host, outer = level.host, level.outer
        if host is None or outer is None or not 0 <= slot < len(host.inputs):
            return None
        outside = host.inputs[slot]
        if outside.link is not None and outside.link in outer.graph.links:
            return _At(outer, host, None, input=outside)
        shown = host.widgets.get(outside.widget) if outside.widget is not None else None
        return Literal(self._given.get((outer.id_of(host), shown.name), shown.value)) if shown is not None else None

    def _at_inside(self, at: _At) -> _At | Source:
        inner = at.level.inner.get(at.node.id)
        if inner is None or not 0 <= at.output < len(inner.graph.outputs):
            return None
        graph = inner.graph
        link = next((graph.links[one] for one in graph.outputs[at.output].links if one in graph.links), None)
        if link is None:
            return None
        if link.origin == graph.input_node:
            return self._at_outside(inner, link.origin_slot)
        origin = graph.nodes.get(link.origin)
        return None if origin is None else _At(inner, origin, at.kind, output=link.origin_slot)

    def _setter(self, level: Level, getter: Node) -> tuple[Level, Node] | None:
        """Find the node that sets the name that another gets, here or further out."""
        name = _name_of(getter)
        around: Level | None = level
        while around is not None:
            found = self._setters_of(around.graph).get(name)
            if found is not None:
                return around, found
            around = around.outer
        return None

    def _setters_of(self, graph: Graph) -> dict[str, Node]:
        if graph.id not in self._setters:
            setters = [node for node in graph.nodes.values() if node.type == Frontend.SET and node.inputs]
            self._setters[graph.id] = {_name_of(node): node for node in reversed(setters)}
        return self._setters[graph.id]


def active_nodes(level: Level) -> Iterator[Node]:
    """Give the nodes of a level that run, or stand for those that do."""
    return (node for node in level.graph.nodes.values() if node.is_active and not Frontend.knows(node.type))


def primitive_value(node: Node, kind: Any) -> Source:
    """Give the value of a primitive for an input of that type; None if it was saved for another."""
    value, is_there = value_at(node.saved_values, 0)
    made_for = node.outputs[0] if node.outputs else "*"
    fits = made_for == kind or "*" in {str(made_for), str(kind)} or not isinstance(made_for, str)
    return Literal(value) if is_there and fits else None


def can_connect(one: Any, other: Any) -> bool:
    """Whether an output of one type may be linked to an input of another; several types are separated by commas."""
    if one == other or str(one) in _ANY or str(other) in _ANY:
        return True
    kinds, others = str(one).lower().split(","), str(other).lower().split(",")
    return any(left == right or left in _ANY or right in _ANY for left in kinds for right in others)


def _name_of(node: Node) -> str:
    return str(value_at(node.saved_values, 0)[0])


def _bypass(node: Node, slot: int, kind: Any) -> Input | None:
    """Find the input that a bypassed node passes on at an output."""
    inputs = node.inputs
    if not inputs:
        return None
    given = node.outputs[slot] if 0 <= slot < len(node.outputs) else "*"
    if str(kind) in _ANY:
        return inputs[slot] if slot < len(inputs) else inputs[0]
    fitting = [one for one in inputs if can_connect(one.type, given) and can_connect(one.type, kind)]
    if slot < len(inputs) and any(inputs[slot] is one for one in fitting):
        return inputs[slot]
    exact = next((one for one in inputs if one.type == kind), None)
    return exact or (fitting[0] if fitting else None)
