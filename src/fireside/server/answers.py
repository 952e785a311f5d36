"""Answers in JSON, as every dialect gives them."""

from typing import Any

import msgspec
from starlette.responses import Response

from fireside.server.routes import JSON

_HEADERS = {"Cache-Control": "no-store"}
_encoder = msgspec.json.Encoder()


def json_answer(body: Any, status: int = 200) -> Response:
    """Answer with a struct or plain JSON values; nothing of it is kept by caches, because it is somebody's own."""
    return Response(_encoder.encode(body), status, media_type=JSON, headers=_HEADERS)
