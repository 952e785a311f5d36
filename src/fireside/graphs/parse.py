"""API-format graphs, read from whatever JSON a client sent.

What leaves here can be walked, printed and stored: its size is bounded, its texts are real Unicode and its numbers are
finite. Whether it makes sense to ComfyUI is `validate`'s question.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, cast

from fireside.domain.errors import TooLarge
from fireside.graphs.errors import EditorFormat, malformed
from fireside.graphs.limits import GraphLimits

# Every finite double fits, and Python prints such a number without complaint.
_MOST_BITS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node as written: `raw` is its JSON object, None where something else stood in its place."""

    id: str
    raw: Mapping[str, Any] | None
    inputs: Mapping[str, Any]
    title: str | None

    @property
    def class_type(self) -> Any:
        """What it says it is, None if it does not; may be anything."""
        return None if self.raw is None else self.raw.get("class_type")

    @property
    def has_class(self) -> bool:
        """Whether it says what it is."""
        return self.raw is not None and "class_type" in self.raw


@dataclass(frozen=True, slots=True)
class Graph:
    """The nodes by id, in the order they were written."""

    nodes: Mapping[str, Node]


def parse_graph(value: Any, limits: GraphLimits) -> Graph:
    """Read a graph; raises `InvalidGraph` for shapes no server knows, `TooLarge` beyond the limits."""
    if not isinstance(value, dict):
        raise malformed("The prompt must be an object: node id to node")
    nodes = cast("dict[Any, Any]", value)
    if is_editor_format(nodes):
        raise EditorFormat
    if len(nodes) > limits.max_nodes:
        raise TooLarge(f"the workflow has {len(nodes)} nodes; at most {limits.max_nodes} are taken")
    check_values(nodes, limits.max_depth)
    return Graph({node_id: _parse_node(node_id, raw) for node_id, raw in nodes.items()})


def is_editor_format(value: Any) -> bool:
    """Whether this is a workflow as the editor saves it, which the API format never looks like."""
    return isinstance(value, dict) and isinstance(cast("Any", value).get("nodes"), list)


def check_values(value: Any, max_depth: int) -> None:
    """Make sure that JSON can be walked, printed and stored; raises as `parse_graph` does."""
    # Level by level and without recursion, so that hostile nesting costs no stack.
    level: list[Any] = [value]
    depth = 0
    while level:
        depth += 1
        if depth > max_depth:
            raise TooLarge(f"the workflow is nested deeper than {max_depth} levels")
        level = [child for container in level for child in _checked_children(container)]


def _parse_node(node_id: str, raw: Any) -> Node:
    if not isinstance(raw, dict):
        return Node(id=node_id, raw=None, inputs={}, title=None)
    entry = cast("dict[str, Any]", raw)
    inputs = entry.get("inputs")
    if inputs is None:
        inputs = {}
    if not isinstance(inputs, dict):
        raise malformed(f"Node ID '#{node_id}': inputs must be an object")
    return Node(id=node_id, raw=entry, inputs=cast("dict[str, Any]", inputs), title=_title(entry))


def _title(entry: Mapping[str, Any]) -> str | None:
    meta = entry.get("_meta")
    title = cast("Any", meta).get("title") if isinstance(meta, dict) else None
    return title if isinstance(title, str) and title else None


def _checked_children(container: Any) -> Iterator[Any]:
    """Check the plain values of an object or list and give those that have children themselves."""
    if isinstance(container, dict):
        for key in cast("dict[Any, Any]", container):
            _check_key(key)
        children = cast("dict[str, Any]", container).values()
    else:
        children = cast("list[Any]", container)
    for child in children:
        if isinstance(child, (dict, list)):
            yield cast("Any", child)
        else:
            _check_scalar(child)


def _check_key(key: Any) -> None:
    if not isinstance(key, str):
        raise malformed("Every key must be a text")
    _check_text(key)


def _check_scalar(value: Any) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float):
        if not isfinite(value):
            raise malformed("Numbers must be finite")
    elif isinstance(value, int):
        if value.bit_length() > _MOST_BITS:
            raise malformed("A number is too large")
    elif value is not None:
        raise malformed(f"A value of type {type(value).__name__} is no JSON")


def _check_text(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise malformed("Texts must be Unicode; half of a surrogate pair stands alone") from None
