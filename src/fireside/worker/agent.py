"""The worker's agent: says it is there, takes one job at a time, and stops when told.

It stays responsive while the runtime works, because the runtime computes in another process. What it takes is decided
by the server; what it does with a job is in `run`.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import structlog

from fireside.bus.client import Bus
from fireside.bus.subjects import presence, work
from fireside.client.fleet import FleetClient
from fireside.domain.ids import UserId, WorkerId
from fireside.runtimes.base import Runtime, RuntimeInfo
from fireside.wire.fleet import (
    Assignment,
    AssignmentReply,
    CancelRun,
    LeaseBody,
    Presence,
    WorkRequest,
)
from fireside.worker.joining import introduce
from fireside.worker.patience import is_temporary
from fireside.worker.reporter import Reporter
from fireside.worker.run import Released, Run, run_job
from fireside.worker.telling import Telling

_PRESENCE_SECONDS = 1.0
_JOIN_PAUSE_SECONDS = 0.5
_LONGEST_REST_SECONDS = 60.0
# Longer than a runtime may take to stop, shorter than whoever ended us will wait.
_STOP_SECONDS = 7.0
_log = structlog.get_logger(__name__)


class Agent:
    """One worker: one runtime, one job at a time."""

    def __init__(
        self,
        *,
        worker_id: WorkerId,
        bus: Bus,
        client: FleetClient,
        runtime: Runtime,
        scratch: Path,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self._worker_id = worker_id
        self._labels = labels or {}
        self._bus = bus
        self._client = client
        self._runtime = runtime
        self._scratch = scratch
        self._reporter = Reporter(bus, worker_id)
        self._boot_id = uuid4().hex
        self._info: RuntimeInfo | None = None
        self._run: Run | None = None
        self._draining = False
        self._ready = False
        self._failures = 0
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._resting: asyncio.Task[None] | None = None

    async def work_until(self, stopped: asyncio.Event) -> None:
        """Join, work, and leave in order when `stopped` is set: a job under way goes back to the queue."""
        self._info = await self._runtime.start()
        joining = asyncio.create_task(self._join(self._info), name="join")
        await _first_of(joining, stopped)
        if stopped.is_set():
            return
        self._ready = True
        subscription = await self._bus.subscribe(work(self._worker_id), self._asked)
        beating = asyncio.create_task(self._beat(), name="presence")
        await stopped.wait()
        self._draining = True
        self._changed.set()
        await self._give_back()
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        await subscription.unsubscribe()

    async def _join(self, info: RuntimeInfo) -> None:
        """Tell the server what this worker is, however long it takes; a refusal is an error."""
        introduction = introduce(info, boot_id=self._boot_id, labels=self._labels)
        while True:
            try:
                await introduction.tell(self._client)
            except httpx.HTTPError as error:
                if not is_temporary(error):
                    raise
                _log.info("not joined yet", reason=str(error))
                await asyncio.sleep(_JOIN_PAUSE_SECONDS)
            else:
                return

    async def _beat(self) -> None:
        while True:
            # Cleared before it is read, so that a change while this is sent is told next.
            self._changed.clear()
            await self._bus.publish_lossy(presence(self._worker_id), msgspec.json.encode(self._presence()))
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with the change.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PRESENCE_SECONDS):
                    await self._changed.wait()

    def _presence(self) -> Presence:
        return Presence(
            boot_id=self._boot_id,
            runtime=self._info.kind if self._info else "",
            ready=self._ready,
            draining=self._draining,
            leases=(LeaseBody.of(self._run.lease),) if self._run else (),
        )

    async def _asked(self, subject: str, payload: bytes) -> bytes:  # noqa: ARG002 - the bus's handler shape
        request = msgspec.json.decode(payload, type=WorkRequest)
        if isinstance(request, Assignment):
            return msgspec.json.encode(self._take(request))
        run = self._run
        if run is not None and run.lease == request.lease.lease():
            if isinstance(request, CancelRun):
                await run.stop()
            else:
                await run.telling.tell_again()
        return b""

    def _take(self, request: Assignment) -> AssignmentReply:
        lease = request.lease.lease()
        if self._run is not None and self._run.lease == lease:
            return AssignmentReply(accepted=True)
        if self._run is not None or self._draining or not self._ready:
            reason = "draining" if self._draining else "busy" if self._run is not None else "not ready"
            return AssignmentReply(accepted=False, reason=reason)
        user_id = UserId(request.user_id)
        self._run = Run(
            lease=lease,
            client=self._client,
            runtime=self._runtime,
            reporter=self._reporter,
            work=request.work,
            telling=Telling(self._bus, user_id, self._worker_id, lease),
            folder=self._scratch / f"{lease.job_id}-{lease.fence}",
        )
        self._in_background(self._do(self._run), f"job {lease.job_id}")
        self._changed.set()
        return AssignmentReply(accepted=True)

    def _in_background(self, coroutine: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, run: Run) -> None:
        could_not = True
        try:
            could_not = isinstance(await run_job(run), Released)
        except Exception:  # noqa: BLE001 - the edge of this process
            # The job is not reported, so the server takes it back and somebody else tries.
            _log.exception("job broke the agent", job_id=str(run.lease.job_id))
        finally:
            self._failures = self._failures + 1 if could_not else 0
            self._ready = not could_not
            self._run = None
            self._changed.set()
        if could_not and not self._draining:
            self._resting = asyncio.create_task(self._rest(), name="rest")

    async def _rest(self) -> None:
        """Take no job for a while, longer each time, and until the server is reached: the same would happen again."""
        assert self._info is not None
        await asyncio.sleep(min(2.0 ** (self._failures - 1), _LONGEST_REST_SECONDS))
        try:
            await self._join(self._info)
        except httpx.HTTPStatusError as error:
            _log.error("refused by the server, no more jobs are taken", reason=str(error))
            return
        self._ready = True
        self._changed.set()

    async def _give_back(self) -> None:
        if self._run is not None:
            await self._run.stop(give_back=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)
        if self._resting is not None:
            self._resting.cancel()
            await asyncio.gather(self._resting, return_exceptions=True)


async def _first_of(task: "asyncio.Task[None]", stopped: asyncio.Event) -> None:
    """Wait for the task, or end it when it is time to stop; raises what the task raises."""
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not task.done():
        task.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
    with contextlib.suppress(asyncio.CancelledError):
        await task
