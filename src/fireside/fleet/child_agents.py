"""Agents as child processes of a launcher on one machine: each with a folder and a log, gone when the launcher is."""

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fireside.fleet.agents import AgentPlan
from fireside.fleet.following import Agent, Ended
from fireside.processes.children import Child
from fireside.processes.leftovers import Leftovers

_END_SECONDS = 10.0


class _Worker(msgspec.Struct, frozen=True):
    worker_id: str = ""


@dataclass(slots=True)
class _Running:
    child: Child
    waiting: asyncio.Task[int]
    is_leaving: bool = False


class ChildAgents:
    """Those of one launcher; what a former one left behind is ended first."""

    def __init__(self, folder: Path, plan: AgentPlan) -> None:
        self._folder = folder.absolute()
        self._plan = plan
        self._leftovers = Leftovers(self._folder / "children.json")
        self._running: dict[int, _Running] = {}

    async def open(self) -> None:
        """End what a former launcher of this folder has left."""
        await self._leftovers.end_all()

    async def start(self, number: int) -> None:
        """Start one; its folder makes it the same worker as the last one of this number."""
        command = self._plan.command(number, str(self._folder / str(number)))
        log = self._folder / f"{number}.log"
        child = Child(f"agent {number}", command, log_path=log, secrets=self._plan.secrets)
        await child.start()
        if child.pid is not None:
            self._leftovers.add(child.pid)
        waiting = asyncio.create_task(child.wait(), name=f"end of agent {number}")
        self._running[number] = _Running(child, waiting)

    async def tell_to_leave(self, number: int) -> None:
        """Have one finish its job and end; told again, it gives the job back."""
        running = self._running.get(number)
        if running is not None:
            running.is_leaving = True
            running.child.tell(signal.SIGTERM)

    def running(self) -> Sequence[Agent]:
        """Give those that run."""
        return [
            Agent(number=number, worker_id=self._worker_id(number), is_leaving=one.is_leaving)
            for number, one in self._running.items()
        ]

    async def take_ended(self) -> Sequence[Ended]:
        """Give those that have ended since the last time."""
        ended = {number: one for number, one in self._running.items() if one.waiting.done()}
        self._running = {number: one for number, one in self._running.items() if number not in ended}
        return [
            Ended(
                number=number,
                is_well=one.is_leaving or one.waiting.result() == 0,
                reason=f"exit code {one.waiting.result()}: {one.child.log_tail(1)}",
            )
            for number, one in ended.items()
        ]

    async def end_all(self) -> None:
        """Have all give back what they do, and end them."""
        running, self._running = list(self._running.values()), {}
        for one in running:
            if not one.is_leaving:
                one.child.tell(signal.SIGTERM)
        await asyncio.gather(*(one.child.stop(_END_SECONDS) for one in running))
        await asyncio.gather(*(one.waiting for one in running))

    def _worker_id(self, number: int) -> str:
        try:
            content = (self._folder / str(number) / "worker.json").read_bytes()
            return msgspec.json.decode(content, type=_Worker).worker_id
        except (OSError, msgspec.MsgspecError):
            return ""
