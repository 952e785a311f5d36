"""Named inputs and outputs as JSON Schema, for OpenAPI: what a request may hold, and what a job answers."""

from collections.abc import Sequence
from typing import Any

from fireside.graphs.editor.workflow import NOTHING
from fireside.graphs.interface.signature import NamedInput, Signature

FILE: dict[str, Any] = {
    "description": "A file of yours: an asset's id, `blake3:` and its hash, its name, or a reference to the asset.",
    "anyOf": [
        {"type": "string", "minLength": 1},
        {
            "type": "object",
            "properties": {
                "__type": {"const": "core/ASSET"},
                "info": {
                    "type": "object",
                    "properties": {"id": {"type": "string", "format": "uuid"}},
                    "required": ["id"],
                },
            },
            "required": ["__type", "info"],
        },
    ],
}


def inputs_schema(signature: Signature, *, file: dict[str, Any]) -> dict[str, Any]:
    """Describe the object of named inputs; `file` is the schema that stands for a file, a reference to `FILE` say."""
    return {
        "type": "object",
        "title": "Inputs",
        "properties": {name: input_schema(named, file=file) for name, named in signature.inputs.items()},
        "required": [name for name, named in signature.inputs.items() if named.is_required],
        "additionalProperties": False,
    }


def input_schema(named: NamedInput, *, file: dict[str, Any]) -> dict[str, Any]:
    """Describe one named input."""
    schema: dict[str, Any] = {"title": named.title} if named.title else {}
    description = named.description
    if named.is_random:
        description = f"{description.rstrip()} Drawn at random for each job when it is not given.".strip()
    if description:
        schema["description"] = description
    if named.is_file:
        schema |= {"allOf": [file], "x-fireside-type": named.type}
    elif named.choices is not None:
        is_text = all(isinstance(one, str) for one in named.choices)
        schema |= ({"type": "string"} if is_text else {}) | {"enum": _distinct(named.choices)}
    else:
        schema["type"] = named.type
        limits = {"minimum": named.minimum, "maximum": named.maximum}
        schema |= {word: limit for word, limit in limits.items() if limit is not None}
    if named.default is not NOTHING:
        schema["default"] = named.default
    return schema


def outputs_schema(signature: Signature) -> dict[str, Any]:
    """Describe the object of named outputs of a job."""
    return {
        "type": "object",
        "title": "Outputs",
        "properties": {
            name: {
                "type": "array",
                "items": {"type": "string", "format": "uuid"},
                **({"title": one.title} if one.title else {}),
                "description": one.description or f"Ids of the files that the node {one.node} has made.",
            }
            for name, one in signature.outputs.items()
        },
        "required": list(signature.outputs),
        "additionalProperties": False,
    }


def _distinct(choices: Sequence[Any]) -> list[Any]:
    # True and 1 are equal in Python and not in JSON.
    return list({(isinstance(one, bool), one): one for one in choices}.values())
