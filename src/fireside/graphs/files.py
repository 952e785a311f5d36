"""The files that a graph names: where they stand in it, and which file a value means."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fireside.domain.assets import Folder
from fireside.domain.errors import BadRequest
from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.links import as_list, is_wrapped, unwrap
from fireside.graphs.parse import Graph, Node

_ANNOTATED = re.compile(r"(.*) \[(input|output|temp)\]", re.DOTALL)
_HASH = re.compile(r"blake3:([0-9a-f]{64})")
_DRIVE = re.compile(r"[A-Za-z]:/")
_NOT_PRINTED = re.compile(r"[\0-\x1f\x7f\ud800-\udfff]")
_MOST_CHARACTERS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReference:
    """The file a value means: by folder, subfolder and name, or by the hash of its bytes alone."""

    type: Folder
    subfolder: str
    name: str
    hash: str | None = None


def file_values(graph: Graph, definitions: NodeDefinitions) -> list[tuple[str, Folder]]:
    """List the values of file inputs as written, each with the folder it is in unless it says otherwise."""
    found: dict[tuple[str, Folder], None] = {}
    for node in graph.nodes.values():
        found.update(dict.fromkeys(_values_of(node, definitions)))
    return list(found)


def parse_file_value(value: str, *, default_type: str) -> FileReference:
    """Read `name`, `sub/name`, `name [output]` or `blake3:<64 hexadecimal digits>`.

    Raises `BadRequest` for whatever could mean a place outside of the user's folders.
    """
    annotated = _ANNOTATED.fullmatch(value)
    path, folder = annotated.groups() if annotated else (value, default_type)
    if path.startswith("blake3:"):
        return _by_hash(path, Folder(folder))
    # Clients on Windows write its separator.
    *parents, name = _safe_parts(path.replace("\\", "/"))
    return FileReference(type=Folder(folder), subfolder="/".join(parents), name=name)


def _values_of(node: Node, definitions: NodeDefinitions) -> Iterator[tuple[str, Folder]]:
    definition = definitions.get(node.class_type)
    if definition is None:
        return
    for declared in definition.inputs_for(node.inputs)[0]:
        if declared.file_kind is None or declared.name not in node.inputs:
            continue
        # A bare list is a link; in its wrapper it is several files.
        written = node.inputs[declared.name]
        several = [written] if not is_wrapped(written) else as_list(unwrap(written))
        yield from ((one, declared.file_folder) for one in several if isinstance(one, str))


def _by_hash(path: str, folder: Folder) -> FileReference:
    match = _HASH.fullmatch(path)
    if match is None:
        raise BadRequest("a file's hash is written blake3: and 64 lowercase hexadecimal digits")
    return FileReference(type=folder, subfolder="", name=path, hash=match[1])


def _safe_parts(path: str) -> list[str]:
    parts = path.split("/")
    if len(path) > _MOST_CHARACTERS:
        raise BadRequest(f"a file name has at most {_MOST_CHARACTERS} characters")
    if _NOT_PRINTED.search(path):
        raise BadRequest("a file name holds characters that cannot be printed")
    if _DRIVE.match(path) or any(part.strip() in {"", ".", ".."} for part in parts):
        raise BadRequest("a file name is relative to its folder and has no empty, '.' or '..' part")
    return parts
