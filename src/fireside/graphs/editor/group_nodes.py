"""Group nodes, which editors had before subgraphs: unfolded here into subgraphs, one for each use.

A file holds the nodes of a group once (`extra.groupNodes`), and for each use the values of all their widgets in one
list and the links at all their free inputs and outputs, in an order that follows from the classes of the nodes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fireside.domain.errors import TooLarge
from fireside.graphs.editor.declarations import Declared, declared_inputs
from fireside.graphs.editor.reading import malformed_workflow, read_links, read_nodes
from fireside.graphs.editor.shapes import list_in, object_in
from fireside.graphs.editor.widgets import configure_node, saved_widgets
from fireside.graphs.editor.workflow import Frontend, Graph, Input, Link, Named, Node, Port, Workflow
from fireside.graphs.input_definitions import COMBO
from fireside.graphs.limits import GraphLimits

_PREFIXES = ("workflow>", "workflow/")
_MOST_OUTPUTS = 100


def unfold_groups(value: Any, workflow: Workflow, object_info: Mapping[str, Any], limits: GraphLimits) -> None:
    """Make a subgraph of every node of the file that stands for a group.

    Raises `InvalidGraph` for a group that has no nodes, `TooLarge` beyond the limit.
    """
    count = 0
    groups = groups_in(value)
    for graph in workflow.graphs():
        for node in graph.nodes.values():
            name = group_of(node.type)
            data = groups.get(name) if name is not None else None
            if isinstance(data, dict):
                count += len(list_in(object_in(data).get("nodes")))
                if count > limits.max_nodes:
                    raise TooLarge(f"the groups of the workflow unfold to more than {limits.max_nodes} nodes")
                unfolded = _Group(str(name), object_in(data), node, object_info).unfold()
                workflow.subgraphs[unfolded.id] = unfolded
                node.type = unfolded.id


def groups_in(value: Any) -> Mapping[str, Any]:
    """Give the groups of a file, by name."""
    return object_in(object_in(object_in(value).get("extra")).get("groupNodes"))


def group_of(node_type: str) -> str | None:
    """Name the group that nodes of this type stand for; None where they stand for none."""
    return next((node_type.removeprefix(one) for one in _PREFIXES if node_type.startswith(one)), None)


@dataclass(slots=True)
class _Names:
    """The names that the group's node gives to widgets of inner nodes: unlike each other, as far as that goes."""

    seen: dict[str, int] = field(default_factory=dict[str, int])

    def name_of(self, node: Node, name: str, custom: str | None) -> str:
        """Name an input."""
        own = node.inputs.get(name)
        found = key = custom or (own.label if own is not None and own.label else name)
        if (node.type == Frontend.PRIMITIVE and node.title) or found in self.seen:
            prefix = node.title or node.type
            found = key = f"{prefix} {name}"
            if found in self.seen:
                found = f"{prefix} {self.seen[found]} {name}"
        self.seen[key] = self.seen.get(key, 1) + 1
        return found


