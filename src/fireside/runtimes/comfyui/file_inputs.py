"""Where a graph names files to read: by the node definitions, and only in nodes that its outputs need. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.links import WRAPPER, as_list, is_wrapped, sources_of, unwrap


@dataclass(frozen=True, slots=True)
class FileInput:
    """A value of a file input."""

    node_id: str
    class_type: str
    name: str
    value: str


def file_inputs(graph: Mapping[str, Any], outputs: Iterable[str], definitions: NodeDefinitions) -> Iterator[FileInput]:
    """List the files that the nodes may read which the outputs need."""
    for node_id in _needed(graph, outputs):
        class_type, inputs = str(graph[node_id].get("class_type")), _inputs_of(graph, node_id)
        for name in _file_names(class_type, inputs, definitions):
            for value in _values(inputs[name]):
                yield FileInput(node_id, class_type, name, value)


def rewrite_files(graph: Mapping[str, Any], names: Mapping[str, str], definitions: NodeDefinitions) -> dict[str, Any]:
    """Give the graph with other names in its file inputs."""
    rewritten = dict(graph)
    for node_id, entry in graph.items():
        inputs = _inputs_of(graph, node_id)
        renamed = {
            name: _renamed(inputs[name], names)
            for name in _file_names(str(entry.get("class_type")), inputs, definitions)
        }
        if renamed:
            rewritten[node_id] = {**entry, "inputs": {**inputs, **renamed}}
    return rewritten


def nodes_that_name(graph: Mapping[str, Any], values: Iterable[str]) -> dict[str, set[str]]:
    """Say for each node which of the values stand anywhere in its inputs, whatever its definition says."""
    wanted = frozenset(values)
    found: dict[str, set[str]] = {}
    for node_id in graph if wanted else ():
        left: list[Any] = [_inputs_of(graph, node_id)]
        while left:
            one = left.pop()
            if isinstance(one, str) and one in wanted:
                found.setdefault(node_id, set()).add(one)
            elif isinstance(one, dict):
                left.extend(cast("dict[Any, Any]", one).values())
            elif isinstance(one, list):
                left.extend(cast("list[Any]", one))
    return found


def _needed(graph: Mapping[str, Any], outputs: Iterable[str]) -> Iterator[str]:
    left = [node_id for node_id in outputs if node_id in graph]
    seen = set(left)
    while left:
        node_id = left.pop()
        yield node_id
        for source in sources_of(_inputs_of(graph, node_id)):
            if source in graph and source not in seen:
                seen.add(source)
                left.append(source)


def _inputs_of(graph: Mapping[str, Any], node_id: str) -> Mapping[str, Any]:
    entry = graph[node_id]
    inputs = cast("Mapping[str, Any]", entry).get("inputs") if isinstance(entry, Mapping) else None
    return cast("Mapping[str, Any]", inputs) if isinstance(inputs, Mapping) else {}


def _file_names(class_type: str, inputs: Mapping[str, Any], definitions: NodeDefinitions) -> list[str]:
    definition = definitions.get(class_type)
    if definition is None:
        return []
    declared, _ = definition.inputs_for(inputs)
    return [one.name for one in declared if one.file_kind is not None and one.name in inputs]


def _values(written: Any) -> list[str]:
    # A bare list is a link; in its wrapper it is several files.
    several = as_list(unwrap(written)) if is_wrapped(written) else [written]
    return [one for one in several if isinstance(one, str)]


def _renamed(written: Any, names: Mapping[str, str]) -> Any:
    if is_wrapped(written):
        inner = unwrap(written)
        several = [names.get(one, one) if isinstance(one, str) else one for one in as_list(inner)]
        return {**written, WRAPPER: several if isinstance(inner, list) else several[0]}
    return names.get(written, written) if isinstance(written, str) else written
