"""A whole worker in a test's hands: the real agent and runtime, against a real edge over HTTP and a real bus.

The test is the leader: it hands out jobs, and nothing is handed out unless it says so.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import msgspec
from PIL import Image
from tests.jobs.workshop import DEADLINE_SECONDS, Workshop, until

from fireside.bus.authority import inbox_of
from fireside.bus.client import Bus
from fireside.bus.subjects import presence
from fireside.client.fleet import FleetClient
from fireside.domain.accounts import User
from fireside.domain.ids import BlobHash, WorkerId
from fireside.domain.jobs import Job, JobState, Lease
from fireside.runtimes.base import RunEvent, Task
from fireside.runtimes.builtin.runtime import BuiltinRuntime
from fireside.scheduler.values import Placement
from fireside.server.fleet_reports import FleetReports
from fireside.server.listening import Doors
from fireside.store.records import JobBody, StagedInput
from fireside.wire.fleet import Presence
from fireside.worker.agent import Agent
from fireside.worker.model_cache import ModelCache
from fireside.worker.model_hashes import ModelHashes
from fireside.worker.stage_cache import StageCache

WORKER = WorkerId("worker-1")
LONG = 600.0
LARGE = "x" * 100_000
CACHE_BYTES = 1024 * 1024
INTERRUPT_SECONDS = 4.0
Graph = dict[str, Any]


def node(class_type: str, **inputs: Any) -> Graph:
    return {"class_type": class_type, "inputs": inputs}


def empty(color: int = 0x204060) -> Graph:
    return node("EmptyImage", width=8, height=6, batch_size=1, color=color)


def sleep(source: str, seconds: float) -> Graph:
    return node("FiresideSleep", image=[source, 0], seconds=seconds, steps=100)


def save(source: str) -> Graph:
    return node("SaveImage", images=[source, 0], filename_prefix="station")


def picture(color: tuple[int, int, int] = (10, 20, 30)) -> bytes:
    out = BytesIO()
    Image.new("RGB", (4, 3), color).save(out, "PNG")
    return out.getvalue()


class Gate(httpx.AsyncHTTPTransport):
    """The worker's way to the server: what goes to a path that is shut waits until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.waiting: list[str] = []
        self._shut: dict[str, asyncio.Event] = {}

    def shut(self, path: str) -> None:
        self._shut[path] = asyncio.Event()

    def open(self, path: str) -> None:
        self._shut.pop(path).set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        for path, opened in list(self._shut.items()):
            if request.url.path.startswith(path):
                self.waiting.append(request.url.path)
                await opened.wait()
        return await super().handle_async_request(request)


