"""The kind of work a graph is, so that run times of earlier jobs tell something about the next one.

Graphs of one kind have the same nodes, linked alike, with the same sizes, steps, models and methods. Seeds, texts and
names of users' files change pictures and not their price; node ids and titles mean nothing.
"""

import re
from collections.abc import Mapping
from math import frexp
from typing import Any, cast

import msgspec
from blake3 import blake3

from fireside.graphs.links import source_of, unwrap

_HEX_DIGITS = 32
_LONGEST_CHOICE = 200
_WORDS = re.compile(r"[a-z]+|[A-Z][a-z]*")
_IGNORED_WORDS = frozenset({"seed", "prefix", "text", "prompt", "string", "caption", "title", "filename", "generate"})
_MEDIA = re.compile(
    r"\.(png|jpe?g|webp|gif|avif|bmp|tiff?|mp4|webm|mov|mkv|avi|m4v|mp3|wav|flac|ogg|opus|m4a|aac|latent|obj|fbx|gl(b|tf))"
    r"( \[\w+\])?$|^blake3:",
    re.IGNORECASE,
)


def fingerprint_graph(graph: Mapping[str, Any]) -> str:
    """Name the kind of work of an API-format graph: equal for equal kinds, whatever the order of their nodes."""
    marks: dict[str, str] = {}
    for node_id in _sources_first(graph):
        marks[node_id] = _mark(graph[node_id], marks)
    return _digest(sorted(marks.values()))


def _sources_first(graph: Mapping[str, Any]) -> list[str]:
    """Order the nodes so that sources come before what they feed; in a cycle some source comes late."""
    order: list[str] = []
    entered: set[str] = set()
    for start in graph:
        left = [(start, False)]
        while left:
            node_id, is_done = left.pop()
            if is_done:
                order.append(node_id)
            elif node_id not in entered and node_id in graph:
                entered.add(node_id)
                left.append((node_id, True))
                sources = (source_of(value) for value in _inputs(graph[node_id]).values())
                left.extend((source, False) for source in sources if source is not None)
    return order


def _mark(node: Any, marks: Mapping[str, str]) -> str:
    kept: dict[str, Any] = {}
    for name, value in _inputs(node).items():
        source = source_of(value)
        if source is not None:
            kept[name] = [marks.get(source, ""), value[1]]
        elif not _IGNORED_WORDS.intersection(word.lower() for word in _WORDS.findall(name)):
            kept[name] = _weight(unwrap(value))
    return _digest([node["class_type"], kept])


def _weight(value: Any) -> Any:
    """Give what of a value bears on run time."""
    if isinstance(value, str):
        is_choice = len(value) <= _LONGEST_CHOICE and "\n" not in value and not _MEDIA.search(value)
        return value if is_choice else None
    # Strengths and scales are tried out by hand; only their rough size is kept.
    return frexp(value)[1] if isinstance(value, float) else value


def _inputs(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", node.get("inputs") or {})


def _digest(value: Any) -> str:
    return blake3(msgspec.json.encode(value, order="deterministic")).hexdigest()[:_HEX_DIGITS]
