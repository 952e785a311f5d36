"""Several kinds of workers' nodes, read side by side: what is the same in two of them is read and kept once.

A fleet has few kinds and these differ little, mostly in their lists of models. Each is kept whole, because a graph runs
on one of them; what people are shown is their union.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
from blake3 import blake3

from fireside.graphs.definitions import (
    NodeDefinition,
    NodeDefinitions,
    blank_input_files,
    decode_object_info,
    read_node,
)
from fireside.graphs.dynamic_inputs import declarations_of
from fireside.graphs.input_definitions import COMBO, choices_of, split_spec


@dataclass(frozen=True, slots=True, eq=False)
class NodeEntry:
    """One class as it was published, with empty lists of input files; None for what describes no node."""

    info: Any
    definition: NodeDefinition | None
    fetches: Mapping[str, str] = field(default_factory=dict[str, str])


Key = tuple[str, bytes]
FETCHES = "fireside_models"
"""Where an entry that a worker publishes says of inputs which folder of models they list: `{input: folder}`.

Who says so can fetch models into these folders. It is shown to nobody.
"""


@dataclass(frozen=True, slots=True, eq=False)
class NodeSet:
    """The nodes that one kind of worker has, by class; `keys` name their entries among all that were ever read.

    `fetches` says by class and input which folders of models the worker can fetch files into.
    """

    entries: Mapping[str, NodeEntry]
    keys: Mapping[str, Key]
    definitions: NodeDefinitions
    fetches: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


def read_node_set(object_info: bytes, known: Iterable[NodeSet] = ()) -> NodeSet:
    """Read what a kind of worker has published; entries that stand in a known set alike are taken from there."""
    read = {key: one.entries[name] for one in known for name, key in one.keys.items()}
    entries: dict[str, NodeEntry] = {}
    keys: dict[str, Key] = {}
    for name, raw in _raw_entries(object_info).items():
        key = keys[name] = (name, blake3(raw).digest())
        entries[name] = read[key] if key in read else _read_entry(name, raw)
    return _node_set(entries, keys)


def with_models(sets: Sequence[NodeSet], models: Mapping[str, Iterable[str]]) -> list[NodeSet]:
    """Give the sets as they are to people: lists of models also offer what the workers can fetch, by folder."""
    offered = {folder: list(names) for folder, names in models.items()}
    made: dict[NodeEntry, NodeEntry] = {}
    found: list[NodeSet] = []
    for one in sets:
        entries = dict(one.entries)
        for name in one.fetches:
            entry = entries[name]
            if entry not in made:
                made[entry] = _with_fetched(name, entry, offered)
            entries[name] = made[entry]
        found.append(_node_set(entries, one.keys))
    return found


def unite(sets: Sequence[NodeSet]) -> NodeSet:
    """Put the sets together: of a class that several have, the first says what it is, and all say what it offers."""
    by_name: dict[str, list[NodeEntry]] = {}
    keys: dict[str, Key] = {}
    for one in sets:
        for name, entry in one.entries.items():
            keys.setdefault(name, one.keys[name])
            others = by_name.setdefault(name, [])
            if entry not in others:
                others.append(entry)
    entries = {name: same[0] if len(same) == 1 else _united(name, same) for name, same in by_name.items()}
    return _node_set(entries, keys)


def _node_set(entries: Mapping[str, NodeEntry], keys: Mapping[str, Key]) -> NodeSet:
    nodes = {name: entry.definition for name, entry in entries.items() if entry.definition is not None}
    fetches = {name: entry.fetches for name, entry in entries.items() if entry.fetches}
    return NodeSet(entries, keys, NodeDefinitions(nodes), fetches)


def _raw_entries(object_info: bytes) -> Mapping[str, bytes]:
    try:
        found = msgspec.json.decode(object_info, type=dict[str, msgspec.Raw])
        raw = {name: bytes(entry) for name, entry in found.items()}
        # What is no JSON in the depth is found only when it is read.
        msgspec.json.decode(object_info)
    except (msgspec.MsgspecError, RecursionError):
        return {name: msgspec.json.encode(entry) for name, entry in decode_object_info(object_info).items()}
    return raw


def _read_entry(name: str, raw: bytes) -> NodeEntry:
    info = blank_input_files({name: msgspec.json.decode(raw)})[name]
    if not isinstance(info, dict):
        return NodeEntry(info, None)
    info = _with_texts(name, cast("dict[str, Any]", info))
    fetches: Any = info.get(FETCHES)
    if fetches is None:
        return NodeEntry(info, read_node(name, info))
    info = {key: value for key, value in info.items() if key != FETCHES}
    return NodeEntry(info, read_node(name, info), _texts(fetches))


def _texts(value: Any) -> Mapping[str, str]:
    try:
        return msgspec.convert(value, dict[str, str])
    except msgspec.ValidationError:
        return {}


def _with_fetched(name: str, entry: NodeEntry, offered: Mapping[str, Sequence[str]]) -> NodeEntry:
    """Let an entry offer files that can be fetched into the folders that its inputs list."""
    info = cast("dict[str, Any]", entry.info)
    changed: dict[str, dict[str, Any]] = {}
    for one, spec, required in declarations_of(info.get("input")):
        more = _with_choices_of(spec, [[offered.get(entry.fetches.get(one, ""), [])]])
        if more is not None:
            changed.setdefault("required" if required else "optional", {})[one] = more
    if not changed:
        return entry
    info = _with_specs(info, changed)
    return NodeEntry(info, read_node(name, info), entry.fetches)


def _with_texts(name: str, info: dict[str, Any]) -> dict[str, Any]:
    """Say in words what ComfyUI's newer nodes leave null: the published NodeInfo has only texts there."""
    tooltips = info.get("output_tooltips")
    if info.get("display_name", "") is None:
        info = {**info, "display_name": name}
    if isinstance(tooltips, list):
        info = {**info, "output_tooltips": ["" if one is None else one for one in cast("list[Any]", tooltips)]}
    return info


