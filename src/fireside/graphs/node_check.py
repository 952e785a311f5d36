"""One node held against its definition; what its sources are like is `walk`'s business."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from fireside.graphs import problems
from fireside.graphs.definitions import NodeDefinition, NodeDefinitions
from fireside.graphs.input_definitions import InputDefinition
from fireside.graphs.link_types import types_match
from fireside.graphs.parse import Graph, Node
from fireside.graphs.problems import Problem
from fireside.graphs.values import BadValue, check_value

_LINK_PARTS = 2


class Link(NamedTuple):
    """A sound link of a declared input to a node that exists."""

    declared: InputDefinition
    source: str
    slot: int


@dataclass(slots=True)
class Checked:
    """What a node is found to be: its own problems, its sound links, and its values as they will be used.

    `error` is the exception that ended the check; the open-source server shows such exceptions, so ours are the same.
    """

    problems: list[Problem]
    links: list[Link] = field(default_factory=list[Link])
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    error: Exception | None = None


class NodeChecker:
    """Checks the nodes of one graph whose classes are all known."""

    def __init__(
        self,
        graph: Graph,
        definitions: NodeDefinitions,
        known_files: Collection[str],
        refused: Mapping[str, Sequence[Problem]],
    ) -> None:
        self._graph = graph
        self._definitions = definitions
        self._known_files = known_files
        self._refused = refused

    def check(self, node_id: str) -> Checked:
        """Look at every declared input; inputs that nobody declared are ignored."""
        node = self._graph.nodes[node_id]
        inputs, dynamic_problems = self._definition(node).inputs_for(node.inputs)
        checked = Checked(problems=[*dynamic_problems, *self._refused.get(node_id, ())])
        try:
            for declared in inputs:
                self._check_input(node, declared, checked)
        except (LookupError, TypeError, ValueError) as error:
            checked.error = error
        return checked

    def _definition(self, node: Node) -> NodeDefinition:
        definition = self._definitions.get(node.class_type)
        assert definition is not None, "classes are checked before nodes"
        return definition

    def _check_input(self, node: Node, declared: InputDefinition, checked: Checked) -> None:
        if declared.name not in node.inputs:
            if declared.required:
                checked.problems.append(problems.required_input_missing(declared.name))
            return
        written = node.inputs[declared.name]
        if isinstance(written, list):
            self._check_link(declared, cast("list[Any]", written), checked)
            return
        try:
            checked.values[declared.name] = check_value(declared, written, self._known_files)
        except BadValue as bad:
            checked.problems.append(bad.problem)

    def _check_link(self, declared: InputDefinition, written: list[Any], checked: Checked) -> None:
        if len(written) != _LINK_PARTS:
            checked.problems.append(problems.bad_linked_input(declared, written))
            return
        source: Any = written[0]
        slot: Any = written[1]
        # Nodes and slots that do not exist raise here what the open-source server raises.
        outputs = self._definition(self._graph.nodes[source]).outputs
        given = outputs[slot]
        if not types_match(given, declared.type):
            checked.problems.append(problems.return_type_mismatch(declared, given, written))
            return
        # Slots may be counted from the end; who runs the graph need not know.
        from_start = int(slot) % len(outputs)
        checked.values[declared.name] = [source, from_start]
        checked.links.append(Link(declared, source, from_start))
