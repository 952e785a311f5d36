"""Reads an editor's file, of the old schema (0.4: links are lists) or the new one (links are objects).

Every released editor wrote a little differently, and people write by hand; so what is absent is taken as empty, each
link is read by its own shape, and only what cannot be understood is refused, with its place.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from fireside.domain.errors import TooLarge
from fireside.graphs.editor.shapes import list_in, object_in, text_in
from fireside.graphs.editor.workflow import SAVED_BY_NAME, Graph, Input, Link, Named, Node, Port, Workflow
from fireside.graphs.errors import InvalidGraph
from fireside.graphs.limits import GraphLimits
from fireside.graphs.parse import check_values, is_editor_format

_LINK_FIELDS = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
_MOST_SLOT = 100_000
_MOST_SLOTS = 1000


def read_workflow(value: Any, limits: GraphLimits) -> Workflow:
    """Read a whole file; raises `InvalidGraph` for what is no editor's workflow, `TooLarge` beyond the limits."""
    if not is_editor_format(value):
        graph = object_in(value)
        if graph and all("class_type" in object_in(node) for node in graph.values()):
            raise malformed_workflow("it is a graph in API format already; submit it as it is")
        raise malformed_workflow("a workflow of the editor is an object with a list of `nodes`")
    check_values(value, limits.max_depth)
    subgraphs = {read.id: read for read in (_read_subgraph(one) for one in _definitions(value))}
    root = _read_graph(value, "", "the workflow")
    workflow = Workflow(root=root, subgraphs=subgraphs)
    count = sum(len(graph.nodes) for graph in workflow.graphs())
    if count > limits.max_nodes:
        raise TooLarge(f"the workflow has {count} nodes; at most {limits.max_nodes} are taken")
    return workflow


def malformed_workflow(details: str) -> InvalidGraph:
    """Refuse a file that is no workflow of the editor's."""
    return InvalidGraph("invalid_workflow", f"The workflow cannot be converted: {details}", details=details)


def read_nodes(listed: Any, where: str) -> dict[str, Node]:
    """Read a list of nodes, by id; raises `InvalidGraph` where there is none, or two nodes have one id."""
    if not isinstance(listed, list):
        raise malformed_workflow(f"{where} has no list of `nodes`")
    nodes: dict[str, Node] = {}
    for node in (_read_node(one, where) for one in cast("list[Any]", listed)):
        if node.id in nodes:
            raise malformed_workflow(f"two nodes of {where} have the id {node.id}")
        nodes[node.id] = node
    return nodes


def read_links(listed: Any, where: str) -> list[Link]:
    """Read a list of links, each a list or an object."""
    return [_read_link(link, where) for link in list_in(listed) if link is not None]


def _definitions(value: Any) -> Iterator[Mapping[str, Any]]:
    """Give the subgraphs, also those that stand inside others."""
    left = [object_in(value)]
    while left:
        for one in list_in(object_in(left.pop().get("definitions")).get("subgraphs")):
            if not isinstance(one, dict):
                raise malformed_workflow("a subgraph of `definitions` is no object")
            subgraph = cast("dict[str, Any]", one)
            yield subgraph
            left.append(subgraph)


def _read_subgraph(value: Mapping[str, Any]) -> Graph:
    subgraph_id = value.get("id")
    if not isinstance(subgraph_id, str) or not subgraph_id:
        raise malformed_workflow("a subgraph of `definitions` has no id")
    name = text_in(value.get("name")) or subgraph_id
    graph = _read_graph(value, subgraph_id, f"the subgraph '{name}'")
    graph.name = name
    graph.input_node = _id(object_in(value.get("inputNode")).get("id", -10)) or graph.input_node
    graph.output_node = _id(object_in(value.get("outputNode")).get("id", -20)) or graph.output_node
    for side in ("inputs", "outputs"):
        _check_slots(value, side, f"the subgraph '{name}'")
    graph.inputs = [_read_port(port) for port in list_in(value.get("inputs"))]
    graph.outputs = [_read_port(port) for port in list_in(value.get("outputs"))]
    return graph


def _read_graph(value: Mapping[str, Any], graph_id: str, where: str) -> Graph:
    links = read_links(value.get("links"), where)
    return Graph(
        id=graph_id,
        name=where,
        nodes=read_nodes(value.get("nodes"), where),
        links={link.id: link for link in links},
    )


def _read_node(value: Any, where: str) -> Node:
    if not isinstance(value, dict):
        raise malformed_workflow(f"a node of {where} is no object")
    entry = cast("dict[str, Any]", value)
    node_id, node_type = _id(entry.get("id")), entry.get("type")
    if node_id is None:
        raise malformed_workflow(f"a node of {where} has no id")
    if not isinstance(node_type, str) or not node_type:
        raise malformed_workflow(f"the node {node_id} of {where} has no type")
    for side in ("inputs", "outputs"):
        _check_slots(entry, side, f"the node {node_id} of {where}")
    inputs = [_read_input(one) for one in list_in(entry.get("inputs"))]
    by_name = entry.get(SAVED_BY_NAME)
    mode = entry.get("mode")
    return Node(
        id=node_id,
        type=node_type,
        mode=mode if isinstance(mode, int) else 0,
        title=text_in(entry.get("title")),
        inputs=Named(inputs),
        outputs=[object_in(one).get("type", "*") for one in list_in(entry.get("outputs"))],
        saved_inputs=tuple(one.name for one in inputs),
        saved_values=entry.get("widgets_values"),
        saved_by_name=cast("dict[str, Any]", by_name) if isinstance(by_name, dict) else None,
        properties=object_in(entry.get("properties")),
    )


def _check_slots(entry: Mapping[str, Any], side: str, what: str) -> None:
    if len(list_in(entry.get(side))) > _MOST_SLOTS:
        raise TooLarge(f"{what} has more than {_MOST_SLOTS} {side}")


def _read_input(value: Any) -> Input:
    entry = object_in(value)
    return Input(
        name=text_in(entry.get("name")) or "",
        type=entry.get("type", "*"),
        link=_id(entry.get("link")),
        widget=text_in(object_in(entry.get("widget")).get("name")),
        label=text_in(entry.get("label")),
    )


def _read_port(value: Any) -> Port:
    entry = object_in(value)
    links = [link for one in list_in(entry.get("linkIds")) if (link := _id(one)) is not None]
    return Port(
        name=text_in(entry.get("name")) or "",
        type=entry.get("type", "*"),
        links=links,
        label=text_in(entry.get("label")),
    )


def _read_link(value: Any, where: str) -> Link:
    entry = object_in(value)
    fields = [entry.get(name) for name in _LINK_FIELDS] if entry else list_in(value)[:5]
    match fields:
        case [link_id, origin, origin_slot, target, target_slot]:
            ids = [_id(link_id), _id(origin), _slot(origin_slot), _id(target), _slot(target_slot)]
        case _:
            ids = [None]
    match ids:
        case [str(link_id), str(origin), int(origin_slot), str(target), int(target_slot)]:
            return Link(id=link_id, origin=origin, origin_slot=origin_slot, target=target, target_slot=target_slot)
        case _:
            raise malformed_workflow(f"a link of {where} is not [id, origin, slot, target, slot, type]")


def _id(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return str(value)


def _slot(value: Any) -> int | None:
    # Very old files hold some slots as texts.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < len(str(_MOST_SLOT)):
        return int(value)
    return value if isinstance(value, int) and -1 <= value <= _MOST_SLOT else None
