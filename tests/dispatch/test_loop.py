"""The dispatcher's own loop, which ticks by itself."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.jobs.workshop import Workshop, open_workshop, until

from fireside.dispatch.dispatcher import Dispatcher


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with open_workshop(tmp_path) as shop:
        yield shop


async def test_a_loop_that_is_woken_while_it_is_stopped_stops(shop: Workshop) -> None:
    dispatcher = Dispatcher(shop.desk, shop.services.bus, name="leader")
    await dispatcher.start()
    await until(lambda: bool(dispatcher._wake._waiters))  # pyright: ignore[reportAttributeAccessIssue]

    dispatcher._wake.set()

    await asyncio.wait_for(dispatcher.stop(), 5)
