"""Values that a caller gives by name, held against what the workflow takes. Files are looked up by who calls this."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, cast

from fireside.graphs.interface.places import Key
from fireside.graphs.interface.signature import NamedInput, Signature, check_number, is_choice, is_of_type
from fireside.wire.v2_interfaces import Fault, FaultCode

Draw = Callable[[int, int], int]
"""Draws an integer between two, both included."""

_MOST_SHOWN = 80
_MOST_CHOICES = 20
_LARGEST_DRAWN = 2**53 - 1
"""What every JSON reader keeps to the last digit."""
_ASSET = "core/ASSET"


@dataclass(slots=True, kw_only=True)
class Given:
    """All named inputs with the values that they have in this run, and what is wrong with those that were given.

    `written` are the names whose values are not simply the file's. Files are as they were given.
    """

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    written: list[str] = field(default_factory=list[str])
    faults: list[Fault] = field(default_factory=list[Fault])

    def by_place(self, signature: Signature) -> dict[Key, Any]:
        """Give the values to write, by the places they go to."""
        return {signature.inputs[name].key: self.values[name] for name in self.written}


def check_given(signature: Signature, given: Mapping[str, Any], draw: Draw) -> Given:
    """Hold what was given against what is taken; what was not given is as declared, as in the file, or drawn."""
    checked = Given()
    for name in given:
        if name not in signature.inputs:
            checked.faults.append(_unknown(name, list(signature.inputs)))
    for name, named in signature.inputs.items():
        if name in given:
            _take(checked, named, given[name])
        elif named.is_required:
            checked.faults.append(_fault("missing_input", named, "must be given"))
        elif named.is_random:
            checked.values[name] = draw(*_drawn_between(named))
            checked.written.append(name)
        else:
            checked.values[name] = named.default
            checked.written += [name] if named.is_declared_default else []
    return checked


def is_asset_reference(value: Any) -> bool:
    """Whether a value is an object that stands for an asset."""
    if not isinstance(value, dict):
        return False
    fields = cast("dict[str, Any]", value)
    info = fields.get("info")
    return (
        fields.get("__type") == _ASSET
        and isinstance(info, dict)
        and isinstance(cast("dict[str, Any]", info).get("id"), str)
    )


def _take(checked: Given, named: NamedInput, value: Any) -> None:
    problem = _problem(named, value)
    if problem is not None:
        checked.faults.append(_fault(problem[0], named, problem[1]))
        return
    is_whole_float = named.type == "integer" and isinstance(value, float)
    checked.values[named.name] = int(value) if is_whole_float else value
    checked.written.append(named.name)


def _problem(named: NamedInput, value: Any) -> tuple[FaultCode, str] | None:
    if named.is_file:
        if is_asset_reference(value) or (isinstance(value, str) and value):
            return None
        return "wrong_type", f"is a file ({named.type}): give an asset's id, its hash, its name, or a reference to it"
    if named.choices is not None:
        if is_choice(value, named.choices):
            return None
        return "not_a_choice", f"cannot be {_shown(value)}; it is one of {_listed(named.choices)}"
    if not is_of_type(value, named.type):
        article = "an" if named.type == "integer" else "a"
        return "wrong_type", f"is {article} {named.type} and cannot be {_shown(value)}"
    if named.type in ("integer", "number") and not check_number(value, named.minimum, named.maximum):
        return "out_of_range", f"cannot be {_shown(value)}: it is {_limits(named)}"
    return None


def _unknown(name: str, known: Sequence[str]) -> Fault:
    shown = _plain(name[:_MOST_SHOWN])
    alike = get_close_matches(shown, known, n=1)
    if alike:
        hint = f"did you mean {alike[0]!r}?"
    elif known:
        hint = f"the workflow takes {', '.join(known)}."
    else:
        hint = "the workflow declares no inputs."
    return Fault(code="unknown_input", message=f"There is no input {shown!r}; {hint}", input=shown)


def _fault(code: FaultCode, named: NamedInput, what: str) -> Fault:
    return Fault(code=code, message=f"The input {named.name!r} {what}.", input=named.name, node=named.key[0])


def _drawn_between(named: NamedInput) -> tuple[int, int]:
    least = max(int(named.minimum if named.minimum is not None else 0), -_LARGEST_DRAWN)
    most = min(int(named.maximum if named.maximum is not None else _LARGEST_DRAWN), _LARGEST_DRAWN)
    return least, max(least, most)


def _limits(named: NamedInput) -> str:
    limits = [f"at least {named.minimum}"] if named.minimum is not None else []
    limits += [f"at most {named.maximum}"] if named.maximum is not None else []
    return " and ".join(limits)


def _listed(choices: Sequence[Any]) -> str:
    more = f" and {len(choices) - _MOST_CHOICES} more" if len(choices) > _MOST_CHOICES else ""
    return ", ".join(repr(one) for one in choices[:_MOST_CHOICES]) + more


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = _plain(repr(value))
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."


def _plain(text: str) -> str:
    return text.encode(errors="replace").decode()
