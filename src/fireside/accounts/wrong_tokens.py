"""Wrong credentials, counted by where they come from, so that nobody tries many.

Kept in memory, by each server for itself: what is guarded has 256 random bits, and this only keeps noise away from the
database.
"""

import math
from collections.abc import Callable

from fireside.accounts.networks import network_of
from fireside.domain.errors import TooMany

_WINDOW_SECONDS = 60.0
_MOST_ADDRESSES = 10_000


class WrongTokens:
    """Counts what was wrong in the last minute."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._wrong: dict[str, tuple[float, int]] = {}

    def check(self, address: str) -> None:
        """Raise `TooMany` for an address that has been wrong too often."""
        since, count = self._wrong.get(network_of(address), (0.0, 0))
        left = since + _WINDOW_SECONDS - self._clock()
        if count >= self._most and left > 0:
            raise TooMany("Too many wrong tokens came from here; wait a minute.", retry_after=math.ceil(left))

    def note(self, address: str) -> None:
        """Note that an address was wrong."""
        name, now = network_of(address), self._clock()
        since, count = self._wrong.pop(name, (now, 0))
        if now - since >= _WINDOW_SECONDS:
            since, count = now, 0
        if len(self._wrong) >= _MOST_ADDRESSES:
            del self._wrong[next(iter(self._wrong))]
        self._wrong[name] = (since, count + 1)
