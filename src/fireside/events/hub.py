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
from fireside.domain.ids import JobId, UserId
from fireside.events.channel import SECOND_LOOK_SECONDS, Channel
from fireside.events.following import Standing
from fireside.events.listener import Closing, Listener, ListenerClosed
from fireside.store.store import Store
from fireside.wire.live import Fact, TaskProgress

_RETRY_SECONDS = 5
_GLANCE_SECONDS = 0.3
_WARM_SECONDS = 15.0
_GLANCE = "glance"
_log = structlog.get_logger(__name__)


class Hub:
    """Hands what is told of a user to that user's listeners."""

    def __init__(self, bus: Bus, store: Store) -> None:
        self._bus = bus
        self._store = store
        self._channels: dict[UserId, Channel] = {}
        self._catching_up: set[asyncio.Task[None]] = set()
        self._warm: dict[UserId, asyncio.Task[None]] = {}
        self._warm_until: dict[UserId, float] = {}
        self._is_closed = False
        bus.on_change(self._bus_changed)

    @contextlib.asynccontextmanager
    async def listening(
        self, user_id: UserId, *, job_id: JobId | None = None, at_most: int | None = None, kind: str = "connection"
    ) -> AsyncGenerator[Listener]:
        """Hear the user's counts and runs as they are now, and from then on all that happens to the user's jobs.

        With a job, only of that one. Raises `TooMany` when the user has `at_most` listeners of this kind already, and
        `Unavailable` while the bus is away.
        """
        channel = self._seat(user_id, kind, at_most)
        listener = Listener()
        try:
            try:
                await channel.join(listener, job_id)
            except BusError as error:
                raise Unavailable("live events are away for a moment", retry_after=_RETRY_SECONDS) from error
            yield listener
        finally:
            listener.close(Closing.LEFT)
            channel.leave(listener, job_id)
            await self._unseat(user_id, kind, channel)

    async def hear(self, user_id: UserId, told: Fact | TaskProgress) -> None:
        """Tell the user's listeners what has been committed here, without the way over the bus."""
        channel = self._channels.get(user_id)
        if channel is None:
            return
        try:
            await channel.hear(told)
        except FiresideError as error:
            _log.warning("fact lost, the store has it", user_id=user_id, code=error.code, reason=error.message)

    def standing_of(self, user_id: UserId, job_id: JobId) -> Standing | None:
        """Say how far a run is, as far as was heard; nothing is heard of users whom nobody listens to."""
        channel = self._channels.get(user_id)
        return None if channel is None else channel.standing_of(job_id)

    async def glance(self, user_id: UserId, job_id: JobId) -> Standing | None:
        """Say how far a run is, and listen to the user for a while, because who asks once asks again.

        The first time its worker is asked and may take a moment; None when nothing is heard of it by then.
        """
        is_first = user_id not in self._warm
        try:
            await self._keep_warm(user_id)
            if is_first:
                await self._hear_of(user_id, job_id)
        except FiresideError as error:
            _log.info("no glance at a run", code=error.code, reason=error.message)
        return self.standing_of(user_id, job_id)

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
        for task in self._warm.values():
            task.cancel()
        await asyncio.gather(*self._warm.values(), return_exceptions=True)
        for channel in list(self._channels.values()):
            await channel.close()

    async def _keep_warm(self, user_id: UserId) -> None:
        self._warm_until[user_id] = asyncio.get_running_loop().time() + _WARM_SECONDS
        if user_id in self._warm:
            return
        channel = self._seat(user_id, _GLANCE, None)
        self._warm[user_id] = asyncio.create_task(self._cool(user_id, channel), name=f"glances of user {user_id}")
        await channel.open()

    async def _cool(self, user_id: UserId, channel: Channel) -> None:
        """Listen until nobody has glanced for a while."""
        loop = asyncio.get_running_loop()
        try:
            while (left := self._warm_until[user_id] - loop.time()) > 0:  # noqa: ASYNC110 - nobody tells of time
                await asyncio.sleep(left)
        finally:
            del self._warm[user_id], self._warm_until[user_id]
            await self._unseat(user_id, _GLANCE, channel)

    async def _hear_of(self, user_id: UserId, job_id: JobId) -> None:
        """Wait for the worker's answer, for a moment."""
        with contextlib.suppress(TimeoutError, ListenerClosed):
            async with (
                asyncio.timeout(_GLANCE_SECONDS),
                self.listening(user_id, job_id=job_id, kind=_GLANCE) as listener,
            ):
                while (await listener.next()).frame is None:
                    pass

    def _seat(self, user_id: UserId, kind: str, at_most: int | None) -> Channel:
        if self._is_closed or not self._bus.is_connected:
            raise Unavailable("live events are away for a moment", retry_after=_RETRY_SECONDS)
        channel = self._channels.get(user_id)
        if channel is None:
            channel = self._channels[user_id] = Channel(user_id, self._bus, self._store)
        if at_most is not None and channel.seats[kind] >= at_most:
            raise TooMany(f"{at_most} of your connections are open: close one first", retry_after=_RETRY_SECONDS)
        channel.seats[kind] += 1
        return channel

    async def _unseat(self, user_id: UserId, kind: str, channel: Channel) -> None:
        channel.seats[kind] -= 1
        if not channel.seats.total():
            del self._channels[user_id]
            await channel.close()

    async def _catch_up_after_reconnecting(self) -> None:
        await self.catch_up()
        if self._bus.is_cluster:
            await asyncio.sleep(SECOND_LOOK_SECONDS)
            await self.catch_up()

    def _bus_changed(self, connected: bool) -> None:
        if connected and not self._is_closed:
            task = asyncio.create_task(self._catch_up_after_reconnecting(), name="catching up")
            self._catching_up.add(task)
            task.add_done_callback(self._catching_up.discard)
