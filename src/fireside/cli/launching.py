"""What the commands of all launchers share: where the server is, who we are there, and how they end."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from fireside.cli.errors import USAGE, CommandFailed
from fireside.cli.printing import give, say
from fireside.fleet.agents import TOKEN_VARIABLE, AgentPlan, PoolSource
from fireside.fleet.following import Agents, Follower

Server = Annotated[str | None, Parameter(help="URL of the server; else FIRESIDE_URL.")]
Pool = Annotated[str, Parameter(help="The pool, as the server's setting `pools` names it.")]
Most = Annotated[int | None, Parameter(help="Most workers to start here; else as many as the pool may have.")]
Calm = Annotated[float, Parameter(help="Seconds that a worker must have been one too many before it is told to leave.")]
CALM_SECONDS = 30.0
_KEYS = ("FIRESIDE_API_KEY", "FIRESIDE_METRICS_TOKEN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What somebody wants to be launched."""

    server: str | None
    pool: str
    most: int | None
    calm_seconds: float
    flags: Mapping[str, Any]
    options: tuple[str, ...] = ()


async def launch(wanted: Launch, agents_of: Callable[[AgentPlan, AsyncExitStack], Awaitable[Agents]]) -> int:
    """Have agents run as the pool's figure says, until we are told to stop; a second time, to stop at once."""
    url = (wanted.server or os.environ.get("FIRESIDE_URL") or "").rstrip("/")
    key = next((os.environ[name] for name in _KEYS if os.environ.get(name)), "")
    if not url.startswith(("http://", "https://")):
        raise CommandFailed(
            "name the server with --server or FIRESIDE_URL, such as https://fireside.example.org", USAGE
        )
    if not key:
        raise CommandFailed(
            f"an admin's key in {_KEYS[0]}, or the server's metrics_token in {_KEYS[1]}, is needed", USAGE
        )
    if wanted.most is not None and wanted.most < 1:
        raise CommandFailed("--most is 1 or more", USAGE)
    leaving, stopped = asyncio.Event(), asyncio.Event()

    def told() -> None:
        (stopped if leaving.is_set() else leaving).set()

    _hear(told)
    async with AsyncExitStack() as stack:
        source = PoolSource(url, key, wanted.pool)
        stack.push_async_callback(source.close)
        pool = await source.first(leaving)
        if pool is None:
            return 0
        plan = AgentPlan(
            server_url=url,
            join_token=os.environ.get(TOKEN_VARIABLE, ""),
            labels=pool.labels,
            flags=wanted.flags,
            options=wanted.options,
        )
        agents = await agents_of(plan, stack)
        # Once more: what agents need may have taken the signals for itself, as Ray does.
        _hear(told)
        most = wanted.most if wanted.most is not None else len(wanted.flags.get("gpus") or ()) or None
        give(f"Workers of the pool {pool.name} follow {url}")
        follower = Follower(agents, source.now, most=most, calm_seconds=wanted.calm_seconds, clock=time.monotonic)
        await follower.run(leaving, stopped)
    say("all workers have stopped")
    return 0


def _hear(told: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told)
