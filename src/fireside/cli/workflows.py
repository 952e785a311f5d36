"""Workflow files on their way to the server: read, and changed as the command line asks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec

from fireside.cli.errors import USAGE, CommandFailed

Graph = dict[str, Any]


@dataclass(frozen=True, slots=True)
class InputPlace:
    """One input of one node."""

    node_id: str
    name: str


@dataclass(frozen=True, slots=True)
class WorkflowFile:
    """A workflow as a file has it: a graph that can run, or a workflow as the editor saves it."""

    content: Graph
    is_editor_format: bool


def read_workflow(path: Path) -> WorkflowFile:
    """Read a workflow of either format; raises `CommandFailed` for anything else."""
    try:
        content: Any = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise CommandFailed(f"cannot read {path}: {error.strerror or error}", USAGE) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{path} is not JSON: {error}", USAGE) from error
    if isinstance(content, dict) and isinstance(cast("Graph", content).get("prompt"), dict):
        content = cast("Graph", content)["prompt"]
    if not isinstance(content, dict) or not content:
        raise CommandFailed(f"{path} is no workflow: it is to be an object of nodes", USAGE)
    graph = cast("Graph", content)
    if isinstance(graph.get("nodes"), list):
        return WorkflowFile(graph, is_editor_format=True)
    if not all(isinstance(node, dict) and "class_type" in node for node in graph.values()):
        raise CommandFailed(f"{path} is no workflow in API format: some node has no class_type", USAGE)
    return WorkflowFile(graph, is_editor_format=False)


def parse_change(graph: Graph, text: str) -> tuple[InputPlace, str]:
    """Read `NODE.INPUT=VALUE`. An input's name may hold dots; the node is the one that is there."""
    place, equals, value = text.partition("=")
    if not equals:
        raise CommandFailed(f"{text!r} is to be NODE.INPUT=VALUE", USAGE)
    parts = place.split(".")
    for count in range(1, len(parts)):
        node_id = ".".join(parts[:count])
        if node_id in graph:
            return InputPlace(node_id, ".".join(parts[count:])), value
    nodes = ", ".join(f"{node_id} ({node['class_type']})" for node_id, node in graph.items())
    raise CommandFailed(f"{place!r} names no input of a node; write NODE.INPUT, the nodes are {nodes}", USAGE)


def set_input(graph: Graph, place: InputPlace, value: Any) -> None:
    """Change an input in the graph."""
    graph[place.node_id].setdefault("inputs", {})[place.name] = value


def value_of_text(text: str) -> Any:
    """Read a value as JSON where it is JSON (numbers, true, quoted text), else as the text it is."""
    try:
        return msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, UnicodeError):
        return text
