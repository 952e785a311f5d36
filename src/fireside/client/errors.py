"""What can go wrong between a client and a server, with the server's own words where it gave some."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec


class ClientError(Exception):
    """The server refused, or could not be asked. `status` is None when there was no answer."""

    def __init__(self, message: str, *, status: int | None = None, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code


class NotReachable(ClientError):
    """Nobody answered at the server's address."""


def error_of_answer(status: int, body: bytes) -> ClientError:
    """Turn a refusal, in whichever of the dialects' shapes, into one line that says what is wrong."""
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        answer = None
    if not isinstance(answer, dict):
        return ClientError(f"the server answered {status}", status=status)
    fields = cast("dict[str, Any]", answer)
    error = fields.get("error")
    inner = cast("dict[str, Any]", error) if isinstance(error, dict) else {}
    words = [_text(fields, "message") or _text(inner, "message") or _text(fields, "error"), _text(inner, "details")]
    parts = [part for part in dict.fromkeys(words) if part]
    parts += _node_problems(fields.get("node_errors"))
    message = "; ".join(" ".join(part.split()) for part in parts) or f"the server answered {status}"
    return ClientError(message, status=status, code=_text(fields, "code") or _text(inner, "type"))


def _node_problems(node_errors: Any) -> list[str]:
    problems: list[str] = []
    for node_id, node in _items(node_errors):
        for error in cast("list[Any]", node.get("errors") or []):
            fields = cast("dict[str, Any]", error) if isinstance(error, dict) else {}
            where = f"node {node_id} ({node.get('class_type', '?')})"
            what = ": ".join(text for text in (_text(fields, "message"), _text(fields, "details")) if text)
            problems.append(f"{where}: {what}")
    return problems


def _items(value: Any) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(value, dict):
        return []
    pairs = cast("dict[str, Any]", value).items()
    return [(key, cast("dict[str, Any]", item)) for key, item in pairs if isinstance(item, dict)]


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
