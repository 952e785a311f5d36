"""The published contract of the API v2, to hold answers against."""

import os
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import yaml
from tests.server.v1.published import pattern_of, with_nulls

VARIABLE = "FIRESIDE_PUBLISHED_V2"
WHY_SKIPPED = f"{VARIABLE} does not name the published document"


class Published:
    """The document, ready to judge answers."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document: dict[str, Any] = with_nulls(_with_nullable_unions(document))
        self._paths = {pattern_of(path): operations for path, operations in self._document["paths"].items()}

    def check(self, answer: httpx.Response) -> None:
        """Hold an answer against what is published for it; a refusal that is not listed, against any refusal."""
        assert answer.headers["x-comfy-request-id"]
        schema = self._listed(answer)
        if answer.status_code >= 400 and answer.request.method != "HEAD" and not schema:
            schema = {"$ref": "#/components/schemas/ErrorEnvelope"}
        if answer.status_code == 429:
            assert answer.headers["retry-after"].isdecimal()
        if schema:
            assert answer.headers["content-type"] == "application/json"
            self.validate(schema, answer.json())

    def validate(self, schema: dict[str, Any], value: Any) -> None:
        """Hold a value against a schema of the document."""
        whole = {**schema, "components": self._document["components"]}
        jsonschema_rs.Draft202012Validator(whole, validate_formats=True).validate(value)

    def _listed(self, answer: httpx.Response) -> dict[str, Any]:
        path, method = answer.request.url.path, answer.request.method.lower()
        for pattern, operations in self._paths.items():
            if pattern.fullmatch(path) and method in operations:
                response = operations[method]["responses"].get(str(answer.status_code), {})
                content = self._resolved(response).get("content", {})
                return content.get("application/json", {}).get("schema", {})
        return {}

    def _resolved(self, response: dict[str, Any]) -> dict[str, Any]:
        reference = response.get("$ref")
        return self._document["components"]["responses"][reference.rpartition("/")[2]] if reference else response


def published() -> Published | None:
    """Read the document that the environment names; None where it names none."""
    path = os.environ.get(VARIABLE)
    return Published(yaml.safe_load(Path(path).read_text("utf-8"))) if path else None


def _with_nullable_unions(value: Any) -> Any:
    """Say `nullable` beside `allOf` as JSON Schema does."""
    if isinstance(value, list):
        return [_with_nullable_unions(item) for item in value]
    if not isinstance(value, dict):
        return value
    inside = {key: _with_nullable_unions(item) for key, item in value.items()}
    if inside.get("nullable") is True and "allOf" in inside:
        inside["anyOf"] = [{"allOf": inside.pop("allOf")}, {"type": "null"}]
    return inside
