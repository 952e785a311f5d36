"""Tells where two graphs differ, but for what may."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Graph = Mapping[str, Any]


def differences(official: Graph, ours: Graph) -> list[str]:
    """Say what is different; nothing for graphs that do the same.

    The editor gives inner nodes new numbers where subgraphs use the same ones; ours keep those of the file. It also
    submits nodes of subgraphs that are muted inside others, to which nothing is linked; ours leave them out.
    """
    renamed = _without_loose_ends(_renumbered(official, ours), ours)
    return list(_differences(renamed, ours))


def _differences(official: Graph, ours: Graph) -> Iterator[str]:
    for node_id in sorted({*official, *ours}):
        if node_id not in official or node_id not in ours:
            yield f"node {node_id} is only in {'ours' if node_id in ours else 'theirs'}"
            continue
        theirs, own = official[node_id], ours[node_id]
        if theirs["class_type"] != own["class_type"]:
            yield f"node {node_id} is {own['class_type']}, not {theirs['class_type']}"
        for name in sorted({*theirs["inputs"], *own["inputs"]}):
            wanted, got = theirs["inputs"].get(name, "nothing"), own["inputs"].get(name, "nothing")
            if wanted != got or isinstance(wanted, bool) is not isinstance(got, bool):
                yield f"{name} of node {node_id} ({own['class_type']}) is {got!r}, not {wanted!r}"


def _renumbered(official: Graph, ours: Graph) -> Graph:
    """Give the official nodes that have no like-named one our numbers, level by level and in order."""
    names = {"": ""}
    for depth in range(1 + max(node_id.count(":") for node_id in official)):
        theirs, own = _children(official, depth), _children(ours, depth)
        for path, found in theirs.items():
            here = own.get(names.get(path, path), [])
            left = [one for one in here if one not in found]
            others = sorted((one for one in found if one not in here), key=int)
            renamed = {one: one for one in found} | dict(zip(others, left, strict=False))
            names |= {_joined(path, one): _joined(names.get(path, path), new) for one, new in renamed.items()}
    return {
        names[node_id]: {
            **node,
            "inputs": {
                name: [names[value[0]], value[1]] if isinstance(value, list) else value
                for name, value in node["inputs"].items()
            },
        }
        for node_id, node in official.items()
    }


def _children(graph: Graph, depth: int) -> Mapping[str, list[str]]:
    """The numbers at a depth, by the way to them and in order."""
    found = defaultdict[str, list[str]](list)
    for node_id in graph:
        way = node_id.split(":")
        if len(way) > depth and way[depth] not in found[":".join(way[:depth])]:
            found[":".join(way[:depth])].append(way[depth])
    return found


def _joined(path: str, number: str) -> str:
    return f"{path}:{number}" if path else number


def _without_loose_ends(official: Graph, ours: Graph) -> Graph:
    used = {
        value[0]
        for node_id in ours
        for value in official.get(node_id, {"inputs": {}})["inputs"].values()
        if isinstance(value, list)
    }
    return {
        node_id: node
        for node_id, node in official.items()
        if node_id in ours or node_id.count(":") < 2 or node_id in used
    }
