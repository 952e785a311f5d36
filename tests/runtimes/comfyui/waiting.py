"""Waiting for what tells nobody, with a deadline."""

import asyncio
from collections.abc import Callable, Iterable

from fireside.processes.leftovers import start_time

SECONDS = 180.0


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not happened():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def until_gone(pids: Iterable[int]) -> None:
    wanted = list(pids)
    await until(lambda: all(start_time(pid) is None for pid in wanted))
