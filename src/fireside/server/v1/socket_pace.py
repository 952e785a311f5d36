"""How often the editor is told the counts of the queue: each telling costs it three lists of jobs, in every tab."""

import asyncio

from fireside.events.heard import Heard
from fireside.events.listener import Listener

EDITORS_SECONDS = 1.0


class PacedListener:
    """A listener whose counts come at most once in `seconds`, the latest ones; all else comes as it is heard."""

    def __init__(self, listener: Listener, seconds: float) -> None:
        self._listener = listener
        self._seconds = seconds
        self._held: Heard | None = None
        self._next_at = 0.0

    async def next(self) -> Heard:
        """Wait for the next thing; raises `ListenerClosed` when no more will come."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout_at(self._next_at if self._held is not None else None):
                    heard = await self._listener.next()
                if heard.counts is None:
                    return heard
                self._held = heard
            except TimeoutError:
                pass
            if self._held is not None and loop.time() >= self._next_at:
                heard, self._held, self._next_at = self._held, None, loop.time() + self._seconds
                return heard
