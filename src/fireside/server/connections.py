"""Connections of HTTP as uvicorn has them, and a way to break one off.

Closing a connection waits until the client has read what was sent; one that reads nothing would stay for ever, with
what it was sent. An application that gives up on a client asks for `break_off` instead.
"""

from collections.abc import MutableMapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_BREAK_OFF = "fireside.break_off"


class Connection(HttpToolsProtocol):
    """A connection that tells each request how to break it off."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {_BREAK_OFF: {"call": self.transport.abort}}


def break_off(scope: MutableMapping[str, Any]) -> None:
    """End the request's connection at once, whatever the client has not read; nothing happens where it is not ours."""
    call = scope.get("extensions", {}).get(_BREAK_OFF, {}).get("call")
    if call is not None:
        call()
