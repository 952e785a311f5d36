"""From an editor's workflow to the graph that runs, as the editor's "Export (API)" makes it.

Ids are those of the file; a node in a subgraph is named by the way to it (`12:5`). Nothing is executed, and nothing is
validated but that every class is known: that is the question of a submit.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from fireside.domain.errors import TooLarge
from fireside.graphs.editor.declarations import needs_editor
from fireside.graphs.editor.group_nodes import group_of, groups_in, unfold_groups
from fireside.graphs.editor.old_promotion import OldPromotion
from fireside.graphs.editor.promotion import Budget, configure_instance
from fireside.graphs.editor.reading import malformed_workflow, read_workflow
from fireside.graphs.editor.resolving import FromNode, Given, Level, Literal, Loop, Resolver, active_nodes
from fireside.graphs.editor.shapes import object_in, text_in
from fireside.graphs.editor.texts import Choose, fill_in, resolve_choices
from fireside.graphs.editor.widgets import configure_node
from fireside.graphs.editor.workflow import NOTHING, Graph, Input, Node, Widget, Workflow
from fireside.graphs.errors import InvalidGraph
from fireside.graphs.limits import GraphLimits
from fireside.graphs.links import WRAPPER

_NAMED_BY_VALUES = frozenset(
    {
        *("SaveImage", "SaveImageAdvanced", "SaveSVGNode", "SaveVideo", "SaveAnimatedWEBP", "SaveWEBM", "SaveAudio"),
        *("SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced", "SaveGLB", "Save3DAdvanced", "SaveGaussianSplat"),
        *("SavePointCloud", "SaveAnimatedPNG", "CLIPSave", "VAESave", "ModelSave", "LoraSave", "SaveLatent"),
    }
)
_PREFIX = "filename_prefix"
_ALIAS = "Node name for S&R"
_MOST_NAMED = 10
_SUBGRAPH_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_Place = tuple[Level, Node]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a conversion depends on beside the file: the nodes that are known, as in `object_info`, time and chance."""

    object_info: Mapping[str, Any]
    limits: GraphLimits
    now: datetime
    choose: Choose


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning:  # noqa: A001 - it is one
    """Something of the workflow that is not in the graph as one may expect."""

    node_id: str
    message: str


@dataclass(slots=True, kw_only=True)
class Converted:
    """The graph in API format, and what to know about it."""

    graph: dict[str, Any] = field(default_factory=dict[str, Any])
    warnings: list[Warning] = field(default_factory=list[Warning])


def convert_workflow(value: Any, surroundings: Surroundings) -> Converted:
    """Convert a workflow of the editor's.

    Raises `InvalidGraph` for what is no workflow of the editor's, names classes that are not known, or loops, and
    `TooLarge` for one that is too large or unfolds to too many nodes.
    """
    return Opened(value, surroundings).convert()


class Opened:
    """A workflow as the editor has it when it has opened the file; raises as `convert_workflow`."""

    def __init__(self, value: Any, surroundings: Surroundings) -> None:
        self.workflow = read_workflow(value, surroundings.limits)
        unfold_groups(value, self.workflow, surroundings.object_info, surroundings.limits)
        self.top = _unfold(self.workflow, surroundings.limits)
        missing = _missing_classes(_levels(self.top), self.workflow, surroundings.object_info)
        _check_definitions(missing, groups_in(value))
        if missing:
            raise _unknown_classes(missing)
        _configure(self.workflow, surroundings)
        self._surroundings = surroundings

    def convert(self, given: Given | None = None) -> Converted:
        """Make the graph that runs, with other values than the file's where they are `given`, as they are."""
        return _Conversion(self.workflow, self.top, self._surroundings, given or {}).run()


