"""What the verbs work on: the store, the bus, the clock and the settings, held together.

Every verb goes the same way: it reads, lets the rule decide, writes under the fence, decides again when somebody else
was faster, and tells listeners after the commit.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

import msgspec
import structlog

from fireside.accounts.sealing import Sealer
from fireside.blobs.signing import UrlSigner
from fireside.bus.client import Bus
from fireside.bus.errors import BusError
from fireside.bus.subjects import dispatch_wake
from fireside.config import Config
from fireside.domain.errors import NotFound
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import HELD_STATES, Job, JobState, Lease
from fireside.events.announcer import Announcer
from fireside.events.facts import fact_of
from fireside.jobs.definitions import DefinitionBook
from fireside.jobs.model_details import ModelDetails
from fireside.outbound.client import Outbound
from fireside.store.store import Store
from fireside.wire.fleet import QueueChanged

_log = structlog.get_logger(__name__)


_MOST_REMEMBERED = 4096
THIS_PROCESS = uuid4().hex
"""What tells messages of this process from those of others; the leader hears of its own changes at once."""


class HeldJobs:
    """The jobs that workers hold, as this process wrote them last: where a verb may begin without reading.

    May be out of date, which the fence of the write that follows finds out; then the verb reads and decides again.
    """

    def __init__(self) -> None:
        self._jobs: dict[JobId, Job] = {}

    def keep(self, job: Job) -> None:
        """Remember a held job; one that is held no more is forgotten."""
        self._jobs.pop(job.id, None)
        if job.state in HELD_STATES:
            if len(self._jobs) >= _MOST_REMEMBERED:
                del self._jobs[next(iter(self._jobs))]
            self._jobs[job.id] = job

    def take(self, lease: Lease, worker_id: WorkerId, state: JobState) -> Job | None:
        """Give the job as it is remembered under this lease, once: until it is kept anew it has to be read.

        A memory of another state than this one is worth nothing, as the rule would judge by it: who has moved the job
        since may be another server.
        """
        job = self._jobs.pop(lease.job_id, None)
        fits = job is not None and (job.lease, job.worker_id, job.state) == (lease, worker_id, state)
        return job if fits else None


@dataclass(slots=True)
class Leading:
    """Whether the leader is in this process: it watches the store, and so needs no word of what is written here."""

    is_here: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every verb needs."""

    store: Store
    bus: Bus
    announcer: Announcer
    definitions: DefinitionBook
    model_details: ModelDetails
    sealer: Sealer
    signer: UrlSigner
    webhooks: Outbound
    config: Config
    clock: Callable[[], datetime]
    held: HeldJobs = field(default_factory=HeldJobs)
    leading: Leading = field(default_factory=Leading)
    is_traced: bool = False
    """Whether jobs are traced, and so more of their times is kept."""

    async def job_of(self, user_id: UserId, job_id: JobId) -> Job:
        """Read the user's job; `NotFound` for one that is not there or not theirs."""
        job = await self.store.job(job_id, user_id=user_id)
        if job is None:
            raise NotFound(f"there is no job {job_id}")
        return job

    async def announce(self, job: Job) -> None:
        """Tell listeners where the job stands now."""
        await self.announcer.tell(job.user_id, fact_of(job))

    async def wake_dispatch(self, user_id: UserId | None, *, is_heard: bool = True) -> None:
        """Let the dispatcher look now at what this user has, or everybody; it looks a moment later by itself.

        `is_heard` says that who watches this process's store has heard of the change already.
        """
        if is_heard and self.leading.is_here:
            return
        change = QueueChanged(user_id=user_id or 0, by=THIS_PROCESS if is_heard else "")
        try:
            await self.bus.publish(dispatch_wake(), msgspec.json.encode(change))
        except BusError as error:
            _log.info("dispatch not woken", reason=str(error))
