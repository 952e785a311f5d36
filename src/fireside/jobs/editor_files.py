"""What the node packs of all workers bring along for the editor, put together from what each worker published. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from fireside.wire.fleet_joining import EditorFilesBody

Templates = Mapping[str, Mapping[str, bytes]]
"""Files of example workflows, by node pack and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorFiles:
    """Translations by language, and the example workflows."""

    translations: Mapping[str, Any] = field(default_factory=dict[str, Any])
    templates: Templates = field(default_factory=dict[str, Mapping[str, bytes]])


def read_editor_files(body: bytes) -> EditorFiles:
    """Read what a worker published."""
    told = msgspec.json.decode(body, type=EditorFilesBody)
    templates: dict[str, dict[str, bytes]] = {}
    for one in told.templates:
        templates.setdefault(one.node_pack, {})[one.file] = one.content
    return EditorFiles(translations=told.translations, templates=templates)


def unite_editor_files(many: Sequence[EditorFiles]) -> EditorFiles:
    """Put those of all workers together; of two that differ in the same place the first one's."""
    translations: dict[str, Any] = {}
    templates: dict[str, dict[str, bytes]] = {}
    for one in reversed(many):
        translations = _merged(translations, one.translations)
        for pack, files in one.templates.items():
            templates.setdefault(pack, {}).update(files)
    return EditorFiles(
        translations=translations,
        templates={pack: dict(sorted(files.items())) for pack, files in sorted(templates.items())},
    )


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one tree over another, as ComfyUI does with the translations of its node packs."""
    merged = dict(under)
    for name, value in over.items():
        known = merged.get(name)
        if isinstance(known, dict) and isinstance(value, dict):
            merged[name] = _merged(cast("dict[str, Any]", known), cast("dict[str, Any]", value))
        else:
            merged[name] = value
    return merged
