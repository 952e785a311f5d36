"""A graph that ComfyUI has ahead of its turn, held back there by our node pack (`bridge/fireside_bridge/ahead.py`).

When the prompt that it follows has succeeded it begins by itself, so what is said of it is kept until somebody listens.
Where that one failed, or was over already, it waits until it is told to begin.
"""

import asyncio
import contextlib
from uuid import uuid4

from fireside.runtimes.comfyui.connection import LOST, Connection
from fireside.runtimes.comfyui.messages import Message, PreviewMessage, PromptAnswer

_MOST_KEPT = 64
_ASK_AGAIN_SECONDS = 0.1


class Ahead:
    """The graph of one task; `leader` is the id of the prompt that it follows."""

    def __init__(self, task_id: str, leader: str, connection: Connection) -> None:
        self.task_id = task_id
        self.prompt_id = uuid4().hex
        self.leader = leader
        self.connection = connection
        self.answered = asyncio.Event()
        """Set when it is known whether ComfyUI has taken it: it has if there is an `answer`."""
        self.answer: PromptAnswer | None = None
        self.has_begun = False
        self.heard: list[Message] = []

    def hear(self, message: Message) -> None:
        """Keep what is said; of many pictures, some."""
        if not isinstance(message, PreviewMessage) or len(self.heard) < _MOST_KEPT:
            self.heard.append(message)

    async def drop(self, connection: Connection) -> bool:
        """Have it forgotten, or stopped if it runs; false when it may still be there."""
        connection.listen(self.prompt_id, None)
        with contextlib.suppress(*LOST):
            if await connection.drop(self.prompt_id):
                return True
            await connection.interrupt(self.prompt_id)
        return False

    async def is_gone(self, connection: Connection, seconds: float) -> bool:
        """Have it stopped, and say whether it was in so many seconds."""
        with contextlib.suppress(*LOST):
            async with asyncio.timeout(seconds):
                while True:
                    queue = await connection.queue()
                    if self.prompt_id not in queue.running | queue.pending:
                        return True
                    await connection.interrupt(self.prompt_id)
                    await asyncio.sleep(_ASK_AGAIN_SECONDS)
        return False
