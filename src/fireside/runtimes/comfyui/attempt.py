"""One prompt in one ComfyUI: handed over, followed to its end, and put away.

What can happen meets in one inbox: messages of the websocket, what the history says when the websocket is silent, and
the verdicts of three watchers (the process is gone, the prompt does not run, it does not stop). The executor is
believed, by whichever way it is heard first.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from fireside.runtimes.base import Failed, Finished, Interrupted, NodeOutput, RunEvent, Task
from fireside.runtimes.comfyui.ahead import Ahead
from fireside.runtimes.comfyui.connection import LOST, Connection, Refusal
from fireside.runtimes.comfyui.deadlines import Deadlines
from fireside.runtimes.comfyui.healing import left_out, lost_files, refused
from fireside.runtimes.comfyui.home import Home
from fireside.runtimes.comfyui.messages import ExecutingMessage, HistoryEntry, Message, PromptAnswer
from fireside.runtimes.comfyui.outputs import Collector
from fireside.runtimes.comfyui.staging import Place
from fireside.runtimes.comfyui.translating import Translator
from fireside.runtimes.mailbox import END, Mailbox

_ASK_AGAIN_SECONDS = 0.25
_LOOK_WHEN_CUT_SECONDS = 0.25
_SETTLE_SECONDS = 10.0
_DEATH_SECONDS = 1.0
_LOG_LINES = 20

End = Finished | Failed | Interrupted


class Broken(Exception):
    """ComfyUI itself broke.

    `has_begun` is false where the graph cannot have been the cause and may be handed over once more; `still_runs` is
    true where it could not even be stopped; `needs_restart` says that the process is there and of no use.
    """

    def __init__(
        self,
        reason: str,
        *,
        details: str = "",
        has_begun: bool = True,
        still_runs: bool = False,
        needs_restart: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details
        self.has_begun = has_begun
        self.still_runs = still_runs
        self.needs_restart = needs_restart


class _Withdrawn:
    """The prompt was taken out of the queue before it ran."""


@dataclass(kw_only=True)
class Following:
    """What the tries of one run share."""

    task: Task
    mailbox: Mailbox
    translator: Translator
    collector: Collector
    showing: set[str]
    place: Place = field(init=False)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


class Attempt:
    """One try of a run; `restart` kills and starts ComfyUI without being waited for."""

    def __init__(
        self,
        following: Following,
        connection: Connection,
        home: Home,
        deadlines: Deadlines,
        restart: Callable[[str], None],
        ahead: Ahead | None = None,
    ) -> None:
        self.prompt_id = ahead.prompt_id if ahead is not None else uuid4().hex
        self._ahead = ahead
        self.has_stale_results = False
        self._following = following
        self._connection = connection
        self._home = home
        self._deadlines = deadlines
        self._restart = restart
        self._inbox: asyncio.Queue[Message | HistoryEntry | Broken | _Withdrawn] = asyncio.Queue()
        self._submitted = asyncio.Event()
        self._put_away = asyncio.Event()
        self._left_out: Failed | None = None
        self._clock = asyncio.get_running_loop().time
        self._heard_at = self._clock()

    async def follow(self, graph: Mapping[str, Any], extra_data: Mapping[str, Any]) -> End:
        """Hand the graph over and tell its events but the last, which is given; raises `Broken`."""
        for message in self._ahead.heard if self._ahead is not None else ():
            self._hear(message)
        self._connection.listen(self.prompt_id, self._hear)
        watchers = [
            asyncio.create_task(watch, name=f"watcher of {self.prompt_id}")
            for watch in (self._watch_process(), self._watch_silence(), self._stop_when_asked())
        ]
        try:
            refusal = await self._submit(graph, extra_data)
            self._submitted.set()
            return refusal or await self._read()
        finally:
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)

    async def settle(self) -> None:
        """Wait until the executor has put an ended run away, and let ComfyUI forget it."""
        if not self._connection.closed.is_set():
            waits = [asyncio.create_task(one.wait()) for one in (self._put_away, self._connection.closed)]
            await asyncio.wait(waits, timeout=_SETTLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        self._connection.listen(self.prompt_id, None)
        self._connection.forget(self.prompt_id)

    async def _submit(self, graph: Mapping[str, Any], extra_data: Mapping[str, Any]) -> Failed | None:
        task = self._following.task
        try:
            answer = await self._begin() or await self._connection.submit(
                self.prompt_id, graph, task.outputs, extra_data
            )
        except LOST as error:
            await self._learn_fate(error)
            return None
        if isinstance(answer, Refusal):
            self._put_away.set()
            return refused(answer, task.graph)
        self._left_out = left_out(answer, task.graph)
        return None

    async def _begin(self) -> PromptAnswer | None:
        """Let the graph run, if it is there and does not yet."""
        ahead = self._ahead
        if ahead is None or ahead.has_begun or await self._connection.begin(self.prompt_id):
            return ahead.answer if ahead is not None else None
        return None

    async def _learn_fate(self, error: Exception) -> None:
        """Return when the prompt was taken all the same; it is never sent twice."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DEATH_SECONDS):
                await self._home.died()
            raise self._gone()
        try:
            if await self._is_known():
                return
        except LOST:
            pass
        reason = f"ComfyUI did not take the prompt: {error!r}."
        raise Broken(reason, details=self._log(), has_begun=False, needs_restart=True)

    async def _read(self) -> End:
        translator = self._following.translator
        while True:
            said = await self._inbox.get()
            if isinstance(said, Broken):
                raise said
            if isinstance(said, _Withdrawn):
                self._put_away.set()
                return Interrupted()
            is_history = isinstance(said, HistoryEntry)
            for event in translator.from_history(said) if is_history else translator.translate(said):
                if isinstance(event, END):
                    if is_history:
                        self._put_away.set()
                        # It may have been silenced for good.
                        self._connection.closed.set()
                    return self._judged(event)
                await self._tell(event)

    async def _tell(self, event: RunEvent) -> None:
        if isinstance(event, NodeOutput):
            lost_before = len(self._following.collector.lost)
            event = await self._following.collector.collect(event)
            lost = self._following.collector.lost
            if len(lost) > lost_before and self._following.translator.is_cached(event.node_id):
                # The results outlived the files; the node has to run anew.
                del lost[lost_before:]
                self._following.translator.unshow(event.node_id)
                self.has_stale_results = True
                return
            if event.files:
                graph = self._following.task.graph
                shown_by = (graph.get(node_id, {}) for node_id in (event.node_id, event.display_node_id))
                self._following.showing.update(entry["class_type"] for entry in shown_by if "class_type" in entry)
        self._following.mailbox.put(event)

    def _judged(self, end: End) -> End:
        if not isinstance(end, Finished):
            return end
        collector, graph = self._following.collector, self._following.task.graph
        faults = [*collector.misnamed, *collector.lost]
        return self._left_out or (lost_files(faults, graph) if faults else end)

    def _hear(self, message: Message) -> None:
        self._heard_at = self._clock()
        if isinstance(message, ExecutingMessage) and message.node is None:
            self._put_away.set()
        else:
            self._inbox.put_nowait(message)

    async def _watch_process(self) -> None:
        await self._home.died()
        self._inbox.put_nowait(self._gone())

    async def _watch_silence(self) -> None:
        await self._submitted.wait()
        doubts = _Doubts(self._clock, self._deadlines)
        while True:
            await self._silence(doubts.pause)
            try:
                verdict = await self._look(doubts)
            except LOST as error:
                verdict = doubts.unreachable(error, is_cut=self._connection.closed.is_set())
            if verdict is not None:
                self._inbox.put_nowait(verdict)
                return

    async def _silence(self, seconds: float) -> None:
        """Return when nothing was heard for so long, or sooner when nothing can be."""
        while (left := self._heard_at + seconds - self._clock()) > 0:
            if self._connection.closed.is_set():
                await asyncio.sleep(_LOOK_WHEN_CUT_SECONDS)
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._connection.closed.wait()

    async def _look(self, doubts: "_Doubts") -> HistoryEntry | Broken | None:
        queue = await self._connection.queue()
        entry = await self._connection.history(self.prompt_id)
        if entry is not None:
            return entry
        if self.prompt_id not in queue.running | queue.pending:
            return doubts.forgotten(self._log())
        if await self._connection.executor_is_alive() is False:
            reason, begun = "The thread in which ComfyUI runs prompts has ended.", self.prompt_id in queue.running
            return Broken(reason, details=self._log(), has_begun=begun, needs_restart=True)
        waits = self.prompt_id in queue.pending and (self._home.folders is not None or not queue.running)
        return doubts.waiting(self._log()) if waits else doubts.none()

    async def _is_known(self) -> bool:
        queue = await self._connection.queue()
        if self.prompt_id in queue.running | queue.pending:
            return True
        return await self._connection.history(self.prompt_id) is not None

    async def _stop_when_asked(self) -> None:
        await self._following.stopping.wait()
        await self._ask_to_stop(self._deadlines.interrupt_seconds)
        if self._home.folders is not None:
            self._restart("A run did not react to an interrupt.")
            return
        await self._ask_to_stop(self._deadlines.give_up_seconds)
        self._inbox.put_nowait(Broken("The attached ComfyUI does not react to an interrupt.", still_runs=True))

    async def _ask_to_stop(self, seconds: float) -> None:
        """Ask until it has ended, as an early interrupt can be lost; return when the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._submitted.wait()
                while True:
                    with contextlib.suppress(*LOST):
                        await self._connection.interrupt(self.prompt_id)
                        if not await self._is_known():
                            self._inbox.put_nowait(_Withdrawn())
                    await asyncio.sleep(_ASK_AGAIN_SECONDS)

    def _gone(self) -> Broken:
        # What was taken has begun at once: nothing else runs here.
        return Broken("ComfyUI's process is gone.", details=self._log(), has_begun=self._submitted.is_set())

    def _log(self) -> str:
        return self._home.log_tail(_LOG_LINES)


class _Doubts:
    """How long something has looked wrong."""

    def __init__(self, clock: Callable[[], float], deadlines: Deadlines) -> None:
        self._clock = clock
        self._deadlines = deadlines
        self._kind = ""
        self._since = 0.0
        self.pause = deadlines.silent_seconds

    def none(self) -> None:
        """Nothing is wrong: it takes its time."""
        self._kind = ""
        self.pause = min(self.pause * 2, self._deadlines.longest_silence_seconds)

    def forgotten(self, details: str) -> Broken | None:
        """It is neither waiting nor running nor done."""
        if self._lasts("forgotten", self._deadlines.silent_seconds):
            return Broken("ComfyUI has forgotten the prompt.", details=details)
        return None

    def waiting(self, details: str) -> Broken | None:
        """It waits though nothing runs."""
        if self._lasts("waiting", self._deadlines.stuck_seconds):
            reason = "ComfyUI takes prompts and runs none."
            return Broken(reason, details=details, has_begun=False, needs_restart=True)
        return None

    def unreachable(self, error: Exception, *, is_cut: bool) -> Broken | None:
        """It does not answer; while the websocket stands that may only mean that it is busy."""
        longest = self._deadlines.lost_seconds if is_cut else self._deadlines.busy_seconds
        if self._lasts("unreachable", longest):
            return Broken(f"ComfyUI does not answer: {error!r}.", needs_restart=True)
        return None

    def _lasts(self, kind: str, seconds: float) -> bool:
        if self._kind != kind:
            self._kind, self._since = kind, self._clock()
        self.pause = self._deadlines.silent_seconds
        return self._clock() - self._since >= seconds
