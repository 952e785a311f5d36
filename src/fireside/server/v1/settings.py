"""The editor's settings of a user: a value of any JSON by name, written one by one or many at once.

Two tabs that write at the same time both get what they wrote, because each name is a row of its own.
"""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import BadRequest
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.reading import decode_json, read_bytes
from fireside.server.routes import Answer, Route
from fireside.store.records import UserDataLimits
from fireside.wire.refusals import RefusalBody

_LONGEST_NAME = 200
_Values = dict[str, msgspec.Raw]


async def list_settings(request: Request) -> Response:
    """Give all settings that were ever made."""
    values = await services_of(request).store.user_settings(user_of(request).id)
    return json_answer({name: msgspec.Raw(value) for name, value in values.items()})


async def get_setting(request: Request) -> Response:
    """Give one setting; null when it was never made, as ComfyUI says it."""
    value = await services_of(request).store.user_setting(user_of(request).id, _name(request))
    return json_answer(msgspec.Raw(value or b"null"))


async def save_settings(request: Request) -> Response:
    """Write several settings and leave the others as they are."""
    return await _save(request, decode_json(await _content(request), _Values))


async def save_setting(request: Request) -> Response:
    """Write one setting; the body is its value."""
    return await _save(request, {_name(request): msgspec.Raw((await _content(request)).strip())})


async def _content(request: Request) -> bytes:
    """Read a body that is JSON throughout, so that what is kept of it can be given to anybody as JSON."""
    config = services_of(request).config
    content = await read_bytes(request, min(config.max_body_bytes, config.max_settings_bytes))
    decode_json(content, object)
    return content


async def _save(request: Request, values: _Values) -> Response:
    for name in values:
        if not 0 < len(name) <= _LONGEST_NAME:
            raise BadRequest(f"The name of a setting has 1 to {_LONGEST_NAME} characters.")
    services = services_of(request)
    limits = UserDataLimits(entries=services.config.max_settings, size_bytes=services.config.max_settings_bytes)
    await services.store.save_user_settings(
        user_of(request).id, {name: bytes(value) for name, value in values.items()}, limits=limits
    )
    return Response(status_code=200)


def _name(request: Request) -> str:
    return str(request.path_params["id"])


_WRITTEN = {
    200: Answer(text="Written"),
    400: Answer(text="The body is not JSON, or a name is none", body=RefusalBody),
    413: Answer(text="The caller has too many settings, or too large ones", body=RefusalBody),
}
ROUTES = (
    Route(
        method="GET",
        path="/api/settings",
        handler=list_settings,
        name="getSettings",
        text="Give the caller's settings of the editor",
        tag="user",
        answers={200: Answer(text="The settings by name", body=dict[str, Any])},
    ),
    Route(
        method="POST",
        path="/api/settings",
        handler=save_settings,
        name="postSettings",
        text="Write several of the caller's settings of the editor",
        tag="user",
        body=dict[str, Any],
        answers=_WRITTEN,
    ),
    Route(
        method="GET",
        path="/api/settings/{id:path}",
        handler=get_setting,
        name="getSetting",
        text="Give one of the caller's settings of the editor; null where it was never made",
        tag="user",
        answers={200: Answer(text="Its value", body=Any)},
    ),
    Route(
        method="POST",
        path="/api/settings/{id:path}",
        handler=save_setting,
        name="postSetting",
        text="Write one of the caller's settings of the editor; the body is its value",
        tag="user",
        body=Any,
        answers=_WRITTEN,
    ),
)
