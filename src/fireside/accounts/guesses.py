"""Guesses at passwords, kept few: by who is guessed at from where, by where, and by who is guessed at.

Counted in the store before a password is looked at, so that neither several servers nor many guesses at once get round
it. Only guesses from one place lock that place out of one account; it takes many more, from many places, to lock
everybody out of it, and links go on to work.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from fireside.accounts.networks import network_of
from fireside.domain.errors import TooMany
from fireside.store.store import Store

COUNTED_FOR = timedelta(minutes=15)
MOST_FROM_THERE = 10
MOST_FROM_ADDRESS = 50
MOST_OF_NAME = 200
MOST_AT_PROVIDER = 60
"""Steps of sign-ins by a provider, going there and coming back, since the last one from that place that went well."""


class Guesses:
    """Counts tries to sign in."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def count(self, name: str, address: str) -> None:
        """Count a try; raises `TooMany` when there were too many of its like."""
        now = self._clock()
        counted = await self._store.count_sign_in_try(_subjects(name, address), now, counted_for=COUNTED_FOR)
        for (tries, began_at), most in zip(counted, (MOST_FROM_THERE, MOST_FROM_ADDRESS, MOST_OF_NAME), strict=True):
            if tries > most:
                raise _too_many(began_at, now)

    async def count_at_provider(self, address: str) -> None:
        """Count a step of a sign-in by a provider; raises `TooMany` for an address that never comes to its end."""
        now = self._clock()
        ((tries, began_at),) = await self._store.count_sign_in_try([_provider(address)], now, counted_for=COUNTED_FOR)
        if tries > MOST_AT_PROVIDER:
            raise _too_many(began_at, now)

    async def forget_at_provider(self, address: str) -> None:
        """Take back the steps that led to a sign-in."""
        await self._store.clear_sign_in_tries([_provider(address)])

    async def forget(self, name: str, address: str) -> None:
        """Take back what led to the right password; an address's other tries stay counted."""
        there, _, of_name = _subjects(name, address)
        await self._store.clear_sign_in_tries([there, of_name])


def _too_many(began_at: datetime, now: datetime) -> TooMany:
    wait = max(1, round((began_at + COUNTED_FOR - now).total_seconds()))
    return TooMany(f"Too many tries to sign in: wait {-(-wait // 60)} minutes, or use a link.", retry_after=wait)


def _provider(address: str) -> bytes:
    return _digest("provider", network_of(address))


def _subjects(name: str, address: str) -> tuple[bytes, bytes, bytes]:
    network = network_of(address)
    return _digest("there", name, network), _digest("address", network), _digest("name", name)


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