class _Group:
    """One use of a group."""

    def __init__(self, name: str, data: Mapping[str, Any], use: Node, object_info: Mapping[str, Any]) -> None:
        self._use = use
        self._object_info = object_info
        self._config = data.get("config")
        where = f"the group '{name}'"
        self._graph = Graph(id=f"group {name} at {use.id}", name=name, nodes={}, links={})
        if not isinstance(data.get("nodes"), list):
            raise malformed_workflow(f"{where} has no list of `nodes`")
        numbered = [{**object_in(node), "id": place} for place, node in enumerate(data["nodes"])]
        self._graph.nodes = read_nodes(numbered, where)
        for node in self._graph.nodes.values():
            for one in node.inputs:
                one.link = None
        self._read_links(data.get("links"), where)
        self._used = {(link.origin, link.origin_slot) for link in self._graph.links.values()}
        external = [list_in(one)[:2] for one in list_in(data.get("external"))]
        self._external = {(str(node_id), slot) for node_id, slot in (one for one in external if len(one) == 2)}
        self._names = _Names()
        self._values = list(list_in(use.saved_values))
        self._widget_inputs: dict[str, tuple[Node, str]] = {}

    def unfold(self) -> Graph:
        """Make the subgraph, and name the inputs and outputs of its node after it."""
        converted: list[tuple[Node, str]] = []
        for node in self._graph.nodes.values():
            converted += self._process(node)
        for node, name in converted:
            self._expose_input(node, name)
        links = [one.link for one in self._use.inputs]
        by_widget = {one.widget: one.link for one in self._use.inputs if one.widget is not None}
        exposed = [
            Input(name=port.name, type=port.type, link=links[place] if place < len(links) else None)
            for place, port in enumerate(self._graph.inputs)
        ]
        for name, link in by_widget.items():
            if link is not None and name in self._widget_inputs:
                port = self._expose_input(*self._widget_inputs[name])
                exposed.append(Input(name=port.name, type=port.type, link=link))
        self._use.inputs = Named(exposed)
        self._use.saved_inputs = tuple(one.name for one in exposed)
        self._use.saved_values = None
        self._use.properties = {}
        return self._graph

    def _read_links(self, listed: Any, where: str) -> None:
        for place, value in enumerate(list_in(listed)):
            ends = list_in(value)[:4]
            if ends and ends[0] is None:
                continue
            link = read_links([[place, *ends]], where)[0]
            node = self._graph.nodes.get(link.target)
            if node is not None and 0 <= link.target_slot < len(node.inputs):
                node.inputs[link.target_slot].link = link.id
                self._graph.links[link.id] = link

    def _process(self, node: Node) -> list[tuple[Node, str]]:
        """Take the node's share of the values, open its free inputs and outputs, and give those opened last."""
        entry = self._object_info.get(node.type)
        if node.type == Frontend.PRIMITIVE:
            self._take_primitive(node)
            return []
        if node.type in Frontend.REROUTE:
            self._open_reroute(node)
            return []
        if not isinstance(entry, dict):
            return []
        known = object_in(entry)
        # A group does not follow `input_order`.
        declared = declared_inputs({"input": known.get("input")})
        widgets = [one for one in declared if one.is_widget]
        converted = [one.name for one in widgets if _is_converted(node, one.name)]
        self._take_values(node, known, converted)
        for one in declared:
            if not one.is_widget:
                self._open_input(node, one)
            elif one.name not in converted:
                shown_as = self._names.name_of(node, one.name, self._custom_name(node, one.name))
                self._widget_inputs[shown_as] = (node, one.name)
        self._open_outputs(node, list_in(known.get("output")))
        order = sorted(converted, key=node.saved_inputs.index)
        return [(node, name) for name in order if not self._is_fed(node, name)]

    def _take_values(self, node: Node, entry: Mapping[str, Any], converted: Sequence[str]) -> None:
        before = Node(**{name: getattr(node, name) for name in Node.__slots__})
        configure_node(before, entry)
        values = {widget.name: widget.value for widget in before.widgets}
        for widget in saved_widgets(node.type, entry, hidden=converted):
            if self._values:
                values[widget.name] = self._values.pop(0)
        node.saved_values = values
        node.saved_by_name = None

    def _take_primitive(self, node: Node) -> None:
        kind = node.outputs[0] if node.outputs else "*"
        if (node.id, 0) not in self._used or not self._values:
            return
        node.saved_values = [self._values.pop(0)]
        controls = 2 if kind == COMBO or isinstance(kind, list) else int(kind in {"INT", "FLOAT"})
        del self._values[:controls]

    def _open_reroute(self, node: Node) -> None:
        is_fed = bool(node.inputs) and node.inputs[0].link is not None
        if is_fed and (node.id, 0) in self._used and (node.id, 0) not in self._external:
            return
        if not is_fed and node.inputs:
            self._expose_input(node, node.inputs[0].name)
        self._open_outputs(node, node.outputs[:1] or ["*"])

    def _open_input(self, node: Node, declared: Declared) -> None:
        if self._is_fed(node, declared.name):
            return
        if node.inputs.get(declared.name) is None:
            node.inputs.append(Input(name=declared.name, type=declared.kind))
            node.saved_inputs = (*node.saved_inputs, declared.name)
        if self._visible(node, "input", declared.name) is not False:
            self._expose_input(node, declared.name)

    def _expose_input(self, node: Node, name: str) -> Port:
        target = node.inputs.get(name)
        if target is None:
            target = Input(name=name, type="*", widget=name)
            node.inputs.append(target)
            node.saved_inputs = (*node.saved_inputs, name)
        port = Port(name=f"{node.id}.{name}", type=target.type, links=[f"in {node.id}.{name}"])
        self._graph.links[port.links[0]] = Link(
            id=port.links[0],
            origin=self._graph.input_node,
            origin_slot=len(self._graph.inputs),
            target=node.id,
            target_slot=node.saved_inputs.index(name),
        )
        target.link = port.links[0]
        self._graph.inputs.append(port)
        return port

    def _open_outputs(self, node: Node, kinds: Sequence[Any]) -> None:
        for slot, kind in enumerate(kinds[:_MOST_OUTPUTS]):
            is_used = (node.id, slot) in self._used
            visible = self._visible(node, "output", str(slot))
            if visible is False or (visible is None and is_used and (node.id, slot) not in self._external):
                continue
            port = Port(name=f"{node.id}.{slot}", type=kind, links=[f"out {node.id}.{slot}"])
            self._graph.links[port.links[0]] = Link(
                id=port.links[0],
                origin=node.id,
                origin_slot=slot,
                target=self._graph.output_node,
                target_slot=len(self._graph.outputs),
            )
            self._graph.outputs.append(port)

    def _is_fed(self, node: Node, name: str) -> bool:
        own = node.inputs.get(name)
        return own is not None and own.link is not None

    def _visible(self, node: Node, side: str, name: str) -> Any:
        return _at(self._config, node.id, side, name, "visible")

    def _custom_name(self, node: Node, name: str) -> str | None:
        custom = _at(self._config, node.id, "input", name, "name")
        return custom if isinstance(custom, str) else None


def _is_converted(node: Node, name: str) -> bool:
    own = node.inputs.get(name)
    return own is not None and own.widget == name


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = object_in(value).get(key)
    return value
