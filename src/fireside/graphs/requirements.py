"""What a job asks of a worker: nodes, choices such as models, labels, and video memory. Few jobs differ in it.

It is what a job carries into the queue, so that kinds of workers that come later are found to suit it too. Limits of
numbers are not looked at again, and of inputs that others bring along only those that every node of the class has.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from blake3 import blake3
from msgspec import UNSET, UnsetType

from fireside.domain.workers import WorkerWish
from fireside.graphs.definitions import NodeDefinition, NodeDefinitions
from fireside.graphs.links import as_list, is_wrapped, unwrap

_ID_BYTES = 16


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """Classes of nodes, `(class, input, choice)`, labels, memory; sorted, so that equal ones have equal bytes.

    Where no memory is asked for there is no field of it, as there was none before it could be.
    """

    classes: tuple[str, ...] = ()
    choices: tuple[tuple[str, str, Any], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    vram_bytes: int | UnsetType = UNSET

    @property
    def wish(self) -> WorkerWish:
        """What it asks for that no graph says."""
        return WorkerWish(labels=dict(self.labels), vram_bytes=self.vram_bytes or 0)

    def encoded(self) -> bytes:
        """Give it as JSON, to be kept under `id`."""
        return msgspec.json.encode(self)


def decode_requirement(body: bytes) -> Requirement:
    """Read what was kept."""
    return msgspec.json.decode(body, type=Requirement)


def requirement_id(encoded: bytes) -> UUID:
    """Name a requirement by its bytes."""
    return UUID(bytes=blake3(encoded).digest(_ID_BYTES))


def requirement_of(graph: Mapping[str, Any], definitions: NodeDefinitions, wish: WorkerWish) -> Requirement:
    """Say what a valid graph in API format asks for; `definitions` are those it was held against."""
    classes: set[str] = set()
    choices: dict[bytes, tuple[str, str, Any]] = {}
    for node in graph.values():
        definition = definitions.get(node["class_type"])
        if definition is None:
            continue
        classes.add(definition.name)
        for choice in _choices(definition, node.get("inputs") or {}):
            choices[msgspec.json.encode(choice)] = choice
    return Requirement(
        classes=tuple(sorted(classes)),
        choices=tuple(choice for _, choice in sorted(choices.items())),
        labels=tuple(sorted(wish.labels.items())),
        vram_bytes=wish.vram_bytes or UNSET,
    )


def can_run(requirement: Requirement, definitions: NodeDefinitions) -> bool:
    """Whether these nodes are enough; labels and memory are each worker's own and not looked at."""
    return all(definitions.get(name) is not None for name in requirement.classes) and all(
        _is_offered(definitions.get(class_type), name, value) for class_type, name, value in requirement.choices
    )


def lack_of(requirement: Requirement, definitions: NodeDefinitions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the classes, and the files and other choices, that these nodes are short of."""
    classes = tuple(name for name in requirement.classes if definitions.get(name) is None)
    choices = {
        str(value): None
        for class_type, name, value in requirement.choices
        if class_type not in classes and not _is_offered(definitions.get(class_type), name, value)
    }
    return classes, tuple(choices)


def _choices(definition: NodeDefinition, inputs: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    found: list[tuple[str, str, Any]] = []
    for declared in definition.inputs:
        if declared.choices is None or declared.file_kind is not None or declared.name not in inputs:
            continue
        written = inputs[declared.name]
        if isinstance(written, list):
            continue
        value = unwrap(written) if is_wrapped(written) else written
        several = as_list(value) if declared.is_multiselect else [value]
        found += [(definition.name, declared.name, one) for one in several]
    return found


def _is_offered(definition: NodeDefinition | None, name: str, value: Any) -> bool:
    declared = None if definition is None else next((one for one in definition.inputs if one.name == name), None)
    # An input that this kind does not declare is ignored there, and one without a list takes anything.
    return declared is None or declared.choices is None or declared.file_kind is not None or declared.offers(value)
