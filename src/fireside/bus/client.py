"""A connection to the bus.

Hides the library: its exceptions, its defaults (a dead connection is noticed in seconds here, and reconnecting never
gives up) and its handlers. Messages of one subscription are handled one after the other, in order, unless asked
otherwise. What is published while the bus is away is sent when it is back, so every message must bear repetition.
"""

import asyncio
import base64
import contextlib
import random
import re
import ssl
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import ParseResult

import nats.errors
import nkeys
import structlog
from nats.aio.client import Client, Srv
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription
from nats.aio.transport import TcpTransport, WebSocketTransport

from fireside.bus.authority import BusCredentials
from fireside.bus.errors import BusDisconnected, BusError, BusTimeout, NobodyListens
from fireside.bus.tls import TLS_SCHEME

Handler = Callable[[str, bytes], Awaitable[bytes | None]]
Watcher = Callable[[bool], None]

_CONNECT_SECONDS = 5
_PING_SECONDS = 2
_RECONNECT_PAUSE_SECONDS = 0.25
_CLOSE_SECONDS = 1.0
_FOREVER = -1
_ROUND_TRIPS = 3
_ROUND_TRIP_SECONDS = 5
_SCHEMES_OF_TCP = ("nats", TLS_SCHEME)
_NO_TLS = "it does not offer TLS, which its address asks for"
_EXPIRED = "authentication expired"
# Longer than the longest that anybody waits for an answer.
_QUIET_SECONDS = 30.0
_BACK_SECONDS = 10.0
_BEFORE_THE_HOST = re.compile(r"(^|[,\s])([a-z]+://)?[^,\s]*@")
_log = structlog.get_logger(__name__)


def without_passwords(urls: str) -> str:
    """Give addresses as people may read them."""
    return _BEFORE_THE_HOST.sub(r"\1\2", urls)


class Subscription:
    """Something heard, until it is unsubscribed."""

    def __init__(self, subscription: NatsSubscription, running: set[asyncio.Task[None]]) -> None:
        self._subscription = subscription
        self._running = running

    async def unsubscribe(self) -> None:
        """Hear no more; what is being handled is handled to its end. Idempotent."""
        with contextlib.suppress(nats.errors.Error):
            await self._subscription.unsubscribe()
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)


class _Transport(TcpTransport):
    """The library's, which lets nobody wait long for the other side to take part in closing: it may stand still."""

    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        # Of a try that did not come to its end the library knows nothing more.
        if self._bare_io_writer is not None:
            self._bare_io_writer.transport.abort()
        await super().connect(uri, buffer_size, connect_timeout)

    def __bool__(self) -> bool:
        # What is False here the library replaces by one of its own.
        return True

    def close(self) -> None:
        super().close()
        if self._bare_io_writer is not None:
            # Below TLS: above it a transport that was closed twice takes no abort any more.
            asyncio.get_running_loop().call_later(_CLOSE_SECONDS, self._bare_io_writer.transport.abort)

    async def wait_closed(self) -> None:
        # Whoever waits and is canceled must not end the waiting of others.
        await asyncio.shield(super().wait_closed())


class _WebSocket(WebSocketTransport):
    """The library's, which loses nothing of what comes in one piece with a line that is waited for.

    A server of a cluster may tell of the others right behind its first answer, and TLS may cut that anywhere.
    """

    _rest = b""

    @property
    def is_over(self) -> bool:
        return self._client is None  # type: ignore[unnecessary-comparison] - so the library leaves it

    async def read(self, buffer_size: int) -> bytes:  # noqa: ARG002 - the library's shape
        rest, self._rest = self._rest, b""
        return rest or await self._piece()

    async def readline(self) -> bytes:
        rest = self._rest
        while b"\n" not in rest:
            piece = await self._piece()
            if not piece:
                return b""
            rest += piece
        line, end, self._rest = rest.partition(b"\n")
        return line + end

    async def _piece(self) -> bytes:
        return cast("bytes", await super().readline())


