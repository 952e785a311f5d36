"""Headers that every answer has, whoever made it: what a browser may do with it, and how it comes back.

What an answer says of these by itself stays: pages, and the bytes of users, are stricter than this. The editor is a
page of its own makers, whose scripts and styles are theirs to choose; nobody may put it into a page of another site.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OF_DATA = "default-src 'none'; frame-ancestors 'none'"
_OF_OTHERS = "frame-ancestors 'self'"


class Secured:
    """An application with these headers on its answers; with `hsts_seconds` of 0 browsers may come by http."""

    def __init__(self, app: ASGIApp, *, hsts_seconds: int) -> None:
        self._app = app
        self._hsts = f"max-age={hsts_seconds}" if hsts_seconds else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._secure(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_secured)

    def _secure(self, headers: MutableHeaders) -> None:
        is_data = headers.get("content-type", "").startswith("application/json")
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Content-Security-Policy", _OF_DATA if is_data else _OF_OTHERS)
        if self._hsts:
            headers.setdefault("Strict-Transport-Security", self._hsts)
