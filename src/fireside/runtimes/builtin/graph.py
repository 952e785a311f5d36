"""The part of a task's graph that its outputs can need, checked, in an order with sources first, and its signatures.

A signature names a node's result: its class, its literal inputs, its sources' signatures and its fingerprint.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, cast

import msgspec
from blake3 import blake3

from fireside.runtimes.builtin.context import Context, Scope
from fireside.runtimes.builtin.node import Input, Node

_CONVERSIONS: dict[str, Callable[[Any], Any]] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}


class BadGraphError(Exception):
    """A graph that validation should have refused; `node_id` is where."""

    def __init__(self, node_id: str, message: str) -> None:
        super().__init__(message)
        self.node_id = node_id


class Link(NamedTuple):
    """An input fed by a slot of another node."""

    node_id: str
    slot: int


class NeededGraph:
    """Node ids, classes, literal inputs and links of what the outputs can need; only declared inputs count."""

    def __init__(self, graph: Mapping[str, Any], outputs: Iterable[str], nodes: Mapping[str, Node]) -> None:
        self.classes: dict[str, Node] = {}
        self.links: dict[str, dict[str, Link]] = {}
        self.literals: dict[str, dict[str, Any]] = {}
        self.order: list[str] = []
        self._graph = graph
        self._nodes = nodes
        self._visit(tuple(outputs))
        self._check_slots()

    def sources(self, node_id: str) -> set[str]:
        """The nodes that feed this one, also those it may not ask for."""
        return {link.node_id for link in self.links[node_id].values()}

    def strong_sources(self, node_id: str) -> set[str]:
        """The nodes that have to run before this one, whatever it asks for."""
        lazy = {entry.name for entry in self.classes[node_id].inputs if entry.is_lazy}
        return {link.node_id for name, link in self.links[node_id].items() if name not in lazy}

    def _visit(self, outputs: tuple[str, ...]) -> None:
        # No recursion: a chain of thousands of nodes is a legal graph.
        open_nodes: set[str] = set()
        done: set[str] = set()
        stack = list(reversed(outputs))
        while stack:
            node_id = stack[-1]
            if node_id in done or node_id in open_nodes:
                stack.pop()
                if node_id not in done:
                    open_nodes.discard(node_id)
                    done.add(node_id)
                    self.order.append(node_id)
                continue
            self._read(node_id)
            open_nodes.add(node_id)
            for source in reversed([link.node_id for link in self.links[node_id].values()]):
                if source in open_nodes:
                    raise BadGraphError(source, f"Node {source} depends on its own result.")
                if source not in done:
                    stack.append(source)

    def _read(self, node_id: str) -> None:
        entry = self._graph.get(node_id)
        if not isinstance(entry, Mapping):
            raise BadGraphError(node_id, f"There is no node {node_id} in the graph.")
        entry = cast("Mapping[str, Any]", entry)
        node = self._nodes.get(str(entry.get("class_type")))
        if node is None:
            raise BadGraphError(node_id, f"This runtime has no node class {entry.get('class_type')!r}.")
        self.classes[node_id] = node
        given: Mapping[str, Any] = entry.get("inputs") or {}
        links: dict[str, Link] = {}
        literals: dict[str, Any] = {}
        for declared in node.inputs:
            if declared.name not in given:
                continue
            value = given[declared.name]
            link = _link_of(value)
            if link is not None:
                links[declared.name] = link
            else:
                literals[declared.name] = _converted(node_id, declared, value)
        self.links[node_id], self.literals[node_id] = links, literals

    def _check_slots(self) -> None:
        for node_id, links in self.links.items():
            for name, link in links.items():
                if not 0 <= link.slot < len(self.classes[link.node_id].outputs):
                    raise BadGraphError(node_id, f"Input {name} asks node {link.node_id} for a slot it does not have.")


def _link_of(value: Any) -> Link | None:
    """Read a link: a node's id and the number of a slot."""
    match value:
        case [str(node_id), int() | float() as slot]:
            return Link(node_id, int(slot))
        case _:
            return None


def _converted(node_id: str, declared: Input, value: Any) -> Any:
    """Bring a literal into its input's type, as ComfyUI does: clients may write 512 as "512" or 512.0."""
    convert = _CONVERSIONS.get(declared.kind) if isinstance(declared.kind, str) else None
    try:
        return convert(value) if convert is not None else value
    except (TypeError, ValueError, OverflowError) as error:
        raise BadGraphError(node_id, f"Input {declared.name} is not {declared.kind}: {error}") from None


def signatures_of(graph: NeededGraph, scope: Scope) -> dict[str, str | None]:
    """Name every node's result; None where it must not be reused."""
    signatures: dict[str, str | None] = {}
    for node_id in graph.order:
        signatures[node_id] = _signature(graph, node_id, signatures, scope)
    return signatures


def _signature(graph: NeededGraph, node_id: str, signatures: Mapping[str, str | None], scope: Scope) -> str | None:
    node, literals = graph.classes[node_id], graph.literals[node_id]
    linked = {name: (signatures[link.node_id], link.slot) for name, link in graph.links[node_id].items()}
    if any(signature is None for signature, _ in linked.values()):
        return None
    fingerprint: str | None = ""
    if node.fingerprint is not None:
        fingerprint = _fingerprint(node, Context(node_id, scope), literals)
    if fingerprint is None:
        return None
    return blake3(msgspec.json.encode((node.name, literals, linked, fingerprint), order="deterministic")).hexdigest()


def _fingerprint(node: Node, context: Context, literals: Mapping[str, Any]) -> str | None:
    assert node.fingerprint is not None
    try:
        return node.fingerprint(context, **literals)
    except Exception:  # noqa: BLE001 - a node that cannot even be named runs, and tells its error then
        return None
