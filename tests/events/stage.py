"""A server's services with users, and workers that tests play by hand.

Store, bus and verbs are real. A played worker has its own bus credentials, answers on its own subject, tells frames as
a real one does and reports through the verbs that a real one's reports reach. What it says has left when a call
returns.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import msgspec

from fireside.accounts.accounts import NewUser
from fireside.app import Assembly
from fireside.bus.authority import inbox_of
from fireside.bus.client import Bus
from fireside.bus.subjects import work
from fireside.domain.accounts import User
from fireside.domain.ids import JobId, WorkerId
from fireside.domain.jobs import Job, Lease
from fireside.domain.lifecycle import Verb, advance
from fireside.events.heard import Heard
from fireside.events.listener import Listener
from fireside.jobs.report import add_output, end_job, start_job
from fireside.jobs.rescue import rescue_job
from fireside.server.services import Services
from fireside.store.records import HeldJob, JobBody, NewJob, NodeRecord
from fireside.wire.fleet import (
    EndReport,
    LeaseBody,
    NodeFailure,
    SnapshotRequest,
    WorkRequest,
)
from fireside.worker.telling import LiveEvent, Telling

DEADLINE_SECONDS = 60.0
PICTURE = {"images": [{"filename": "a_00001_.png", "subfolder": "", "type": "output"}]}
BOOM = NodeFailure(
    node_id="2",
    node_type="SaveImage",
    exception_type="RuntimeError",
    exception_message="boom",
    traceback=("line 1", "line 2"),
    current_inputs={"filename_prefix": ["a"]},
)


@dataclass(kw_only=True)
class Player:
    """A worker, played by the test."""

    worker_id: WorkerId
    bus: Bus
    services: Services
    tellings: dict[Lease, Telling] = field(default_factory=dict[Lease, Telling])
    asked: list[WorkRequest] = field(default_factory=list[WorkRequest])

    async def take(self, job: Job) -> Lease:
        """Be assigned the job."""
        store, now = self.services.store, self.services.clock()
        before = await store.job(job.id)
        assert before is not None
        held = await store.change_job(before, advance(before, Verb.ASSIGN, now, worker_id=self.worker_id))
        await self.services.desk.announce(held)
        lease = held.lease
        self.tellings[lease] = Telling(self.bus, job.user_id, self.worker_id, lease)
        return lease

    async def start(self, job: Job) -> Lease:
        """Take the job and report that it runs."""
        lease = await self.take(job)
        await start_job(self.services.desk, self.worker_id, lease)
        await self.services.bus.flush()
        return lease

    async def tell(self, lease: Lease, *events: LiveEvent) -> None:
        """Tell live what happens in the run."""
        for event in events:
            await self.tellings[lease].tell(event)
        await self.tellings[lease].settle()
        await self.bus.flush()

    async def show(self, lease: Lease, node_id: str, output: Mapping[str, Any] = PICTURE) -> None:
        """Report what a node has shown."""
        record = NodeRecord(node_id=node_id, display_node_id=node_id, output=output)
        await add_output(self.services.desk, self.worker_id, lease, record, [])
        await self.services.bus.flush()

    async def end(self, lease: Lease, outcome: Any = "succeeded", **report: Any) -> Job:
        """Report the end of the run."""
        body = EndReport(lease=LeaseBody.of(lease), outcome=outcome, run_seconds=0.1, **report)
        job = await end_job(self.services.desk, self.worker_id, body)
        await self.services.bus.flush()
        return job

    async def answer(self, subject: str, payload: bytes) -> bytes:
        """Answer what the server asks of a worker."""
        request = msgspec.json.decode(payload, type=WorkRequest)
        self.asked.append(request)
        telling = self.tellings.get(request.lease.lease())
        if isinstance(request, SnapshotRequest) and telling is not None:
            await telling.tell_again()
        return b""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The services, and who is there."""

    assembly: Assembly
    doors: AsyncExitStack

    @property
    def services(self) -> Services:
        return self.assembly.services

    async def user(self, name: str = "ann") -> User:
        return await self.services.accounts.create_user(NewUser(name=name))

    async def key(self, user: User) -> tuple[int, str]:
        """Make a key: its number, and itself."""
        key, secret = await self.services.accounts.create_key(user)
        return key.id, secret

    async def submit(self, user: User) -> Job:
        """Queue a job and announce it, as a submit does once the workflow is found valid."""
        job = await self.remember(user)
        await self.services.desk.announce(job)
        await self.services.bus.flush()
        return job

    async def remember(self, user: User) -> Job:
        """Queue a job and tell nobody."""
        new = NewJob(id=JobId(uuid4()), user_id=user.id, body=JobBody(graph=b"{}", extra_data=b"{}", outputs=()))
        return await self.services.store.add_job(new, self.services.clock(), max_queued=None)

    async def worker(self, name: str = "worker-1") -> Player:
        """Bring in a worker."""
        worker_id = WorkerId(name)
        credentials = self.assembly.authority.worker_credentials(worker_id)
        bus = await Bus.connect([self.assembly.bus_url], credentials, name=name, inbox_prefix=inbox_of(name))
        self.doors.push_async_callback(bus.close)
        player = Player(worker_id=worker_id, bus=bus, services=self.services)
        await bus.subscribe(work(worker_id), player.answer)
        return player

    async def rescue(self, job: Job, *, lost: bool = True) -> Job:
        """Take the job from the worker that holds it now."""
        held = await self.services.store.job(job.id)
        assert held is not None
        assert held.worker_id is not None
        rescued = await rescue_job(
            self.services.desk, HeldJob(job=held, worker_id=held.worker_id, charged_seconds=0.0), lost=lost
        )
        await self.services.bus.flush()
        return rescued

    async def hear(self, user: User) -> Listener:
        """Listen to the user's jobs until the test is over."""
        return await self.doors.enter_async_context(self.services.hub.listening(user.id))


async def heard_until(listener: Listener, wanted: Callable[[Heard], bool]) -> list[Heard]:
    """Hear until something wanted comes, counts left out, and give all of it."""
    heard: list[Heard] = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not heard or not wanted(heard[-1]):
            one = await listener.next()
            if one.counts is None:
                heard.append(one)
    return heard
