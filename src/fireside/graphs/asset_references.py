"""References to assets inside a workflow, as the API v2 writes them: `{"__type": "core/ASSET", "info": {"id": ...}}`.

They may stand anywhere. The id decides; `hash` and `file_path` beside it are hints for people. Before a graph is
parsed each reference is replaced with the name by which a loader finds the file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast
from uuid import UUID

from fireside.domain.errors import BadRequest
from fireside.domain.ids import AssetId

_TYPE = "core/ASSET"


_SHOWN_CHARACTERS = 80


class MissingAsset(BadRequest):
    """References that lead to no asset of the caller; `missing_ids` names them all, None for one without an id.

    `node_errors` is what else is wrong with the workflow, as in `InvalidGraph`.
    """

    code: ClassVar[str] = "missing_asset"

    def __init__(self, missing_ids: Sequence[str | None], *, node_errors: Mapping[str, Any] | None = None) -> None:
        shown = ", ".join(missing[:_SHOWN_CHARACTERS] if missing else "(no id)" for missing in missing_ids)
        super().__init__(f"the workflow refers to assets that do not exist: {shown}")
        self.missing_ids = tuple(missing_ids)
        self.node_errors = dict(node_errors or {})


@dataclass(frozen=True, slots=True)
class AssetReference:
    """One reference: the id as written, if that is a text, and what it names unless it is malformed."""

    written: str | None
    id: AssetId | None


def find_asset_references(workflow: Any) -> list[AssetReference]:
    """List the references, each id once, the malformed ones too."""
    found: dict[AssetId | str | None, AssetReference] = {}
    left: list[Any] = [workflow]
    while left:
        value = left.pop()
        if _is_reference(value):
            reference = _read(value)
            found.setdefault(reference.id or reference.written, reference)
        else:
            left.extend(child for _, child in reversed(list(_children(value))))
    return list(found.values())


def missing_references(references: Sequence[AssetReference], names: Mapping[AssetId, str]) -> list[str | None]:
    """Give those of the references, as written, that are malformed or not among the names."""
    return [reference.written for reference in references if reference.id is None or reference.id not in names]


def replace_asset_references(workflow: Any, names: Mapping[AssetId, str], *, otherwise: str | None = None) -> Any:
    """Give a copy of the workflow with file names in place of references.

    One that is malformed or not among the names is replaced with `otherwise`; without that, `MissingAsset` is raised
    with all of them.
    """
    references = find_asset_references(workflow)
    missing = missing_references(references, names)
    if missing and otherwise is None:
        raise MissingAsset(missing)
    root: list[Any] = [workflow]
    left: list[Any] = [root]
    while left:
        container = left.pop()
        for key, child in list(_children(container)):
            if _is_reference(child):
                asset_id = _read(child).id
                container[key] = otherwise if asset_id is None else names.get(asset_id, otherwise)
            elif isinstance(child, (dict, list)):
                container[key] = cast("Any", child).copy()
                left.append(container[key])
    return root[0]


def _children(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from cast("dict[Any, Any]", value).items()
    elif isinstance(value, list):
        yield from enumerate(cast("list[Any]", value))


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and cast("Any", value).get("__type") == _TYPE


def _read(reference: Mapping[str, Any]) -> AssetReference:
    info = reference.get("info")
    written = cast("Any", info).get("id") if isinstance(info, dict) else None
    if not isinstance(written, str):
        return AssetReference(None, None)
    try:
        return AssetReference(written, AssetId(UUID(written)))
    except ValueError:
        return AssetReference(written.encode(errors="replace").decode(), None)
