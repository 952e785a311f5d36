"""The simulated workers of `bench.dispatch_fleet`, all in one process; they are told on standard input who they are."""

import asyncio
import sys
from collections.abc import Coroutine, Mapping
from typing import Any

import msgspec
import uvloop

from fireside.bus.authority import BusCredentials, inbox_of
from fireside.bus.client import Bus
from fireside.bus.errors import BusError
from fireside.bus.subjects import presence, reports, work
from fireside.domain.ids import WorkerId
from fireside.wire.fleet import (
    Assignment,
    AssignmentReply,
    EndReport,
    LeaseBody,
    Presence,
    Report,
    ReportReply,
    StartReport,
    WorkRequest,
)

_ANSWER_SECONDS = 10.0


def names_of(workers: int) -> list[WorkerId]:
    """Name that many workers."""
    return [WorkerId(f"worker-{number}") for number in range(workers)]


class Kit(msgspec.Struct, frozen=True, kw_only=True):
    """Who the workers are, where the bus is, and how long their jobs take."""

    url: str
    job_seconds: float
    workers: Mapping[WorkerId, BusCredentials]

    def encoded(self) -> bytes:
        """Give it as it is told."""
        return msgspec.json.encode(self)


class Player:
    """One worker that does nothing, for as long as its jobs take."""

    def __init__(self, worker_id: WorkerId, bus: Bus, job_seconds: float) -> None:
        self._id = worker_id
        self._bus = bus
        self._job_seconds = job_seconds
        self._lease: LeaseBody | None = None
        self._number = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def play(self) -> None:
        """Be there until the process ends."""
        await self._bus.subscribe(work(self._id), self._asked, concurrent=True)
        while True:
            await self._say()
            await asyncio.sleep(1.0)

    async def _say(self) -> None:
        self._number += 1
        said = Presence(
            boot_id="bench",
            runtime="comfyui",
            ready=True,
            leases=(self._lease,) if self._lease is not None else (),
            number=self._number,
        )
        await self._bus.publish_lossy(presence(self._id), msgspec.json.encode(said))

    async def _asked(self, subject: str, payload: bytes) -> bytes:  # noqa: ARG002 - the bus's handler shape
        request: WorkRequest = msgspec.json.decode(payload, type=WorkRequest)
        if not isinstance(request, Assignment):
            return b""
        is_free = self._lease is None
        if is_free:
            self._lease = request.lease
            self._in_background(self._run(request.lease))
        return msgspec.json.encode(AssignmentReply(accepted=is_free, number=self._number))

    async def _run(self, lease: LeaseBody) -> None:
        if await self._report(StartReport(lease=lease)):
            await asyncio.sleep(self._job_seconds)
            await self._report(EndReport(lease=lease, outcome="succeeded", run_seconds=self._job_seconds))
        self._lease = None
        await self._say()

    async def _report(self, report: Report) -> bool:
        while True:
            try:
                answer = await self._bus.request(
                    reports(self._id), msgspec.json.encode(report), timeout=_ANSWER_SECONDS
                )
            except BusError:
                await asyncio.sleep(0.1)
                continue
            return msgspec.json.decode(answer, type=ReportReply).status == "ok"

    def _in_background(self, run: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(run)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def play_all(kit: Kit) -> None:
    """Connect them all, and play."""
    players: list[Player] = []
    for worker_id, credentials in kit.workers.items():
        bus = await Bus.connect([kit.url], credentials, name=worker_id, inbox_prefix=inbox_of(worker_id))
        players.append(Player(worker_id, bus, kit.job_seconds))
    await asyncio.gather(*(player.play() for player in players))


if __name__ == "__main__":
    uvloop.run(play_all(msgspec.json.decode(sys.stdin.buffer.read(), type=Kit)))
