"""Getting a report through: asked again until the server has it on disk or refuses the lease.

The end of a job and the start of the one that follows it, whichever comes first, wait a moment for each other and
travel together, in one message and one commit. Each report stands for itself all the same: it has its own lease and its
own answer, and is repeated alone.
"""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from fireside.bus.client import Bus
from fireside.bus.errors import BusError
from fireside.bus.subjects import reports
from fireside.domain.errors import StaleLease
from fireside.domain.ids import WorkerId
from fireside.wire.fleet import Report, ReportReply

_ANSWER_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 2.0
_HELD_SECONDS = 0.005
_RETRY = ReportReply(status="retry")
_log = structlog.get_logger(__name__)


class ReportRefused(Exception):
    """The server will not take the report as it is."""


class Reporter:
    """Delivers this worker's reports."""

    def __init__(self, bus: Bus, worker_id: WorkerId) -> None:
        self._bus = bus
        self._subject = reports(worker_id)
        self._held: dict[asyncio.Future[ReportReply], bytes] = {}

    async def deliver(self, report: Report, *, with_neighbor: bool = False) -> ReportReply:
        """Report until it is recorded; raises `StaleLease`, or `ReportRefused` when it never will be.

        `with_neighbor` lets it wait a moment for another report to travel with.
        """
        payload = msgspec.json.encode(report)
        pause = _FIRST_PAUSE_SECONDS
        reply = await (self._hold(payload) if with_neighbor and not self._held else self._ask_with_held(payload))
        while True:
            if reply.status == "stale":
                raise StaleLease("the server gave this job to somebody else")
            if reply.status == "ok":
                return reply
            if reply.status == "refused":
                raise ReportRefused(reply.reason)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            reply = await self._ask(payload)

    async def _hold(self, payload: bytes) -> ReportReply:
        """Wait a moment for another report to travel with; go alone when none comes."""
        answered: asyncio.Future[ReportReply] = asyncio.get_running_loop().create_future()
        self._held[answered] = payload
        try:
            await asyncio.wait({answered}, timeout=_HELD_SECONDS)
        finally:
            is_alone = self._held.pop(answered, None) is not None
        return await (self._ask(payload) if is_alone else answered)

    async def _ask_with_held(self, payload: bytes) -> ReportReply:
        if not self._held:
            return await self._ask(payload)
        held, self._held = self._held, {}
        replies = [_RETRY] * (1 + len(held))
        try:
            replies = await self._ask_together([payload, *held.values()])
        finally:
            # Also when this one is told to stop: those it took along would wait for ever.
            for answered, reply in zip(held, replies[1:], strict=True):
                if not answered.done():
                    answered.set_result(reply)
        return replies[0]

    async def _ask_together(self, payloads: Sequence[bytes]) -> list[ReportReply]:
        """Ask all in one message; a server that does not take that as it is meant has each asked again alone."""
        try:
            answer = await self._bus.request(self._subject, b"[" + b",".join(payloads) + b"]", timeout=_ANSWER_SECONDS)
            replies = msgspec.json.decode(answer, type=list[ReportReply])
        except (BusError, msgspec.MsgspecError) as error:
            _log.info("reports not delivered, trying again", reason=str(error))
            replies = []
        return replies if len(replies) == len(payloads) else [_RETRY] * len(payloads)

    async def _ask(self, payload: bytes) -> ReportReply:
        try:
            answer = await self._bus.request(self._subject, payload, timeout=_ANSWER_SECONDS)
            return msgspec.json.decode(answer, type=ReportReply)
        except (BusError, msgspec.MsgspecError) as error:
            _log.info("report not delivered, trying again", reason=str(error))
            return _RETRY
