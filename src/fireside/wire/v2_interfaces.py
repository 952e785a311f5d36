"""What a saved workflow takes and gives by name, as its owner declares it and as callers are told of it.

The same objects stand in a file (`extra.fireside`) and in requests. They are Fireside's own; the published API v2 has
no saved workflows.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

InputType = Literal["string", "integer", "number", "boolean", "enum", "image", "mask", "video", "audio", "file"]
FaultCode = Literal[
    "unknown_input",
    "missing_input",
    "wrong_type",
    "out_of_range",
    "not_a_choice",
    "missing_asset",
    "invalid_declaration",
    "node_gone",
    "input_gone",
    "input_linked",
    "type_mismatch",
    "not_settable",
    "not_an_output",
]

MAX_NAMED = 100
"""Most named inputs of a workflow, and most named outputs."""
MAX_NAME = 64

Name = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Za-z_][A-Za-z0-9_]{{0,{MAX_NAME - 1}}}$", description="A letter, then letters, digits and `_`."
    ),
]
NodeId = Annotated[str, Meta(min_length=1, max_length=200)]
Title = Annotated[str, Meta(max_length=200)]
Description = Annotated[str, Meta(max_length=4000)]
Choice = str | int | float | bool


class InputDeclaration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A named input: which input of which node it sets. What is left out is as the node and the file have it."""

    name: Name
    node: Annotated[NodeId, Meta(description="The node's id in the graph that runs: `3`, in a subgraph `12:5`.")]
    input: Annotated[str, Meta(min_length=1, max_length=200, description="The name of the node's input.")]
    type: InputType | None = None
    title: Title = ""
    description: Description = ""
    default: (
        Annotated[Any, Meta(description="What it is when it is not given; else what the file has.")] | UnsetType
    ) = UNSET
    required: Annotated[bool, Meta(description="Whether it must be given, whatever the file has.")] = False
    random: Annotated[bool, Meta(description="Whether an integer that is not given is drawn anew for each job.")] = (
        False
    )
    minimum: Annotated[int | float, Meta(description="Least number; the node's own least holds as well.")] | None = None
    maximum: Annotated[int | float, Meta(description="Largest number, likewise.")] | None = None
    choices: (
        Annotated[list[Choice], Meta(min_length=1, max_length=1000, description="The values that are taken.")] | None
    ) = None


class OutputDeclaration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A named output: the files that a node makes."""

    name: Name
    node: NodeId
    title: Title = ""
    description: Description = ""


class InterfaceBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a workflow takes and gives by name."""

    inputs: Annotated[list[InputDeclaration], Meta(max_length=MAX_NAMED)] = []
    outputs: Annotated[list[OutputDeclaration], Meta(max_length=MAX_NAMED)] = []
    description: Description = ""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with the inputs that were given, or with what is declared."""

    code: FaultCode
    message: str
    input: str | None = None
    output: str | None = None
    node: str | None = None
