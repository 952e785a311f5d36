"""What workers report over the bus, taken down under their lease; the answer says whether it is on disk.

A message is a report, or a list of several, each of which has an answer of its own.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import msgspec
import structlog
from msgspec import Meta

from fireside.bus.client import Subscription
from fireside.bus.subjects import all_reports, worker_of
from fireside.domain.errors import FiresideError, IllegalTransition, Refused, StaleLease
from fireside.domain.ids import WorkerId
from fireside.domain.jobs import JobState
from fireside.jobs.report import start_job
from fireside.server.fleet_outputs import BeforeWrite, at_once, take_end, take_output
from fireside.server.services import Services
from fireside.wire.fleet import EndReport, OutputBody, Report, ReportReply, StartReport

_MOST_TOGETHER = 8
_decoder: msgspec.json.Decoder[Report | list[Report]] = msgspec.json.Decoder(
    Report | Annotated[list[Report], Meta(max_length=_MOST_TOGETHER)]
)
_log = structlog.get_logger(__name__)


class FleetReports:
    """Listens to the workers' reports; several replicas share them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._desk = services.desk
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        """Begin to take reports."""
        self._subscription = await self._services.bus.subscribe(
            all_reports(), self._heard, queue="reports", concurrent=True
        )

    async def stop(self) -> None:
        """Take no more; workers try again elsewhere or later."""
        if self._subscription is not None:
            await self._subscription.unsubscribe()

    async def _heard(self, subject: str, payload: bytes) -> bytes:
        worker_id = worker_of(subject)
        try:
            said = _decoder.decode(payload)
        except msgspec.MsgspecError as error:
            _log.warning("not a report", worker_id=worker_id, reason=str(error))
            return msgspec.json.encode(ReportReply(status="stale"))
        if isinstance(said, list):
            return msgspec.json.encode(await self._take_down_together(worker_id, said))
        return msgspec.json.encode(await self._take_down(worker_id, said, at_once))

    async def _take_down_together(self, worker_id: WorkerId, said: Sequence[Report]) -> list[ReportReply]:
        """Take each down, and write when all are ready to: what is written at the same time is one commit."""
        meeting = _Meeting(len(said))

        async def attend(place: int, report: Report) -> ReportReply:
            try:
                return await self._take_down(worker_id, report, partial(meeting.wait, place))
            finally:
                meeting.leave(place)

        return await asyncio.gather(*(attend(place, report) for place, report in enumerate(said)))

    async def _take_down(self, worker_id: WorkerId, report: Report, before_write: BeforeWrite) -> ReportReply:
        # In every line that is written because of it.
        structlog.contextvars.bind_contextvars(job_id=str(report.lease.job_id))
        try:
            return await self._record(worker_id, report, before_write)
        except (StaleLease, IllegalTransition) as error:
            _log.info("report refused", worker_id=worker_id, reason=error.message)
            return ReportReply(status="stale")
        except Refused as error:
            _log.warning("report refused", worker_id=worker_id, code=error.code, reason=error.message)
            return ReportReply(status="refused", reason=error.message)
        except FiresideError as error:
            _log.warning("report not recorded", worker_id=worker_id, code=error.code, reason=error.message)
            return ReportReply(status="retry")

    async def _record(self, worker_id: WorkerId, report: Report, before_write: BeforeWrite) -> ReportReply:
        match report:
            case StartReport():
                await before_write()
                job = await start_job(self._desk, worker_id, report.lease.lease())
                return ReportReply(status="ok", canceling=job.state is JobState.CANCELING)
            case OutputBody():
                await take_output(self._services, worker_id, report)
            case EndReport():
                await take_end(self._services, worker_id, report, before_write)
        return ReportReply(status="ok")


class _Meeting:
    """Where some wait for each other, until all have come or gone."""

    def __init__(self, count: int) -> None:
        self._awaited = set(range(count))
        self._all = asyncio.Event()

    def leave(self, place: int) -> None:
        """Be waited for no more."""
        self._awaited.discard(place)
        if not self._awaited:
            self._all.set()

    async def wait(self, place: int) -> None:
        """Wait for the others."""
        self.leave(place)
        # The last one, too, goes on together with those who waited for it.
        await (asyncio.sleep(0) if self._all.is_set() else self._all.wait())