class _Client(Client):
    """The library's, which remembers the server's last complaint: its own memory may be wiped by its reconnecting."""

    complaint = ""

    async def _connect_to_server(self, s: Srv) -> None:
        if self._transport is None and s.uri.scheme in _SCHEMES_OF_TCP:
            self._transport = _Transport()
        elif s.uri.scheme not in _SCHEMES_OF_TCP and (
            not isinstance(self._transport, _WebSocket) or self._transport.is_over
        ):
            self._transport = _WebSocket(ws_headers=self.options["ws_connection_headers"])
        await super()._connect_to_server(s)

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        current = self._current_server
        if current is not None and current.uri.scheme not in _SCHEMES_OF_TCP:
            # Who comes by websocket cannot reach the other servers of a cluster, which tell of themselves at any time.
            info = {**info, "connect_urls": []}
        # The library would go on in the clear, and whoever is between can have it do so.
        if initial_connection and current is not None and current.uri.scheme == TLS_SCHEME:
            if not info.get("tls_required") and not info.get("tls_available"):
                raise nats.errors.Error(_NO_TLS)
            self._server_info["tls_required"] = True
        await super()._process_info(info, initial_connection)

    async def _process_err(self, err_msg: str) -> None:
        self.complaint = err_msg.strip("'")
        if _EXPIRED in err_msg.lower():
            # The library would close for good; there may be new credentials.
            _log.info("bus", reason=self.complaint)
            await self._process_op_err(nats.errors.Error(err_msg))
            return
        await super()._process_err(err_msg)


