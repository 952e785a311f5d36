"""Agents on the nodes of a Ray cluster, which places them, and whose autoscaler brings nodes for those that wait.

Ray is used for nothing else: no job and no file goes through it. An agent is an actor that holds what the agent needs,
such as a GPU, and starts the same program as everywhere; it dies with its actor, and the actor with its node. What died
is started anew by the launcher, where Ray then finds room. Needs the extra `fireside[ray]`, there and on every node.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import ray

from fireside.config import without_secrets
from fireside.fleet.agents import AgentPlan, CannotLaunch
from fireside.fleet.following import Agent, Ended
from fireside.processes.children import before_exec

_END_SECONDS = 10.0
_LOOK_SECONDS = 0.1
_THREADS = 4
# Not all of it has types.
_ray: Any = ray


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What an agent takes of a node."""

    cpus: float = 1.0
    gpus: float = 1.0
    more: Mapping[str, float] = field(default_factory=dict[str, float])


def connect(address: str) -> None:
    """Connect to a cluster; raises `CannotLaunch`."""
    try:
        _ray.init(address=address, namespace="fireside", log_to_driver=False, logging_level="warning")
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise CannotLaunch(f"cannot reach a Ray cluster at {address}: {error}") from error


def disconnect() -> None:
    """Leave the cluster; agents that are left end with it."""
    _ray.shutdown()


class _Worker(msgspec.Struct, frozen=True):
    worker_id: str = ""


class Host:
    """What runs on the node: one agent, in a folder that is gone with it."""

    def __init__(self, plan: AgentPlan, number: int) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="fireside-agent-"))
        command = plan.command(number, str(self._folder / "worker"))
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--transient"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=without_secrets(os.environ) | plan.secrets,
                preexec_fn=before_exec(),  # noqa: PLW1509 - nothing but a system call
            )

    def placed(self) -> int:
        """Give the agent's process, which shows that there is one."""
        return self._process.pid

    def worker_id(self) -> str:
        """Wait until the agent has joined, or has ended, and give its worker's name."""
        while self._process.poll() is None:
            try:
                content = (self._folder / "worker" / "worker.json").read_bytes()
                if worker_id := msgspec.json.decode(content, type=_Worker).worker_id:
                    return worker_id
            except (OSError, msgspec.MsgspecError):
                pass
            time.sleep(_LOOK_SECONDS)
        return ""

    def ended(self) -> tuple[int, str]:
        """Wait for its end, and give its exit code and last words."""
        code = self._process.wait()
        words = (self._folder / "log").read_text(errors="replace").splitlines()[-1:]
        shutil.rmtree(self._folder, ignore_errors=True)
        return code, "".join(words)

    def tell(self) -> None:
        """Have it finish its job and end; told again, it gives the job back."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)


@dataclass(slots=True)
class _Running:
    host: Any
    waiting: "asyncio.Task[tuple[int, str]]"
    learning: "asyncio.Task[None]"
    is_placed: bool = False
    is_leaving: bool = False
    worker_id: str = ""


class RayAgents:
    """Those of one launcher, on a cluster that it is connected to."""

    def __init__(self, plan: AgentPlan, room: Room) -> None:
        self._plan = plan
        self._remote = _ray.remote(Host).options(
            num_cpus=room.cpus,
            num_gpus=room.gpus,
            resources=dict(room.more),
            max_concurrency=_THREADS,
            max_restarts=0,
        )
        self._running: dict[int, _Running] = {}

    async def start(self, number: int) -> None:
        """Ask for one; Ray places it when there is room."""
        host = self._remote.remote(self._plan, number)
        waiting = asyncio.create_task(_ended(host), name=f"end of agent {number}")
        learning = asyncio.create_task(self._learn(number, host), name=f"name of agent {number}")
        self._running[number] = _Running(host, waiting, learning)

    async def tell_to_leave(self, number: int) -> None:
        """Have one finish its job and end; told again, it gives the job back. One that is nowhere yet just ends."""
        running = self._running.get(number)
        if running is None:
            return
        running.is_leaving = True
        if running.is_placed:
            running.host.tell.remote()
        else:
            _ray.kill(running.host)

    def running(self) -> Sequence[Agent]:
        """Give those that run, or wait for room."""
        return [
            Agent(number=number, worker_id=one.worker_id, is_leaving=one.is_leaving)
            for number, one in self._running.items()
        ]

    async def take_ended(self) -> Sequence[Ended]:
        """Give those that have ended since the last time, alone or with their nodes."""
        over = {number: one for number, one in self._running.items() if one.waiting.done()}
        self._running = {number: one for number, one in self._running.items() if number not in over}
        for one in over.values():
            one.learning.cancel()
            _ray.kill(one.host)
        results = {number: one.waiting.result() for number, one in over.items()}
        return [
            Ended(
                number=number,
                is_well=over[number].is_leaving or code == 0,
                reason=f"exit code {code}: {words}" if code >= 0 else words,
            )
            for number, (code, words) in results.items()
        ]

    async def end_all(self) -> None:
        """Have all give back what they do, and end them."""
        running, self._running = list(self._running.values()), {}
        for one in running:
            if one.is_placed:
                one.host.tell.remote()
        if placed := [one.waiting for one in running if one.is_placed]:
            await asyncio.wait(placed, timeout=_END_SECONDS)
        for one in running:
            one.learning.cancel()
            _ray.kill(one.host)
        await asyncio.gather(
            *(one.waiting for one in running), *(one.learning for one in running), return_exceptions=True
        )

    async def _learn(self, number: int, host: Any) -> None:
        try:
            await host.placed.remote()
            self._running[number].is_placed = True
            self._running[number].worker_id = await host.worker_id.remote()
        except (_ray.exceptions.RayError, KeyError):
            return  # it has ended, which is told elsewhere


async def _ended(host: Any) -> tuple[int, str]:
    try:
        return await host.ended.remote()
    except _ray.exceptions.RayError as error:
        return -1, str(error).partition("\n")[0]
