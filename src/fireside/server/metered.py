"""Counts what goes through an application, by the route that took it and never by the path that was asked for."""

import time
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fireside.server.meters import NO_ROUTE, Meters

_ROUTE = "fireside.route"
_BROKEN = 500


def note_route(scope: MutableMapping[str, Any], path: str) -> None:
    """Note on a request which route took it."""
    scope[_ROUTE] = path


def route_of(scope: MutableMapping[str, Any]) -> str:
    """Say which route took a request."""
    return scope.get(_ROUTE, NO_ROUTE)


class Metered:
    """An application with meters on it."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count its answer."""
        if scope["type"] == "http":
            await self._count_request(scope, receive, send)
        else:
            self._meters.socket_moved(1)
            try:
                await self._app(scope, receive, send)
            finally:
                self._meters.socket_moved(-1)

    async def _count_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, answered_at, status = time.perf_counter(), 0.0, _BROKEN

        async def send_and_look(message: Message) -> None:
            nonlocal status, answered_at
            if message["type"] == "http.response.start":
                status, answered_at = message["status"], time.perf_counter()
            await send(message)

        self._meters.begin_request()
        try:
            await self._app(scope, receive, send_and_look)
        finally:
            seconds = (answered_at or time.perf_counter()) - began
            self._meters.end_request(scope["method"], route_of(scope), status, seconds)
