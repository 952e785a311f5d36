"""Asks ComfyUI's own validation about single nodes of a graph whose files are not here.

Every other node counts as valid, so that only the ones in question are looked at. Their file inputs are another
matter: a job's files come when it runs, so whatever a node holds against a missing file is not believed.
"""

import asyncio
import importlib
import inspect
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from .elsewhere import files_exist  # noqa: TID252 - ComfyUI loads us by path, under a name of its own

# Lists the files of a folder without saying so.
_UNMARKED_FILE_INPUTS = {("LoadLatent", "latent")}
_CUSTOM = "custom_validation_failed"


class UnsupportedError(Exception):
    """This ComfyUI validates in a way that we do not know."""


def classes_with_validators() -> list[str]:
    """Name the classes with a validator of their own that looks at more than files."""
    mappings = importlib.import_module("nodes").NODE_CLASS_MAPPINGS
    return sorted(name for name, node_class in list(mappings.items()) if _is_worth_asking(name, node_class))


def refusals(graph: dict[str, Any], node_ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Give what ComfyUI says against those nodes, by node id; whoever is not named was not refused."""
    found = {node_id: _refusals_of(graph, node_id) for node_id in node_ids if node_id in graph}
    return {node_id: errors for node_id, errors in found.items() if errors}


def _refusals_of(graph: dict[str, Any], node_id: str) -> list[dict[str, Any]]:
    node = graph[node_id]
    files = _files_of(node)
    named = frozenset(value for values in files.values() for value in values)
    try:
        with files_exist(named):
            errors = _validate(graph, node_id)
    except UnsupportedError:
        raise
    except OSError as error:
        # A validator that opened a file which is not here.
        errors = [] if files else [_exception(error)]
    except Exception as error:  # noqa: BLE001 - a stranger's code; ComfyUI makes a refusal of it as well
        errors = [_exception(error)]
    return [_plain(error) for error in errors if not _is_about_files(error, files)]


def _validate(graph: dict[str, Any], node_id: str) -> list[dict[str, Any]]:
    validate = importlib.import_module("execution").validate_inputs
    offered: dict[str, Any] = {
        "prompt_id": f"fireside-check-{uuid.uuid4().hex}",
        "prompt": graph,
        "item": node_id,
        "validated": {other: (True, [], other) for other in graph if other != node_id},
    }
    wanted = inspect.signature(validate).parameters
    unknown = [one.name for one in wanted.values() if one.default is one.empty and one.name not in offered]
    if unknown or not {"prompt", "item", "validated"} <= wanted.keys():
        raise UnsupportedError
    result = validate(**{name: value for name, value in offered.items() if name in wanted})
    # A coroutine since ComfyUI 0.3.45.
    if inspect.isawaitable(result):
        result = asyncio.run(_awaited(result))
    return [] if result[0] is True else list(result[1])


async def _awaited(result: Any) -> Any:
    return await result


def _exception(error: Exception) -> dict[str, Any]:
    return {
        "type": "exception_during_validation",
        "message": "Exception when validating node",
        "details": str(error),
        "extra_info": {"exception_type": type(error).__name__},
    }


def _is_about_files(error: Mapping[str, Any], files: Mapping[str, list[str]]) -> bool:
    if not files:
        return False
    kind, details = error["type"], str(error["details"])
    if kind == "value_not_in_list":
        return error["extra_info"].get("input_name") in files
    if kind != _CUSTOM:
        return False
    # One error for each input the validator took, all with the same words after the name.
    _, _, words = details.partition(" - ")
    return not words or any(value in words for values in files.values() for value in values)


def _plain(error: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what is JSON for sure: inputs' declarations may hold anything."""
    extra: dict[str, Any] = error.get("extra_info") or {}
    kept = {name: str(extra[name]) for name in ("input_name", "exception_type") if name in extra}
    return {**{name: str(error.get(name, "")) for name in ("type", "message", "details")}, "extra_info": kept}


def _files_of(node: Mapping[str, Any]) -> dict[str, list[str]]:
    """Give the file values that a node writes, by input."""
    written: dict[str, Any] = node.get("inputs") or {}
    found: dict[str, list[str]] = {}
    for name in _file_inputs(node["class_type"]) & written.keys():
        value = written[name]
        if isinstance(value, dict):
            value = cast("dict[str, Any]", value).get("__value__")
        several = cast("list[Any]", value) if isinstance(value, list) else [value]
        found[name] = [one for one in several if isinstance(one, str)]
    return found


def _file_inputs(class_name: str) -> set[str]:
    """Name the inputs of a class that are files of the input folder."""
    node_class = importlib.import_module("nodes").NODE_CLASS_MAPPINGS[class_name]
    try:
        groups = node_class.INPUT_TYPES()
        specs = {name: spec for group in ("required", "optional") for name, spec in groups.get(group, {}).items()}
    except Exception:  # noqa: BLE001 - a stranger's code; ComfyUI leaves such a class out of its definitions
        return set()
    return {name for name, spec in specs.items() if (class_name, name) in _UNMARKED_FILE_INPUTS or _is_file(spec)}


def _is_file(spec: Any) -> bool:
    parts = cast("tuple[Any, ...]", spec) if isinstance(spec, (list, tuple)) else ()
    options = parts[1] if len(parts) > 1 else None
    marks = cast("dict[Any, Any]", options) if isinstance(options, dict) else {}
    return any(str(mark).endswith("_upload") and on for mark, on in marks.items())


def _is_worth_asking(class_name: str, node_class: Any) -> bool:
    validator = _validator_of(node_class)
    if validator is None:
        return False
    try:
        specification = inspect.getfullargspec(validator)
    except TypeError:
        return True
    # The first one is the class.
    looked_at = set(specification.args[1:]) | set(specification.kwonlyargs)
    return specification.varkw is not None or not looked_at <= _file_inputs(class_name)


def _validator_of(node_class: Any) -> Callable[..., Any] | None:
    execution = importlib.import_module("execution")
    internal = getattr(execution, "_ComfyNodeInternal", None)
    override = getattr(execution, "first_real_override", None)
    if internal is not None and override is not None and issubclass(node_class, internal):
        return override(node_class, "validate_inputs")
    return getattr(node_class, "VALIDATE_INPUTS", None)
