"""How a node is declared: its public face (ComfyUI's words for it) and the function that does its work.

A node's function gets a `Context` first and then its inputs by name; it gives a `Result`. Everything else about it
is data, from which `definitions` prints what clients see.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_EDGE = 16384
COMBO = "COMBO"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFile:
    """A file a node wrote, as an item of its `ui`; `type` is `output` or `temp`."""

    filename: str
    subfolder: str
    type: str
    path: Path


@dataclass(frozen=True, slots=True)
class Result:
    """What a node's function gives: one value per output slot, and what it shows (key -> items)."""

    values: tuple[Any, ...] = ()
    ui: Mapping[str, tuple[Any, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """One input: its type (or the choices of a combo) and ComfyUI's options for it, None where it names none."""

    name: str
    kind: str | tuple[str, ...]
    options: Mapping[str, Any] | None = None
    optional: bool = False

    @property
    def is_lazy(self) -> bool:
        """Whether what feeds it runs only when the node asks for it."""
        return bool((self.options or {}).get("lazy"))


@dataclass(frozen=True, slots=True)
class Output:
    """One output slot; an `is_list` output holds many values, over which later nodes are mapped."""

    kind: str
    name: str = ""
    is_list: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node class.

    `summary` says what it does in our words, for the documents; `description` is what clients are shown, for ComfyUI's
    classes in its own words. `has_schema` marks those that ComfyUI declares in its newer way, whose entries say more.
    `check_lazy` names the lazy inputs that are wanted, given those that are known (others are None).
    `fingerprint` adds to what a result depends on, from the literal inputs, for instance a file's content;
    None from it means that the result is never reused.
    """

    name: str
    display_name: str | None
    category: str
    summary: str
    run: Callable[..., Result]
    description: str = ""
    has_schema: bool = False
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    hidden: Mapping[str, str] = field(default_factory=dict[str, str])
    is_output: bool = False
    takes_lists: bool = False
    check_lazy: Callable[..., Collection[str]] | None = None
    fingerprint: Callable[..., str | None] | None = None
    module: str = "nodes"


def whole(name: str, default: int, low: int, high: int, **options: Any) -> Input:
    """Declare an INT input."""
    return Input(name, "INT", {"default": default, "min": low, "max": high, "step": 1, **options})


def decimal(name: str, default: float, low: float, high: float, step: float, **options: Any) -> Input:
    """Declare a FLOAT input."""
    return Input(name, "FLOAT", {"default": default, "min": low, "max": high, "step": step, **options})