class _Conversion:
    def __init__(self, workflow: Workflow, top: Level, surroundings: Surroundings, given: Given) -> None:
        self._workflow = workflow
        self._top = top
        self._surroundings = surroundings
        self._given = given
        self._resolver = Resolver(workflow, given)
        self._converted = Converted()
        self._named: dict[str, _Place] = {}
        self._titled: dict[str, _Place] = {}

    def run(self) -> Converted:
        graph = self._converted.graph
        for level in _levels(self._top):
            for node in level.graph.nodes.values():
                self._named.setdefault(str(node.properties.get(_ALIAS) or node.type), (level, node))
                self._titled.setdefault(self._title(node), (level, node))
        for level in _levels(self._top):
            for node in active_nodes(level):
                if self._workflow.subgraph_of(node) is None:
                    graph[level.id_of(node)] = self._entry(level, node)
        for entry in graph.values():
            inputs = entry["inputs"]
            for name in [name for name, one in inputs.items() if isinstance(one, list) and one[0] not in graph]:
                del inputs[name]
        if not graph:
            raise InvalidGraph("prompt_no_outputs", "Nothing of the workflow runs: all its nodes are muted or bypassed")
        return self._converted

    def _entry(self, level: Level, node: Node) -> dict[str, Any]:
        inputs: dict[str, Any] = {}
        for widget in node.widgets:
            value = self._value(level, node, widget)
            if value is not NOTHING:
                inputs[widget.name] = _wrapped(widget, value)
        for one in node.inputs:
            match self._source(level, node, one):
                case FromNode(node_id, slot):
                    inputs[one.name] = [node_id, slot]
                case Literal(value) if value is NOTHING:
                    inputs.pop(one.name, None)
                case Literal(value):
                    inputs[one.name] = _wrapped(node.widgets.get(one.widget), value)
                case None:
                    pass
        return {"inputs": inputs, "class_type": node.type, "_meta": {"title": self._title(node)}}

    def _source(self, level: Level, node: Node, wanted: Input) -> FromNode | Literal | None:
        try:
            return self._resolver.source_of(level, node, wanted)
        except Loop as loop:
            raise InvalidGraph(
                "dependency_cycle",
                "Links of the workflow lead back to themselves",
                details=f"Node ID '#{level.id_of(node)}', input '{wanted.name}', by way of '#{loop.node_id}'",
                extra_info={"node_id": level.id_of(node), "input_name": wanted.name},
            ) from None

    def _value(self, level: Level, node: Node, widget: Widget) -> Any:
        """Give the value of a widget as it is submitted."""
        place = (level.id_of(node), widget.name)
        if not widget.is_sent:
            return NOTHING
        if place in self._given:
            return self._given[place]
        value = widget.value
        if needs_editor(widget):
            self._warn(level, node, f"'{widget.name}' is made by the editor when it submits; give it in the graph")
        if not isinstance(value, str):
            return value
        if widget.name == _PREFIX and node.type in _NAMED_BY_VALUES:
            return fill_in(value, self._surroundings.now, self._find)
        if widget.options.get("dynamicPrompts") is True:
            chosen = resolve_choices(value, self._surroundings.choose)
            if "{" in value and chosen != value:
                self._warn(level, node, f"of the choices in '{widget.name}' one was taken: {_shortened(chosen)}")
            return chosen
        return value

    def _find(self, node_name: str, widget_name: str) -> Any:
        found = self._named.get(node_name) or self._titled.get(node_name)
        widget = found[1].widgets.get(widget_name) if found is not None else None
        if found is None or widget is None or widget.value is NOTHING:
            raise KeyError(widget_name)
        level, node = found
        return self._given.get((level.id_of(node), widget_name), widget.value)

    def _title(self, node: Node) -> str:
        return node.title or _display_name(node.type, self._surroundings.object_info)

    def _warn(self, level: Level, node: Node, message: str) -> None:
        self._converted.warnings.append(Warning(node_id=level.id_of(node), message=message))


def _unfold(workflow: Workflow, limits: GraphLimits) -> Level:
    """Open every subgraph where a node stands for it; muted and bypassed ones stay closed."""
    top = Level(workflow.root)
    left, count = [top], 0
    while left:
        level = left.pop()
        count += len(level.graph.nodes)
        if count > limits.max_nodes:
            raise TooLarge(f"the workflow unfolds to more than {limits.max_nodes} nodes")
        for node in active_nodes(level):
            subgraph = workflow.subgraph_of(node)
            if subgraph is None:
                continue
            if level.uses(subgraph):
                raise malformed_workflow(f"the subgraph '{subgraph.name}' contains itself")
            if len(level.path) >= limits.max_depth:
                raise TooLarge(f"subgraphs are nested deeper than {limits.max_depth} levels")
            inner = Level(subgraph, (*level.path, node.id), node, level)
            level.inner[node.id] = inner
            left.append(inner)
    return top


