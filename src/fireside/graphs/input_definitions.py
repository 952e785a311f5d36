"""One declared input of a node: its type, its options, and which literal values it offers.

Node packs publish odd shapes (no options, options that are no object, a type without its list); each is read as what
ComfyUI would make of it, never refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from fireside.domain.assets import Folder

COMBO = "COMBO"
WILDCARD = "*"
_UPLOAD = "_upload"
_FILE_KINDS = {
    "image_upload": "image",
    "animated_image_upload": "image",
    "video_upload": "video",
    "audio_upload": "audio",
}
# Lists the files of a folder without saying so.
_UNMARKED_FILE_INPUTS = {("LoadLatent", "latent"): "latent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDefinition:
    """A declared input.

    `type` is a name, or a list where the choices stand in its place. `choices` is None for whatever is no list of
    values, and for lists that only the node's own server knows. `file_kind` is set when the choices are files.
    """

    name: str
    type: Any
    options: Mapping[str, Any]
    required: bool
    choices: Sequence[Any] | None = None
    file_kind: str | None = None
    _hashable: frozenset[Any] = field(default=frozenset(), repr=False, compare=False)

    @property
    def config(self) -> list[Any]:
        """The declaration as error bodies show it."""
        return [self.type, self.options]

    @property
    def is_multiselect(self) -> bool:
        """Whether a list of choices may be chosen."""
        return bool(self.options.get("multiselect") or self.options.get("multi_select"))

    @property
    def file_folder(self) -> Folder:
        """Where a file lies whose value names no folder."""
        named = self.options.get("image_folder")
        return next((folder for folder in Folder if folder.value == named), Folder.INPUT)

    def offers(self, value: Any) -> bool:
        """Whether the value is one of the choices, equal as Python sees it."""
        try:
            return value in self._hashable
        except TypeError:
            return value in (self.choices or ())


def read_input(class_name: str, name: str, spec: Any, *, required: bool) -> InputDefinition:
    """Read `[type, options]` or any of the shapes that stand for it."""
    kind, options = split_spec(spec)
    choices = choices_of(kind, options)
    return InputDefinition(
        name=name,
        type=kind,
        options=options,
        required=required,
        choices=choices,
        file_kind=file_kind_of(class_name, name, kind, options),
        _hashable=frozenset(choice for choice in choices or () if _is_hashable(choice)),
    )


def split_spec(spec: Any) -> tuple[Any, Mapping[str, Any]]:
    """Give a declaration's type and options; what says nothing is a wildcard."""
    if isinstance(spec, str):
        return spec, {}
    parts = cast("list[Any]", spec) if isinstance(spec, list) else []
    kind = cast("Any", parts[0]) if parts and isinstance(parts[0], (str, list)) else WILDCARD
    options = parts[1] if len(parts) > 1 else None
    return kind, cast("Mapping[str, Any]", options) if isinstance(options, dict) else {}


def choices_of(kind: Any, options: Mapping[str, Any]) -> Sequence[Any] | None:
    """Give the values that a declaration lists, None where it lists none."""
    if options.get("remote"):
        return None
    if isinstance(kind, list):
        return cast("list[Any]", kind)
    listed = options.get("options") if kind == COMBO else None
    return cast("list[Any]", listed) if isinstance(listed, list) else None


def file_kind_of(class_name: str, name: str, kind: Any, options: Mapping[str, Any]) -> str | None:
    """Say which kind of file the choices are (`image`, `video`, `audio`, `latent`, `file`), None if they are none."""
    if kind != COMBO and not isinstance(kind, list):
        return None
    for flag, given in options.items():
        if flag.endswith(_UPLOAD) and given:
            return _FILE_KINDS.get(flag, "file")
    return _UNMARKED_FILE_INPUTS.get((class_name, name))


def _is_hashable(value: Any) -> bool:
    return not isinstance(value, (dict, list))
