"""Cancel: one job or several, of their owner; a job that waits ends at once, one that runs is told to stop."""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from fireside.bus.client import Bus
from fireside.bus.errors import BusError
from fireside.bus.subjects import work
from fireside.domain.errors import NotFound
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import JobState, Lease
from fireside.domain.lifecycle import Verb, advance
from fireside.jobs.desk import Desk
from fireside.store.records import TimelineEntry
from fireside.store.store import Changed
from fireside.wire.fleet import CancelRun, LeaseBody

_TELL_SECONDS = 0.5
_log = structlog.get_logger(__name__)


async def cancel_job(desk: Desk, user_id: UserId, job_id: JobId) -> bool:
    """Cancel the user's job; whether this call did it. A job that is over, or canceled already, stays as it is."""
    while True:
        before = await desk.job_of(user_id, job_id)
        if before.is_terminal or before.state is JobState.CANCELING:
            return False
        after = advance(before, Verb.CANCEL, desk.clock())
        timeline = [TimelineEntry(kind="canceled", at=after.changed_at)] if after.is_terminal else []
        try:
            # A worker that has not begun has cost nothing.
            refund = -before.charged_seconds if after.is_terminal else 0.0
            job = await desk.store.change_job(before, after, timeline=timeline, charge_seconds=refund)
        except Changed:
            continue
        await desk.announce(job)
        if before.worker_id is not None:
            await tell_worker_to_stop(desk.bus, before.worker_id, before.lease)
        return True


async def cancel_jobs(desk: Desk, user_id: UserId, job_ids: Sequence[JobId]) -> list[JobId]:
    """Cancel these jobs of the user and say which this call canceled; `NotFound`, and none, if one is not theirs."""
    known = {job.id for job in await desk.store.jobs(job_ids, user_id=user_id)}
    missing = [str(job_id) for job_id in job_ids if job_id not in known]
    if missing:
        raise NotFound(f"there is no job {missing[0]}; nothing was canceled")
    wanted = list(dict.fromkeys(job_ids))
    done = await asyncio.gather(*(cancel_job(desk, user_id, job_id) for job_id in wanted))
    return [job_id for job_id, canceled in zip(wanted, done, strict=True) if canceled]


async def tell_worker_to_stop(bus: Bus, worker_id: WorkerId, lease: Lease) -> None:
    """Ask a worker to stop what it runs under this lease; when it cannot be told now, dispatch tells it again."""
    try:
        request = msgspec.json.encode(CancelRun(lease=LeaseBody.of(lease)))
        await bus.request(work(worker_id), request, timeout=_TELL_SECONDS)
    except BusError as error:
        _log.info("worker not told to stop", job_id=str(lease.job_id), worker_id=worker_id, reason=str(error))
