"""Real websockets to a real server in this process, and what they hear."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import uvicorn
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect

DEADLINE_SECONDS = 20.0

Text = dict[str, Any]


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@contextlib.asynccontextmanager
async def listening(app: ASGIApp) -> AsyncGenerator[int]:
    """Serve on a port of the kernel's choice, as the real server does, and give the port."""
    config = uvicorn.Config(
        app, ws="websockets-sansio", ws_max_size=1024 * 1024, lifespan="off", log_config=None, access_log=False
    )
    server = _Uvicorn(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve([listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


@dataclass
class Ear:
    """A websocket, and all it has heard."""

    connection: ClientConnection
    heard: list[Text | bytes] = field(default_factory=list[Text | bytes])

    async def next(self) -> Text | bytes:
        async with asyncio.timeout(DEADLINE_SECONDS):
            message = await self.connection.recv()
        one = msgspec.json.decode(message) if isinstance(message, str) else message
        self.heard.append(one)
        return one

    async def until(self, wanted: Callable[[Text], bool]) -> Text:
        """Hear until a wanted text comes."""
        while True:
            one = await self.next()
            if isinstance(one, dict) and wanted(one):
                return one

    async def until_type(self, kind: str) -> Text:
        return await self.until(lambda text: text["type"] == kind)

    async def until_over(self, job_id: object) -> Text:
        """Hear until the last message of a job."""
        return await self.until(lambda text: text["data"].get("prompt_id") == str(job_id) and is_last(text))

    async def closing_code(self) -> int:
        """Hear until the server closes."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for _ in self.connection:
                pass
            await self.connection.wait_closed()
        assert self.connection.close_code is not None
        return self.connection.close_code

    def texts(self, job_id: object) -> list[Text]:
        """The texts about a job, in order."""
        texts = [one for one in self.heard if isinstance(one, dict)]
        return [text for text in texts if text["data"].get("prompt_id") == str(job_id)]

    def types(self, job_id: object) -> list[str]:
        return [text["type"] for text in self.texts(job_id)]


def is_last(text: Text) -> bool:
    """Whether this is the message that a job's messages end with."""
    return text["type"] == "executing" and text["data"]["node"] is None


def open_socket(port: int, path: str = "/ws", headers: dict[str, str] | None = None, **query: str) -> connect:
    """Open a websocket; without compression, so that what is sent is what travels."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return connect(f"ws://127.0.0.1:{port}{path}?{asked}", additional_headers=headers, compression=None, max_size=None)
