"""The worker's side of the builtin runtime: one child process, started again when it has died."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fireside.runtimes.base import NodeRefusal, RunEvent, RuntimeInfo, RuntimeStartError, Task
from fireside.runtimes.builtin import messages
from fireside.runtimes.builtin.peer import Peer
from fireside.runtimes.mailbox import END, Mailbox

_CACHE_BYTES = 1024 * 1024 * 1024
_INTERRUPT_SECONDS = 5.0
_STOP_SECONDS = 2.0
_LOG_NAME = "runtime.log"


class BuiltinRuntime:
    """Runs graphs of image nodes on the CPU, in a process of its own.

    `cache_bytes` bounds what is remembered between runs. `memory_bytes` bounds the child's memory as a whole, so that a
    graph that wants too much fails with a `MemoryError` instead of taking the machine down. A child that does not
    react to an interrupt within `interrupt_seconds` is killed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cache_bytes: int = _CACHE_BYTES,
        memory_bytes: int | None = None,
        interrupt_seconds: float = _INTERRUPT_SECONDS,
    ) -> None:
        self._folder = folder
        self._settings = messages.Settings(cache_bytes=cache_bytes, memory_bytes=memory_bytes)
        self._interrupt_seconds = interrupt_seconds
        self._peer: Peer | None = None
        self._info: RuntimeInfo | None = None
        self._mailboxes: dict[str, Mailbox] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._peer.pid if self._peer is not None else None

    async def start(self) -> RuntimeInfo:
        """Start the child; raise `RuntimeStartError` when it does not come up."""
        self._stopped = False
        return await self._start_child()

    async def make_ready(self, task: Task) -> None:
        """Do nothing: it begins at once. See the contract."""

    async def run(self, task: Task) -> AsyncIterator[RunEvent]:
        """Execute the task; see the contract."""
        mailbox = self._mailboxes[task.task_id] = Mailbox(task)
        try:
            await self._hand_over(mailbox)
            while True:
                event = await mailbox.get()
                yield event
                if isinstance(event, END):
                    return
        finally:
            self._abandon(mailbox)

    async def check(self, graph: Mapping[str, Any], node_ids: Sequence[str]) -> Mapping[str, tuple[NodeRefusal, ...]]:  # noqa: ARG002 - the contract's shape
        """Refuse nothing: the node definitions say all there is."""
        return {}

    async def model_metadata(self, folder: str, name: str) -> bytes | None:  # noqa: ARG002 - the contract's shape
        """Tell nothing: there are no models."""
        return None

    async def model_preview(self, folder: str, name: str) -> bytes | None:  # noqa: ARG002 - the contract's shape
        """Show nothing: there are no models."""
        return None

    async def model_paths(self, names: Sequence[str]) -> Mapping[str, Path] | None:  # noqa: ARG002 - the contract's shape
        """Find nothing: there are no models."""
        return {}

    async def devices(self) -> Sequence[Mapping[str, Any]]:
        """Tell of nothing: there is no device but the CPU."""
        return ()

    @property
    def fetched_models(self) -> Path | None:
        """Give nothing: it has no models."""
        return None

    def warm_models(self) -> Sequence[str]:
        """Name nothing: there are no models."""
        return ()

    async def interrupt(self, task_id: str) -> None:
        """Stop that task at the next node or step; see the contract."""
        mailbox = self._mailboxes.get(task_id)
        if mailbox is not None and not mailbox.interrupted:
            mailbox.interrupted = True
            self._background(self._insist(mailbox))
            await self._ask_to_stop(mailbox)

    async def stop(self) -> None:
        """End the child and every run; idempotent."""
        self._stopped = True
        for mailbox in self._mailboxes.values():
            mailbox.interrupted = True
        if self._peer is not None:
            await self._peer.stop(_STOP_SECONDS)
        await asyncio.gather(*self._tasks)

    async def _start_child(self) -> RuntimeInfo:
        if self._peer is not None and self._peer.is_alive and self._info is not None:
            return self._info
        peer = self._peer = Peer(self._folder / _LOG_NAME, on_event=self._heard, on_end=self._lost)
        self._info = await peer.start(self._settings)
        if self._stopped:
            await peer.stop(_STOP_SECONDS)
            raise RuntimeStartError("The runtime was stopped.")
        return self._info

    async def _hand_over(self, mailbox: Mailbox) -> None:
        try:
            if self._stopped:
                raise RuntimeStartError("The runtime was stopped.")
            await self._start_child()
            # No node of ours has a use for the secrets, so the child never learns them.
            frame = messages.encode(messages.Execute(replace(mailbox.task, secrets={}, when_ended=None)))
        except (RuntimeStartError, messages.TooLongError) as error:
            self._break_off(mailbox, str(error), is_breakdown=isinstance(error, RuntimeStartError))
            return
        assert self._peer is not None
        mailbox.sent = True
        await self._peer.send(frame)
        if mailbox.interrupted:
            await self._ask_to_stop(mailbox)

    async def _ask_to_stop(self, mailbox: Mailbox) -> None:
        if mailbox.sent and self._peer is not None:
            await self._peer.send(messages.encode(messages.Interrupt(mailbox.task.task_id)))

    async def _insist(self, mailbox: Mailbox) -> None:
        """Kill the child when it has not stopped the run in time."""
        try:
            await asyncio.wait_for(mailbox.ended.wait(), self._interrupt_seconds)
        except TimeoutError:
            if self._peer is not None:
                self._peer.kill()

    def _abandon(self, mailbox: Mailbox) -> None:
        """Let the child get ready for the next task when nobody reads this run any further."""
        if mailbox.ended.is_set():
            return
        if mailbox.sent:
            self._background(self.interrupt(mailbox.task.task_id))
        else:
            self._break_off(mailbox, "The run was abandoned.")

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="interrupt of the builtin runtime")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _heard(self, task_id: str, event: RunEvent) -> None:
        mailbox = self._mailboxes.get(task_id)
        if mailbox is None:
            return
        mailbox.put(event)
        if mailbox.ended.is_set():
            del self._mailboxes[task_id]

    def _lost(self, reason: str) -> None:
        for mailbox in [mailbox for mailbox in self._mailboxes.values() if mailbox.sent]:
            if mailbox.begun or mailbox.interrupted or mailbox.tries:
                self._break_off(mailbox, reason)
            else:
                # It had not begun, so it is a former run, or nobody, who has ended the child.
                mailbox.sent, mailbox.tries = False, mailbox.tries + 1
                self._background(self._hand_over(mailbox))

    def _break_off(self, mailbox: Mailbox, reason: str, *, is_breakdown: bool = True) -> None:
        mailbox.break_off(reason, is_breakdown=is_breakdown)
        self._mailboxes.pop(mailbox.task.task_id, None)
