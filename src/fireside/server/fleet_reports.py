"""What workers report over the bus, taken down under their lease; the answer says whether it is on disk."""

import msgspec
import structlog

from fireside.bus.client import Subscription
from fireside.bus.subjects import all_reports, worker_of
from fireside.domain.errors import FiresideError, IllegalTransition, Refused, StaleLease
from fireside.domain.ids import WorkerId
from fireside.domain.jobs import JobState
from fireside.jobs.report import start_job
from fireside.server.fleet_outputs import take_end, take_output
from fireside.server.services import Services
from fireside.wire.fleet import EndReport, OutputBody, Report, ReportReply, StartReport

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
        return msgspec.json.encode(await self._take_down(worker_of(subject), payload))

    async def _take_down(self, worker_id: WorkerId, payload: bytes) -> ReportReply:
        try:
            return await self._record(worker_id, msgspec.json.decode(payload, type=Report))
        except (StaleLease, IllegalTransition) as error:
            _log.info("report refused", worker_id=worker_id, reason=error.message)
            return ReportReply(status="stale")
        except msgspec.MsgspecError as error:
            _log.warning("not a report", worker_id=worker_id, reason=str(error))
            return ReportReply(status="stale")
        except Refused as error:
            _log.warning("report refused", worker_id=worker_id, code=error.code, reason=error.message)
            return ReportReply(status="refused", reason=error.message)
        except FiresideError as error:
            _log.warning("report not recorded", worker_id=worker_id, code=error.code, reason=error.message)
            return ReportReply(status="retry")

    async def _record(self, worker_id: WorkerId, report: StartReport | OutputBody | EndReport) -> ReportReply:
        match report:
            case StartReport():
                job = await start_job(self._desk, worker_id, report.lease.lease())
                return ReportReply(status="ok", canceling=job.state is JobState.CANCELING)
            case OutputBody():
                await take_output(self._services, worker_id, report)
            case EndReport():
                await take_end(self._services, worker_id, report)
        return ReportReply(status="ok")