def _united(name: str, entries: Sequence[NodeEntry]) -> NodeEntry:
    """Let the first entry offer what any of them does."""
    nodes = [cast("dict[str, Any]", entry.info) for entry in entries if entry.definition is not None]
    if len(nodes) < 2:
        return next((entry for entry in entries if entry.definition is not None), entries[0])
    groups: Any = nodes[0].get("input")
    offered = [{one: spec for one, spec, _ in declarations_of(node.get("input"))} for node in nodes[1:]]
    changed: dict[str, dict[str, Any]] = {}
    for one, spec, required in declarations_of(groups):
        more = _with_choices_of(spec, [specs[one] for specs in offered if one in specs])
        if more is not None:
            changed.setdefault("required" if required else "optional", {})[one] = more
    if not changed:
        return entries[0]
    info = _with_specs(nodes[0], changed)
    return NodeEntry(info, read_node(name, info))


def _with_specs(info: Mapping[str, Any], changed: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Give an entry with other declarations of some inputs, by group."""
    groups = info["input"]
    return {**info, "input": {**groups, **{group: {**groups[group], **specs} for group, specs in changed.items()}}}


def _with_choices_of(spec: Any, others: Sequence[Any]) -> Any:
    """Give the declaration with what others offer and it does not, None where there is nothing to add."""
    own = choices_of(*split_spec(spec))
    if own is None:
        return None
    # Choices may be numbers, and those equal to each other as Python sees it are one.
    added = [choice for other in others for choice in choices_of(*split_spec(other)) or () if choice not in own]
    if not added:
        return None
    choices = list({msgspec.json.encode(choice): choice for choice in (*own, *added)}.values())
    kind, options = split_spec(spec)
    return [kind, {**options, "options": choices}] if kind == COMBO else [choices, *spec[1:]]
