"""The websocket of a whole server with a worker of its own, in processes of their own."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

_DEADLINE_SECONDS = 240.0
GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 255}},
    "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "a"}},
}


@pytest.fixture
def server(start_server: Callable[..., Any]) -> Any:
    return start_server("--workers=1")


@pytest.fixture
def ear(server: Any) -> Iterator[ClientConnection]:
    url = f"{server.url.replace('http', 'ws')}/ws?clientId=mine&token={server.key_of('admin')}"
    with connect(url, max_size=None) as ear:
        yield ear


def texts_of(ear: ClientConnection, job_id: str) -> list[dict[str, Any]]:
    """Hear until the last message of the job, and give all texts about it."""
    texts: list[dict[str, Any]] = []
    while not texts or texts[-1]["type"] != "executing" or texts[-1]["data"]["node"] is not None:
        message = ear.recv(timeout=_DEADLINE_SECONDS)
        text = msgspec.json.decode(message) if isinstance(message, str) else {"data": {}}
        texts += [text] if text["data"].get("prompt_id") == job_id else []
    return texts


def test_a_run_and_one_that_reuses_it_are_heard_from_start_to_end(server: Any, ear: ClientConnection) -> None:
    runs: list[list[dict[str, Any]]] = []
    with server.client() as http:
        for _ in range(2):
            job_id = http.post("/api/prompt", json={"prompt": GRAPH, "client_id": "mine"}).json()["prompt_id"]
            runs.append(texts_of(ear, job_id))

    for run in runs:
        types = [text["type"] for text in run]
        assert types[:2] == ["execution_start", "execution_cached"]
        assert types[-2:] == ["execution_success", "executing"]
        assert types.count("executed") == 1
        last_state = [text for text in run if text["type"] == "progress_state"][-1]
        assert last_state["data"]["nodes"]["3"]["state"] == "finished"
    first, second = ([text["data"]["node"] for text in run if text["type"] == "executing"] for run in runs)
    assert first == ["1", "2", "3", None]
    assert second == ["3", None]
    assert runs[0][1]["data"]["nodes"] == []
    assert runs[1][1]["data"]["nodes"] == ["1", "2"]


def test_a_server_that_stops_says_goodbye(server: Any, ear: ClientConnection) -> None:
    server.process.terminate()

    with suppress(ConnectionClosed):
        while True:
            ear.recv(timeout=_DEADLINE_SECONDS)

    assert ear.protocol.close_code == 1001