class Bus:
    """One connection, reconnecting by itself for ever."""

    def __init__(self, *, longest_pause_seconds: float = _RECONNECT_PAUSE_SECONDS) -> None:
        self._client = _Client()
        self._credentials = BusCredentials(jwt="", seed="")
        self._watchers: list[Watcher] = []
        self._pause_seconds = _RECONNECT_PAUSE_SECONDS
        self._longest_pause_seconds = longest_pause_seconds
        self._opening: asyncio.Timeout | None = None
        self._is_over = False
        self._under_way = 0
        self._quiet = asyncio.Event()

    @classmethod
    async def connect(
        cls,
        urls: Sequence[str],
        credentials: BusCredentials,
        *,
        name: str,
        inbox_prefix: str,
        within_seconds: float = _CONNECT_SECONDS,
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        longest_pause_seconds: float = _RECONNECT_PAUSE_SECONDS,
    ) -> "Bus":
        """Connect within the time given, or raise `BusDisconnected`.

        `headers` are for the way by websocket (`ws://`, `wss://`). An address that says `tls://` or `wss://` is never
        spoken to in the clear; `tls` says whom to trust, the machine's own authorities where it is None. The pause
        before another try to reconnect grows up to `longest_pause_seconds`.
        """
        bus = cls(longest_pause_seconds=longest_pause_seconds)
        options: dict[str, Any] = {"ws_connection_headers": {key: [value] for key, value in (headers or {}).items()}}
        if tls is not None:
            options["tls"] = tls
        try:
            # The library's endless reconnecting would also apply here: refused credentials would hang for ever.
            async with asyncio.timeout(within_seconds) as bus._opening:
                await bus._open(urls, credentials, name, inbox_prefix, options)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            reason = bus._client.last_error or error
            bus._opening = None
            await bus.close()
            raise BusDisconnected(
                f"cannot connect to the bus at {without_passwords(', '.join(urls))}: {reason}"
            ) from error
        return bus

    @property
    def is_connected(self) -> bool:
        """Whether messages get through now."""
        return self._client.is_connected

    @property
    def is_cluster(self) -> bool:
        """Whether there are several servers, which learn of a new subscription a moment after its own server has."""
        return len(self._client.servers) > 1

    @property
    def server_version(self) -> str:
        """Which version of NATS is at the other end, as it said last."""
        version = self._client.connected_server_version
        return f"{version.major}.{version.minor}.{version.patch}"

    @property
    def end_reason(self) -> str | None:
        """Why the bus has closed this connection for good, as it does when credentials are revoked; None while not."""
        if not self._client.is_closed:
            return None
        return self._client.complaint or str(self._client.last_error or "it was closed")

    def renew(self, credentials: BusCredentials) -> None:
        """Show these from the next time on that the connection is made."""
        self._credentials = credentials

    async def come_again(self) -> None:
        """Make the connection anew, to show the credentials of now, in a moment in which nobody waits for an answer.

        What is published meanwhile is kept, and subscriptions go on. Waits until it is there again, for a while.
        """
        with contextlib.suppress(TimeoutError, BusDisconnected):
            async with asyncio.timeout(_QUIET_SECONDS):
                await self._wait_for_quiet()
        back = asyncio.Event()

        def changed(connected: bool) -> None:
            if connected:
                back.set()

        self.on_change(changed)
        try:
            await self._client.force_reconnect()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_BACK_SECONDS):
                    await back.wait()
        finally:
            # Who closes meanwhile has it forget all of them.
            with contextlib.suppress(ValueError):
                self._watchers.remove(changed)

    async def _wait_for_quiet(self) -> None:
        while True:
            while self._under_way:
                self._quiet.clear()
                await self._quiet.wait()
            await self.flush()
            if not self._under_way:
                return

    def on_change(self, watcher: Watcher) -> None:
        """Have the watcher told whenever the connection is lost (False) or is back (True)."""
        self._watchers.append(watcher)

    async def publish(self, subject: str, payload: bytes) -> None:
        """Publish; while the bus is away it waits in a bounded buffer, then raises `BusDisconnected`."""
        try:
            await self._client.publish(subject, payload)
        except (nats.errors.Error, OSError) as error:
            raise BusDisconnected(f"not published on {subject}: {error}") from error

    async def publish_lossy(self, subject: str, payload: bytes) -> None:
        """Publish what is worth nothing later: dropped when the bus is away or cannot keep up."""
        if not self._client.is_connected:
            return
        with contextlib.suppress(nats.errors.Error, OSError):
            try:
                await self._client.publish(subject, payload)
            except nats.errors.MaxPayloadError:
                # Not for a moment, as the others: a picture of this size will never be seen live.
                _log.warning("too large for the bus, dropped", subject=subject, size_bytes=len(payload))

    async def request(self, subject: str, payload: bytes, *, timeout: float) -> bytes:
        """Ask and give the answer; raises `NobodyListens`, `BusTimeout` or `BusDisconnected`."""
        if not self._client.is_connected:
            raise BusDisconnected("the bus is away")
        try:
            with self._busy():
                answer = await self._client.request(subject, payload, timeout=timeout)
        except nats.errors.NoRespondersError as error:
            raise NobodyListens(f"nobody listens on {subject}") from error
        except (nats.errors.TimeoutError, TimeoutError) as error:
            raise BusTimeout(f"no answer on {subject} within {timeout} s") from error
        except (nats.errors.Error, OSError) as error:
            raise BusError(f"not asked on {subject}: {error}") from error
        return answer.data

    async def subscribe(
        self, subject: str, handler: Handler, *, queue: str = "", concurrent: bool = False
    ) -> Subscription:
        """Hear a subject; what the handler returns, unless None, is the answer to a request.

        Subscribers with the same `queue` share the messages. `concurrent` handles many at once, in no order.
        """
        running: set[asyncio.Task[None]] = set()

        async def handle(message: Msg) -> None:
            with self._busy():
                await _handle(handler, message)

        async def handle_beside(message: Msg) -> None:
            task = asyncio.create_task(handle(message), name=f"message on {subject}")
            running.add(task)
            task.add_done_callback(running.discard)

        try:
            subscription = await self._client.subscribe(
                subject, queue=queue, cb=handle_beside if concurrent else handle
            )
            # Without the round trip, a message sent by another connection right after this could be missed.
            await self._round_trip()
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise BusDisconnected(f"cannot subscribe to {subject}: {error}") from error
        return Subscription(subscription, running)

    async def flush(self) -> None:
        """Wait until the server has taken what was published."""
        try:
            await self._round_trip()
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise BusDisconnected(f"the bus is away: {error}") from error

    async def close(self) -> None:
        """Close the connection; idempotent."""
        self._watchers.clear()
        with contextlib.suppress(nats.errors.Error, OSError):
            await self._client.close()
        self._is_over = True

    async def _open(
        self, urls: Sequence[str], credentials: BusCredentials, name: str, inbox_prefix: str, options: Mapping[str, Any]
    ) -> None:
        self._credentials = credentials
        await self._client.connect(
            servers=list(urls),
            name=name,
            inbox_prefix=inbox_prefix,
            user_jwt_cb=lambda: bytearray(self._credentials.jwt.encode()),
            signature_cb=self._sign,
            connect_timeout=_CONNECT_SECONDS,
            ping_interval=_PING_SECONDS,
            reconnect_time_wait=_RECONNECT_PAUSE_SECONDS,  # type: ignore[arg-type] - seconds, fractions work
            max_reconnect_attempts=_FOREVER,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            **options,
        )

    @contextlib.contextmanager
    def _busy(self) -> Generator[None]:
        """Note that an answer is waited for, or being made."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()

    def _sign(self, nonce: str) -> bytes:
        return base64.b64encode(nkeys.from_seed(self._credentials.seed.encode()).sign(nonce.encode()))

    async def _round_trip(self) -> None:
        # The library writes its ping past its own buffer, so one flush may overtake what is waiting there; by the time
        # the first is answered the buffer has been written, and the second follows it.
        for left in reversed(range(_ROUND_TRIPS)):
            try:
                await self._client.flush(_ROUND_TRIP_SECONDS)
                await self._client.flush(_ROUND_TRIP_SECONDS)
            except nats.errors.FlushTimeoutError:
                # It is not answered at all where the connection was lost and made anew meanwhile.
                if not left:
                    raise
            else:
                return

    async def _on_disconnected(self) -> None:
        self._tell(connected=False)

    async def _on_reconnected(self) -> None:
        self._client.complaint = ""
        self._wait_between_tries(_RECONNECT_PAUSE_SECONDS)
        self._tell(connected=True)

    async def _on_error(self, error: Exception) -> None:
        _log.info("bus", reason=str(error) or type(error).__name__)
        self._end_trying()
        if not self._client.is_connected:
            self._wait_between_tries(min(self._pause_seconds * 2, self._longest_pause_seconds))

    def _end_trying(self) -> None:
        """End the library's next try to connect, when nobody wants one any more.

        It was canceled for that; but before Python 3.12 `wait_for` swallows a cancellation that comes together with an
        answer, a refusal say, and the library would go on for ever.
        """
        if self._is_over or (self._opening is not None and self._opening.expired()):
            raise asyncio.CancelledError

    def _wait_between_tries(self, seconds: float) -> None:
        self._pause_seconds = seconds
        # Not all at once: a server that is back should not meet its whole fleet in the same moment.
        self._client.options["reconnect_time_wait"] = seconds * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def _tell(self, *, connected: bool) -> None:
        for watcher in list(self._watchers):
            watcher(connected)


async def _handle(handler: Handler, message: Msg) -> None:
    try:
        answer = await handler(message.subject, message.data)
        if answer is not None and message.reply:
            await message.respond(answer)
    except (nats.errors.Error, OSError) as error:
        _log.info("answer not sent", subject=message.subject, reason=str(error))
    except Exception:  # noqa: BLE001 - one bad message must not end a subscription
        _log.exception("message not handled", subject=message.subject)
