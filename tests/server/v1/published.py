"""The published contract of the Cloud API v1, to hold answers against. Its known defects are mended here, by name."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import yaml

VARIABLE = "FIRESIDE_PUBLISHED_V1"
WHY_SKIPPED = f"{VARIABLE} does not name the published document"
_ERROR = "ErrorResponse"


class Published:
    """The document, ready to judge answers."""

    def __init__(self, document: dict[str, Any]) -> None:
        for mend in _MENDS:
            mend(document["components"]["schemas"])
        self._document: dict[str, Any] = with_nulls(document)
        self._paths = {pattern_of(path): operations for path, operations in self._document["paths"].items()}

    def check(self, answer: httpx.Response) -> None:
        """Hold an answer against what is published for it; a refusal that is not listed, against any refusal."""
        path, method = answer.request.url.path, answer.request.method.lower()
        listed = self._listed(path, method, answer.status_code)
        if listed is None:
            assert answer.status_code >= 400 or not self._is_published(path, method), f"{method} {path}"
            listed = {"$ref": f"#/components/schemas/{_ERROR}"} if answer.status_code >= 400 else {}
        if listed:
            assert answer.headers["content-type"] == "application/json"
            self._validate(listed, answer.json())

    def _is_published(self, path: str, method: str) -> bool:
        return any(pattern.fullmatch(path) and method in operations for pattern, operations in self._paths.items())

    def _listed(self, path: str, method: str, status: int) -> dict[str, Any] | None:
        for pattern, operations in self._paths.items():
            if pattern.fullmatch(path) and method in operations:
                response = operations[method]["responses"].get(str(status))
                content = (response or {}).get("content", {})
                return None if response is None else content.get("application/json", {}).get("schema", {})
        return None

    def _validate(self, schema: dict[str, Any], value: Any) -> None:
        whole = {**schema, "components": self._document["components"]}
        jsonschema_rs.Draft202012Validator(whole, validate_formats=True).validate(value)


def published() -> Published | None:
    """Read the document that the environment names; None where it names none."""
    path = os.environ.get(VARIABLE)
    return Published(yaml.safe_load(Path(path).read_text("utf-8"))) if path else None


def pattern_of(path: str) -> re.Pattern[str]:
    """Give what the addresses of a published path look like."""
    parts = (re.escape(part) if not part.startswith("{") else "[^/]+" for part in path.split("/"))
    return re.compile("/".join(parts))


def with_nulls(value: Any) -> Any:
    """Say OpenAPI 3.0's `nullable` as JSON Schema does."""
    if isinstance(value, list):
        return [with_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    inside = {key: with_nulls(item) for key, item in value.items()}
    if inside.get("nullable") is True and "type" in inside:
        inside["type"] = [inside["type"], "null"]
    return inside


def _let_queue_items_hold_objects(schemas: dict[str, Any]) -> None:
    """C11: `oneOf` has two branches for objects that are alike, so no object passes it."""
    items = schemas["QueueItem"]["items"]
    items["anyOf"] = items.pop("oneOf")


def _let_statuses_be_polled(schemas: dict[str, Any]) -> None:
    """C2: the enum lacks the words that every documented poller waits for."""
    schemas["JobStatusResponse"]["properties"]["status"]["enum"] += ["success", "non_retryable_error", "lost"]


def _let_node_outputs_be_lists(schemas: dict[str, Any]) -> None:
    """C44: an output that is one of several choices has the list of them as its type."""
    schemas["NodeInfo"]["properties"]["output"]["items"] = {}


def _let_executing_end(schemas: dict[str, Any]) -> None:
    """C45: the text says that `node` is null at the end, the schema forbids it."""
    schemas["WebSocketExecutingMessage"]["properties"]["data"]["properties"]["node"]["nullable"] = True


_MENDS: tuple[Callable[[dict[str, Any]], None], ...] = (
    _let_queue_items_hold_objects,
    _let_statuses_be_polled,
    _let_node_outputs_be_lists,
    _let_executing_end,
)
