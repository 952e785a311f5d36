"""What can be wrong with one node: the open-source server's catalogue, with its exact texts."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from fireside.graphs.input_definitions import InputDefinition

Problem = Mapping[str, Any]
"""`{type, message, details, extra_info}`, as it stands in `node_errors`."""

# The open-source server's own limit for lists that a value is not in; here it holds for every mention of a list, or a
# graph of many mistakes would be answered with as many lists of all models.
_MOST_SHOWN_CHOICES = 20
# Every node of a cycle shows it, so showing all of a long one would cost the square of its length.
_LONGEST_SHOWN_CYCLE = 50


def required_input_missing(name: str) -> Problem:
    """A required input is absent."""
    return _problem("required_input_missing", "Required input is missing", name, {"input_name": name})


def bad_linked_input(declared: InputDefinition, value: Any) -> Problem:
    """A list that is no link."""
    message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
    return _problem("bad_linked_input", message, declared.name, _about(declared, received_value=value))


def return_type_mismatch(declared: InputDefinition, received_type: Any, link: Any) -> Problem:
    """The source gives something of another type."""
    return _problem(
        "return_type_mismatch",
        "Return type mismatch between linked nodes",
        f"{declared.name}, received_type({_shortened(received_type)}) mismatch input_type({_shortened(declared.type)})",
        _about(declared, received_type=received_type, linked_node=link),
    )


def invalid_input_type(declared: InputDefinition, value: Any, error: Exception) -> Problem:
    """A value that cannot be made a number."""
    return _problem(
        "invalid_input_type",
        f"Failed to convert an input value to a {declared.type} value",
        f"{declared.name}, {value}, {error}",
        _about(declared, received_value=value, exception_message=str(error)),
    )


def value_smaller_than_min(declared: InputDefinition, value: Any) -> Problem:
    """A number below the least that is allowed."""
    message = f"Value {value} smaller than min of {declared.options['min']}"
    return _problem("value_smaller_than_min", message, declared.name, _about(declared, received_value=value))


def value_bigger_than_max(declared: InputDefinition, value: Any) -> Problem:
    """A number above the most that is allowed."""
    message = f"Value {value} bigger than max of {declared.options['max']}"
    return _problem("value_bigger_than_max", message, declared.name, _about(declared, received_value=value))


def value_not_in_list(declared: InputDefinition, value: Any, unknown: Sequence[Any]) -> Problem:
    """A choice that is not offered; `unknown` are those of a multiple choice that are not."""
    shown = _shortened(list(declared.choices or ()))
    return _problem(
        "value_not_in_list",
        "Value not in list",
        f"{declared.name}: {', '.join(repr(one) for one in unknown)} not in {shown}",
        _about(declared, received_value=value),
    )


def custom_validation_failed(name: str, reason: str) -> Problem:
    """The node's own validator refused."""
    details = f"{name} - {reason}" if reason else name
    return _problem("custom_validation_failed", "Custom validation failed for node", details, {"input_name": name})


def invalid_dynamic_input(name: str, details: str) -> Problem:
    """A group of inputs is not written as its template says."""
    return _problem("invalid_dynamic_input", "Invalid dynamic input", details, {"input_name": name})


def dependency_cycle(node_id: str, path: Sequence[tuple[str, Any]], length: int) -> Problem:
    """The graph loops through this node; `path` is the loop's beginning as (id, class), of `length` nodes in all."""
    steps = [f"{step_id} ({class_type})" for step_id, class_type in path]
    if length > len(path):
        steps.append(f"... ({length} nodes)")
    steps.append(steps[0])
    extra_info = {"node_id": node_id, "cycle_nodes": [step_id for step_id, _ in path]}
    return _problem("dependency_cycle", "Dependency cycle detected", " -> ".join(steps), extra_info)


def shown_cycle(length: int) -> int:
    """Say how many nodes of a cycle are shown."""
    return min(length, _LONGEST_SHOWN_CYCLE)


def exception_during_validation(error: Exception) -> Problem:
    """Looking at an output node broke; our own traceback is nobody's business."""
    extra_info: dict[str, Any] = {"exception_type": type(error).__qualname__, "traceback": []}
    return _problem("exception_during_validation", "Exception when validating node", str(error), extra_info)


def exception_during_inner_validation(error: Exception, declared: InputDefinition, link: Any) -> Problem:
    """Looking at a node broke that is linked to the input `declared` of another."""
    extra_info = _about(
        declared,
        exception_message=str(error),
        exception_type=type(error).__qualname__,
        traceback=[],
        linked_node=link,
    )
    return _problem("exception_during_inner_validation", "Exception when validating inner node", str(error), extra_info)


def _about(declared: InputDefinition, **more: Any) -> dict[str, Any]:
    is_long = declared.choices is not None and len(declared.choices) > _MOST_SHOWN_CHOICES
    return {"input_name": declared.name, "input_config": None if is_long else declared.config, **more}


def _shortened(value: Any) -> str:
    if isinstance(value, list) and len(cast("list[Any]", value)) > _MOST_SHOWN_CHOICES:
        return f"(list of length {len(cast('list[Any]', value))})"
    return str(cast("Any", value))


def _problem(kind: str, message: str, details: str, extra_info: dict[str, Any]) -> Problem:
    return {"type": kind, "message": message, "details": details, "extra_info": extra_info}
