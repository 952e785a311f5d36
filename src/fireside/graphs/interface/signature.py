"""What a workflow takes and gives by name: each declared input with what its node takes, or what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from msgspec import UNSET

from fireside.graphs.editor.workflow import NOTHING
from fireside.graphs.input_definitions import InputDefinition
from fireside.graphs.interface.editor_places import EditorPlaces
from fireside.graphs.interface.places import Key, Misplaced, Place, Places
from fireside.graphs.interface.saved import Declared
from fireside.wire.v2_interfaces import Fault, InputDeclaration, InputType, OutputDeclaration

FILE_TYPES: Sequence[InputType] = ("image", "mask", "video", "audio", "file")
_BY_NODE: Mapping[str, InputType] = {
    "INT": "integer",
    "FLOAT": "number",
    "BOOLEAN": "boolean",
    "STRING": "string",
    "MARKDOWN": "string",
    "TEXTAREA": "string",
    "COLOR": "string",
    "COMBO": "string",
}
_BY_FILE: Mapping[str, InputType] = {"image": "image", "video": "video", "audio": "audio"}
_MASKS = frozenset({"LoadImageMask"})
# What a declaration may call an input of another type: something narrower, or another word for it.
_ALSO: Mapping[InputType, Sequence[InputType]] = {
    "number": ("integer", "enum"),
    "integer": ("enum",),
    "string": ("enum",),
    "image": ("mask",),
    "mask": ("image",),
}
_NUMBERS = (int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedInput:
    """A named input. `default` is NOTHING where it has none: then it must be given, unless it is drawn."""

    name: str
    type: InputType
    key: Key
    title: str = ""
    description: str = ""
    default: Any = NOTHING
    is_declared_default: bool = False
    is_random: bool = False
    minimum: int | float | None = None
    maximum: int | float | None = None
    choices: Sequence[Any] | None = None
    folder: str = "input"
    """Of a file: where it lies if its name does not say so."""

    @property
    def is_file(self) -> bool:
        """Whether its values are files."""
        return self.type in FILE_TYPES

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default is NOTHING and not self.is_random


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """All that a workflow takes and gives by name, and what of its declaration does not fit."""

    inputs: Mapping[str, NamedInput] = field(default_factory=dict[str, NamedInput])
    outputs: Mapping[str, OutputDeclaration] = field(default_factory=dict[str, OutputDeclaration])
    faults: Sequence[Fault] = ()
    left_out: Sequence[Fault] = ()
    """What an app of the editor's names and its workflow has no more: the editor leaves it out, and so do we."""
    description: str = ""


def signature_of(declared: Declared, places: Places) -> Signature:
    """Hold a declaration against the workflow."""
    faults: list[Fault] = []
    inputs: dict[str, NamedInput] = {}
    outputs: dict[str, OutputDeclaration] = {}
    for one in declared.interface.inputs:
        try:
            inputs[one.name] = _named_input(one, _find(one, declared, places))
        except Misplaced as error:
            message = f"The input {one.name!r}: {error.message}."
            faults.append(Fault(code=error.code, message=message, input=one.name, node=one.node))
    for one in declared.interface.outputs:
        try:
            places.check_output(one.node)
            outputs[one.name] = one
        except Misplaced as error:
            message = f"The output {one.name!r}: {error.message}."
            faults.append(Fault(code=error.code, message=message, output=one.name, node=one.node))
    is_app = declared.source == "app"
    return Signature(
        inputs=inputs,
        outputs=outputs,
        faults=(*declared.faults, *(() if is_app else faults)),
        left_out=faults if is_app else (),
        description=declared.interface.description,
    )


def check_number(value: Any, minimum: float | None, maximum: float | None) -> bool:
    """Whether a number is within the limits that there are."""
    return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)


def is_of_type(value: Any, kind: InputType) -> bool:
    """Whether a JSON value is of a type; what is no file and no choice is taken at its word, never converted."""
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return is_whole and not isinstance(value, bool)
        case "number":
            return isinstance(value, _NUMBERS) and not isinstance(value, bool)
        case "enum":
            return isinstance(value, str | bool | int | float)
        case _:
            return isinstance(value, str)


