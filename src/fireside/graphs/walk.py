"""From the outputs to everything they need, without recursion: a chain of thousands of nodes is a legal graph.

Each node is looked at once, however many outputs need it, so that the cost grows with the graph and not with its
square; the same goes for what is told of cycles.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fireside.graphs import problems
from fireside.graphs.node_check import Checked, Link

# A body that named every output at every faulty node would grow with the square of the graph.
_MOST_DEPENDENT_OUTPUTS = 50


@dataclass(slots=True)
class _Step:
    """A node on the way from an output to where the walk is, and the links it has yet to follow."""

    node_id: str
    left: list[Link]


class Walk:
    """What was found on the way; `nodes` are in the order in which they were done, sources first."""

    def __init__(self, check: Callable[[str], Checked], class_of: Callable[[str], Any]) -> None:
        self.nodes: dict[str, Checked] = {}
        self._valid: dict[str, bool] = {}
        self._check = check
        self._class_of = class_of
        self._entered: dict[str, Checked] = {}
        self._path: list[_Step] = []
        self._places: dict[str, int] = {}
        self._unlooped: list[int] = []

    def visit(self, output: str) -> bool:
        """Check an output and all it needs; say whether everything is valid."""
        if output not in self._valid:
            self._enter(output, None)
        while self._path:
            step = self._path[-1]
            if not step.left:
                self._leave()
                continue
            link = step.left.pop()
            if link.source in self._places:
                self._mark_cycle(self._places[link.source])
            elif link.source not in self._valid:
                self._enter(link.source, link)
        return self._valid[output]

    def dependent_outputs(self, failed: Iterable[str]) -> Mapping[str, list[str]]:
        """Say for each node which of the failed outputs need it; of many only the first."""
        dependents: dict[str, list[str]] = {node_id: [] for node_id in self.nodes}
        for output in failed:
            left = [output]
            while left:
                node_id = left.pop()
                known = dependents[node_id]
                # What all of a full node's outputs need is full as well, so the walk may end there.
                if len(known) == _MOST_DEPENDENT_OUTPUTS or (known and known[-1] == output):
                    continue
                known.append(output)
                left.extend(link.source for link in self.nodes[node_id].links)
        return dependents

    def _enter(self, node_id: str, link: Link | None) -> None:
        checked = self._check(node_id)
        if checked.error is not None:
            checked.problems = [_broken(checked.error, link)]
        self._entered[node_id] = checked
        self._places[node_id] = len(self._path)
        self._unlooped.append(len(self._path))
        self._path.append(_Step(node_id, checked.links[::-1]))

    def _leave(self) -> None:
        node_id = self._path.pop().node_id
        place = self._places.pop(node_id)
        if self._unlooped and self._unlooped[-1] == place:
            self._unlooped.pop()
        checked = self.nodes[node_id] = self._entered.pop(node_id)
        # A source that is not done yet is on the path, and then this node is marked as part of a cycle.
        self._valid[node_id] = not checked.problems and all(self._valid[link.source] for link in checked.links)

    def _mark_cycle(self, start: int) -> None:
        """Blame a cycle on those nodes of the path from `start` on that no other cycle is blamed on yet."""
        length = len(self._path) - start
        shown = [step.node_id for step in self._path[start : start + problems.shown_cycle(length)]]
        path = [(node_id, self._class_of(node_id)) for node_id in shown]
        while self._unlooped and self._unlooped[-1] >= start:
            node_id = self._path[self._unlooped.pop()].node_id
            self._entered[node_id].problems.insert(0, problems.dependency_cycle(node_id, path, length))


def _broken(error: Exception, link: Link | None) -> problems.Problem:
    if link is None:
        return problems.exception_during_validation(error)
    return problems.exception_during_inner_validation(error, link.declared, [link.source, link.slot])
