"""One conversation with one ComfyUI: its websocket and its routes, under a client id that is never used again.

ComfyUI sends what a run says to the one socket of its client id, and the end of an older socket silences a newer one of
the same id; so a connection that was cut stays cut, and the next run opens another. It is kept open over many runs.
aiohttp does both halves over one pool, at a fraction of what httpx costs per request.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import aiohttp
import msgspec

from fireside.runtimes.comfyui.file_items import FileItem
from fireside.runtimes.comfyui.messages import (
    FeatureFlagsMessage,
    HistoryEntry,
    Message,
    PreviewMessage,
    PromptAnswer,
    loads,
    read_binary,
    read_text,
)

_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 30.0
# Validation by node packs may look through folders on a network.
_SUBMIT_SECONDS = 300.0
_STALLED_SECONDS = 60.0
_KEPT_FOR_PROMPTS_SECONDS = 1.0
_FLAGS_SECONDS = 1.0
_DEVICES_SECONDS = 2.0
_GOODBYE_SECONDS = 0.5
_FORGET_SECONDS = 0.5
_CHUNK_BYTES = 1024 * 1024
_FLAGS = msgspec.json.encode({"type": "feature_flags", "data": {"supports_preview_metadata": True}}).decode()

LOST = (aiohttp.ClientError, TimeoutError, ConnectionError)
"""What is raised when ComfyUI cannot be reached, or does not answer as it should."""


class UnexpectedAnswer(aiohttp.ClientError):
    """An answer that no ComfyUI gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The ids in ComfyUI's queue."""

    running: frozenset[str]
    pending: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """ComfyUI does not take the graph."""

    status: int
    answer: PromptAnswer
    text: str


