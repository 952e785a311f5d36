"""A saved workflow: what a file of either format holds, and which named inputs and outputs it declares itself."""

from dataclasses import dataclass, field
from typing import Any, Literal, cast

import msgspec

from fireside.graphs.editor.shapes import object_in, text_in
from fireside.graphs.errors import InvalidGraph
from fireside.graphs.interface.app_mode import interface_of_app
from fireside.graphs.interface.declared import read_interface
from fireside.graphs.parse import is_editor_format
from fireside.wire.v2_interfaces import Fault, InterfaceBody

Format = Literal["save", "api"]
Source = Literal["request", "file", "app"]
"""Who declared: a request beside the file, the file itself, or the editor's app builder in it."""
_MOST_ID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A declaration, whence it is, and what is wrong with it as it is written."""

    interface: InterfaceBody = field(default_factory=InterfaceBody)
    source: Source | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedWorkflow:
    """A file's content: of the editor's format as it is, of the API format the graph alone."""

    format: Format
    content: dict[str, Any]
    workflow_id: str | None
    declared: Declared

    def declared_with(self, beside: bytes | None) -> Declared:
        """Give what holds: what was declared beside the file, if anything was, else what the file declares."""
        if beside is None:
            return self.declared
        interface, faults = read_interface(msgspec.json.decode(beside))
        return Declared(interface=interface, source="request", faults=tuple(faults))


def read_saved(content: bytes) -> SavedWorkflow:
    """Read a file; raises `InvalidGraph` for what is no workflow of either format."""
    try:
        value: Any = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _not_a_workflow(f"it is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise _not_a_workflow("it is no object")
    whole = cast("dict[str, Any]", value)
    extra = object_in(whole.get("extra"))
    declared = _declared(extra.get("fireside"))
    if is_editor_format(whole):
        if declared is None:
            app = interface_of_app(whole)
            declared = Declared(interface=app, source="app") if app is not None else None
        workflow_id = text_in(whole.get("id"))
        workflow_id = workflow_id if workflow_id is not None and len(workflow_id) <= _MOST_ID else None
        return SavedWorkflow(format="save", content=whole, workflow_id=workflow_id, declared=declared or Declared())
    graph = _graph_of(whole)
    return SavedWorkflow(format="api", content=graph, workflow_id=None, declared=declared or Declared())


def _declared(value: Any) -> Declared | None:
    fields = object_in(value)
    if "inputs" not in fields and "outputs" not in fields:
        return None
    interface, faults = read_interface(fields)
    return Declared(interface=interface, source="file", faults=tuple(faults))


def _graph_of(whole: dict[str, Any]) -> dict[str, Any]:
    graph = cast("dict[str, Any]", whole["prompt"]) if isinstance(whole.get("prompt"), dict) else whole
    if "class_type" not in object_in(graph.get("extra")):
        graph = {node_id: node for node_id, node in graph.items() if node_id != "extra"}
    if not graph or not all("class_type" in object_in(node) for node in graph.values()):
        raise _not_a_workflow("it is neither one that the editor saved nor a graph in API format")
    return graph


def _not_a_workflow(reason: str) -> InvalidGraph:
    return InvalidGraph("not_a_workflow", f"The file holds no workflow: {reason}", details=reason)
