"""The Cloud API v1 with callers and, in a worker's place, tests that say what a worker would report.

Everything is real but the worker: the edge, the store, the bus, the verbs that a worker's reports go through. Where the
published contract is at hand, every answer that a caller gets is held against it.
"""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
from starlette.types import ASGIApp
from tests.server.v1.published import Published

from fireside.accounts.accounts import NewUser
from fireside.domain.accounts import User
from fireside.domain.ids import WorkerId
from fireside.domain.jobs import Job
from fireside.domain.lifecycle import Verb, advance
from fireside.jobs.report import add_output, end_job, start_job
from fireside.jobs.rescue import rescue_job
from fireside.server.edge import build_edge
from fireside.server.services import Services
from fireside.server.v1.rendering import job_id_of
from fireside.store.records import HeldJob, NodeRecord, TimelineEntry
from fireside.wire.fleet import EndReport, LeaseBody, NodeFailure

ORIGIN = "http://fireside.test"
LOCAL_ORIGIN = "http://127.0.0.1:8188"
WORKER = WorkerId("worker-1")
GRAPH: dict[str, Any] = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}},
}
PICTURE = {"filename": "a_00001_.png", "subfolder": "", "type": "output"}
OUTPUTS = {"2": {"images": [PICTURE]}}
BOOM = NodeFailure(
    node_id="2",
    node_type="SaveImage",
    exception_type="RuntimeError",
    exception_message="boom\n",
    traceback=("line 1", "line 2"),
    current_inputs={"filename_prefix": ["a"]},
)


@dataclass(kw_only=True)
class Caller:
    """A user, and a client that sends their key."""

    user: User
    http: httpx.AsyncClient

    async def submit(self, graph: Any = None, **fields: Any) -> str:
        """Submit a workflow, a small good one by default, and give the job's id."""
        answer = await self.http.post("/api/prompt", json={"prompt": GRAPH if graph is None else graph, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()["prompt_id"]

    async def get(self, path: str, **params: Any) -> Any:
        """Read what is there, which must be answered well."""
        answer = await self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def listed(self, **params: Any) -> list[str]:
        """List jobs and give their ids."""
        return [job["id"] for job in (await self.get("/api/jobs", **params))["jobs"]]

    async def entry(self, job_id: str) -> dict[str, Any]:
        """Find a job in the list."""
        (entry,) = [job for job in (await self.get("/api/jobs"))["jobs"] if job["id"] == job_id]
        return entry

    async def detail(self, job_id: str) -> dict[str, Any]:
        """Read a job in full."""
        return await self.get(f"/api/jobs/{job_id}")


@dataclass(frozen=True, kw_only=True)
class House:
    """A server, its callers, and the reports of a worker that is not there."""

    services: Services
    doors: AsyncExitStack
    contract: Published | None

    @cached_property
    def edge(self) -> ASGIApp:
        """The public application, which all callers share."""
        return build_edge(self.services)

    async def caller(self, name: str, **limits: Any) -> Caller:
        """Add a user with a key."""
        accounts = self.services.accounts
        user = await accounts.create_user(NewUser(name=name, **limits))
        return Caller(user=user, http=await self.client({"X-API-Key": (await accounts.create_key(user))[1]}))

    async def client(self, headers: Mapping[str, str], local_user: str | None = None) -> httpx.AsyncClient:
        """Give a client that sends these headers; with `local_user` it calls at that user's own port."""
        app = self.edge if local_user is None else build_edge(self.services, local_user=local_user)
        transport = httpx.ASGITransport(app=app)
        hooks = {"response": [self._compare]}
        client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers, event_hooks=hooks)
        if local_user is not None:
            # The published contract knows no such port.
            client = httpx.AsyncClient(transport=transport, base_url=LOCAL_ORIGIN, headers=headers)
        return await self.doors.enter_async_context(client)

    async def at_local_port(self, user: User, **headers: str) -> httpx.AsyncClient:
        """Give a client without a key that calls at the user's own port."""
        return await self.client(headers, user.name)

    async def sign_in(self, user: User) -> httpx.AsyncClient:
        """Give a browser that the user has signed in with."""
        token = await self.services.accounts.login_link(user)
        browser = await self.client({"Origin": ORIGIN})
        assert (await browser.post(f"/login/{token}")).status_code == 303
        return browser

    async def hold(self, job_id: str) -> Job:
        """Let the worker take the job."""
        before = await self._job(job_id)
        after = advance(before, Verb.ASSIGN, self.services.clock(), worker_id=WORKER)
        entry = TimelineEntry(kind="assigned", at=after.changed_at, data={"worker_id": WORKER})
        return await self.services.store.change_job(before, after, timeline=[entry])

    async def start(self, job_id: str) -> Job:
        """Let the worker take the job and begin."""
        return await start_job(self.services.desk, WORKER, (await self.hold(job_id)).lease)

    async def show(self, job_id: str, outputs: Mapping[str, Any]) -> None:
        """Let the worker report what nodes have shown."""
        lease = (await self._job(job_id)).lease
        for node_id, output in outputs.items():
            record = NodeRecord(node_id=node_id, display_node_id=node_id, output=output)
            await add_output(self.services.desk, WORKER, lease, record, [])

    async def end(self, job_id: str, outcome: Any, **report: Any) -> Job:
        """Let the worker report the end of the job."""
        lease = LeaseBody.of((await self._job(job_id)).lease)
        ended = EndReport(lease=lease, outcome=outcome, run_seconds=0.1, **report)
        return await end_job(self.services.desk, WORKER, ended)

    async def succeed(self, job_id: str, outputs: Mapping[str, Any] | None = None, cached: Sequence[str] = ()) -> Job:
        """Let the worker run the job to its good end, with one picture by default."""
        await self.start(job_id)
        await self.show(job_id, OUTPUTS if outputs is None else outputs)
        return await self.end(job_id, "succeeded", cached=tuple(cached))

    async def fail(self, job_id: str, failure: NodeFailure = BOOM) -> Job:
        """Let the worker run the job into an error."""
        await self.start(job_id)
        return await self.end(job_id, "failed", failure=failure)

    async def lose(self, job_id: str) -> Job:
        """Let the worker die over the job as often as it takes to give the job up."""
        job = await self._job(job_id)
        while not job.is_terminal:
            job = await self.start(job_id)
            held = HeldJob(job=job, worker_id=WORKER, charged_seconds=0.0)
            job = await rescue_job(self.services.desk, held, lost=True)
        return job

    async def _job(self, job_id: str) -> Job:
        job = await self.services.store.job(job_id_of(job_id))
        assert job is not None
        return job

    async def _compare(self, answer: httpx.Response) -> None:
        if self.contract is not None and not answer.request.url.path.startswith("/api/v2/"):
            await answer.aread()
            self.contract.check(answer)
