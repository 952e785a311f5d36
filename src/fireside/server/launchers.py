"""Who launches workers of which pool, in memory: what launchers say when they ask, told to the other servers at once.

So each server can say which share of a pool's figure is whose, whichever of them is asked. A launcher that has not
asked for a moment is gone, and its share is the others'. No word of it is kept anywhere else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
import structlog

from fireside.bus.client import Bus, Subscription
from fireside.bus.subjects import launchers_of_pools
from fireside.scheduler.sharing import Launcher, shares_of
from fireside.wire.admin import PoolQuery

# Launchers ask twice a second.
_GONE_SECONDS = 4.0
_NEW_SECONDS = 1.5
_MOST_OF_A_POOL = 1000
_log = structlog.get_logger(__name__)


class LauncherSaid(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a launcher has said to one server."""

    pool: str
    word: PoolQuery


@dataclass(slots=True)
class _Heard:
    word: PoolQuery
    first_at: float
    last_at: float


class Launchers:
    """Those that this server has heard of."""

    def __init__(self, bus: Bus, clock: Callable[[], float]) -> None:
        self._bus = bus
        self._clock = clock
        self._heard: dict[str, dict[str, _Heard]] = {}
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        """Begin to hear what launchers say to other servers."""
        self._subscription = await self._bus.subscribe(launchers_of_pools(), self.take)

    async def stop(self) -> None:
        """Hear no more; idempotent."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            await subscription.unsubscribe()

    async def hear(self, pool: str, word: PoolQuery) -> None:
        """Note what a launcher of a pool says of itself, and tell the other servers."""
        self._note(pool, word)
        await self._bus.publish_lossy(launchers_of_pools(), msgspec.json.encode(LauncherSaid(pool=pool, word=word)))

    def names(self, pool: str) -> list[str]:
        """Name the launchers of a pool that are there."""
        return sorted(self._of(pool))

    def share(self, pool: str, name: str, desired: int) -> int:
        """Say how many agents a launcher should have of those that the pool should; none when it is not known."""
        now, heard = self._clock(), self._of(pool)
        known = {
            one: Launcher(
                most=said.word.most,
                running=said.word.running,
                idle=said.word.idle,
                is_new=now - said.first_at < _NEW_SECONDS,
            )
            for one, said in heard.items()
        }
        return shares_of(desired, known).get(name, 0)

    async def take(self, subject: str, payload: bytes) -> None:
        """Note what a launcher has said to any server."""
        try:
            said = msgspec.json.decode(payload, type=LauncherSaid)
        except msgspec.MsgspecError:
            _log.warning("not a launcher's word", subject=subject)
            return
        self._note(said.pool, said.word)

    def _note(self, pool: str, word: PoolQuery) -> None:
        now = self._clock()
        heard = self._of(pool)
        first_at = heard[word.launcher].first_at if word.launcher in heard else now
        if word.launcher in heard or len(heard) < _MOST_OF_A_POOL:
            heard[word.launcher] = _Heard(word, first_at, now)
        self._heard[pool] = heard

    def _of(self, pool: str) -> dict[str, _Heard]:
        now = self._clock()
        heard: Mapping[str, _Heard] = self._heard.get(pool, {})
        return {name: said for name, said in heard.items() if now - said.last_at < _GONE_SECONDS}
