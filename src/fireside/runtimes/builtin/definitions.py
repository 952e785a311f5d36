"""ComfyUI's `object_info`, printed from the node declarations: equal node sets give equal bytes.

An entry of a class of ComfyUI's is byte for byte ComfyUI's own, lists of input files and two nodes' prose aside.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from fireside.runtimes.builtin.node import COMBO, Input, Node


def definitions_of(nodes: Iterable[Node]) -> bytes:
    """Print the definitions as JSON, sorted by class.

    Inputs keep their order, because it is the order of the editor's widgets.
    """
    return msgspec.json.encode({node.name: _definition(node) for node in sorted(nodes, key=lambda node: node.name)})


def _definition(node: Node) -> dict[str, Any]:
    groups = {
        "required": [entry for entry in node.inputs if not entry.optional],
        "optional": [entry for entry in node.inputs if entry.optional],
    }
    describe = _input_of_schema if node.has_schema else _input
    shown: dict[str, Any] = {
        group: {entry.name: describe(entry) for entry in entries} for group, entries in groups.items() if entries
    }
    order = {group: [entry.name for entry in entries] for group, entries in groups.items() if entries}
    if node.hidden:
        shown["hidden"] = dict(node.hidden)
        order["hidden"] = list(node.hidden)
    tooltips = {"output_tooltips": [None for _ in node.outputs]}
    flags = {"deprecated": False, "experimental": False, "api_node": False}
    return {
        "input": {"required": {}, **shown},
        "input_order": {"required": [], **order},
        **({"is_input_list": True} if node.takes_lists else {}),
        "output": [output.kind for output in node.outputs],
        "output_is_list": [output.is_list for output in node.outputs],
        "output_name": [output.name or output.kind for output in node.outputs],
        **(tooltips if node.has_schema else {}),
        "name": node.name,
        "display_name": node.display_name,
        "description": node.description,
        "python_module": node.module,
        "category": node.category,
        "output_node": node.is_output,
        **(flags if node.has_schema else {}),
    }


def _input(entry: Input) -> list[Any]:
    kind = list(entry.kind) if isinstance(entry.kind, tuple) else entry.kind
    return [kind] if entry.options is None else [kind, dict(entry.options)]


def _input_of_schema(entry: Input) -> list[Any]:
    if isinstance(entry.kind, tuple):
        return [COMBO, {"multiselect": False, "options": list(entry.kind)}]
    return [entry.kind, dict(entry.options or {})]
