"""The way of spans to a collector: so many that may wait, and a loop that takes them there in batches.

Nobody ever waits for it. What finds no room, or is refused, is lost and counted; a collector that is away is asked
again, less and less often, and the log says once that it went and that it came back.
"""

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

import httpx
import structlog
from google.protobuf.message import DecodeError

from fireside.traces.otlp import encode, refused_spans
from fireside.traces.spans import Span
from fireside.traces.target import Target

_BATCH_SPANS = 512
_EVERY_SECONDS = 1.0
_ANSWER_SECONDS = 10.0
_TRY_SECONDS = 3.0
_FLUSH_SECONDS = 3.0
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_BUSY = frozenset({429, 502, 503, 504})
_HEADERS = {b"Content-Type": b"application/x-protobuf"}
_log = structlog.get_logger(__name__)

Watcher = Callable[[str, int], None]
"""Hears what became of how many spans: `sent` or `dropped`."""


class _Away(Exception):
    """The collector takes nothing now; it may later."""

    def __init__(self, reason: str, pause_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.pause_seconds = pause_seconds


class Sender:
    """Brings spans to a collector, from `start` to `stop`; `watcher` hears what became of how many."""

    def __init__(self, target: Target, *, most_waiting: int, watcher: Watcher) -> None:
        self._target = target
        self._most_waiting = most_waiting
        self._watcher = watcher
        self._waiting: deque[Span] = deque()
        self._some = asyncio.Event()
        self._many = asyncio.Event()
        self._is_away = False
        self._task: asyncio.Task[None] | None = None
        headers = {name.encode(): value.encode() for name, value in target.headers.items()}
        self._client = httpx.AsyncClient(
            headers={**headers, **_HEADERS}, verify=_tls(target.certificate), timeout=_ANSWER_SECONDS, trust_env=False
        )

    @property
    def has_room(self) -> bool:
        """Whether another span may wait."""
        return len(self._waiting) < self._most_waiting

    def add(self, spans: Sequence[Span]) -> None:
        """Have these sent, or as many as there is room for."""
        taken = spans[: max(0, self._most_waiting - len(self._waiting))]
        self._waiting.extend(taken)
        self.drop(len(spans) - len(taken))
        if self._waiting:
            self._some.set()
        if len(self._waiting) >= _BATCH_SPANS:
            self._many.set()

    def drop(self, count: int) -> None:
        """Count spans that are lost."""
        if count:
            self._watcher("dropped", count)

    async def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._run(), name="traces")

    async def stop(self) -> None:
        """Send what waits, if the collector takes it at once, and no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(TimeoutError, _Away):
            async with asyncio.timeout(_FLUSH_SECONDS):
                while self._waiting:
                    await self._send()
        if self._waiting:
            _log.warning("spans are lost", count=len(self._waiting), collector=self._target.shown)
            self.drop(len(self._waiting))
        await self._client.aclose()

    async def check(self) -> str:
        """Try whether the collector is there; gives the trouble, and nothing when all is well."""
        try:
            async with asyncio.timeout(_TRY_SECONDS):
                response = await self._post(())
        except _Away as away:
            return f"{self._target.shown} takes no traces: {away}"
        except TimeoutError:
            return f"{self._target.shown} takes no traces: no answer within {_TRY_SECONDS:g} s"
        return "" if response.is_success else f"{self._target.shown} refuses traces: {_answer(response)}"

    async def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            await self._until_worth_it()
            try:
                await self._send()
                pause = _FIRST_PAUSE_SECONDS
            except _Away as away:
                self._note_away(str(away))
                await asyncio.sleep(max(pause, min(away.pause_seconds or 0.0, _LONGEST_PAUSE_SECONDS)))
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _until_worth_it(self) -> None:
        """Wait for a span, and then a moment for others."""
        await self._some.wait()
        # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with the event.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EVERY_SECONDS):
                await self._many.wait()

    async def _send(self) -> None:
        """Hand over the next batch; raises `_Away` when it has to wait."""
        batch = tuple(islice(self._waiting, _BATCH_SPANS))
        response = await self._post(batch)
        if response.is_success:
            refused, why = _refused_spans(response)
        else:
            refused, why = len(batch), _answer(response)
        self._note_there()
        if refused:
            _log.warning("spans are refused", count=refused, collector=self._target.shown, reason=why)
        self._put_down(len(batch))
        self._watcher("sent", len(batch) - refused)
        self.drop(refused)

    async def _post(self, spans: Sequence[Span]) -> httpx.Response:
        body = await asyncio.to_thread(encode, spans, self._target.resource)
        try:
            response = await self._client.post(self._target.url, content=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _Away(str(error) or type(error).__name__) from error
        if response.status_code in _BUSY:
            raise _Away(_answer(response), _seconds(response.headers.get("retry-after")))
        return response

    def _put_down(self, count: int) -> None:
        for _ in range(count):
            self._waiting.popleft()
        if not self._waiting:
            self._some.clear()
        if len(self._waiting) < _BATCH_SPANS:
            self._many.clear()

    def _note_away(self, reason: str) -> None:
        if not self._is_away:
            _log.warning("traces wait for their collector", collector=self._target.shown, reason=reason)
        self._is_away = True

    def _note_there(self) -> None:
        if self._is_away:
            _log.info("traces go to their collector again", collector=self._target.shown)
        self._is_away = False


def _refused_spans(response: httpx.Response) -> tuple[int, str]:
    try:
        return refused_spans(response.content)
    except DecodeError:
        return 0, ""  # some collectors answer well with nothing, or with words


def _answer(response: httpx.Response) -> str:
    return f"it answers {response.status_code}"


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def _tls(certificate: str) -> ssl.SSLContext:
    """Trust the system's authorities, or those of the file that is named."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    if certificate:
        context.load_verify_locations(cafile=certificate)
    return context
