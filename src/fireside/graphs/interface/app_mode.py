"""What the official editor keeps of an app: what was picked in its builder, in `extra.linearData`.

`inputs` are `[widget, name, config?]`, where the widget is `graph:node:widget`, its parts percent-encoded, or just the
node's id in files of older editors; `outputs` are ids of nodes. Names come from what people see: the label that an
input was given in the builder, the title of an output's node.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from fireside.graphs.editor.shapes import list_in, object_in, text_in
from fireside.wire.v2_interfaces import MAX_NAME, MAX_NAMED, InputDeclaration, InterfaceBody, OutputDeclaration

_WIDGET_ID_PARTS = 3
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_MOST_TEXT = 200


def interface_of_app(content: Mapping[str, Any]) -> InterfaceBody | None:
    """Give what is picked in a file of the editor's; None where nothing is."""
    picked = object_in(object_in(content.get("extra")).get("linearData"))
    nodes = {str(node["id"]): node for node in map(object_in, list_in(content.get("nodes"))) if "id" in node}
    inputs: dict[str, InputDeclaration] = {}
    for node_id, widget, config in _picked_inputs(picked):
        label = _label_of(content, object_in(nodes.get(node_id)), widget)
        name = _free_name(inputs, node_id, label or "", widget)
        inputs[name] = InputDeclaration(
            name=name,
            node=node_id,
            input=widget,
            title=(label or "")[:_MOST_TEXT],
            description=(text_in(config.get("description")) or "")[:_MOST_TEXT],
        )
    outputs: dict[str, OutputDeclaration] = {}
    for node_id in dict.fromkeys(str(one) for one in list_in(picked.get("outputs")) if _is_id(one)):
        node = object_in(nodes.get(node_id))
        title = text_in(node.get("title"))
        name = _free_name(outputs, node_id, title or "", text_in(node.get("type")) or "output")
        outputs[name] = OutputDeclaration(name=name, node=node_id[:_MOST_TEXT], title=(title or "")[:_MOST_TEXT])
    if not inputs and not outputs:
        return None
    return InterfaceBody(inputs=list(inputs.values())[:MAX_NAMED], outputs=list(outputs.values())[:MAX_NAMED])


def _picked_inputs(picked: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for entry in list_in(picked.get("inputs")):
        match entry:
            case [str() | int() as widget_id, str(name), *rest] if _is_id(widget_id) and name:
                parts = str(widget_id).split(":")
                if len(parts) == _WIDGET_ID_PARTS:
                    node_id, name = unquote(parts[1]), unquote(parts[2])
                else:
                    node_id = str(widget_id)
                if node_id and name and max(len(node_id), len(name)) <= _MOST_TEXT:
                    found.setdefault((node_id, name), object_in(rest[0] if rest else None))
            case _:
                pass
    return [(node_id, name, config) for (node_id, name), config in found.items()]


def _label_of(content: Mapping[str, Any], node: Mapping[str, Any], widget: str) -> str | None:
    """Find the label of a widget: on the node itself, or where it stands for a subgraph in that one's definition."""
    inner = [one for one in _subgraphs(content) if one.get("id") == node.get("type")]
    for holder in (node, *inner):
        for one in map(object_in, list_in(holder.get("inputs"))):
            if widget in (one.get("name"), object_in(one.get("widget")).get("name")) and text_in(one.get("label")):
                return text_in(one.get("label"))
    return None


def _subgraphs(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [object_in(one) for one in list_in(object_in(content.get("definitions")).get("subgraphs"))]


def _free_name(taken: Mapping[str, Any], node_id: str, *wishes: str) -> str:
    """Make a name of the first wish that holds one; the second of two that are alike has its node's id behind it."""
    name = next((name for wish in wishes if (name := _name_of(wish))), "value")
    count = 1
    free = name
    while free in taken:
        free = f"{name}_{_name_of(node_id).strip('_')}" + ("" if count == 1 else f"_{count}")
        count += 1
    return free


def _name_of(text: str) -> str:
    plain = unicodedata.normalize("NFKD", _HUMP.sub("_", text).casefold()).encode("ascii", "ignore").decode()
    name = _NOT_IN_NAMES.sub("_", plain).strip("_")[: MAX_NAME // 2]
    return f"_{name}" if name[:1].isdigit() else name


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
