"""Has clients go elsewhere while a server stops: each answer is then the last one on its connection.

Otherwise a client, or a proxy, would send its next request down a connection in the moment in which we close it.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LAST = (b"connection", b"close")


class Leaving:
    """An application that says so once the server stops."""

    def __init__(self, app: ASGIApp, stopping: asyncio.Event) -> None:
        self._app = app
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_as_last(message: Message) -> None:
            if message["type"] == "http.response.start" and self._stopping.is_set():
                message = {**message, "headers": [*message.get("headers", ()), _LAST]}
            await send(message)

        await self._app(scope, receive, send_as_last)