def _levels(top: Level) -> Iterator[Level]:
    left = [top]
    while left:
        level = left.pop()
        yield level
        left.extend(reversed(level.inner.values()))


def _missing_classes(
    levels: Iterator[Level], workflow: Workflow, object_info: Mapping[str, Any]
) -> Mapping[str, Sequence[str]]:
    """Give the nodes of each class that is not known."""
    missing: dict[str, list[str]] = {}
    for level in levels:
        for node in active_nodes(level):
            if workflow.subgraph_of(node) is None and not isinstance(object_info.get(node.type), dict):
                missing.setdefault(node.type, []).append(level.id_of(node))
    return missing


def _check_definitions(missing: Mapping[str, Sequence[str]], groups: Mapping[str, Any]) -> None:
    """Refuse what no worker could have: parts of the file itself that are not in it."""
    undefined: list[str] = []
    for name, nodes in missing.items():
        group = group_of(name)
        if group is not None and not isinstance(groups.get(group), dict):
            undefined.append(f"the group '{group}' (node {nodes[0]})")
        elif _SUBGRAPH_ID.fullmatch(name):
            undefined.append(f"the subgraph '{name}' (node {nodes[0]})")
    if undefined:
        more = f" and {len(undefined) - _MOST_NAMED} more" if len(undefined) > _MOST_NAMED else ""
        named = ", ".join(undefined[:_MOST_NAMED])
        raise malformed_workflow(f"the file has no definition of {named}{more}; send all of it, as the editor saves it")


def _unknown_classes(missing: Mapping[str, Sequence[str]]) -> InvalidGraph:
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    named = ", ".join(f"'{name}'" for name in list(missing)[:_MOST_NAMED])
    first_class, first_nodes = next(iter(missing.items()))
    return InvalidGraph(
        "missing_node_type",
        f"No worker has these nodes, so the workflow cannot be converted: {named}{more}",
        details="Install what they belong to on a worker, or mute or bypass them in the editor",
        extra_info={
            "node_id": first_nodes[0],
            "class_type": first_class,
            "missing": {name: list(nodes[:_MOST_NAMED]) for name, nodes in missing.items()},
        },
    )


def _configure(workflow: Workflow, surroundings: Surroundings) -> None:
    """Give all nodes their inputs and values, subgraphs before what uses them."""
    budget = Budget(surroundings.limits)
    instances: dict[str, list[Node]] = {}
    for graph in _inner_first(workflow):
        own = [node for node in graph.nodes.values() if workflow.subgraph_of(node) is not None]
        for node in graph.nodes.values():
            entry = surroundings.object_info.get(node.type)
            subgraph = workflow.subgraph_of(node)
            if subgraph is not None:
                configure_instance(node, subgraph, budget)
                instances.setdefault(subgraph.id, []).append(node)
            elif isinstance(entry, dict):
                configure_node(node, object_in(entry))
        old = OldPromotion(workflow, instances, budget)
        for node in own:
            old.carry_over(node)


def _inner_first(workflow: Workflow) -> Iterator[Graph]:
    done: set[str] = set()
    for graph in workflow.graphs():
        path = [(graph, _used(graph, workflow))]
        while path:
            current, left = path[-1]
            following = next((one for one in left if one.id not in done), None)
            if following is None:
                path.pop()
                if current.id not in done:
                    done.add(current.id)
                    yield current
            elif all(following is not one for one, _ in path):
                path.append((following, _used(following, workflow)))


def _used(graph: Graph, workflow: Workflow) -> Iterator[Graph]:
    used = (workflow.subgraph_of(node) for node in graph.nodes.values())
    return (one for one in used if one is not None)


def _wrapped(widget: Widget | None, value: Any) -> Any:
    """Write a value so that a list is not taken for a link."""
    if widget is not None and widget.kind == "CURVE" and value is not None:
        return {"__type__": "CURVE", WRAPPER: value}
    return {WRAPPER: cast("Any", value)} if isinstance(value, list) else value


def _display_name(class_name: str, object_info: Mapping[str, Any]) -> str:
    return text_in(object_in(object_info.get(class_name)).get("display_name")) or class_name


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
