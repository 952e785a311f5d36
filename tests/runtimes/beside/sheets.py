"""Graphs put together from many small cases, so that one submit compares many of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Graph = dict[str, Any]
Slot = list[Any]


@dataclass
class Sheet:
    """A graph that grows: `add` gives the first slot of the new node."""

    name: str
    nodes: Graph = field(default_factory=Graph)
    loaded: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, class_type: str, **inputs: Any) -> Slot:
        """Add a node."""
        node_id = str(len(self.nodes) + 1)
        self.nodes[node_id] = {"class_type": class_type, "inputs": inputs}
        return [node_id, 0]

    def load(self, picture: str) -> Slot:
        """Load a picture, once."""
        if picture not in self.loaded:
            self.loaded[picture] = self.add("LoadImage", image=picture)[0]
        return [self.loaded[picture], 0]

    def mask(self, picture: str) -> Slot:
        """What is transparent in a picture."""
        return second(self.load(picture))

    def rgba(self, picture: str) -> Slot:
        """Load a picture with its transparency as a fourth channel."""
        return self.add("JoinImageWithAlpha", image=self.load(picture), alpha=self.mask(picture))

    def shown(self, mask: Slot) -> Slot:
        """Make a mask a picture."""
        return self.add("MaskToImage", mask=mask)

    def save(self, images: Slot) -> str:
        """Save pictures, and give the node that does."""
        return self.add("SaveImage", images=images, filename_prefix=f"{self.name}/case")[0]


Build = Callable[[Sheet], Sequence[Slot]]


@dataclass(frozen=True)
class Case:
    """One node with one choice of options; `build` adds it to a sheet and gives the pictures that show its result."""

    node: str
    options: str
    build: Build


def second(slot: Slot) -> Slot:
    """The next slot of the same node."""
    return [slot[0], slot[1] + 1]


@dataclass(frozen=True)
class Filled:
    """A sheet with its cases, each with the nodes that save what it gives."""

    graph: Graph
    cases: Sequence[tuple[Case, Sequence[str]]]


def filled_sheets(cases: Iterable[Case], *, nodes: int) -> Iterator[Filled]:
    """Put cases on sheets of about so many nodes."""
    number, sheet, placed = 1, Sheet("sheet1"), list[tuple[Case, Sequence[str]]]()
    for case in cases:
        placed.append((case, [sheet.save(slot) for slot in case.build(sheet)]))
        if len(sheet.nodes) >= nodes:
            yield Filled(sheet.nodes, placed)
            number += 1
            sheet, placed = Sheet(f"sheet{number}"), []
    if placed:
        yield Filled(sheet.nodes, placed)
