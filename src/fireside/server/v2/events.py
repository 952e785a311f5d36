"""`GET /api/v2/jobs/{id}/events`: what happens to one job, as it happens.

It listens first and reads the store second, so that whoever connects, to whichever server, hears first where the job
stands and then all that changes. A stream has one sender, which reads the mailbox of its listener: a client that is
slow gets fewer updates, one that does not read at all is let go, and nobody else notices.
"""

import asyncio
import contextlib
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fireside.domain.accounts import PrincipalKind
from fireside.domain.errors import FiresideError, Forbidden, TooMany, Unauthenticated
from fireside.domain.ids import AssetId
from fireside.domain.jobs import Job, JobState
from fireside.events.following import Standing
from fireside.events.heard import Heard
from fireside.events.listener import Listener, ListenerClosed
from fireside.server.authentication import admit
from fireside.server.callers import caller_of, services_of
from fireside.server.connections import break_off
from fireside.server.routes import Access, Answer, Handler, Refusal, Route
from fireside.server.services import Services
from fireside.server.v2.envelope import TooManyStreams
from fireside.server.v2.jobs import NO_JOB, job_of, queue_positions
from fireside.server.v2.progress import Classes, classes_of, measure, progress_before
from fireside.server.v2.rendering import STATUSES, output_of
from fireside.wire.live import OutputAdded, PreviewFrame
from fireside.wire.refusals import EnvelopeBody
from fireside.wire.v2_events import KEEP_ALIVE, PreviewEvent, StatusEvent, encode_event
from fireside.wire.v2_jobs import JobStatus, OutputBody, ProgressBody

EVENT_STREAM = "text/event-stream"
_HEADERS = {"content-type": EVENT_STREAM, "cache-control": "no-cache", "x-accel-buffering": "no"}
_KIND = "stream"
_RETRY_SECONDS = 5
_KEEP_ALIVE_SECONDS = 15.0
_SEND_SECONDS = 20.0
_LOOK_SECONDS = 30.0
_POSITION_SECONDS = 1.0
_FETCHING_SECONDS = 1.0
_MOST_PREVIEW_BYTES = 1_000_000
"""Clients give up a stream whose frame is larger than twice of this."""
_RUNNING = frozenset({JobState.RUNNING, JobState.CANCELING})


def streaming(
    *,
    keep_alive_seconds: float = _KEEP_ALIVE_SECONDS,
    send_seconds: float = _SEND_SECONDS,
    look_seconds: float = _LOOK_SECONDS,
) -> Handler:
    """Make the handler: a stream is never silent for `keep_alive_seconds`, a client that takes nothing for
    `send_seconds` is let go, and every `look_seconds` it looks whether the caller may still listen.
    """

    async def stream_events(request: Request) -> Response:
        services, job = services_of(request), await job_of(request)
        if request.method == "HEAD":
            return Response(headers=_HEADERS)
        async with contextlib.AsyncExitStack() as stack:
            listening = services.hub.listening(
                job.user_id, job_id=job.id, at_most=services.config.max_streams_per_user, kind=_KIND
            )
            try:
                listener = await stack.enter_async_context(listening)
            except TooMany as error:
                message = f"{services.config.max_streams_per_user} of your event streams are open: close one first"
                raise TooManyStreams(message, retry_after=_RETRY_SECONDS) from error
            story = _Story(services, job, listener, keep_alive_seconds=keep_alive_seconds)
            parts = _Parts(story=story, stack=stack.pop_all(), send_seconds=send_seconds, look_seconds=look_seconds)
            return _EventStream(request, parts)

    return stream_events


class _Parts:
    """What an open stream is made of, and what to give back when it ends."""

    def __init__(
        self, *, story: "_Story", stack: contextlib.AsyncExitStack, send_seconds: float, look_seconds: float
    ) -> None:
        self.story = story
        self.stack = stack
        self.send_seconds = send_seconds
        self.look_seconds = look_seconds


