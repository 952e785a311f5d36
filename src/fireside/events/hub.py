"""Live events for the listeners of this process.

The hub hears only users somebody listens to, and after the bus was away it has them catch up from the store. It
writes nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import structlog

from fireside.bus.client import Bus
from fireside.bus.errors import BusError
from fireside.domain.errors import FiresideError, TooMany, Unavailable
from fireside.domain.ids import UserId
from fireside.events.channel import Channel
from fireside.events.listener import Closing, Listener
from fireside.store.store import Store

_RETRY_SECONDS = 5
_log = structlog.get_logger(__name__)


class Hub:
    """Hands what is told of a user to that user's listeners."""

    def __init__(self, bus: Bus, store: Store) -> None:
        self._bus = bus
        self._store = store
        self._channels: dict[UserId, Channel] = {}
        self._catching_up: set[asyncio.Task[None]] = set()
        self._is_closed = False
        bus.on_change(self._bus_changed)

    @contextlib.asynccontextmanager
    async def listening(self, user_id: UserId, *, at_most: int | None = None) -> AsyncGenerator[Listener]:
        """Hear the user's counts and runs as they are now, and from then on all that happens to the user's jobs.

        Raises `TooMany` when the user has `at_most` listeners already, and `Unavailable` while the bus is away.
        """
        channel = self._seat(user_id, at_most)
        listener = Listener()
        try:
            try:
                await channel.join(listener)
            except BusError as error:
                raise Unavailable("live events are away for a moment", retry_after=_RETRY_SECONDS) from error
            yield listener
        finally:
            listener.close(Closing.LEFT)
            await self._unseat(user_id, channel, listener)

    async def catch_up(self) -> None:
        """Have every channel read from the store, and from the workers, what it did not hear."""
        for channel in list(self._channels.values()):
            try:
                await self._bus.flush()  # the subscriptions are back before the store is read
                await channel.catch_up()
                await channel.ask_workers()
            except FiresideError as error:
                _log.info("not caught up yet", code=error.code, reason=error.message)

    async def close(self) -> None:
        """Close all listeners and subscriptions; nobody can listen any more."""
        self._is_closed = True
        for task in self._catching_up:
            task.cancel()
        await asyncio.gather(*self._catching_up, return_exceptions=True)
        for channel in list(self._channels.values()):
            await channel.close()

    def _seat(self, user_id: UserId, at_most: int | None) -> Channel:
        if self._is_closed or not self._bus.is_connected:
            raise Unavailable("live events are away for a moment", retry_after=_RETRY_SECONDS)
        channel = self._channels.get(user_id)
        if channel is None:
            channel = self._channels[user_id] = Channel(user_id, self._bus, self._store)
        if at_most is not None and channel.seats >= at_most:
            raise TooMany(f"{at_most} of your connections are open: close one first", retry_after=_RETRY_SECONDS)
        channel.seats += 1
        return channel

    async def _unseat(self, user_id: UserId, channel: Channel, listener: Listener) -> None:
        channel.leave(listener)
        channel.seats -= 1
        if not channel.seats:
            del self._channels[user_id]
            await channel.close()

    def _bus_changed(self, connected: bool) -> None:
        if connected and not self._is_closed:
            task = asyncio.create_task(self.catch_up(), name="catching up")
            self._catching_up.add(task)
            task.add_done_callback(self._catching_up.discard)
