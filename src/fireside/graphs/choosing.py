"""Which kind of worker a graph is for: the first that has all its nodes and takes all its values.

A graph runs on one worker, so it is held against one kind at a time and never against their union. What no kind can
run is refused in the open-source server's words, as the closest kind would, with what each of them lacks.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.errors import InvalidGraph
from fireside.graphs.parse import Graph
from fireside.graphs.problems import Problem
from fireside.graphs.validate import ValidGraph, validate_graph

C = TypeVar("C", bound="Candidate")
# Few enough for a message that people read.
_MOST_SHOWN = 10
_NOT_OFFERED = "value_not_in_list"


class Candidate(Protocol):
    """A kind of worker that may run the graph."""

    @property
    def name(self) -> str:
        """What people know it by."""
        ...

    @property
    def definitions(self) -> NodeDefinitions:
        """Its nodes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lack:
    """Why a kind cannot run the graph: nodes or choices it does not have, or what else is wrong with it there."""

    candidate: Candidate
    nodes: Sequence[str]
    error: InvalidGraph | None = None

    @property
    def problems(self) -> list[tuple[str, Problem]]:
        """All that is wrong, each with the class of its node."""
        errors = self.error.node_errors.values() if self.error is not None else ()
        return [(str(node["class_type"]), problem) for node in errors for problem in node["errors"]]

    @property
    def choices(self) -> list[str]:
        """The choices it does not offer, such as models."""
        missing = [(name, problem["extra_info"]) for name, problem in self.problems if problem["type"] == _NOT_OFFERED]
        found = [f"{info.get('received_value')!r} ({info.get('input_name')} of {name})" for name, info in missing]
        return list(dict.fromkeys(found))

    @property
    def distance(self) -> tuple[int, int]:
        """How far the kind is from being able to run it."""
        return len(self.nodes), len(self.problems)

    def text(self) -> str:
        """Say it in a line."""
        missing = [*(f"the node {name}" for name in self.nodes), *self.choices]
        if not missing:
            return f"{self.candidate.name} has all of it, and refuses the values"
        return f"{self.candidate.name} lacks {_some(missing)}"

    def info(self) -> Mapping[str, Any]:
        """Say it to programs."""
        return {
            "workers": self.candidate.name,
            "missing_nodes": list(self.nodes[:_MOST_SHOWN]),
            "missing_choices": self.choices[:_MOST_SHOWN],
        }


def choose_kind(
    graph: Graph, candidates: Sequence[C], *, targets: Sequence[str] | None, known_files: Collection[str]
) -> tuple[C, ValidGraph]:
    """Validate the graph against the kinds and give the one that takes the most of it, the first of several.

    The arguments and the refusal are those of `validate_graph`; with one candidate so is the outcome.
    """
    if len(candidates) == 1:
        return candidates[0], validate_graph(graph, candidates[0].definitions, targets=targets, known_files=known_files)
    lacks: list[_Lack] = []
    partly: list[tuple[C, ValidGraph]] = []
    for candidate in candidates:
        nodes = _missing_nodes(graph, candidate.definitions)
        if nodes:
            lacks.append(_Lack(candidate=candidate, nodes=nodes))
            continue
        try:
            valid = validate_graph(graph, candidate.definitions, targets=targets, known_files=known_files)
        except InvalidGraph as error:
            lacks.append(_Lack(candidate=candidate, nodes=(), error=error))
            continue
        if not valid.node_errors:
            return candidate, valid
        partly.append((candidate, valid))
    if partly:
        return min(partly, key=lambda one: len(one[1].node_errors))
    raise _refusal(graph, sorted(lacks, key=lambda lack: lack.distance))


def _missing_nodes(graph: Graph, definitions: NodeDefinitions) -> list[str]:
    classes = [str(node.class_type) for node in graph.nodes.values() if node.has_class and not _has(definitions, node)]
    return list(dict.fromkeys(classes))


def _has(definitions: NodeDefinitions, node: Any) -> bool:
    return definitions.get(node.class_type) is not None


def _refusal(graph: Graph, lacks: Sequence[_Lack]) -> InvalidGraph:
    """Refuse as the closest kind does; where the kinds lack different things, say what each of them does."""
    closest = lacks[0]
    error = closest.error or _missing_node_error(graph, closest)
    if len({_fingerprint(lack) for lack in lacks}) == 1:
        return error
    everywhere = [name for name in closest.nodes if all(name in lack.nodes for lack in lacks)]
    message = error.message
    if closest.nodes and not everywhere:
        message = f"No worker has all nodes of this workflow: {closest.text()}"
    lines = [error.details, "No worker can run the whole workflow:", *(lack.text() for lack in lacks[:_MOST_SHOWN])]
    return InvalidGraph(
        error.type,
        message,
        details="\n".join(line for line in lines if line),
        extra_info={**error.extra_info, "fireside_kinds": [lack.info() for lack in lacks[:_MOST_SHOWN]]},
        node_errors=error.node_errors,
    )


def _missing_node_error(graph: Graph, lack: _Lack) -> InvalidGraph:
    try:
        validate_graph(graph, lack.candidate.definitions, targets=None, known_files=())
    except InvalidGraph as error:
        return error
    raise AssertionError("a graph of unknown nodes was found valid")


def _fingerprint(lack: _Lack) -> tuple[Any, ...]:
    """Say what is wrong, to compare kinds by."""
    found = [
        (class_type, problem["type"], str(problem["extra_info"].get("input_name")))
        for class_type, problem in lack.problems
    ]
    return (tuple(sorted(lack.nodes)), tuple(sorted(found)), lack.error.type if lack.error else "")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return ", ".join(names[:_MOST_SHOWN]) + more