class Connection:
    """Speaks with the ComfyUI at `url`; `headers` go to our own routes there."""

    def __init__(self, url: str, headers: Mapping[str, str] | None) -> None:
        self.url = url
        self.client_id = uuid4().hex
        self._headers = headers
        self._session: aiohttp.ClientSession | None = None
        self._submitting: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None
        self._greeted = asyncio.Event()
        self._listeners: dict[str, Callable[[Message], None]] = {}
        self._ended: list[str] = []
        self._forgetting: asyncio.Task[None] | None = None
        self._is_ending = False
        self.closed = asyncio.Event()

    async def open(self) -> None:
        """Connect the websocket and agree on previews with metadata; raises one of `LOST`."""
        self._session = _session(_ANSWER_SECONDS)
        # Never one that may have gone stale, as a prompt must never be sent twice; nobody closes one as soon as this.
        connector = aiohttp.TCPConnector(keepalive_timeout=_KEPT_FOR_PROMPTS_SECONDS)
        self._submitting = _session(_SUBMIT_SECONDS, connector=connector)
        try:
            params = {"clientId": self.client_id}
            self._socket = await self._session.ws_connect(
                f"{self.url}/ws",
                params=params,
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=_GOODBYE_SECONDS),  # pyright: ignore[reportCallIssue] - attrs
            )
            await self._socket.send_str(_FLAGS)
        except BaseException:
            await self.close()
            raise
        self._reading = asyncio.create_task(self._read(self._socket), name=f"websocket of {self.url}")
        # The first answer makes it known what a living one looks like.
        with contextlib.suppress(*LOST):
            await self.executor_is_alive()
        # Versions without preview metadata do not answer.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FLAGS_SECONDS):
                await self._greeted.wait()

    async def close(self) -> None:
        """End the conversation; idempotent."""
        self._is_ending = True
        if self._forgetting is not None:
            self._forgetting.cancel()
            await asyncio.gather(self._forgetting, return_exceptions=True)
            await self._forget_ended()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()
        for session in (self._session, self._submitting):
            if session is not None:
                await session.close()

    def listen(self, prompt_id: str, listener: Callable[[Message], None] | None) -> None:
        """Give the listener all that is said of this prompt from now on, and nothing of others; None to end that."""
        if listener is None:
            self._listeners.pop(prompt_id, None)
        else:
            self._listeners[prompt_id] = listener

    async def submit(
        self, prompt_id: str, graph: Mapping[str, Any], outputs: Sequence[str], extra_data: Mapping[str, Any]
    ) -> PromptAnswer | Refusal:
        """Hand the graph over, once; when this raises nobody knows whether it was taken."""
        body = {
            "prompt_id": prompt_id,
            "client_id": self.client_id,
            "prompt": graph,
            "partial_execution_targets": outputs,
            "extra_data": extra_data,
        }
        assert self._submitting is not None
        headers = {"Content-Type": "application/json"}
        data = msgspec.json.encode(body)
        async with self._submitting.post(f"{self.url}/prompt", data=data, headers=headers) as response:
            text = await response.text(errors="replace")
        answer = _answer(text)
        if response.status == 200 and answer.error is None:
            return answer
        return Refusal(status=response.status, answer=answer, text=text)

    async def begin(self, prompt_id: str) -> bool:
        """Let a graph run that our node pack holds back; false when it is not there."""
        return await self._tell_bridge("begin", prompt_id)

    async def drop(self, prompt_id: str) -> bool:
        """Have our node pack forget a graph that it holds back; false when it is not there."""
        return await self._tell_bridge("drop", prompt_id)

    async def _tell_bridge(self, what: str, prompt_id: str) -> bool:
        assert self._submitting is not None
        url, body = f"{self.url}/fireside/{what}", {"prompt_id": prompt_id}
        async with self._submitting.post(url, json=body, headers=self._headers) as response:
            if response.status != 404:
                response.raise_for_status()
            return response.status != 404

    async def history(self, prompt_id: str) -> HistoryEntry | None:
        """Look the run up; None while it has not ended, or when it is not known."""
        found = loads(await self._get(f"/history/{prompt_id}"))
        entry = cast("dict[str, Any]", found).get(prompt_id) if isinstance(found, dict) else None
        if entry is None:
            return None
        try:
            return msgspec.convert(entry, HistoryEntry, strict=False)
        except msgspec.ValidationError as error:
            raise UnexpectedAnswer(f"the history of {prompt_id}: {error}") from error

    async def queue(self) -> Queue:
        """Look at the queue."""
        found = loads(await self._get("/queue"))
        lists = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
        return Queue(running=_ids_of(lists.get("queue_running")), pending=_ids_of(lists.get("queue_pending")))

    async def interrupt(self, prompt_id: str) -> None:
        """Take it out of the queue, or stop it at its next node or step; may come to nothing."""
        await self._post("/queue", {"delete": [prompt_id]})
        await self._post("/interrupt", {"prompt_id": prompt_id})

    def forget(self, prompt_id: str) -> None:
        """Have the run removed from the history in a moment, together with those that end meanwhile.

        Once the conversation is at its end nobody can be asked, and the run stays in the history.
        """
        if self._is_ending:
            return
        self._ended.append(prompt_id)
        if self._forgetting is None or self._forgetting.done():
            self._forgetting = asyncio.create_task(self._forget_soon(), name="forget")

    async def _forget_soon(self) -> None:
        await asyncio.sleep(_FORGET_SECONDS)
        await self._forget_ended()

    async def _forget_ended(self) -> None:
        ended, self._ended = self._ended, []
        if ended:
            with contextlib.suppress(*LOST):
                await self._post("/history", {"delete": ended})

    async def executor_is_alive(self) -> bool | None:
        """Ask our node pack whether the thread that runs prompts is there; None when it cannot be asked."""
        if self._headers is None:
            return None
        found = loads(await self._get("/fireside/executor", headers=self._headers))
        alive = cast("dict[str, Any]", found).get("alive") if isinstance(found, dict) else None
        return alive if isinstance(alive, bool) else None

    async def devices(self) -> Sequence[Mapping[str, Any]]:
        """Give the devices with their free memory, none when it does not say at once."""
        try:
            async with asyncio.timeout(_DEVICES_SECONDS):
                stats = loads(await self._get("/system_stats"))
        except LOST:
            return ()
        devices = cast("dict[str, Any]", stats).get("devices") if isinstance(stats, dict) else None
        return cast("list[Mapping[str, Any]]", devices) if isinstance(devices, list) else ()

    async def has_file(self, item: FileItem) -> bool:
        """Whether the file is there."""
        async with self._http.head(f"{self.url}/view", params=item.as_output()) as response:
            return response.ok

    async def upload(self, item: FileItem, path: Path) -> None:
        """Bring a file."""
        with path.open("rb") as file:
            form = aiohttp.FormData({"type": item.type, "subfolder": item.subfolder, "overwrite": "true"})
            form.add_field("image", file, filename=item.filename)
            async with self._http.post(f"{self.url}/upload/image", data=form, timeout=_patient()) as response:
                response.raise_for_status()

    async def download(self, item: FileItem, target: Path) -> bool:
        """Fetch a file; false when it is not there."""
        async with self._http.get(f"{self.url}/view", params=item.as_output(), timeout=_patient()) as response:
            if not response.ok:
                return False
            with target.open("wb") as file:
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    await asyncio.to_thread(file.write, chunk)
        return True

    @property
    def _http(self) -> aiohttp.ClientSession:
        assert self._session is not None
        return self._session

    async def _get(self, path: str, headers: Mapping[str, str] | None = None) -> bytes:
        async with self._http.get(self.url + path, headers=headers) as response:
            response.raise_for_status()
            return await response.read()

    async def _post(self, path: str, body: Mapping[str, Any]) -> None:
        async with self._http.post(self.url + path, json=body) as response:
            response.raise_for_status()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    self._hear(read_text(frame.data))
                elif frame.type is aiohttp.WSMsgType.BINARY:
                    self._hear(read_binary(frame.data))
        finally:
            self.closed.set()

    def _hear(self, message: Message | None) -> None:
        if isinstance(message, FeatureFlagsMessage):
            self._greeted.set()
        elif message is not None:
            self._listener_of(message)(message)

    def _listener_of(self, message: Message) -> Callable[[Message], None]:
        if isinstance(message, PreviewMessage) and message.prompt_id is None:
            # Pictures without metadata, and nothing else, may come without saying whose they are.
            return next(iter(self._listeners.values()), _ignore)
        return self._listeners.get(message.prompt_id or "", _ignore)


def _ignore(_: Message) -> None:
    pass


def _session(seconds: float, connector: aiohttp.TCPConnector | None = None) -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())


def _patient() -> aiohttp.ClientTimeout:
    """Give a file of any size its time, as long as something moves."""
    return aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_STALLED_SECONDS)


def _answer(text: str) -> PromptAnswer:
    try:
        return msgspec.convert(loads(text), PromptAnswer, strict=False)
    except msgspec.ValidationError:
        return PromptAnswer(error=text)


def _ids_of(rows: Any) -> frozenset[str]:
    entries = cast("list[list[Any]]", rows) if isinstance(rows, list) else []
    return frozenset(str(entry[1]) for entry in entries if len(entry) > 1)
