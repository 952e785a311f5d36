"""kill -9 of the server in the middle of uploads and submits under idempotency keys: a key is used up exactly if what
it was for is there.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from blake3 import blake3

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

_THREADS, _ENOUGH = 8, 25
FORM = {"content_type": "application/octet-stream"}


def _content(name: str) -> bytes:
    return f"the bytes of {name}".encode() * 500


def _upload(client: httpx.Client, name: str) -> httpx.Response:
    form = FORM | {"file_path": f"{name}.bin"}
    files = {"file": (f"{name}.bin", _content(name))}
    return client.post("/api/v2/assets", data=form, files=files, headers={"Idempotency-Key": name})


def _submit(client: httpx.Client, name: str) -> httpx.Response:
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": name}},
    }
    body = {"workflow": graph, "metadata": {"name": name}}
    return client.post("/api/v2/jobs", json=body, headers={"Idempotency-Key": name})


def _has_asset(client: httpx.Client, name: str) -> bool:
    return client.head(f"/api/v2/assets/by-hash/blake3:{blake3(_content(name)).hexdigest()}").status_code == 200


def _has_job(client: httpx.Client, name: str) -> bool:
    found = client.get("/api/v2/jobs", params={"metadata[name]": name}).raise_for_status().json()["jobs"]
    assert len(found) <= 1
    return len(found) == 1


WAYS: dict[str, Any] = {"upload": (_upload, _has_asset), "submit": (_submit, _has_job)}


class _Senders:
    """Send one after the other under keys of their own, until nobody answers."""

    def __init__(self, client: httpx.Client, send: Any) -> None:
        self._client = client
        self._send = send
        self.sent: list[str] = []
        self.answered: list[str] = []
        self.enough = threading.Event()

    def run(self, thread: int) -> None:
        for number in range(10_000):
            name = f"{thread}-{number}"
            self.sent.append(name)
            try:
                answer = self._send(self._client, name)
            except httpx.TransportError:
                return
            assert answer.status_code == 201, answer.text
            self.answered.append(name)
            if len(self.answered) >= _ENOUGH:
                self.enough.set()


@pytest.mark.parametrize("way", WAYS)
def test_a_key_is_used_up_exactly_if_what_it_was_for_is_there(start_server: Any, way: str) -> None:
    send, has = WAYS[way]
    server = start_server("--workers=1")
    client = server.client()
    senders = _Senders(client, send)
    with ThreadPoolExecutor(_THREADS) as pool:
        runs = [pool.submit(senders.run, thread) for thread in range(_THREADS)]
        assert senders.enough.wait(240), server.log()[-2000:]
        server.kill()
        for run in runs:
            run.result()
    server.start()

    assert len(senders.sent) > len(senders.answered)
    for name in senders.sent:
        is_there = has(client, name)
        assert is_there or name not in senders.answered, name
        again = send(client, name)
        assert (again.status_code == 422) == is_there, (name, again.text)
        if again.status_code == 422:
            assert again.json()["error"]["code"] == "idempotency_key_reuse"
        assert has(client, name)
