"""Links: inputs that are fed by a slot of another node, written as a list of its id and the slot's number."""

from collections.abc import Mapping
from typing import Any, cast

WRAPPER = "__value__"
"""The key under which a literal list stands, because a bare list would be a link."""


def source_of(value: Any) -> str | None:
    """Give the node that a well-formed link names, None for anything else."""
    if not isinstance(value, list):
        return None
    match cast("list[Any]", value):
        case [str(node_id), int() | float()]:
            return node_id
        case _:
            return None


def is_wrapped(value: Any) -> bool:
    """Whether this is a literal in its wrapper."""
    return isinstance(value, dict) and WRAPPER in value


def unwrap(value: Any) -> Any:
    """Take a literal out of its wrapper, if it has one."""
    return cast("Mapping[str, Any]", value)[WRAPPER] if is_wrapped(value) else value


def as_list(value: Any) -> list[Any]:
    """Give the values of a literal that may be one value or a list of them."""
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def sources_of(inputs: Mapping[str, Any]) -> list[str]:
    """List the nodes that the inputs of a node name."""
    return [source for value in inputs.values() if (source := source_of(value)) is not None]
