"""Reuse on a whole server with a worker of its own, which is killed in between."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.server.v1.test_socket_server import GRAPH, texts_of
from websockets.sync.client import connect


@pytest.fixture
def server(start_server: Callable[..., Any]) -> Any:
    return start_server("--workers=1", "--reuse")


def ended(http: Any, job_id: str) -> dict[str, Any]:
    """Wait for the job's end, and show it."""
    while (shown := http.get(f"/api/v2/jobs/{job_id}").json())["status"] in ("queued", "running"):
        http.get(f"/api/v2/jobs/{job_id}/events")
    return shown


def submit(http: Any) -> str:
    return http.post("/api/prompt", json={"prompt": GRAPH, "client_id": "mine"}).json()["prompt_id"]


def test_the_second_submit_has_the_same_bytes_and_is_heard_like_a_cached_run(server: Any) -> None:
    key = server.key_of("admin")
    with server.client() as http:
        first = ended(http, submit(http))
    server.kill()
    server.start()
    url = f"{server.url.replace('http', 'ws')}/ws?clientId=mine&token={key}"
    with server.client() as http, connect(url, max_size=None) as ear:
        job_id = submit(http)
        second = http.get(f"/api/v2/jobs/{job_id}").json()
        heard = texts_of(ear, job_id)

    assert [first["status"], second["status"]] == ["succeeded", "succeeded"]
    assert second["fireside"]["reused_from"] == first["id"]
    assert [one["hash"] for one in second["outputs"]] == [one["hash"] for one in first["outputs"]]
    assert [one["name"] for one in second["outputs"]] == ["a_00002_.png"]
    assert [text["type"] for text in heard] == [
        "execution_start",
        "execution_cached",
        "executed",
        "execution_success",
        "executing",
    ]
    assert heard[1]["data"]["nodes"] == ["1", "2", "3"]
    assert heard[2]["data"]["output"]["images"][0]["filename"] == "a_00002_.png"
