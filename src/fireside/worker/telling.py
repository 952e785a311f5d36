"""Live progress of one run, told on the bus; may be lost, never waited for.

Keeps the last state of the nodes, so that it can be said again to whoever comes late. States of the nodes follow each
other at most twenty times a second, as each is as long as the graph and the last one says it all.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable

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
)

_STATE_SECONDS = 0.05
_log = structlog.get_logger(__name__)

_MOST_TEXT = 64 * 1024
"""Characters of a text; what is longer ends there."""


class Telling:
    """Publishes the frames of one lease."""

    def __init__(
        self,
        bus: Bus,
        user_id: UserId,
        worker_id: WorkerId,
        lease: Lease,
        *,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        self._bus = bus
        self._subject = live(user_id, lease.job_id, worker_id)
        self._fence = lease.fence
        self._unix_time = unix_time
        self._sequence = 0
        self._cached: CachedNodes | None = None
        self._last_state: ProgressState | None = None
        self._last_node: NodeStarted | None = None
        self._last_preview: Preview | None = None
        self._state_told_at = -_STATE_SECONDS
        self._holding: asyncio.Task[None] | None = None

    async def tell(self, event: LiveEvent) -> None:
        """Publish one event of the run; a state may be held back for a moment, and go when a newer one comes."""
        if isinstance(event, ProgressState):
            self._last_state = event
            await self._tell_state_in_time()
            return
        if isinstance(event, NodeStarted):
            self._last_node = event
        elif isinstance(event, CachedNodes):
            self._cached = event
        elif isinstance(event, Preview) and len(event.data) <= MOST_PART_BYTES:
            self._last_preview = event
        await self._publish(event)

    async def settle(self) -> None:
        """Publish what is held back, before the end of the run is told."""
        holding, self._holding = self._holding, None
        if holding is not None and not holding.done():
            holding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await holding
            await self._tell_state()

    async def _tell_state_in_time(self) -> None:
        wait = self._state_told_at + _STATE_SECONDS - asyncio.get_running_loop().time()
        if wait <= 0:
            await self._tell_state()
        elif self._holding is None or self._holding.done():
            self._holding = asyncio.create_task(self._tell_state_after(wait), name="state of the nodes")

    async def _tell_state_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._tell_state()

    async def _tell_state(self) -> None:
        if self._last_state is not None:
            self._state_told_at = asyncio.get_running_loop().time()
            await self._publish(self._last_state)

    async def _publish(self, event: LiveEvent) -> None:
        if not isinstance(event, Preview):
            await self._bus.publish_lossy(self._subject, encode_frame(self._frame(event)))
            return
        parts = max(1, -(-len(event.data) // MOST_PART_BYTES))
        if parts > MOST_PARTS:
            _log.warning("picture too large to be shown live", subject=self._subject, size_bytes=len(event.data))
            return
        for part in range(parts):
            piece = event.data[part * MOST_PART_BYTES : (part + 1) * MOST_PART_BYTES]
            await self._bus.publish_lossy(self._subject, encode_frame(self._preview_frame(event, part, parts), piece))

    async def tell_again(self) -> None:
        """Say where the run stands, for listeners who came late."""
        for event in (self._cached, self._last_state, self._last_node, self._last_preview):
            if event is not None:
                await self._publish(event)

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

    def _frame(self, event: CachedNodes | NodeStarted | ProgressState | Progress | ProgressText) -> Frame:
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
