"""Workers as real processes of this machine, under a real leader that looks by itself."""

import asyncio
import os
import signal
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.databases import Databases
from tests.jobs.workshop import DEADLINE_SECONDS, ORIGIN, until
from tests.worker.station import LONG, empty, save, sleep

from fireside.app import Assembly, assemble
from fireside.config import Config
from fireside.domain.accounts import Role, User
from fireside.domain.ids import JobId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.fleet.local import LocalFleet
from fireside.fleet.plan import plan_workers
from fireside.jobs.submit import Submission, submit_job
from fireside.processes.leftovers import start_time
from fireside.server.fleet_reports import FleetReports
from fireside.server.listening import Doors
from fireside.wire.tickets import WorkerTicket

pytestmark = pytest.mark.fault

QUICK = {"1": empty(), "2": save("1")}
SLEEPING = {"1": empty(), "2": sleep("1", LONG), "3": save("2")}


@dataclass(kw_only=True)
class Site:
    """A server without its command: edge, leader and fleet."""

    assembly: Assembly
    fleet: LocalFleet
    data_dir: Path
    ann: User

    async def start(self, count: int) -> None:
        await self.fleet.start(await plan_workers(Config(workers=count)))

    def folder(self, number: int) -> Path:
        return self.data_dir / "run" / "workers" / f"local-{number}"

    def pid(self, number: int) -> int | None:
        return self.fleet._supervisors[number - 1].child.pid

    def boot_id(self, number: int) -> str:
        said = self.assembly.lookout.presences().get(WorkerId(f"local-{number}"))
        return said.boot_id if said is not None and said.ready else ""

    async def submit(self, graph: Any) -> JobId:
        submitted = await submit_job(self.assembly.services.desk, Submission(user=self.ann, graph=graph))
        return submitted.job.id

    async def becomes(self, job_id: JobId, state: JobState) -> Job:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                job = await self.assembly.services.store.job(job_id)
                if job is not None and job.state is state:
                    return job
                await asyncio.sleep(0.02)


@pytest.fixture
async def site(databases: Databases, tmp_path: Path) -> AsyncIterator[Site]:
    data_dir = tmp_path / "data"
    async with assemble(databases.config(data_dir, port=0, worker_lost_after=6.0), public_url=ORIGIN) as assembly:
        services = assembly.services
        doors, reports = Doors(services.config), FleetReports(services)
        fleet = LocalFleet(
            assembly.authority, services.keys, assembly.leftovers, services.config,
            server_url=doors.worker_url, bus_url=assembly.bus_url,
        )  # fmt: skip
        await doors.open(services)
        await reports.start()
        await assembly.lookout.start()
        await assembly.dispatcher.start()
        ann = await services.store.add_user("ann", Role.MEMBER, services.clock())
        yield Site(assembly=assembly, fleet=fleet, data_dir=data_dir, ann=ann)
        await fleet.stop()
        await assembly.dispatcher.stop()
        await assembly.lookout.stop()
        await reports.stop()
        await doors.close()


async def test_workers_start_join_and_do_jobs(site: Site) -> None:
    await site.start(2)
    await until(lambda: site.boot_id(1) != "" and site.boot_id(2) != "")

    jobs = [await site.submit(QUICK) for _ in range(4)]

    for job_id in jobs:
        await site.becomes(job_id, JobState.SUCCEEDED)


async def test_a_ticket_is_for_its_worker_alone(site: Site) -> None:
    await site.start(2)

    paths = [site.folder(number) / "ticket.json" for number in (1, 2)]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o600, 0o600]
    assert [stat.S_IMODE(path.parent.stat().st_mode) for path in paths] == [0o700, 0o700]
    one, two = (msgspec.json.decode(path.read_bytes(), type=WorkerTicket) for path in paths)
    assert (one.worker_id, two.worker_id) == ("local-1", "local-2")
    assert {one.token, one.bus_jwt, one.bus_seed}.isdisjoint({two.token, two.bus_jwt, two.bus_seed})


async def test_a_killed_worker_is_replaced_and_its_job_runs_again(site: Site) -> None:
    await site.start(1)
    await until(lambda: site.boot_id(1) != "")
    first, pid = site.boot_id(1), site.pid(1)
    job_id = await site.submit({"1": empty(), "2": sleep("1", 3.0), "3": save("2")})
    await site.becomes(job_id, JobState.RUNNING)
    assert pid is not None

    os.kill(pid, signal.SIGKILL)

    await until(lambda: site.boot_id(1) not in ("", first))
    job = await site.becomes(job_id, JobState.SUCCEEDED)
    assert (job.attempt, job.losses) == (2, 1)


async def test_stopping_gives_jobs_back_and_leaves_no_process(site: Site) -> None:
    await site.start(1)
    job_id = await _running(site)
    pid = site.pid(1)
    assert pid is not None

    await asyncio.wait_for(site.fleet.stop(), DEADLINE_SECONDS)

    assert start_time(pid) is None
    job = await site.becomes(job_id, JobState.QUEUED)
    assert job.losses == 0
    kinds = [entry.kind for entry in await site.assembly.services.store.job_timeline(job_id)]
    assert kinds[-1] == "released"


async def test_a_worker_leaves_nothing_of_a_former_life_in_its_scratch(site: Site) -> None:
    rubbish = site.folder(1) / "scratch" / "jobs" / "half" / "secret.png"
    rubbish.parent.mkdir(parents=True)
    rubbish.write_bytes(b"half")

    await site.start(1)
    await until(lambda: site.boot_id(1) != "")

    assert not rubbish.exists()


async def _running(site: Site) -> JobId:
    await until(lambda: site.boot_id(1) != "")
    job_id = await site.submit(SLEEPING)
    await site.becomes(job_id, JobState.RUNNING)
    return job_id
