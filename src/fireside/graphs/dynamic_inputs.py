"""Inputs that a node only has in company of others: groups that grow, and choices that bring their own inputs.

They are declared as templates; the names in use are dotted (`images.image0`, `format.codec`). What is not known here
(newer kinds of templates) is neither asked for nor checked.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from fireside.graphs.input_definitions import InputDefinition, read_input
from fireside.graphs.links import unwrap
from fireside.graphs.problems import Problem, invalid_dynamic_input

AUTOGROW = "COMFY_AUTOGROW_V3"
DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
DYNAMIC_SLOT = "COMFY_DYNAMICSLOT_V3"
# Types that are no templates, though they are named alike.
_PLAIN_TYPES = frozenset({"COMFY_MATCHTYPE_V3", "COMFY_MULTITYPED_V3"})
_MOST_GROWN = 100
_MOST_NESTED = 8


class Expansion:
    """The inputs that a node has, given what the graph writes, and what is wrong with how it writes them."""

    def __init__(self, class_name: str, written: Mapping[str, Any]) -> None:
        self.inputs: dict[str, InputDefinition] = {}
        self.problems: list[Problem] = []
        self._class_name = class_name
        self._written = written

    def add(self, declared: InputDefinition, depth: int = 0) -> None:
        """Take in a declared input, a template as what it stands for."""
        if not is_dynamic_type(declared.type):
            self.inputs.setdefault(declared.name, declared)
        elif depth < _MOST_NESTED:
            for inner in self._unfold(declared):
                self.add(inner, depth + 1)

    def _unfold(self, declared: InputDefinition) -> Iterator[InputDefinition]:
        match declared.type:
            case str() as kind if kind == AUTOGROW:
                return self._grow(declared)
            case str() as kind if kind == DYNAMIC_COMBO:
                return self._choose(declared)
            case str() as kind if kind == DYNAMIC_SLOT:
                return self._connect(declared)
            case _:
                return iter(())

    def _grow(self, group: InputDefinition) -> Iterator[InputDefinition]:
        if group.name in self._written:
            text = (
                f"Input '{group.name}' is an Autogrow group and takes no value itself; "
                f"give each of its inputs by a dotted key such as '{group.name}.NAME'"
            )
            self.problems.append(invalid_dynamic_input(group.name, text))
            return
        template = _object(group.options.get("template"))
        for place, name in enumerate(_grown_names(template)):
            for inner_required, spec in _first_input(template):
                required = inner_required and place < _number(template.get("min"), 0)
                yield read_input(self._class_name, f"{group.name}.{name}", spec, required=required)

    def _choose(self, combo: InputDefinition) -> Iterator[InputDefinition]:
        chosen = unwrap(self._written.get(combo.name))
        if combo.name not in self._written or isinstance(chosen, list):
            self._keep_as_plain(combo)
            return
        options = [_object(option) for option in _list(combo.options.get("options"))]
        picked = next((option for option in options if option.get("key") == chosen), None)
        if picked is not None:
            yield from self._children(combo.name, picked.get("inputs"))
        else:
            keys = [option.get("key") for option in options]
            self.problems.append(invalid_dynamic_input(combo.name, f"{combo.name}: {chosen!r} not in {keys}"))

    def _connect(self, slot: InputDefinition) -> Iterator[InputDefinition]:
        slot_type = slot.options.get("slotType")
        if slot.name not in self._written or not isinstance(slot_type, str):
            return
        yield read_input(self._class_name, slot.name, [slot_type, dict(slot.options)], required=False)
        yield from self._children(slot.name, slot.options.get("inputs"))

    def _children(self, prefix: str, groups: Any) -> Iterator[InputDefinition]:
        for name, spec, required in declarations_of(groups):
            yield read_input(self._class_name, f"{prefix}.{name}", spec, required=required)

    def _keep_as_plain(self, declared: InputDefinition) -> None:
        # Neither absence nor a link says what is chosen; as a plain input it is missed, or its link refused, as usual.
        plain = InputDefinition(
            name=declared.name, type=declared.type, options=declared.options, required=declared.required
        )
        self.inputs.setdefault(declared.name, plain)


def is_dynamic_type(kind: Any) -> bool:
    """Whether an input of this type is a template for others."""
    return isinstance(kind, str) and kind.startswith("COMFY_") and kind.endswith("_V3") and kind not in _PLAIN_TYPES


def declarations_of(groups: Any) -> Iterator[tuple[str, Any, bool]]:
    """Give name, declaration and whether it is required, for each input of `{"required": {...}, "optional": {...}}`."""
    groups = _object(groups)
    for group in ("required", "optional"):
        for name, spec in _object(groups.get(group)).items():
            yield name, spec, group == "required"


def _grown_names(template: Mapping[str, Any]) -> list[str]:
    prefix = template.get("prefix")
    if isinstance(prefix, str):
        return [f"{prefix}{number}" for number in range(min(_number(template.get("max"), _MOST_GROWN), _MOST_GROWN))]
    return [name for name in _list(template.get("names"))[:_MOST_GROWN] if isinstance(name, str)]


def _first_input(template: Mapping[str, Any]) -> list[tuple[bool, Any]]:
    return [(required, spec) for _, spec, required in declarations_of(template.get("input"))][:1]


def _object(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _number(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise
