"""Literal values of inputs: made what the input's type wants, and held against its limits and choices."""

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from math import isfinite
from typing import Any

from fireside.graphs import problems
from fireside.graphs.input_definitions import InputDefinition
from fireside.graphs.links import as_list, is_wrapped, unwrap
from fireside.graphs.problems import Problem

# Files whose loaders look themselves whether the file is there, instead of comparing with the list.
_WITH_VALIDATOR = frozenset({"image", "video", "audio", "latent"})


def _to_float(value: Any) -> float:
    number = float(value)
    if not isfinite(number):
        raise ValueError(f"{number} is not a finite number, which JSON cannot carry")
    return number


# Python's own conversions, with Python's own idea of truth: `bool("false")` is true.
_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {"INT": int, "FLOAT": _to_float, "STRING": str, "BOOLEAN": bool}


class BadValue(Exception):
    """A value that its input does not take."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem["message"])
        self.problem = problem


def check_value(declared: InputDefinition, written: Any, known_files: Collection[str]) -> Any:
    """Give the value as the node will get it; raises `BadValue`.

    A limit that the value cannot be compared with raises the `TypeError` of the comparison.
    """
    value = _convert(declared, unwrap(written))
    if declared.file_kind is not None:
        _check_file(declared, value, known_files)
    else:
        _check_limits(declared, value)
        _check_choices(declared, value)
    # A literal list or object stays wrapped, or the next reader of the graph would take it for a link.
    return written if is_wrapped(written) and isinstance(value, (list, dict)) else value


def _convert(declared: InputDefinition, value: Any) -> Any:
    convert = _CONVERSIONS.get(declared.type) if isinstance(declared.type, str) else None
    if convert is None:
        return value
    try:
        return convert(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadValue(problems.invalid_input_type(declared, value, error)) from None


def _check_limits(declared: InputDefinition, value: Any) -> None:
    least, most = declared.options.get("min"), declared.options.get("max")
    if least is not None and operator.lt(value, least):
        raise BadValue(problems.value_smaller_than_min(declared, value))
    if most is not None and operator.gt(value, most):
        raise BadValue(problems.value_bigger_than_max(declared, value))


def _check_choices(declared: InputDefinition, value: Any) -> None:
    if declared.choices is None:
        return
    unknown = [one for one in _each(declared, value) if not declared.offers(one)]
    if unknown:
        raise BadValue(problems.value_not_in_list(declared, value, unknown))


def _each(declared: InputDefinition, value: Any) -> Sequence[Any]:
    return as_list(value) if declared.is_multiselect else [value]


def _check_file(declared: InputDefinition, value: Any, known_files: Collection[str]) -> None:
    unknown = [one for one in _each(declared, value) if not isinstance(one, str) or one not in known_files]
    if not unknown:
        return
    if declared.file_kind in _WITH_VALIDATOR:
        reason = f"Invalid {declared.file_kind} file: {unknown[0]}"
        raise BadValue(problems.custom_validation_failed(declared.name, reason))
    raise BadValue(problems.value_not_in_list(declared, value, unknown))
