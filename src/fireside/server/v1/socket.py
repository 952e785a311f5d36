"""The websocket `/ws`: what happens to the caller's jobs, as it happens, to every socket the caller has open.

A socket has one sender, which reads the mailbox of its listener, so that a slow client holds up nobody else. Whatever
clients send is ignored, but for the flags in their first message.
"""

import asyncio
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect

from fireside.domain.accounts import PrincipalKind
from fireside.domain.errors import FiresideError, Forbidden, Unauthenticated
from fireside.events.heard import Heard
from fireside.events.listener import Closing, Listener, ListenerClosed
from fireside.server.authentication import admit
from fireside.server.callers import caller_of, services_of, user_of
from fireside.server.routes import Access, SocketHandler, SocketRoute
from fireside.server.v1.client_ids import client_id_of
from fireside.server.v1.socket_audience import Audience
from fireside.server.v1.socket_messages import SocketMessages
from fireside.server.v1.socket_pace import EDITORS_SECONDS, PacedListener
from fireside.server.v1.system_features import features_of
from fireside.wire.live import PreviewFrame
from fireside.wire.v1_socket import decode_client_flags, encode_text_frame

GOING_AWAY = 1001
NOT_ALLOWED = 1008
TRY_AGAIN_LATER = 1013

_CODES = {Closing.STOPPING: GOING_AWAY, Closing.BEHIND: TRY_AGAIN_LATER, Closing.LEFT: GOING_AWAY}
_SEND_SECONDS = 20.0
_CLOSE_SECONDS = 2.0
_LOOK_SECONDS = 30.0


def watching(*, look_seconds: float = _LOOK_SECONDS) -> SocketHandler:
    """Make the handler of the websocket; every `look_seconds` it looks whether the caller may still listen."""

    async def watch_jobs(socket: WebSocket) -> None:
        services = services_of(socket)
        at_most = services.config.max_sockets_per_user
        async with services.hub.listening(user_of(socket).id, at_most=at_most) as listener:
            await socket.accept()
            await _LiveSocket(socket, listener, look_seconds=look_seconds).serve()

    return watch_jobs


class _LiveSocket:
    """One accepted websocket, until it is closed by either side."""

    def __init__(self, socket: WebSocket, listener: Listener, *, look_seconds: float) -> None:
        self._socket = socket
        self._look_seconds = look_seconds
        sid, kind = client_id_of(socket), caller_of(socket).kind
        self._next = PacedListener(listener, EDITORS_SECONDS).next if kind is PrincipalKind.SESSION else listener.next
        self._messages = SocketMessages(sid)
        self._audience = Audience(services_of(socket).store, sid, by_client=kind is PrincipalKind.LOCAL)
        self._is_named = asyncio.Event()

    async def serve(self) -> None:
        """Send, receive and look after the caller's rights, until one of them ends it."""
        parts = [
            asyncio.create_task(part, name=f"socket {name}")
            for name, part in (("sender", self._send()), ("receiver", self._receive()), ("rights", self._look()))
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
        code = max((part.result() or 0 for part in done), default=0)
        if code:
            await self._close(code)

    async def _send(self) -> int | None:
        """Send what is heard; the code to close with, or None when the client is gone."""
        try:
            while True:
                heard = await self._next()
                if await self._is_meant(heard):
                    for frame in self._messages.of(heard):
                        await self._put_out(frame)
                self._is_named.set()
        except ListenerClosed as closed:
            return _CODES[closed.closing]
        except TimeoutError:
            return TRY_AGAIN_LATER
        except WebSocketDisconnect:
            return None

    async def _is_meant(self, heard: Heard) -> bool:
        try:
            return await self._audience.may_hear(heard, with_metadata=self._messages.with_metadata)
        except FiresideError:
            return not isinstance(heard.frame, PreviewFrame)  # the store is away; no fact may be lost by that

    async def _receive(self) -> None:
        """Read what the client sends, so that its going is noticed."""
        await self._is_named.wait()  # the first message names the socket, before any answer
        first = await self._socket.receive()
        try:
            await self._shake_hands(first.get("text") or "")
        except (TimeoutError, WebSocketDisconnect):
            return
        message = first
        while message["type"] != "websocket.disconnect":
            message = await self._socket.receive()

    async def _shake_hands(self, text: str) -> None:
        flags = decode_client_flags(text)
        if flags is not None:
            self._messages.with_metadata = flags.supports_preview_metadata
            await self._put_out(encode_text_frame("feature_flags", features_of(services_of(self._socket).config)))

    async def _look(self) -> int:
        """Wait until the caller may listen no more: signed out, or with a key that was revoked."""
        while True:
            await asyncio.sleep(self._look_seconds)
            if caller_of(self._socket).kind is PrincipalKind.SOCKET:
                continue
            try:
                await admit(self._socket, Access.USER, token_in_query=True)
            except (Unauthenticated, Forbidden):
                return NOT_ALLOWED
            except FiresideError:
                continue  # the store is away; nobody loses a right by that

    async def _put_out(self, frame: str | bytes) -> None:
        """Hand a frame to the network; TimeoutError for a client that does not read."""
        async with asyncio.timeout(_SEND_SECONDS):
            try:
                await (self._socket.send_text(frame) if isinstance(frame, str) else self._socket.send_bytes(frame))
            except RuntimeError as error:
                # So the server says that it has closed the socket itself, for instance when no pong came.
                raise WebSocketDisconnect(GOING_AWAY) from error

    async def _close(self, code: int) -> None:
        with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._socket.close(code)


SOCKETS: tuple[SocketRoute, ...] = (
    SocketRoute(path="/ws", handler=watching(), name="watchJobs"),
    SocketRoute(path="/api/ws", handler=watching(), name="watchJobsBelowApi"),
)
