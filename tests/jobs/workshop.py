"""A server's services under an owned clock, and workers that tests play by hand.

Store, bus, blobs and verbs are real. A played worker is a client of its own on the bus, with its own credentials, that
answers offers as it is told to and says that it is there when it is told to.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

import msgspec

from fireside.app import Assembly, assemble
from fireside.bus.authority import inbox_of
from fireside.bus.client import Bus
from fireside.bus.subjects import presence, work
from fireside.config import Config, pools_of
from fireside.dispatch.dispatcher import Dispatcher
from fireside.dispatch.lookout import Lookout
from fireside.domain.accounts import Role, User
from fireside.domain.ids import JobId, WorkerId
from fireside.domain.jobs import Job, JobState, Lease
from fireside.jobs.assign import offer_job, record_assignment, small_work
from fireside.jobs.desk import Desk
from fireside.jobs.report import end_job, start_job
from fireside.scheduler.values import Placement
from fireside.server.services import Services
from fireside.store.records import HeldJob, JobBody, NewJob, TimelineEntry
from fireside.store.store import Store
from fireside.wire.fleet import (
    Assignment,
    AssignmentReply,
    CancelRun,
    EndReport,
    IdentifyModels,
    IdentifyReply,
    LeaseBody,
    Presence,
    SnapshotRequest,
    WorkRequest,
)

ORIGIN = "http://fireside.test"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BODY = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
DEADLINE_SECONDS = 60.0
_LOOK_SECONDS = 0.002


class Clock:
    """The time, which passes when a test says so."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> datetime:
        """Let time pass, and give what it is then."""
        self.now += timedelta(seconds=seconds)
        return self.now


