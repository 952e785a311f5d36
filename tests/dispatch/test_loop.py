"""The dispatcher's own loop, which ticks by itself."""

import asyncio

from tests.jobs.workshop import DEADLINE_SECONDS, Workshop, until

from fireside.dispatch.dispatcher import Dispatcher


async def test_a_loop_that_is_woken_while_it_is_stopped_stops(shop: Workshop) -> None:
    dispatcher = Dispatcher(shop.desk, shop.services.bus, await shop.lookout(), name="leader")
    await dispatcher.start()
    await until(lambda: bool(dispatcher._wake._waiters))  # pyright: ignore[reportAttributeAccessIssue]

    dispatcher._wake.set()

    await asyncio.wait_for(dispatcher.stop(), DEADLINE_SECONDS)
