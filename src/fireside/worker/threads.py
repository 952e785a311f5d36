"""Work that happens in threads because it waits for the disk."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


async def in_thread(work: Callable[[], Answer]) -> Answer:
    """Do it in a thread and, when canceled, wait for the thread before passing that on.

    A thread cannot be stopped, and must not go on writing into a file that somebody else has by then.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
