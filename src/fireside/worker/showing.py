"""What the nodes of one run have shown, on its way to the server.

What comes right before the end travels with it, in one report and one commit. So an output is held for a moment, which
nobody sees, and goes alone when the run goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable

from fireside.runtimes.base import NodeOutput
from fireside.wire.fleet import OutputBody

_HELD_SECONDS = 0.005


class Showing:
    """Holds at most one output: `prepare` gives it if it is small, and has sent it otherwise; `deliver` sends it."""

    def __init__(
        self,
        prepare: Callable[[NodeOutput], Awaitable[OutputBody | None]],
        deliver: Callable[[OutputBody], Awaitable[object]],
    ) -> None:
        self._prepare = prepare
        self._deliver = deliver
        self._held: OutputBody | None = None
        self._sending: asyncio.Task[None] | None = None

    async def show(self, event: NodeOutput) -> None:
        """Take what a node has shown; raises what the delivery of this or the former one raises."""
        await self.flush()
        self._held = await self._prepare(event)
        if self._held is not None:
            self._sending = asyncio.create_task(self._send_soon(), name="held output")

    async def flush(self) -> None:
        """Have the server know what is held."""
        await self._end_sending()
        await self._send()

    async def rest(self) -> tuple[OutputBody, ...]:
        """Give what is still held, for the report of the end."""
        await self._end_sending()
        held, self._held = self._held, None
        return () if held is None else (held,)

    async def drop(self) -> None:
        """Send nothing more."""
        self._held = None
        sending, self._sending = self._sending, None
        if sending is not None:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _end_sending(self) -> None:
        """Wait for what is being sent; what only waits for its moment need not."""
        sending, self._sending = self._sending, None
        if sending is None:
            return
        if self._held is not None:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        else:
            await sending

    async def _send_soon(self) -> None:
        await asyncio.sleep(_HELD_SECONDS)
        await self._send()

    async def _send(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            await self._deliver(held)
