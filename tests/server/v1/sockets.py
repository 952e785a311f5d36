"""Real websockets to a real server in this process, and what they hear."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.types import ASGIApp
from tests.events.stage import DEADLINE_SECONDS, Stage
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from fireside.domain.accounts import User
from fireside.server.listening import _Uvicorn, _uvicorn_config

Text = dict[str, Any]


@dataclass
class Ear:
    """A websocket, and all it has heard."""

    connection: ClientConnection
    heard: list[Text | bytes] = field(default_factory=list[Text | bytes])

    async def say(self, message: Any) -> None:
        """Send plain values as JSON, texts and bytes as they are."""
        is_raw = isinstance(message, str | bytes)
        await self.connection.send(message if is_raw else msgspec.json.encode(message).decode())

    async def next(self) -> Text | bytes:
        async with asyncio.timeout(DEADLINE_SECONDS):
            message = await self.connection.recv()
        one: Text | bytes = msgspec.json.decode(message) if isinstance(message, str) else message
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

    async def until_over(self, job_id: object) -> list[Text]:
        """Hear until the last message of a job, and give all texts about it."""
        await self.until(lambda text: text["data"].get("prompt_id") == str(job_id) and is_last(text))
        texts = [one for one in self.heard if isinstance(one, dict)]
        return [text for text in texts if text["data"].get("prompt_id") == str(job_id)]

    async def until_closed(self) -> int | None:
        """Hear until the server closes, and give its code."""
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(DEADLINE_SECONDS):
                while True:
                    await self.connection.recv()
        return self.connection.close_code


def is_last(text: Text) -> bool:
    """Whether this is the message that a job's messages end with."""
    return text["type"] == "executing" and text["data"]["node"] is None


def types(texts: list[Text]) -> list[str]:
    return [text["type"] for text in texts]


@dataclass
class Site:
    """A server that listens, and its visitors."""

    stage: Stage
    port: int
    doors: contextlib.AsyncExitStack

    async def ear(self, user: User, path: str = "/ws", **query: str) -> Ear:
        """Open a socket with a new key of the user's, closed with the test."""
        _, key = await self.stage.key(user)
        return await self.knock(path, None, token=key, **query)

    async def knock(
        self, path: str = "/ws", headers: dict[str, str] | None = None, name: str = "127.0.0.1", **query: str
    ) -> Ear:
        """Open a socket by this name of the host; raises InvalidStatus when it is refused."""
        url = f"ws://{name}:{self.port}{path}?{urlencode(query)}"
        connecting = connect(
            url, host="127.0.0.1", port=self.port, additional_headers=headers, compression=None, max_size=None
        )
        return Ear(await self.doors.enter_async_context(connecting))


@contextlib.asynccontextmanager
async def open_site(stage: Stage, app: ASGIApp) -> AsyncGenerator[Site]:
    """Serve as the real server does, on a port of the kernel's choice."""
    server = _Uvicorn(_uvicorn_config(stage.services.config, app, tls=False))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        task = asyncio.create_task(server.serve([listening]))
        try:
            async with contextlib.AsyncExitStack() as doors:
                yield Site(stage, listening.getsockname()[1], doors)
        finally:
            server.should_exit = True
            await task
