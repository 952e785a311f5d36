"""A receiver of webhooks on loopback, as its owner would write one, which fails and dawdles on request."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(kw_only=True)
class Receiver:
    """What has come, each message once it is taken."""

    port: int = 0
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    tries: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    is_slow: bool = False
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://hooks.test:{self.port}/hook"

    @property
    def events(self) -> list[str]:
        return [message["type"] for message in self.messages]

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.tries.append((headers, body))
        self.reached.set()
        if self.is_slow:
            await self.let_go.wait()
        if self.status < 300:
            self.messages.append(json.loads(body))
        text = "what I think of it" if self.status != 204 else None
        return web.Response(status=self.status, text=text, headers=self.headers)


def verify(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Check a message as the specification of Standard Webhooks tells receivers to."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in headers["webhook-signature"].split(" ")


@contextlib.asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    receiver.port = listener.getsockname()[1]
    await web.SockSite(runner, listener).start()
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        await runner.cleanup()
