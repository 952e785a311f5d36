"""What an editor's file says: graphs of nodes and links, and the subgraphs that they are made of.

Ids are texts throughout; files have numbers, texts, or both. Nothing here knows what a class of nodes takes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Generic, Protocol, TypeVar

SAVED_BY_NAME = "widgets_values_named"


class Mode(IntEnum):
    """How a node takes part. Other numbers are those of events that the editor does not use; they run."""

    ALWAYS = 0
    MUTED = 2
    """It does not run, and gives nothing."""
    BYPASSED = 4
    """It does not run, and passes on what it takes where the types fit."""


class Frontend:
    """Classes of nodes that only the editor knows."""

    REROUTE = frozenset({"Reroute", "Reroute (rgthree)"})
    PRIMITIVE = "PrimitiveNode"
    SET = "SetNode"
    GET = "GetNode"
    IGNORED = frozenset(
        {
            "Note",
            "MarkdownNote",
            "Note Plus (mtb)",
            "Label (rgthree)",
            "Bookmark (rgthree)",
            "Fast Muter (rgthree)",
            "Fast Bypasser (rgthree)",
            "Fast Groups Muter (rgthree)",
            "Fast Groups Bypasser (rgthree)",
            "Fast Actions Button (rgthree)",
            "Mute / Bypass Relay (rgthree)",
            "Mute / Bypass Repeater (rgthree)",
            "Node Collector (rgthree)",
            "Random Unmuter (rgthree)",
        }
    )
    """They change what the editor shows, or what it saves."""

    @classmethod
    def knows(cls, node_type: str) -> bool:
        """Whether a node of this class never reaches a runtime."""
        return node_type in cls.REROUTE or node_type in cls.IGNORED or node_type in {cls.PRIMITIVE, cls.SET, cls.GET}


class _HasName(Protocol):
    name: str


N = TypeVar("N", bound=_HasName)


class Named(Generic[N]):
    """Things in order that are found by name, the first of several; files may hold thousands on one node."""

    def __init__(self, items: Iterable[N] = ()) -> None:
        self._items: list[N] = []
        self._by_name: dict[str, N] = {}
        for item in items:
            self.append(item)

    def append(self, item: N) -> None:
        """Add one at the end."""
        self._items.append(item)
        self._by_name.setdefault(item.name, item)

    def get(self, name: str | None) -> N | None:
        """Find one by its name."""
        return self._by_name.get(name) if name is not None else None

    def __iter__(self) -> Iterator[N]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, place: int) -> N:
        return self._items[place]


@dataclass(slots=True, kw_only=True)
class Input:
    """One input of a node; `widget` names the widget that it stands for."""

    name: str
    type: Any
    link: str | None = None
    widget: str | None = None
    label: str | None = None


@dataclass(slots=True, kw_only=True)
class Widget:
    """One value that a person can set on a node.

    A control of the editor's own is not for the graph (`is_sent`); not every widget has a place among the saved values
    (`is_saved`). Where there is no value at all, it is `NOTHING`.
    """

    name: str
    kind: Any
    value: Any
    options: Mapping[str, Any]
    is_sent: bool = True
    is_saved: bool = True


@dataclass(slots=True, kw_only=True)
class Node:
    """A node as saved; `inputs` and `widgets` are what the editor makes of it, once `widgets` has been there."""

    id: str
    type: str
    mode: int
    title: str | None
    inputs: Named[Input]
    outputs: list[Any]
    """The types of its outputs."""
    saved_inputs: tuple[str, ...]
    """The names of the inputs as saved, which links count by."""
    saved_values: Any
    saved_by_name: Mapping[str, Any] | None
    properties: Mapping[str, Any]
    widgets: Named[Widget] = field(default_factory=Named[Widget])

    @property
    def is_active(self) -> bool:
        """Whether it takes part itself."""
        return self.mode not in {Mode.MUTED, Mode.BYPASSED}


@dataclass(slots=True, kw_only=True)
class Link:
    """From an output to an input, each as node and slot."""

    id: str
    origin: str
    origin_slot: int
    target: str
    target_slot: int


@dataclass(slots=True, kw_only=True)
class Port:
    """One input or output of a subgraph, and the links at it on the inside."""

    name: str
    type: Any
    links: list[str]
    label: str | None = None


@dataclass(slots=True, kw_only=True)
class Graph:
    """The nodes and links of one level; the workflow's own, or a subgraph with its ports."""

    id: str
    name: str
    nodes: dict[str, Node]
    links: dict[str, Link]
    inputs: list[Port] = field(default_factory=list[Port])
    outputs: list[Port] = field(default_factory=list[Port])
    input_node: str = "-10"
    output_node: str = "-20"

    def target_input(self, link: Link) -> tuple[Node, Input] | None:
        """Find the input that a link leads to, None for the subgraph's outside and for links to nowhere."""
        node = self.nodes.get(link.target)
        if node is None or not 0 <= link.target_slot < len(node.saved_inputs):
            return None
        found = node.inputs.get(node.saved_inputs[link.target_slot])
        return None if found is None else (node, found)


@dataclass(slots=True, kw_only=True)
class Workflow:
    """A whole file."""

    root: Graph
    subgraphs: dict[str, Graph]

    def graphs(self) -> list[Graph]:
        """Give all levels, the workflow's own last."""
        return [*self.subgraphs.values(), self.root]

    def subgraph_of(self, node: Node) -> Graph | None:
        """Give the subgraph that a node stands for."""
        return self.subgraphs.get(node.type)


class _Nothing:
    """The value of what has none; unlike null, it does not stand in the graph."""

    def __repr__(self) -> str:
        return "NOTHING"


NOTHING: Any = _Nothing()
