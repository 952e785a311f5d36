"""Getting a report through: asked again until the server has it on disk or refuses the lease."""

import asyncio

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
_log = structlog.get_logger(__name__)


class ReportRefused(Exception):
    """The server will not take the report as it is."""


class Reporter:
    """Delivers this worker's reports."""

    def __init__(self, bus: Bus, worker_id: WorkerId) -> None:
        self._bus = bus
        self._subject = reports(worker_id)

    async def deliver(self, report: Report) -> ReportReply:
        """Report until it is recorded; raises `StaleLease`, or `ReportRefused` when it never will be."""
        payload = msgspec.json.encode(report)
        pause = _FIRST_PAUSE_SECONDS
        while True:
            reply = await self._ask(payload)
            if reply.status == "stale":
                raise StaleLease("the server gave this job to somebody else")
            if reply.status == "ok":
                return reply
            if reply.status == "refused":
                raise ReportRefused(reply.reason)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _ask(self, payload: bytes) -> ReportReply:
        try:
            answer = await self._bus.request(self._subject, payload, timeout=_ANSWER_SECONDS)
            return msgspec.json.decode(answer, type=ReportReply)
        except (BusError, msgspec.MsgspecError) as error:
            _log.info("report not delivered, trying again", reason=str(error))
            return ReportReply(status="retry")