class _EventStream(Response):
    """One stream, until the job or either side ends it."""

    def __init__(self, request: Request, parts: _Parts) -> None:
        super().__init__(headers=_HEADERS)
        self._request = request
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send, notice the client's going, and look after the caller's rights."""
        async with self._parts.stack:
            await send({"type": "http.response.start", "status": 200, "headers": self._raw()})
            tasks = [
                asyncio.create_task(part, name=f"stream {name}")
                for name, part in (("sender", self._send(send)), ("client", _gone(receive)), ("rights", self._look()))
            ]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                results = await asyncio.gather(*tasks, return_exceptions=True)
            is_whole = results[0] is True
            if isinstance(results[0], TimeoutError):
                break_off(scope)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, FiresideError | TimeoutError):
                raise result
        if is_whole:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send) -> bool:
        """Send what happens; whether that was all. TimeoutError for a client that does not read."""
        async for frame in self._parts.story.frames():
            async with asyncio.timeout(self._parts.send_seconds):
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        return True

    async def _look(self) -> None:
        """Wait until the caller may listen no more: with a key that was revoked, or signed out."""
        while True:
            await asyncio.sleep(self._parts.look_seconds)
            if caller_of(self._request).kind is PrincipalKind.SOCKET:
                continue
            try:
                await admit(self._request, Access.USER)
            except (Unauthenticated, Forbidden):
                return
            except FiresideError:
                continue  # the store is away; nobody loses a right by that

    def _raw(self) -> list[tuple[bytes, bytes]]:
        return [(name, value) for name, value in self.raw_headers if name != b"content-length"]


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class _Story:
    """What one stream tells of its job, in order: snapshot, changes, outputs, and the end last of all."""

    def __init__(self, services: Services, job: Job, listener: Listener, *, keep_alive_seconds: float) -> None:
        self._services = services
        self._job = job
        self._listener = listener
        self._classes: Classes = {}
        self._told_status: tuple[JobStatus, int | None] | None = None
        self._told_outputs: set[AssetId] = set()
        self._outputs: list[OutputBody] = []
        self._told_progress: ProgressBody | None = None
        self._preview: tuple[PreviewFrame, bytes] | None = None
        loop = asyncio.get_running_loop()
        self._clock = loop.time
        pause = 1.0 / services.config.stream_updates_per_second
        self._pauses = {
            "progress": pause,
            "preview": pause,
            "position": _POSITION_SECONDS,
            "fetching": _FETCHING_SECONDS,
        }
        self._due: dict[str, float] = {}
        self._last: dict[str, float] = dict.fromkeys(self._pauses, float("-inf"))
        self._keep_alive_seconds = keep_alive_seconds

    async def frames(self) -> AsyncIterator[bytes]:
        """Tell the job from where it stands to its end; ends early when the listener is closed."""
        silent_since = self._clock()
        async for frame in self._snapshot():
            yield frame
        while not self._is_over:
            until = min([silent_since + self._keep_alive_seconds, *self._due.values()])
            try:
                heard = await self._next(until)
            except ListenerClosed:
                return
            told = self._tell(heard) if heard is not None else self._catch_up()
            async for frame in told:
                silent_since = self._clock()
                yield frame
            if self._clock() >= silent_since + self._keep_alive_seconds:
                silent_since = self._clock()
                yield KEEP_ALIVE

    @property
    def _is_over(self) -> bool:
        return self._job.is_terminal

    async def _next(self, until: float) -> Heard | None:
        try:
            async with asyncio.timeout_at(until):
                return await self._listener.next()
        except TimeoutError:
            return None

    async def _snapshot(self) -> AsyncIterator[bytes]:
        self._job = await self._services.desk.job_of(self._job.user_id, self._job.id)
        if self._is_over:
            # Told once more in short, as a stream begins with a status and has nothing after the last one.
            outputs = await self._new_outputs()
            if outputs:
                yield encode_event("status", StatusEvent(status="running"))
            async for frame in self._end(outputs):
                yield frame
            return
        async for frame in self._status():
            yield frame
        if self._job.state in _RUNNING:
            self._classes = await classes_of(self._services, self._job.id)
            standing = await self._services.hub.glance(self._job.user_id, self._job.id) or Standing()
            self._preview = standing.preview
            for frame in (*self._progress(), *self._picture()):
                yield frame
            for output in await self._new_outputs():
                yield encode_event("output", output)

    async def _tell(self, heard: Heard) -> AsyncIterator[bytes]:
        """Tell one thing that was heard, or note that something will have to be told soon."""
        if heard.counts is not None and self._job.state is JobState.QUEUED:
            self._note("position")
        if isinstance(heard.fact, OutputAdded):
            for output in await self._new_outputs():
                yield encode_event("output", output)
        elif heard.fact is not None:
            async for frame in self._change():
                yield frame
        elif isinstance(heard.frame, PreviewFrame):
            self._preview = (heard.frame, heard.picture)
            self._note("preview")
        elif heard.frame is not None:
            self._note("progress")
        async for frame in self._catch_up():
            yield frame

    def _note(self, what: str) -> None:
        self._due.setdefault(what, self._last[what] + self._pauses[what])

    async def _catch_up(self) -> AsyncIterator[bytes]:
        """Tell what is due by now."""
        now = self._clock()
        for what in [what for what, at in self._due.items() if at <= now]:
            del self._due[what]
            self._last[what] = now
            if what == "position":
                async for frame in self._change():
                    yield frame
            elif what == "fetching":
                async for frame in self._before():
                    yield frame
            elif not self._is_over:
                for frame in self._progress() if what == "progress" else self._picture():
                    yield frame

    async def _change(self) -> AsyncIterator[bytes]:
        """Read where the job stands, and tell it if that is new."""
        self._job = await self._services.desk.job_of(self._job.user_id, self._job.id)
        if self._is_over:
            async for frame in self._end(await self._new_outputs()):
                yield frame
            return
        async for frame in self._status():
            yield frame
        if self._job.state in _RUNNING and not self._classes:
            self._classes = await classes_of(self._services, self._job.id)

    async def _status(self) -> AsyncIterator[bytes]:
        position = (await queue_positions(self._services, self._job.user_id, [self._job])).get(self._job.id)
        status = STATUSES[self._job.state], position
        if self._job.state is JobState.ASSIGNED:
            self._note("fetching")
        if status != self._told_status:
            self._told_status = status
            yield encode_event("status", StatusEvent(status=status[0], queue_position=position))

    async def _before(self) -> AsyncIterator[bytes]:
        """Tell which model comes before the run, and look again in a while."""
        if self._job.state is not JobState.ASSIGNED:
            return
        self._note("fetching")
        progress = await progress_before(self._services, self._job)
        if progress is not None and progress != self._told_progress:
            self._told_progress = progress
            yield encode_event("progress", progress)

    def _progress(self) -> Iterator[bytes]:
        standing = self._services.hub.standing_of(self._job.user_id, self._job.id)
        progress = measure(standing or Standing(), self._classes)
        if progress != self._told_progress:
            self._told_progress = progress
            yield encode_event("progress", progress)

    def _picture(self) -> Iterator[bytes]:
        preview, self._preview = self._preview, None
        if preview is not None and len(preview[1]) <= _MOST_PREVIEW_BYTES:
            frame, picture = preview
            data = b64encode(picture).decode()
            yield encode_event(
                "preview", PreviewEvent(node_id=frame.node_id, content_type=frame.mime, data_base64=data)
            )

    async def _new_outputs(self) -> list[OutputBody]:
        """Read what the job has made and was not told yet."""
        assets = await self._services.store.job_assets(self._job.id)
        new = [asset for asset in assets if asset.id not in self._told_outputs]
        self._told_outputs |= {asset.id for asset in new}
        # All of them anew: an attempt that was lost has taken what it had made along.
        self._outputs = [output_of(self._services, asset) for asset in assets]
        ids = {asset.id for asset in new}
        return [output for output in self._outputs if output.id in ids]

    async def _end(self, outputs: list[OutputBody]) -> AsyncIterator[bytes]:
        """Tell the outputs that are left, that all is done if so, and last of all how it ended."""
        for output in outputs:
            yield encode_event("output", output)
        if self._told_progress is not None and self._job.state is JobState.SUCCEEDED:
            total = self._told_progress.nodes_total
            yield encode_event("progress", ProgressBody(value=1.0, nodes_done=total, nodes_total=total))
        yield encode_event("status", StatusEvent(status=STATUSES[self._job.state], outputs=self._outputs))


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/v2/jobs/{id}/events",
        handler=streaming(),
        name="getJobEvents",
        text="Stream what happens to a job",
        tag="api v2",
        refusal=Refusal.ENVELOPE,
        answers={
            200: Answer(text="Server-Sent Events: status, progress, preview, output", media_types=(EVENT_STREAM,)),
            404: NO_JOB,
            429: Answer(text="As many streams of the caller are open as may", body=EnvelopeBody),
            503: Answer(text="The bus is away for a moment", body=EnvelopeBody),
        },
    ),
)
