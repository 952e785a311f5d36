"""Workers with a real ComfyUI, seen through the public API: what people submit, watch, cancel and download."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from PIL import Image
from tests.conftest import MakeServer, ServerProcess

from fireside.processes.leftovers import start_time

# The same faults of workers with the builtin runtime are seen on each database.
pytestmark = [pytest.mark.fault, pytest.mark.once]

DEADLINE_SECONDS = 240.0
DIFFUSION = Path(__file__).with_name("tiny_diffusion.json")
ENDS = ("execution_success", "execution_error", "execution_interrupted")


def diffusion(*, steps: int = 4, seed: int = 1) -> dict[str, Any]:
    graph = msgspec.json.decode(DIFFUSION.read_bytes(), type=dict[str, Any])
    graph["3"]["inputs"] |= {"steps": steps, "seed": seed}
    return graph


@pytest.fixture(scope="module")
def server(
    make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory, comfyui_dir: Path, comfyui_python: Path
) -> Iterator[ServerProcess]:
    options = (
        f"--comfyui-dir={comfyui_dir}", f"--comfyui-python={comfyui_python}", "--gpus=cpu", "--label=kind=real",
        "--comfyui-arguments=--disable-api-nodes", "--interrupt-seconds=3",
    )  # fmt: skip
    with make_server(tmp_path_factory.mktemp("comfyui") / "data", *options) as server:
        yield server
        children = comfyui_pids(server.data_dir)
        server.stop()
        until(lambda: not any(start_time(pid) for pid in children))


@pytest.fixture
def client(server: ServerProcess) -> httpx.Client:
    return server.client()


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def comfyui_pids(data_dir: Path) -> list[int]:
    """The ComfyUI processes that work in the data folder."""
    found = [(pid, words) for pid, words in _processes() if "main.py" in words and str(data_dir) in words]
    # Beside each is the process that ends it with its worker.
    return [pid for pid, words in found if "keeper" not in words]


def _processes() -> Iterator[tuple[int, str]]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield int(path.parent.name), path.read_text(errors="replace").replace("\0", " ")
        except OSError:
            continue


def submit(client: httpx.Client, graph: dict[str, Any], **extra_data: Any) -> str:
    answer = client.post("/api/prompt", json={"prompt": graph, "extra_data": extra_data})
    assert answer.status_code == 200, answer.text
    return answer.json()["prompt_id"]


def follow(socket: Any, job: str, *, until_types: tuple[str, ...] = ENDS) -> list[Any]:
    """Read the socket until the job ends: messages as (type, data), pictures as bytes."""
    heard: list[Any] = []
    while True:
        message = socket.recv(timeout=DEADLINE_SECONDS)
        if isinstance(message, bytes):
            heard.append(message)
            continue
        said = msgspec.json.decode(message)
        if said["data"].get("prompt_id") == job:
            heard.append((said["type"], said["data"]))
            if said["type"] in until_types:
                return heard


def status(client: httpx.Client, job: str) -> str:
    return client.get(f"/api/jobs/{job}").json()["status"]


def worker_at_rest(client: httpx.Client) -> dict[str, Any]:
    """Wait until the worker takes jobs, and show it: a test before this may have had its ComfyUI ended."""

    def listed() -> dict[str, Any]:
        (worker,) = client.get("/admin/api/workers").json()["workers"]
        return worker

    until(lambda: listed()["state"] == "ready")
    return listed()


def test_a_diffusion_runs_with_previews_and_its_picture_comes_out(server: ServerProcess, client: httpx.Client) -> None:
    with server.watch(client.headers["X-API-Key"]) as socket:
        job = submit(client, diffusion(seed=7))
        heard = follow(socket, job)

    assert heard[-1][0] == "execution_success"
    assert any(isinstance(said, bytes) for said in heard)
    assert {
        data["node"] for kind, data in (said for said in heard if isinstance(said, tuple)) if kind == "progress"
    } == {"3"}
    (item,) = client.get(f"/api/jobs/{job}").json()["outputs"]["9"]["images"]
    picture = client.get("/api/view", params=item, follow_redirects=True)
    assert Image.open(BytesIO(picture.content)).size == (64, 64)


def test_the_same_workflow_again_shows_its_picture_again(server: ServerProcess, client: httpx.Client) -> None:
    shown: list[bytes] = []
    for _ in range(2):
        with server.watch(client.headers["X-API-Key"]) as socket:
            job = submit(client, diffusion(seed=8))
            assert follow(socket, job)[-1][0] == "execution_success"
        (item,) = client.get(f"/api/jobs/{job}").json()["outputs"]["9"]["images"]
        shown.append(client.get("/api/view", params=item, follow_redirects=True).content)

    first, second = (Image.open(BytesIO(content)).tobytes() for content in shown)
    assert first == second


def test_a_running_job_is_canceled(server: ServerProcess, client: httpx.Client) -> None:
    with server.watch(client.headers["X-API-Key"]) as socket:
        job = submit(client, diffusion(steps=10_000))
        follow(socket, job, until_types=("progress",))

        client.post("/api/interrupt").raise_for_status()

        assert follow(socket, job)[-1][0] == "execution_interrupted"
    assert status(client, job) == "cancelled"


def test_a_job_whose_comfyui_is_killed_runs_again(server: ServerProcess, client: httpx.Client) -> None:
    with server.watch(client.headers["X-API-Key"]) as socket:
        job = submit(client, diffusion(steps=10_000, seed=9))
        follow(socket, job, until_types=("progress",))
        (before,) = comfyui_pids(server.data_dir)

        os.kill(before, signal.SIGKILL)

        follow(socket, job, until_types=("execution_start",))
        follow(socket, job, until_types=("progress",))
        (after,) = comfyui_pids(server.data_dir)
        assert after != before
        client.post("/api/interrupt").raise_for_status()
        assert follow(socket, job)[-1][0] == "execution_interrupted"


def test_a_job_that_takes_longer_than_it_may_fails(server: ServerProcess, client: httpx.Client) -> None:
    with server.watch(client.headers["X-API-Key"]) as socket:
        graph = diffusion(steps=10_000, seed=10)
        job = submit(client, graph, fireside={"max_run_seconds": 1})

        kind, data = follow(socket, job)[-1]

    # Where a machine is slow the time is over before the sampler's turn has come.
    assert (kind, data["exception_type"]) == ("execution_error", "TimeoutError")
    assert data["node_id"] in graph


def test_a_node_that_hangs_has_its_comfyui_ended_and_the_next_job_runs(
    server: ServerProcess, client: httpx.Client
) -> None:
    with server.watch(client.headers["X-API-Key"]) as socket:
        job = submit(client, diffusion(steps=10_000, seed=11))
        follow(socket, job, until_types=("progress",))
        (pid,) = comfyui_pids(server.data_dir)
        os.kill(pid, signal.SIGSTOP)

        client.post("/api/interrupt").raise_for_status()

        assert follow(socket, job)[-1][0] == "execution_interrupted"
        next_job = submit(client, diffusion(seed=12))
        assert follow(socket, next_job)[-1][0] == "execution_success"


def test_the_fleet_list_says_what_the_worker_is(client: httpx.Client) -> None:
    worker = worker_at_rest(client)

    assert (worker["id"], worker["runtime"], worker["labels"]) == ("local-1", "comfyui", {"kind": "real"})
    assert worker["devices"]


def test_a_comfyui_that_somebody_else_runs_does_jobs_too(
    make_server: MakeServer, server: ServerProcess, client: httpx.Client, tmp_path: Path
) -> None:
    worker_at_rest(client)
    (pid,) = comfyui_pids(server.data_dir)
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    port = words[words.index("--port") + 1]
    with make_server(tmp_path / "data", f"--comfyui-url=http://127.0.0.1:{port}") as other:
        theirs = other.client()
        with other.watch(theirs.headers["X-API-Key"]) as socket:
            job = submit(theirs, diffusion(seed=13))
            assert follow(socket, job)[-1][0] == "execution_success"
        (item,) = theirs.get(f"/api/jobs/{job}").json()["outputs"]["9"]["images"]
        assert theirs.get("/api/view", params=item, follow_redirects=True).content.startswith(b"\x89PNG")
        other.stop()
    assert comfyui_pids(server.data_dir) == [pid]
