"""JSON of unknown shape, taken as what is wanted where it is that, and as empty where it is not."""

from collections.abc import Mapping
from typing import Any, cast


def object_in(value: Any) -> Mapping[str, Any]:
    """Take an object."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def list_in(value: Any) -> list[Any]:
    """Take a list."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def text_in(value: Any) -> str | None:
    """Take a text that is not empty."""
    return value if isinstance(value, str) and value else None


def texts_in(value: Any) -> list[str]:
    """Take the texts of a list."""
    return [one for one in list_in(value) if isinstance(one, str)]
