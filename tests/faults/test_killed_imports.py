"""kill -9 of the server in the middle of fetching files: what waits in the background comes all the same, whole."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from blake3 import blake3
from tests.databases import Databases

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

_HALF = b"a" * 300_000
CONTENT = _HALF + b"b" * 300_000
_PATIENCE_SECONDS = 180.0
_LOOK_SECONDS = 0.1
_WAITS = ("created", "running")


@dataclass
class Source:
    """A site that sends half of each file, and the rest when it is let go; what is at `/gone` can go meanwhile."""

    url: str = ""
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    let_go: threading.Event = field(default_factory=threading.Event)
    is_gone: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def source() -> Iterator[Source]:
    made = Source()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/gone" and made.is_gone.is_set():
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(_HALF)
            self.wfile.flush()
            made.asked.release()
            made.let_go.wait(_PATIENCE_SECONDS)
            self.wfile.write(CONTENT[len(_HALF) :])

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name that http.server calls it by
            """Say nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

    site = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.daemon_threads = True
    made.url = f"http://127.0.0.1:{site.server_port}"
    serving = threading.Thread(target=site.serve_forever, name="source")
    serving.start()
    yield made
    made.let_go.set()
    site.shutdown()
    site.server_close()
    serving.join(10)


def _until(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(_LOOK_SECONDS)
    return found


def _unfinished(server: Any) -> list[Path]:
    return list((server.data_dir / "blobs" / "unfinished").iterdir())


def _begin(client: httpx.Client, source: Source, name: str) -> str:
    wanted = {"source_url": f"{source.url}/{name}", "name": f"{name}.bin"}
    return client.post("/api/assets/download", json=wanted).raise_for_status().json()["task_id"]


def _ended(client: httpx.Client, task_id: str) -> Any:
    task = client.get(f"/api/tasks/{task_id}").raise_for_status().json()
    return None if task["status"] in _WAITS else task


def test_a_killed_server_fetches_again_what_is_still_there_and_keeps_no_half_file(
    start_server: Any, source: Source, databases: Databases
) -> None:
    server = start_server(
        "--workers=0",
        FIRESIDE_IMPORT_HOSTS="127.0.0.1:*",
        FIRESIDE_OUTBOUND_PRIVATE_HOSTS="127.0.0.1",
        FIRESIDE_OUTBOUND_READ_SECONDS=str(_PATIENCE_SECONDS),
    )
    client = server.client(server.add_user("ada"))
    task_id, lost_id = _begin(client, source, "later"), _begin(client, source, "gone")
    with ThreadPoolExecutor() as waiting:
        at_once = waiting.submit(client.post, "/api/assets", json={"url": f"{source.url}/now", "name": "now.bin"})
        for _ in range(3):
            assert source.asked.acquire(timeout=90)
        _until(lambda: len(_unfinished(server)) == 3)

        server.kill()
        assert isinstance(at_once.exception(timeout=90), httpx.TransportError)
    source.is_gone.set()
    with databases.raw(server.data_dir) as execute:
        # Nobody waits until the dead server's time with its tasks is over.
        execute("UPDATE task SET due_at = created_at WHERE due_at IS NOT NULL")
    server.start()

    assert client.get("/api/assets").json()["assets"] == []
    assert client.get(f"/api/tasks/{task_id}").json()["status"] in ("created", "running")
    source.let_go.set()
    task, lost = _until(lambda: _ended(client, task_id)), _until(lambda: _ended(client, lost_id))
    assert (task["status"], task["result"]["hash"]) == ("completed", f"blake3:{blake3(CONTENT).hexdigest()}")
    assert (lost["status"], lost["result"]["success"]) == ("failed", False)
    assert "404" in lost["result"]["error"] or "nothing" in lost["result"]["error"]
    (asset,) = client.get("/api/assets").json()["assets"]
    assert (asset["id"], asset["name"], asset["size"]) == (task["result"]["asset_id"], "later.bin", len(CONTENT))
    assert client.get(f"/api/assets/{asset['id']}/content").content == CONTENT
    blobs = [path for path in (server.data_dir / "blobs").rglob("*") if path.is_file() and len(path.name) == 64]
    assert [path.stat().st_size for path in blobs] == [len(CONTENT)]
