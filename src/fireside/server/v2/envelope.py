"""Refusals in the API v2's envelope, whoever makes them: handlers, the edge, or the framework.

The codes are those of the published document, and of the public service where that document has none. A 5xx says
nothing of our insides; its request id leads to the log.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import uuid4

import msgspec
import structlog
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fireside.domain.errors import (
    FiresideError,
    Forbidden,
    NotFound,
    OverQuota,
    Refused,
    ScopeMissing,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from fireside.graphs.asset_references import MissingAsset
from fireside.graphs.errors import InvalidGraph
from fireside.graphs.interface.faults import InvalidInputs
from fireside.server.refusals import scope_challenge, status_of
from fireside.server.routes import JSON
from fireside.store.store import KeyReused
from fireside.wire.refusals import EnvelopeBody, EnvelopedRefusal

_BELOW = "/api/v2"
_SERVER_FAULT = 500
_log = structlog.get_logger(__name__)


class TooManyStreams(TooMany):
    """The caller has as many event streams open as they may."""

    code = "too_many_streams"


_STATUSES: tuple[tuple[type[FiresideError], int], ...] = (
    (InvalidGraph, 422),
    (MissingAsset, 422),
    (KeyReused, 422),
)
# Where the code of the error is another one inside.
_CODES: tuple[tuple[type[FiresideError], str], ...] = (
    (TooLarge, "payload_too_large"),
    (Unauthenticated, "unauthorized"),
    (OverQuota, "insufficient_credits"),
    (Forbidden, "forbidden"),
    (Unavailable, "upstream_unreachable"),
)
# Codes that pass as they are.
_PUBLIC = frozenset(
    {
        *("workflow_format_ui", "missing_asset", "idempotency_key_reuse", "queue_full", "hash_mismatch"),
        *("asset_in_use", "blob_not_found", "not_found", "too_many_streams", "output_unavailable"),
        *("metadata_invalid", "invalid_metadata_filter", "invalid_cursor", "invalid_request"),
        *("invalid_inputs", "invalid_interface"),
    }
)
_FALLBACKS: tuple[tuple[type[FiresideError], str], ...] = (
    (InvalidGraph, "invalid_workflow"),
    (NotFound, "not_found"),
    (TooMany, "rate_limited"),
    (Refused, "invalid_request"),
)
_FAULT = ("upstream_error", "Something went wrong in the server; its log says what, under this request's id.")
_REASONS = {"required_input_missing": "missing_input"}
"""The published document's own word for the commonest problem; the others are called as ComfyUI calls them."""


def is_enveloped(path: str) -> bool:
    """Whether a path is the API v2's, whether there is something or not."""
    return path == _BELOW or path.startswith(f"{_BELOW}/")


def refuse_in_envelope(error: FiresideError) -> Response:
    """Answer with the error as clients of the API v2 read it."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), status_of(error))
    code, message = _code_of(error), error.message
    if status >= _SERVER_FAULT and not isinstance(error, Unavailable):
        status, (code, message) = _SERVER_FAULT, _FAULT
    headers: dict[str, str] = {}
    if isinstance(error, TooMany | Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, ScopeMissing):
        headers["WWW-Authenticate"] = scope_challenge(error)
    return enveloped(status, code, message, details=_details_of(error), headers=headers)


def enveloped(
    status: int,
    code: str,
    message: str,
    *,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with this refusal."""
    refusal = EnvelopedRefusal(code=code, message=message, details=None if details is None else dict(details))
    body = msgspec.json.encode(EnvelopeBody(error=refusal))
    return Response(body, status, media_type=JSON, headers={"Cache-Control": "no-store", **(headers or {})})


class RequestIds:
    """Gives every answer of the API v2 an id that people can quote, and logs it where the server is at fault."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or not is_enveloped(scope["path"]):
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Comfy-Request-Id"] = request_id
                if message["status"] >= _SERVER_FAULT:
                    _log.warning("request failed", request_id=request_id, path=scope["path"], status=message["status"])
            await send(message)

        await self._app(scope, receive, send_with_id)


def node_errors_of(node_errors: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Say what is wrong node by node: `field` and `reason` as published, and beside them ComfyUI's own words."""
    return {
        node_id: [_problem(problem, node["class_type"]) for problem in cast("Sequence[Any]", node["errors"])]
        for node_id, node in node_errors.items()
    }


def _problem(problem: Mapping[str, Any], class_type: Any) -> dict[str, Any]:
    about = problem["extra_info"]
    reason = _REASONS.get(problem["type"], problem["type"])
    return {"field": about.get("input_name"), "reason": reason, "class_type": class_type, **problem}


def _code_of(error: FiresideError) -> str:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), error.code)
    if code in _PUBLIC or any(code == known for _, known in _CODES):
        return code
    return next((code for kind, code in _FALLBACKS if isinstance(error, kind)), "upstream_error")


def _details_of(error: FiresideError) -> dict[str, Any] | None:
    if isinstance(error, MissingAsset):
        return {"missing_ids": list(error.missing_ids), "node_errors": node_errors_of(error.node_errors)}
    if isinstance(error, InvalidInputs):
        return {"errors": [msgspec.to_builtins(fault) for fault in error.faults]}
    if isinstance(error, ScopeMissing):
        return {"scope": error.scope}
    if not isinstance(error, InvalidGraph):
        return None
    node_errors = node_errors_of(error.node_errors)
    node_id = error.extra_info.get("node_id")
    if not node_errors and isinstance(node_id, str):
        class_type = error.extra_info.get("class_type")
        problem: dict[str, Any] = {"type": error.type, "message": error.message, "details": error.details}
        problem["extra_info"] = {}
        node_errors = {node_id: [_problem(problem, class_type)]}
    return {"type": error.type, "details": error.details, "extra_info": error.extra_info, "node_errors": node_errors}