@dataclass(kw_only=True)
class PlayedWorker:
    """A worker, played by the test. `manner` is what it does with an offer."""

    id: WorkerId
    bus: Bus
    manner: Literal["take", "decline", "silence"] = "take"
    boot_id: str = "boot-1"
    asked: list[WorkRequest] = field(default_factory=list[WorkRequest])
    leases: tuple[Lease, ...] = ()
    presences: int = 0
    warm: tuple[str, ...] | None = None
    ahead: int = 0
    """How many jobs it makes ready while it computes another."""
    fetched: tuple[str, ...] = ()
    """Models of the registry that it has fetched, by the beginnings of their hashes."""
    models: dict[str, str] | None = None
    """What it says its model files are."""

    async def answer(self, subject: str, payload: bytes) -> bytes | None:
        """Answer what the server asks."""
        request: WorkRequest = msgspec.json.decode(payload, type=WorkRequest)
        self.asked.append(request)
        if isinstance(request, IdentifyModels):
            return msgspec.json.encode(IdentifyReply(models=self.models))
        if not isinstance(request, Assignment):
            return b""
        if self.manner == "silence":
            return None
        if self.manner == "take":
            self.leases = (*(self.leases if self.ahead else ()), request.lease.lease())
        return msgspec.json.encode(
            AssignmentReply(accepted=self.manner == "take", reason="playing", number=self.presences)
        )

    def offers(self) -> list[Lease]:
        """The leases it was offered, in order."""
        return [request.lease.lease() for request in self.asked if isinstance(request, Assignment)]

    def stops(self) -> list[Lease]:
        """The leases it was told to stop, in order."""
        return [request.lease.lease() for request in self.asked if isinstance(request, CancelRun | SnapshotRequest)]

    async def say(self, dispatcher: Dispatcher, *, ready: bool = True, draining: bool = False) -> None:
        """Say that it is there, with what it holds, and wait until the leader has heard it."""
        leases = tuple(map(LeaseBody.of, self.leases))
        self.presences += 1
        said = Presence(
            boot_id=self.boot_id,
            runtime="builtin",
            ready=ready,
            draining=draining,
            leases=leases,
            number=self.presences,
            warm=self.warm,
            fetched=self.fetched,
            ahead=self.ahead,
        )
        heard_before = dispatcher._presences._seen.get(self.id)
        await self.bus.publish(presence(self.id), msgspec.json.encode(said))
        await until(lambda: dispatcher._presences._seen.get(self.id) is not heard_before)


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """The services and their clock."""

    assembly: Assembly
    services: Services
    desk: Desk
    clock: Clock
    doors: AsyncExitStack

    @property
    def store(self) -> Store:
        return self.services.store

    async def user(self, name: str = "ann", *, weight: float = 1.0, **limits: Any) -> User:
        return await self.store.add_user(name, Role.MEMBER, self.clock(), weight=weight, **limits)

    async def submit(self, user: User, **fields: Any) -> Job:
        """Queue a job, as a submit does once the workflow is found valid."""
        new = replace(NewJob(id=JobId(uuid4()), user_id=user.id, body=BODY), **fields)
        return await self.store.add_job(new, self.clock(), max_queued=None)

    async def worker(self, name: str = "worker-1", **manner: Any) -> PlayedWorker:
        """Bring in a worker."""
        worker_id = WorkerId(name)
        credentials = self.assembly.authority.worker_credentials(worker_id)
        bus = await Bus.connect([self.assembly.bus_url], credentials, name=name, inbox_prefix=inbox_of(name))
        self.doors.push_async_callback(bus.close)
        player = PlayedWorker(id=worker_id, bus=bus, **manner)
        await bus.subscribe(work(worker_id), player.answer)
        return player

    async def lookout(self) -> Lookout:
        """Listen to the workers, as every server does."""
        lookout = Lookout(self.desk, self.services.bus)
        self.doors.push_async_callback(lookout.stop)
        await lookout.start()
        return lookout

    async def leader(self, name: str = "leader") -> Dispatcher:
        """Take the lead; ticks are the test's to make."""
        lookout = await self.lookout()
        dispatcher = Dispatcher(self.desk, self.services.bus, lookout, name=name, pools=pools_of(self.desk.config))
        self.doors.push_async_callback(dispatcher.stop)
        await dispatcher.take_lead()
        return dispatcher

    async def assigned(
        self, job: Job, worker: PlayedWorker, *, estimate: float = 1.0, term: int | None = None
    ) -> Lease:
        """Have the job assigned to the worker, who takes it."""
        term = await self.store.take_term("test", self.clock()) if term is None else term
        placement = Placement(job_id=job.id, user_id=job.user_id, worker_id=worker.id, estimate_seconds=estimate)
        lease = await self.offered(placement, term=term)
        assert lease is not None
        return lease

    async def offered(self, placement: Placement, *, term: int) -> Lease | None:
        """Assign the job and offer it; None when the worker did not take it."""
        job = await record_assignment(self.desk, placement, term=term)
        reply = await offer_job(self.desk, job, await small_work(self.desk, job))
        return job.lease if reply.accepted else None

    async def started(self, job: Job, worker: PlayedWorker, *, estimate: float = 1.0, term: int | None = None) -> Lease:
        """Have the job assigned and its start reported."""
        lease = await self.assigned(job, worker, estimate=estimate, term=term)
        await start_job(self.desk, worker.id, lease)
        return lease

    async def end(
        self, lease: Lease, worker: PlayedWorker, outcome: Any = "succeeded", *, run_seconds: float = 0.0, **report: Any
    ) -> Job:
        """Report the end of a run."""
        body = EndReport(lease=LeaseBody.of(lease), outcome=outcome, run_seconds=run_seconds, **report)
        return await end_job(self.desk, worker.id, body)

    async def held(self, lease: Lease) -> HeldJob:
        """The job as the leader reads it before it takes it back."""
        (held,) = [one for one in await self.store.held_jobs() if one.job.id == lease.job_id]
        return held

    async def state(self, job: Job | Lease) -> JobState:
        return (await self.job(job)).state

    async def job(self, job: Job | Lease) -> Job:
        found = await self.store.job(job.id if isinstance(job, Job) else job.job_id)
        assert found is not None
        return found

    async def kinds(self, job: Job) -> list[str]:
        """What the timeline says has happened."""
        return [entry.kind for entry in await self.store.job_timeline(job.id)]

    async def last_entry(self, job: Job) -> TimelineEntry:
        return (await self.store.job_timeline(job.id))[-1]

    async def share(self, user: User) -> float:
        """The user's virtual time, who has something in hand."""
        return {share.user_id: share.virtual_time for share in (await self.store.waiting(per_user=1))[0]}[user.id]


@asynccontextmanager
async def open_workshop(config: Config) -> AsyncGenerator[Workshop]:
    """Open the services over an empty data folder: `open_workshop(databases.config(tmp_path / "data"))`."""
    clock = Clock()
    async with (
        assemble(config, public_url=ORIGIN) as assembly,
        AsyncExitStack() as doors,
    ):
        desk = replace(assembly.services.desk, clock=clock)
        services = replace(assembly.services, desk=desk, clock=clock)
        yield Workshop(assembly=assembly, services=services, desk=desk, clock=clock, doors=doors)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something has become so, or fail."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(_LOOK_SECONDS)
