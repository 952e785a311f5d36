"""A launcher: has as many agents of a pool run as the figure says, wherever they run.

Where that is, and how one is started there, is behind `Agents`. An agent that is too many is told to leave, which it
does when its job is done; one that has died is replaced, more patiently the more often that happens. While nobody tells
the figure, the last one holds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from fireside.wire.admin import PoolBody

_LOOK_SECONDS = 0.5
_FIRST_REST_SECONDS = 1.0
_LONGEST_REST_SECONDS = 60.0
_STEADY_SECONDS = 60.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Have:
    """How a launcher stands: how many agents it could have now, how many run and stay, how many of those are idle."""

    most: int
    running: int
    idle: int


Figure = Callable[[Have], Awaitable[PoolBody | None]]
"""Says how we stand and asks how many workers there should be; None where nobody says it now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent that runs: its number among those of this launcher, and its worker's name once it has one."""

    number: int
    worker_id: str = ""
    is_leaving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An agent that has ended; well when it left because it was told to, or had nothing to do."""

    number: int
    is_well: bool
    reason: str = ""


class Agents(Protocol):
    """Where agents run."""

    async def start(self, number: int) -> None:
        """Start one."""
        ...

    async def tell_to_leave(self, number: int) -> None:
        """Have one finish its job and end; told again, it gives the job back."""
        ...

    def running(self) -> Sequence[Agent]:
        """Give those that run, or are about to."""
        ...

    async def take_ended(self) -> Sequence[Ended]:
        """Give those that have ended since the last time."""
        ...

    async def end_all(self) -> None:
        """End what is left at once."""
        ...


@dataclass(frozen=True, slots=True)
class Steps:
    """What is to be done: the numbers of agents to start, and of those to be told to leave."""

    start: Sequence[int] = ()
    leave: Sequence[int] = ()


def steps_to(
    desired: int, agents: Sequence[Agent], *, most: int, resting: Collection[int], idle: Collection[str]
) -> Steps:
    """Say how to get from what runs to what should; those with nothing to do leave first, then the last ones."""
    staying = [agent for agent in agents if not agent.is_leaving]
    missing = min(desired, most) - len(staying)
    if missing >= 0:
        taken = {agent.number for agent in agents} | set(resting)
        return Steps(start=[number for number in range(1, most + 1) if number not in taken][:missing])
    order = sorted(staying, key=lambda agent: (agent.worker_id not in idle, -agent.number))
    return Steps(leave=[agent.number for agent in order[:-missing]])


@dataclass(slots=True)
class _Past:
    """What became of the agents of one number: since when the last one runs, how long to rest, and until when."""

    began: float = 0.0
    rest: float = 0.0
    until: float = 0.0


class Follower:
    """Follows the figure of one pool, from `run` until it is told to leave."""

    def __init__(
        self,
        agents: Agents,
        figure: Figure,
        *,
        most: int | None,
        calm_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        """Have `most` agents at most, whatever the pool may have; one too many may stay for `calm_seconds`."""
        self._agents = agents
        self._figure = figure
        self._most = most
        self._calm_seconds = calm_seconds
        self._clock = clock
        self._told: PoolBody | None = None
        self._too_many_since: float | None = None
        self._past: dict[int, _Past] = {}

    async def run(self, leaving: asyncio.Event, stopped: asyncio.Event) -> None:
        """Follow until `leaving`; then let all finish what they do, or give it back when `stopped`, too."""
        try:
            while not leaving.is_set():
                await self.tick()
                await _first_of(leaving, seconds=_LOOK_SECONDS)
            # What would have been ours is for other launchers at once.
            await self._figure(Have(most=0, running=0, idle=0))
            await self._tell_all()
            while self._agents.running() and not stopped.is_set():
                await self._agents.take_ended()
                await _first_of(stopped, seconds=_LOOK_SECONDS)
        finally:
            await self._agents.end_all()

    async def tick(self) -> None:
        """Look once, and do what there is to do."""
        now = self._clock()
        for ended in await self._agents.take_ended():
            self._note_end(ended, now)
        resting = {number for number, past in self._past.items() if past.until > now}
        heard = await self._figure(self._have(resting))
        self._told = heard or self._told
        if self._told is None:
            return
        most, desired = self._most_of(self._told), _own(self._told)
        idle = frozenset(heard.idle if heard is not None else ())
        steps = steps_to(desired, self._agents.running(), most=most, resting=resting, idle=idle)
        self._too_many_since = (self._too_many_since or now) if steps.leave else None
        for number in steps.start:
            self._past.setdefault(number, _Past()).began = now
            _log.info("agent starts", number=number, desired=desired)
            await self._agents.start(number)
        if heard is not None and self._too_many_since is not None and now - self._too_many_since >= self._calm_seconds:
            for number in steps.leave:
                _log.info("agent is to leave", number=number, desired=desired)
                await self._agents.tell_to_leave(number)

    def _have(self, resting: Collection[int]) -> Have:
        agents = self._agents.running()
        staying = [agent for agent in agents if not agent.is_leaving]
        most = 0 if self._told is None else self._most_of(self._told)
        idle = frozenset(() if self._told is None else self._told.idle)
        return Have(
            most=max(most - len(resting) - len(agents) + len(staying), len(staying)),
            running=len(staying),
            idle=sum(agent.worker_id in idle for agent in staying),
        )

    def _most_of(self, told: PoolBody) -> int:
        return told.max if self._most is None else self._most

    def _note_end(self, ended: Ended, now: float) -> None:
        past = self._past.setdefault(ended.number, _Past())
        if ended.is_well:
            past.rest = past.until = 0.0
            _log.info("agent has left", number=ended.number)
            return
        steady = now - past.began >= _STEADY_SECONDS
        past.rest = _FIRST_REST_SECONDS if steady or not past.rest else min(past.rest * 2, _LONGEST_REST_SECONDS)
        past.until = now + past.rest
        _log.warning("agent died", number=ended.number, again_in=past.rest, reason=ended.reason)

    async def _tell_all(self) -> None:
        for agent in self._agents.running():
            if not agent.is_leaving:
                await self._agents.tell_to_leave(agent.number)


def _own(told: PoolBody) -> int:
    """Say how many of the desired workers are ours; a server of before tells all of them."""
    return told.desired if told.share is None else told.share


async def _first_of(event: asyncio.Event, *, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
