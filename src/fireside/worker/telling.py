"""Live progress of one run, told on the bus; may be lost, never waited for.

What is said within a moment goes together, as messages cost more than what is in them, and messages follow each other
at most twenty times a second. Of states of the nodes in one message the last one says it all. Keeps where the run
stands, so that it can be said again to whoever comes late.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from fireside.bus.client import Bus
from fireside.bus.subjects import live
from fireside.domain.ids import UserId, WorkerId
from fireside.domain.jobs import Lease
from fireside.runtimes.base import (
    CachedNodes,
    LiveEvent,
    NodeStarted,
    NodeState,
    Preview,
    Progress,
    ProgressState,
    ProgressText,
)
from fireside.wire.live import (
    MOST_PART_BYTES,
    MOST_PARTS,
    CachedFrame,
    Frame,
    NodeFrame,
    NodeStateBody,
    PreviewFrame,
    ProgressFrame,
    StateFrame,
    TextFrame,
    encode_frame,
    encode_frames,
)

_SOON_SECONDS = 0.01
_PAUSE_SECONDS = 0.05
_log = structlog.get_logger(__name__)

_MOST_TEXT = 64 * 1024
"""Characters of a text; what is longer ends there."""


PlainEvent = CachedNodes | NodeStarted | ProgressState | Progress | ProgressText


class Telling:
    """Publishes the frames of one lease."""

    def __init__(
        self,
        bus: Bus,
        user_id: UserId,
        worker_id: WorkerId,
        lease: Lease,
        *,
        together: bool = True,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        """Tell a server that is told `together` several frames at once."""
        self._bus = bus
        self._subject = live(user_id, lease.job_id, worker_id)
        self._fence = lease.fence
        self._together = together
        self._unix_time = unix_time
        self._sequence = 0
        self._cached: CachedNodes | None = None
        self._last_state: ProgressState | None = None
        self._last_node: NodeStarted | None = None
        self._last_preview: Preview | None = None
        self._waiting: list[PlainEvent] = []
        self._told_at = -_PAUSE_SECONDS
        self._timer: asyncio.TimerHandle | None = None
        self._publishing: asyncio.Task[None] | None = None

    async def tell(self, event: LiveEvent) -> None:
        """Have an event of the run told in a moment, with others; a picture is told at once, after what came before."""
        if isinstance(event, Preview):
            if len(event.data) <= MOST_PART_BYTES:
                self._last_preview = event
            await self.settle()
            await self._publish_preview(event)
            return
        if isinstance(event, ProgressState):
            self._last_state = event
            self._waiting = [one for one in self._waiting if not isinstance(one, ProgressState)]
        elif isinstance(event, NodeStarted):
            self._last_node = event
        elif isinstance(event, CachedNodes):
            self._cached = event
        self._waiting.append(event)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            moment = max(loop.time() + _SOON_SECONDS, self._told_at + _PAUSE_SECONDS)
            self._timer = loop.call_at(moment, self._begin_to_publish)

    async def settle(self) -> None:
        """Publish what waits, before anything that follows from it is told."""
        self._end_wait()
        publishing, self._publishing = self._publishing, None
        if publishing is not None:
            await publishing
        await self._publish_waiting()

    def _begin_to_publish(self) -> None:
        self._end_wait()
        self._publishing = asyncio.create_task(self._publish_waiting(), name="frames")

    def _end_wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _publish_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._told_at = asyncio.get_running_loop().time()
            await self._publish(waiting)

    async def _publish(self, events: Sequence[PlainEvent]) -> None:
        frames = [self._frame(event) for event in events]
        messages = encode_frames(frames) if self._together else map(encode_frame, frames)
        for message in messages:
            await self._bus.publish_lossy(self._subject, message)

    async def _publish_preview(self, event: Preview) -> None:
        parts = max(1, -(-len(event.data) // MOST_PART_BYTES))
        if parts > MOST_PARTS:
            _log.warning("picture too large to be shown live", subject=self._subject, size_bytes=len(event.data))
            return
        for part in range(parts):
            piece = event.data[part * MOST_PART_BYTES : (part + 1) * MOST_PART_BYTES]
            await self._bus.publish_lossy(self._subject, encode_frame(self._preview_frame(event, part, parts), piece))

    async def tell_again(self) -> None:
        """Say where the run stands, for listeners who came late."""
        await self.settle()
        await self._publish([one for one in (self._cached, self._last_state, self._last_node) if one is not None])
        if self._last_preview is not None:
            await self._publish_preview(self._last_preview)

    def _preview_frame(self, event: Preview, part: int = 0, parts: int = 1) -> PreviewFrame:
        self._sequence += 1
        return PreviewFrame(
            fence=self._fence,
            sequence=self._sequence,
            node_id=event.node_id,
            display_node_id=event.display_node_id,
            mime=event.mime,
            part=part,
            parts=parts,
        )

    def _frame(self, event: PlainEvent) -> Frame:
        self._sequence += 1
        fence, sequence = self._fence, self._sequence
        match event:
            case CachedNodes():
                return CachedFrame(fence=fence, sequence=sequence, nodes=event.nodes, at=self._unix_time() * 1000)
            case NodeStarted():
                return NodeFrame(
                    fence=fence, sequence=sequence, node_id=event.node_id, display_node_id=event.display_node_id
                )
            case Progress():
                return ProgressFrame(
                    fence=fence, sequence=sequence, node_id=event.node_id, value=event.value, max=event.max
                )
            case ProgressText():
                text = event.text[:_MOST_TEXT]
                return TextFrame(fence=fence, sequence=sequence, node_id=event.node_id, text=text)
            case ProgressState():
                return StateFrame(fence=fence, sequence=sequence, nodes=tuple(_state(node) for node in event.nodes))


def _state(node: NodeState) -> NodeStateBody:
    return NodeStateBody(
        node_id=node.node_id,
        display_node_id=node.display_node_id,
        parent_node_id=node.parent_node_id,
        real_node_id=node.real_node_id,
        class_type=node.class_type,
        state=node.state,
        value=node.value,
        max=node.max,
    )
