"""How often a user, or an address, may ask: counted here, and told to the other servers each second.

Counted in windows by `limits`, in memory, so that a request costs microseconds. What was counted here goes over the bus
to the servers of the same store, which count it too: all of them together let through what the settings say, and what
each of them took within the last second. While the bus is away each counts for itself.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import uuid4

import msgspec
import structlog
from limits import RateLimitItem, parse_many
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from fireside.accounts.networks import network_of
from fireside.bus.client import Bus, Subscription
from fireside.bus.subjects import rate_counts
from fireside.config import Config
from fireside.domain.errors import RateLimited

_MOST_COUNTED = 100_000
_MOST_TOLD = 2_000
_log = structlog.get_logger(__name__)


class Counted(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What one server has counted since it told last: by rule, the place of its limit, and who."""

    server: str
    counts: list[tuple[str, int, str, int]]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands with the limit that is nearest to its end."""

    rule: str
    quota: int
    window_seconds: int
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """Say it to programs (draft-ietf-httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Policy": f'"{self.rule}";q={self.quota};w={self.window_seconds}',
            "RateLimit": f'"{self.rule}";r={self.remaining};t={self.reset_seconds}',
        }


class Windows(Storage):
    """Counters that end by themselves, of so many callers at once; the oldest go first."""

    STORAGE_SCHEME = ["fireside"]  # noqa: RUF012 - as `limits` asks for it

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._held: dict[str, tuple[int, float]] = {}
        self.last = (0, 0.0)
        """What the last count came to, and when its window ends."""

    @property
    def base_exceptions(self) -> type[Exception]:
        """Nothing here can fail."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, in a window that begins with the first that is counted."""
        now = self._clock()
        count, end = self._held.get(key, (0, 0.0))
        if end <= now:
            self._held.pop(key, None)
            if len(self._held) >= _MOST_COUNTED:
                del self._held[next(iter(self._held))]
            count, end = 0, now + expiry
        self.last = self._held[key] = (count + amount, end)
        return count + amount

    def get(self, key: str) -> int:
        """Give what is counted in the window that goes on."""
        count, end = self._held.get(key, (0, 0.0))
        return count if end > self._clock() else 0

    def get_expiry(self, key: str) -> float:
        """Give when the window ends."""
        return self._held.get(key, (0, self._clock()))[1]

    def check(self) -> bool:
        """Say that memory is there."""
        return True

    def reset(self) -> int | None:
        """Count anew from nothing."""
        self._held.clear()
        return None

    def clear(self, key: str) -> None:
        """Forget one."""
        self._held.pop(key, None)

    def forget_ended(self) -> None:
        """Forget the windows that are over."""
        now = self._clock()
        self._held = {key: held for key, held in self._held.items() if held[1] > now}


class Rates:
    """The limits of the settings, and how far they are used."""

    def __init__(self, config: Config, bus: Bus, clock: Callable[[], float]) -> None:
        self._rules: Mapping[str, list[RateLimitItem]] = {
            rule: parse_many(text)
            for rule, text in (
                ("address", config.rate_limit_address),
                ("user", config.rate_limit_user),
                ("changes", config.rate_limit_changes),
            )
            if text
        }
        self._bus = bus
        self._clock = clock
        self._windows = Windows(clock)
        self._limiter = FixedWindowRateLimiter(self._windows)
        self._own = uuid4().hex
        self._untold: dict[tuple[str, int, str], int] = {}
        self._subscription: Subscription | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """Name the limits that are set."""
        return tuple(self._rules)

    async def start(self) -> None:
        """Begin to hear what other servers count."""
        if self._rules:
            self._subscription = await self._bus.subscribe(rate_counts(), self.take)

    async def stop(self) -> None:
        """Hear no more; idempotent."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            await subscription.unsubscribe()

    def count_address(self, address: str) -> Standing | None:
        """Count a request from an address; raises `RateLimited`."""
        return self._count("address", network_of(address)) if address and "address" in self._rules else None

    def count_user(self, user_id: int, *, is_change: bool) -> Standing | None:
        """Count a request of a user; raises `RateLimited`."""
        standing = self._count("user", str(user_id)) if "user" in self._rules else None
        if is_change and "changes" in self._rules:
            return nearest(standing, self._count("changes", str(user_id)))
        return standing

    async def tell(self) -> None:
        """Tell the other servers what was counted here since the last time, and forget windows that are over."""
        self._windows.forget_ended()
        untold, self._untold = self._untold, {}
        told = [(rule, place, subject, count) for (rule, place, subject), count in untold.items()]
        for begin in range(0, len(told), _MOST_TOLD):
            said = Counted(server=self._own, counts=told[begin : begin + _MOST_TOLD])
            await self._bus.publish_lossy(rate_counts(), msgspec.json.encode(said))

    async def take(self, subject: str, payload: bytes) -> None:
        """Count what another server has counted."""
        try:
            said = msgspec.json.decode(payload, type=Counted)
        except msgspec.MsgspecError:
            _log.warning("not counts", subject=subject)
            return
        if said.server == self._own:
            return
        for rule, place, who, count in said.counts:
            # Servers with other settings count other things.
            items = self._rules.get(rule, [])
            if 0 <= place < len(items) and count > 0:
                self._limiter.hit(items[place], rule, who, cost=count)

    def left(self, rule: str, subject: str) -> int:
        """Say how many requests are still taken within the shortest span of a limit; counts nothing."""
        item = self._rules[rule][0]
        return item.amount - self._windows.get(item.key_for(rule, subject))

    def _count(self, rule: str, subject: str) -> Standing:
        found: Standing | None = None
        for place, item in enumerate(self._rules[rule]):
            is_within = self._limiter.hit(item, rule, subject)
            key = (rule, place, subject)
            self._untold[key] = self._untold.get(key, 0) + 1
            # What `hit` has just counted; asking `limits` for it would cost three times as much.
            standing = self._standing(rule, item, *self._windows.last)
            if not is_within:
                raise RateLimited(_message(rule, item), retry_after=standing.reset_seconds, headers=standing.headers())
            found = nearest(found, standing)
        assert found is not None
        return found

    def _standing(self, rule: str, item: RateLimitItem, count: int, end: float) -> Standing:
        return Standing(
            rule=rule,
            quota=item.amount,
            window_seconds=item.get_expiry(),
            remaining=max(0, item.amount - count),
            reset_seconds=max(1, math.ceil(end - self._clock())),
        )


def nearest(one: Standing | None, other: Standing | None) -> Standing | None:
    """Give the one of which less is left."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda standing: standing.remaining / standing.quota)


_OF = {
    "address": "come from your address",
    "user": "come from this user",
    "changes": "change something for this user",
}


def _message(rule: str, item: RateLimitItem) -> str:
    return f"Too many requests {_OF[rule]}: {item} are taken. Wait as long as Retry-After says."
