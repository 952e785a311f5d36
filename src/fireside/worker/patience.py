"""Trying again what the network, a full disk or a restart of the server has broken; a refusal is final."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx

from fireside.client.fleet import BucketAway, BucketRefused

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_TEMPORARY = frozenset({httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS})

Answer = TypeVar("Answer")


class ServerAway(Exception):
    """The server could not be reached, or could not do its part, for longer than we were ready to wait."""


async def patiently(call: Callable[[], Awaitable[Answer]], *, patience_seconds: float) -> Answer:
    """Make the call until it is answered; raises `ServerAway` when patience is over, a refusal at once."""
    deadline = time.monotonic() + patience_seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await call()
        except (httpx.TransportError, httpx.HTTPStatusError) as error:
            if not is_temporary(error):
                raise
            if time.monotonic() + pause > deadline:
                raise ServerAway(reason_of(error)) from error
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def reason_of(error: httpx.HTTPError) -> str:
    """Say where something went wrong, for people; without addresses, which may be signed."""
    if isinstance(error, BucketAway | BucketRefused):
        return str(error)
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server answered {error.response.status_code}"
    return f"the server was not to be reached: {error!r}"


def is_temporary(error: httpx.HTTPError) -> bool:
    """Tell whether the same call may well succeed later."""
    if not isinstance(error, httpx.HTTPStatusError):
        return isinstance(error, httpx.TransportError)
    status = error.response.status_code
    return status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _TEMPORARY
