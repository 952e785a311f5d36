"""Cutting what a report carries, so that it always fits the bus: a message there has at most 1 MiB.

A report has room for the failure and two lists of nodes; the server tells listeners the failure and one of the lists
in one message of its own, so what fits here fits there. Sizes are those of the JSON.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from fireside.runtimes.base import Failed
from fireside.wire.fleet import NodeFailure

MOST_TIMED_NODES = 100
"""Of how many nodes a report says when they began, and of how many outputs how they were sent."""

_NAMES_BYTES = 192 * 1024
_TIMES_BYTES = 16 * 1024
_TRACEBACK_BYTES = 192 * 1024
_INPUTS_BYTES = 128 * 1024
_INPUT_BYTES = 16 * 1024
# A character is at most six bytes of JSON.
_MESSAGE_CHARACTERS = 20_000
_LINE_CHARACTERS = 4_000
_NAME_CHARACTERS = 1_000


def failure_of(failed: Failed) -> NodeFailure:
    """Tell what broke a run, of long texts the beginning, of a long traceback the end."""
    lines = [_cut(line, _LINE_CHARACTERS) for line in failed.traceback]
    return NodeFailure(
        node_id=_cut(failed.node_id, _NAME_CHARACTERS),
        node_type=_cut(failed.node_type, _NAME_CHARACTERS),
        exception_type=_cut(failed.exception_type, _NAME_CHARACTERS),
        exception_message=_cut(failed.exception_message, _MESSAGE_CHARACTERS),
        traceback=tuple(reversed(_while_room(reversed(lines), _TRACEBACK_BYTES))),
        current_inputs=_fitting_inputs(failed.current_inputs),
    )


def fitting_names(node_ids: Iterable[str]) -> tuple[str, ...]:
    """Keep as many of the nodes' ids as there is room for."""
    return tuple(_while_room(node_ids, _NAMES_BYTES))


def fitting_times(began: Iterable[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """Keep as many of the nodes, with when they began, as there is room for."""
    return tuple(_while_room(began, _TIMES_BYTES))


def fitting_uploads(uploads: Iterable[tuple[str, float, float, int]]) -> tuple[tuple[str, float, float, int], ...]:
    """Keep as many of the outputs, with how they were sent, as there is room for."""
    return tuple(_while_room(uploads, _TIMES_BYTES))


def _fitting_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    shown = ((_cut(name, _NAME_CHARACTERS), _fitting_value(value)) for name, value in inputs.items())
    return dict(_while_room(shown, _INPUTS_BYTES))


def _fitting_value(value: Any) -> Any:
    if _size_of(value) <= _INPUT_BYTES:
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return _cut(text, _INPUT_BYTES // 6)


def _while_room(items: Iterable[Any], room_bytes: int) -> list[Any]:
    kept: list[Any] = []
    for item in items:
        room_bytes -= _size_of(item) + 1
        if room_bytes < 0:
            break
        kept.append(item)
    return kept


def _size_of(value: Any) -> int:
    return len(msgspec.json.encode(value))


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1]}…"
