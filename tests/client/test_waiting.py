"""Waiting for a job: by the websocket where there is one, by asking where there is none."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from fireside.client import client as waiting_client
from fireside.client.client import FiresideClient
from fireside.client.connection import Address
from fireside.client.errors import ClientError
from fireside.client.progress import Progress


@dataclass
class Desk:
    """A job that ends when told, and whoever listens to it."""

    status: str = "in_progress"
    asked: int = 0
    first_asked: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    key: str | None = None

    async def job(self, request: Request) -> JSONResponse:
        self.asked += 1
        self.first_asked.set()
        return JSONResponse({"id": "1", "status": self.status, "create_time": 1})

    async def live(self, socket: WebSocket) -> None:
        self.key = socket.headers.get("x-api-key")
        await socket.accept()
        await socket.send_text("not json")
        await socket.send_bytes(b"\x00\x00\x00\x01")
        await socket.send_json({"type": "executing", "data": {"node": "3", "prompt_id": "1"}})
        await self.ended.wait()
        self.status = "completed"
        await socket.send_json({"type": "execution_success", "data": {"prompt_id": "1"}})
        await socket.close()

    def app(self, *, has_socket: bool) -> Starlette:
        routes: list[Any] = [Route("/api/jobs/1", self.job)]
        return Starlette(routes=[*routes, WebSocketRoute("/ws", self.live)] if has_socket else routes)


async def test_the_end_told_on_the_websocket_is_the_end(
    serve: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_client, "_CHECK_SECONDS", 600.0)
    desk = Desk()
    seen: list[Progress] = []
    async with FiresideClient(Address(url=await serve(desk.app(has_socket=True)), key="fsk_k")) as client:
        waiting = asyncio.create_task(client.wait("1", seen.append))
        await asyncio.wait_for(desk.first_asked.wait(), 60)
        desk.ended.set()
        job = await asyncio.wait_for(waiting, 60)

    assert job.status == "completed"
    assert seen[0] == Progress(is_running=True, node_id="3")
    assert desk.key == "fsk_k"
    assert desk.asked == 2


async def test_without_a_websocket_the_job_is_asked_for(serve: Callable[[Any], Any]) -> None:
    desk = Desk(status="failed")
    async with FiresideClient(Address(url=await serve(desk.app(has_socket=False)))) as client:
        job = await asyncio.wait_for(client.wait("1"), 60)

    assert job.status == "failed"


async def test_a_job_that_is_not_there_is_said(serve: Callable[[Any], Any]) -> None:
    async with FiresideClient(Address(url=await serve(Desk().app(has_socket=True)))) as client:
        with pytest.raises(ClientError):
            await asyncio.wait_for(client.wait("2/../../x"), 60)
