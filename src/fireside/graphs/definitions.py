"""What nodes exist and what they take and give, read from ComfyUI's `object_info`.

Lists of input files inside the definitions belong to whoever owns the files, so they are blanked before definitions
are kept and filled with the caller's own names when they are shown.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from fireside.domain.assets import Folder
from fireside.domain.errors import BadRequest
from fireside.graphs.dynamic_inputs import Expansion, declarations_of, is_dynamic_type
from fireside.graphs.input_definitions import COMBO, InputDefinition, file_kind_of, read_input, split_spec
from fireside.graphs.problems import Problem

FileLister = Callable[[str, Folder], list[str]]
"""Gives the file names to offer, by kind of file and folder."""

_SUFFIXES = {
    "image": (".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif", ".bmp", ".tif", ".tiff"),
    "video": (".mp4", ".webm", ".mov", ".mkv", ".avi", ".m4v"),
    "audio": (".mp3", ".wav", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".mp4", ".webm", ".mov", ".mkv"),
    "latent": (".latent",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDefinition:
    """One class of nodes: its inputs, required ones first, and the types of its outputs by slot."""

    name: str
    inputs: tuple[InputDefinition, ...]
    outputs: tuple[Any, ...]
    is_output: bool
    has_dynamic_inputs: bool

    def inputs_for(self, written: Mapping[str, Any]) -> tuple[Iterable[InputDefinition], list[Problem]]:
        """Give the inputs that a node has which writes these, and what is wrong with its dynamic ones."""
        if not self.has_dynamic_inputs:
            return self.inputs, []
        expansion = Expansion(self.name, written)
        for declared in self.inputs:
            expansion.add(declared)
        return expansion.inputs.values(), expansion.problems


class NodeDefinitions:
    """The node classes by name."""

    def __init__(self, nodes: Mapping[str, NodeDefinition]) -> None:
        self._nodes = nodes

    @classmethod
    def parse(cls, object_info: bytes) -> "NodeDefinitions":
        """Read `object_info`; an entry that describes no node is left out. Raises `BadRequest` if it is no object."""
        entries = decode_object_info(object_info)
        nodes = {name: cast("dict[str, Any]", entry) for name, entry in entries.items() if isinstance(entry, dict)}
        return cls({name: read_node(name, node) for name, node in nodes.items()})

    def get(self, class_type: Any) -> NodeDefinition | None:
        """Find a class by its name, which may be anything a graph says."""
        return self._nodes.get(class_type) if isinstance(class_type, str) else None

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[NodeDefinition]:
        return iter(self._nodes.values())


def decode_object_info(body: bytes) -> dict[str, Any]:
    """Decode what a runtime publishes, also where its Python let through what is no JSON.

    `Infinity` and `NaN` (limits of numbers that node packs leave open) become null, lone surrogates question marks.
    Raises `BadRequest` for anything that is no object.
    """
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        pass
    try:
        printed = json.dumps(json.loads(body.decode(errors="replace")), ensure_ascii=False)
        decoded = json.loads(printed.encode(errors="replace"), parse_constant=lambda _: None)
        return msgspec.convert(decoded, dict[str, Any])
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"these are no node definitions: {error}") from None


def blank_input_files(object_info: Mapping[str, Any]) -> dict[str, Any]:
    """Empty the lists of input files; everything else stays as it is."""
    return _with_files(object_info, lambda _kind, _folder: [])


def fill_input_files(object_info: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Offer the caller's own input files, each list only those of its kind."""
    offered = sorted(names)

    def choose(kind: str, folder: Folder) -> list[str]:
        suffixes = _SUFFIXES.get(kind)
        if folder is not Folder.INPUT:
            return []
        return [name for name in offered if suffixes is None or name.lower().endswith(suffixes)]

    return _with_files(object_info, choose)


def read_node(name: str, entry: Mapping[str, Any]) -> NodeDefinition:
    """Read one entry of `object_info`."""
    inputs: dict[str, InputDefinition] = {}
    for input_name, spec, required in declarations_of(entry.get("input")):
        inputs.setdefault(input_name, read_input(name, input_name, spec, required=required))
    declared = tuple(inputs.values())
    return NodeDefinition(
        name=name,
        inputs=declared,
        outputs=_read_outputs(entry.get("output")),
        is_output=entry.get("output_node") is True,
        has_dynamic_inputs=any(is_dynamic_type(one.type) for one in declared),
    )


def _with_files(object_info: Mapping[str, Any], choose: FileLister) -> dict[str, Any]:
    changed = {
        name: node for name, entry in object_info.items() if (node := _node_with_files(name, entry, choose)) is not None
    }
    return {**object_info, **changed}


def _node_with_files(class_name: str, entry: Any, choose: FileLister) -> dict[str, Any] | None:
    if not isinstance(entry, dict):
        return None
    node = cast("dict[str, Any]", entry)
    groups = _groups_with_files(class_name, node.get("input"), choose)
    return None if groups is None else {**node, "input": groups}


def _groups_with_files(class_name: str, groups: Any, choose: FileLister) -> dict[str, Any] | None:
    """Give the groups of inputs with other lists of files, None where there is no such list."""
    changed: dict[str, Any] = {}
    for name, spec, required in declarations_of(groups):
        replaced = _spec_with_files(class_name, name, spec, choose)
        if replaced is not None:
            changed.setdefault("required" if required else "optional", {})[name] = replaced
    if not changed:
        return None
    return {**groups, **{group: {**groups[group], **specs} for group, specs in changed.items()}}


def _spec_with_files(class_name: str, name: str, spec: Any, choose: FileLister) -> list[Any] | None:
    kind, options = split_spec(spec)
    file_kind = file_kind_of(class_name, name, kind, options)
    if file_kind is None:
        return [kind, _template_with_files(class_name, options, choose)] if is_dynamic_type(kind) else None
    declared = read_input(class_name, name, spec, required=False)
    names = choose(file_kind, declared.file_folder)
    # The default of such a list is one of its files.
    kept = {key: value for key, value in options.items() if key != "default"}
    if kind == COMBO:
        return [kind, {**kept, "options": names} if "options" in kept else kept]
    return [names, kept] if isinstance(spec, list) and len(cast("list[Any]", spec)) > 1 else [names]


def _template_with_files(class_name: str, value: Any, choose: FileLister) -> Any:
    """Look for groups of inputs anywhere in the options of a dynamic input."""
    if isinstance(value, list):
        return [_template_with_files(class_name, child, choose) for child in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    groups = cast("dict[str, Any]", value)
    if "required" in groups or "optional" in groups:
        return _groups_with_files(class_name, groups, choose) or groups
    return {key: _template_with_files(class_name, child, choose) for key, child in groups.items()}


def _read_outputs(outputs: Any) -> tuple[Any, ...]:
    if isinstance(outputs, str):
        return (outputs,)
    return tuple(cast("list[Any]", outputs)) if isinstance(outputs, list) else ()
