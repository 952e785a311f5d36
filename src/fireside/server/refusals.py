"""Refusals on the wire: one place that gives every error its status, its headers and its route's shape."""

from typing import Any

import msgspec
from starlette.responses import Response

from fireside.domain.errors import (
    BadRequest,
    Conflict,
    FiresideError,
    Forbidden,
    NotFound,
    OverQuota,
    Refused,
    ScopeMissing,
    StaleLease,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unprocessable,
    WrongMediaType,
)
from fireside.graphs.errors import InvalidGraph
from fireside.server.routes import JSON, TEXT, Refusal
from fireside.store.store import QueueFull

_STATUSES: tuple[tuple[type[FiresideError], int], ...] = (
    (BadRequest, 400),
    (Unauthenticated, 401),
    (OverQuota, 402),
    (Forbidden, 403),
    (NotFound, 404),
    (StaleLease, 409),
    (Conflict, 409),
    (TooLarge, 413),
    (WrongMediaType, 415),
    (Unprocessable, 422),
    (TooMany, 429),
    (Refused, 400),
    (Unavailable, 503),
)
_PROMPT_TYPES: tuple[tuple[type[FiresideError], str], ...] = (
    (QueueFull, "QUEUE_LIMIT"),
    (OverQuota, "PAYMENT_REQUIRED"),
)


def status_of(error: FiresideError) -> int:
    """Give the HTTP status of an error; 500 for one that no caller can mend."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def refuse(error: FiresideError, shape: Refusal = Refusal.PLAIN) -> Response:
    """Answer with the error in the shape that the route's clients read."""
    status = status_of(error)
    code, message = (error.code, error.message) if status < 500 or isinstance(error, Unavailable) else _INTERNAL
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, TooMany | Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, ScopeMissing):
        headers["WWW-Authenticate"] = scope_challenge(error)
    if shape is Refusal.TEXT and not isinstance(error, Unauthenticated):
        return Response(message, status, media_type=TEXT, headers=headers)
    body = _BODIES.get(shape, _plain_body)(error, code, message)
    return Response(msgspec.json.encode(body), status, media_type=JSON, headers=headers)


def scope_challenge(error: ScopeMissing) -> str:
    """Say to programs what a key lacks (RFC 6750, section 3)."""
    return f'Bearer error="insufficient_scope", scope="{error.scope}"'


def refuse_plainly(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """Answer what has no error of ours, such as a path that is not there."""
    return Response(msgspec.json.encode(plain_body(code, message)), status, media_type=JSON, headers=headers)


def plain_body(code: str, message: str) -> dict[str, Any]:
    """Shape a refusal for the clients of the Cloud API and, by `error`, for those of the local one."""
    return {"code": code, "message": message, "error": message}


def _plain_body(error: FiresideError, code: str, message: str) -> dict[str, Any]:  # noqa: ARG001  as the others
    return plain_body(code, message)


def _asset_body(error: FiresideError, code: str, message: str) -> dict[str, Any]:
    word = "ASSET_NOT_FOUND" if type(error) is NotFound else code.upper()
    return {"code": word, "message": message, "error": {"code": word, "message": message, "details": {}}}


def _prompt_body(error: FiresideError, code: str, message: str) -> dict[str, Any]:
    if isinstance(error, InvalidGraph):
        return {"code": code, "message": message, **error.body()}
    kind = next((name for known, name in _PROMPT_TYPES if isinstance(error, known)), code)
    shown: dict[str, Any] = {"type": kind, "message": message, "details": "", "extra_info": {}}
    return {"code": code, "message": message, "error": shown, "node_errors": {}}


_INTERNAL = ("internal", "Something went wrong in the server; its log says what.")
_BODIES = {Refusal.PROMPT: _prompt_body, Refusal.ASSET: _asset_body}