def is_choice(value: Any, choices: Sequence[Any]) -> bool:
    """Whether a value is one of the choices; true is not 1."""
    return any(value == one and isinstance(value, bool) is isinstance(one, bool) for one in choices)


def _find(declared: InputDeclaration, whole: Declared, places: Places) -> Place:
    try:
        return places.input_at(declared.node, declared.input)
    except Misplaced:
        if whole.source == "app" and isinstance(places, EditorPlaces):
            shown = places.promoted_from(declared.node, declared.input)
            if shown is not None:
                return places.input_at(*shown)
        raise


def _named_input(declared: InputDeclaration, place: Place) -> NamedInput:
    kind = _type_of(declared, place)
    definition = place.definition
    options = definition.options
    is_number = kind in ("integer", "number")
    made = NamedInput(
        name=declared.name,
        type=kind,
        key=place.key,
        title=declared.title,
        description=declared.description or _text(options.get("tooltip")),
        is_random=not declared.required and kind == "integer" and (declared.random or place.is_random),
        minimum=_limit(declared.minimum, options.get("min"), max) if is_number else None,
        maximum=_limit(declared.maximum, options.get("max"), min) if is_number else None,
        choices=_choices(declared, definition) if kind == "enum" else None,
        folder=definition.file_folder.value,
    )
    return _with_default(made, declared, place)


def _choices(declared: InputDeclaration, definition: InputDefinition) -> list[Any]:
    """Give the choices that are offered: the node's, only those declared, or those alone where the node has none."""
    own = [one for one in definition.choices or () if isinstance(one, str | int | float | bool)]
    if declared.choices is None:
        return own
    offered = [one for one in declared.choices if definition.choices is None or is_choice(one, own)]
    if not offered:
        raise Misplaced("invalid_declaration", "none of its choices is one of the node's")
    return offered


def _with_default(made: NamedInput, declared: InputDeclaration, place: Place) -> NamedInput:
    if declared.required:
        return made
    if declared.default is not UNSET:
        if not accepts(made, declared.default):
            raise Misplaced("invalid_declaration", f"its default is not taken by the node: {_range(made)}")
        return replace(made, default=declared.default, is_declared_default=True, is_random=False)
    if made.is_random or not accepts(made, place.value):
        return made
    return replace(made, default=place.value)


def accepts(named: NamedInput, value: Any) -> bool:
    """Whether a value is of the input's type, within its limits and among its choices; files are not looked up."""
    if not is_of_type(value, named.type):
        return False
    if named.choices is not None:
        return is_choice(value, named.choices)
    if named.type in ("integer", "number"):
        return check_number(value, named.minimum, named.maximum)
    return not named.is_file or value != ""


def _type_of(declared: InputDeclaration, place: Place) -> InputType:
    definition = place.definition
    kind: InputType | None
    if definition.is_multiselect:
        kind = None
    elif definition.file_kind is not None:
        kind = _BY_FILE.get(definition.file_kind, "file")
        kind = "mask" if kind == "image" and place.class_name in _MASKS else kind
    elif definition.choices is not None:
        kind = "enum"
    else:
        kind = _BY_NODE.get(definition.type) if isinstance(definition.type, str) else None
    if kind is None:
        raise Misplaced("not_settable", f"an input of the type {definition.type!r} cannot be given by name")
    if declared.type is None:
        narrowed = declared.choices is not None and "enum" in _ALSO.get(kind, ())
        return "enum" if narrowed else kind
    if declared.type != kind and declared.type not in _ALSO.get(kind, ()):
        raise Misplaced("type_mismatch", f"it is declared as {declared.type}, and the node takes {kind}")
    if declared.type == "enum" and kind != "enum" and declared.choices is None:
        raise Misplaced("invalid_declaration", "an enum of a node without choices of its own needs `choices`")
    return declared.type


def _limit(declared: float | None, own: Any, choose: Any) -> Any:
    limits = [one for one in (declared, own) if isinstance(one, _NUMBERS) and not isinstance(one, bool)]
    return choose(limits) if limits else None


def _range(named: NamedInput) -> str:
    if named.choices is not None:
        return "it is not among the choices"
    limits = [f"at least {named.minimum}"] if named.minimum is not None else []
    limits += [f"at most {named.maximum}"] if named.maximum is not None else []
    return " and ".join([f"it takes {named.type}", *limits])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