class WatchedRuntime(BuiltinRuntime):
    """The builtin runtime, whose tasks a test can look at."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, interrupt_seconds=INTERRUPT_SECONDS)
        self.tasks: list[Task] = []

    def run(self, task: Task) -> AsyncIterator[RunEvent]:
        self.tasks.append(task)
        return super().run(task)


@dataclass(kw_only=True)
class Station:
    """One worker at work, and what it has said of itself."""

    shop: Workshop
    edge: Doors
    reports: FleetReports
    gate: Gate
    runtime: "WatchedRuntime"
    scratch: Path
    stopped: asyncio.Event
    leaving: asyncio.Event
    dismissed: list[str]
    working: "asyncio.Task[None]"
    said: list[Presence] = field(default_factory=list[Presence])

    async def submit(
        self,
        user: User,
        graph: Graph,
        inputs: Mapping[str, BlobHash] | None = None,
        *,
        large: bool = False,
        **wishes: Any,
    ) -> Job:
        """Queue a job for this graph, whose files stand under these hashes; a large one the worker has to fetch."""
        shown = tuple(node_id for node_id, entry in graph.items() if entry["class_type"] == "SaveImage")
        staged = tuple(self._staged(value, of) for value, of in (inputs or {}).items())
        extra_data = msgspec.json.encode({"fireside": wishes} | ({"drawing": LARGE} if large else {}))
        body = JobBody(graph=msgspec.json.encode(graph), extra_data=extra_data, outputs=shown, inputs=staged)
        return await self.shop.submit(user, body=body)

    def _staged(self, value: str, of: BlobHash) -> StagedInput:
        return StagedInput(value=value, hash=of, size_bytes=self.path_of(of).stat().st_size)

    async def keep(self, content: bytes) -> BlobHash:
        """Store bytes that a job can name."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        return (await self.shop.services.blobs.write(chunks(), limit_bytes=None)).hash

    async def hand_out(self, job: Job) -> Lease:
        """Assign the job to the worker, once that is there and free."""
        await self.is_free()
        lease = await self.offer(job)
        assert lease is not None
        return lease

    async def offer(self, job: Job) -> Lease | None:
        """Offer the job to the worker as it is."""
        term = await self.shop.store.take_term("test", self.shop.clock())
        placement = Placement(job_id=job.id, user_id=job.user_id, worker_id=WORKER, estimate_seconds=1.0)
        return await self.shop.offered(placement, term=term)

    async def is_free(self) -> None:
        await self.says(lambda last: last.ready and not last.leases)

    async def says(self, is_so: Any) -> None:
        """Wait until the worker's last word is as wished."""
        await until(lambda: bool(self.said) and is_so(self.said[-1]))

    async def becomes(self, job: Job | Lease, *states: JobState) -> Job:
        """Wait until the job stands there."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (await self.shop.job(job)).state not in states:  # noqa: ASYNC110 - the worker changes it, not we
                await asyncio.sleep(0.01)
        return await self.shop.job(job)

    def path_of(self, blob_hash: BlobHash) -> Path:
        """The file of a stored blob, writable: a test may plant other bytes there."""
        path = self.shop.services.blobs.local_path(blob_hash)
        assert path is not None
        path.chmod(0o600)
        return path

    def downloads(self) -> list[str]:
        return [asked for asked in self.gate.asked if asked.startswith("GET /files/")]

    def uploads(self) -> list[str]:
        return [asked for asked in self.gate.asked if asked.startswith("PUT /fleet/blobs/")]

    def left_behind(self) -> list[Path]:
        """What runs have left on the worker's disk, beside folders for the next ones."""
        return [path for path in self.scratch.rglob("*") if not path.is_dir()]

    async def hear(self, subject: str, payload: bytes) -> None:
        self.said.append(msgspec.json.decode(payload, type=Presence))


@asynccontextmanager
async def open_station(
    shop: Workshop, folder: Path, kind: "type[WatchedRuntime] | None" = None
) -> AsyncGenerator[Station]:
    """Open the edge, and let a worker join."""
    services = shop.services
    edge = Doors(services.config)
    reports = FleetReports(services)
    gate = Gate()
    runtime = (kind or WatchedRuntime)(folder / "runtime")
    client = FleetClient(edge.worker_url, services.keys.worker_token(WORKER), transport=gate)
    bus = await _worker_bus(shop)
    scratch, stopped, leaving = folder / "jobs", asyncio.Event(), asyncio.Event()
    dismissed: list[str] = []
    cache = StageCache(folder / "inputs", CACHE_BYTES)
    hashes = ModelHashes(scratch / "models.json")
    agent = Agent(
        worker_id=WORKER, bus=bus, client=client, runtime=runtime, scratch=scratch, cache=cache, hashes=hashes,
        models=ModelCache(folder / "models", CACHE_BYTES), on_dismissal=dismissed.append,
    )  # fmt: skip
    try:
        await edge.open(services)
        await reports.start()
        working = asyncio.create_task(agent.work_until(stopped, leaving))
        station = Station(
            shop=shop, edge=edge, reports=reports, gate=gate, runtime=runtime, scratch=scratch, stopped=stopped,
            leaving=leaving, dismissed=dismissed, working=working,
        )  # fmt: skip
        await services.bus.subscribe(presence(WORKER), station.hear)
        yield station
        stopped.set()
        await working
    finally:
        await runtime.stop()
        await client.close()
        await bus.close()
        await reports.stop()
        await edge.close()


async def _worker_bus(shop: Workshop) -> Bus:
    credentials = shop.assembly.authority.worker_credentials(WORKER)
    return await Bus.connect([shop.assembly.bus_url], credentials, name=WORKER, inbox_prefix=inbox_of(WORKER))
