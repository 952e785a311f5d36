"""Models of the registry on a real ComfyUI: what no worker has is fetched when a job names it."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from tests.comfyui.both import DEADLINE_SECONDS, Fireside, Heard
from tests.conftest import MakeServer

pytestmark = [pytest.mark.timeout(600), pytest.mark.once]
LOOK_SECONDS = 0.1


class Source:
    """A host that gives files to everybody."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.held: dict[str, threading.Event] = {}
        """What is given by half, and the rest of it when the test says so."""
        files, held = self.files, self.held

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = files.get(self.path)
                self.send_response(200 if content is not None else 404)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                half = len(content or b"") // 2 if self.path in held else 0
                if content is not None and half:
                    self.wfile.write(content[:half])
                    held[self.path].wait(DEADLINE_SECONDS)
                with contextlib.suppress(ConnectionError):
                    self.wfile.write((content or b"")[half:])

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def source() -> Iterator[Source]:
    made = Source()
    yield made
    made.close()


@pytest.fixture(scope="module")
def fireside(
    make_server: MakeServer,
    tmp_path_factory: pytest.TempPathFactory,
    comfyui_dir: Path,
    comfyui_python: Path,
    source: Source,
) -> Iterator[Fireside]:
    options = (
        f"--comfyui-dir={comfyui_dir}", f"--comfyui-python={comfyui_python}", "--gpus=cpu",
        "--comfyui-arguments=--disable-api-nodes", "--comfyui-preview-method=none", "--model-formats=.ckpt",
        f"--model-hosts={source.url.removeprefix('http://')}", "--outbound-private-hosts=127.0.0.1",
    )  # fmt: skip
    with (
        make_server(tmp_path_factory.mktemp("models") / "data", *options) as server,
        server.watch(server.key_of("admin")) as socket,
    ):
        yield Fireside(server, socket)
        assert server.stop() == 0


@pytest.fixture(scope="module")
def checkpoint(comfyui_dir: Path) -> bytes:
    return (comfyui_dir / "models" / "checkpoints" / "tiny_sd15.ckpt").read_bytes()


def diffusion(checkpoint: str) -> dict[str, Any]:
    def node(class_type: str, **inputs: Any) -> dict[str, Any]:
        return {"class_type": class_type, "inputs": inputs}

    return {
        "1": node("CheckpointLoaderSimple", ckpt_name=checkpoint),
        "2": node("EmptyLatentImage", width=64, height=64, batch_size=1),
        "3": node("CLIPTextEncode", clip=["1", 1], text="a tiny red cube"),
        "4": node(
            "KSampler", model=["1", 0], positive=["3", 0], negative=["3", 0], latent_image=["2", 0], seed=1, steps=1,
            cfg=1.0, sampler_name="euler", scheduler="normal", denoise=1.0,
        ),
        "5": node("VAEDecode", samples=["4", 0], vae=["1", 2]),
        "6": node("SaveImage", images=["5", 0], filename_prefix="fetched"),
    }  # fmt: skip


def upload(fireside: Fireside, name: str, content: bytes) -> dict[str, Any]:
    answer = fireside.http.put(f"/admin/api/models/checkpoints/{name}", content=content)
    assert answer.status_code == 201, answer.text
    return answer.json()


def add(fireside: Fireside, name: str, url: str, content: bytes) -> None:
    body = {
        "folder": "checkpoints", "name": name, "source_url": url, "blake3": blake3(content).hexdigest(),
        "size_bytes": len(content),
    }  # fmt: skip
    answer = fireside.http.post("/admin/api/models", json=body)
    assert answer.status_code == 201, answer.text


def run(fireside: Fireside, checkpoint: str) -> Heard:
    return fireside.follow(fireside.submit(diffusion(checkpoint)))


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(LOOK_SECONDS)


def test_a_job_runs_whose_checkpoint_is_only_in_the_registry(fireside: Fireside, checkpoint: bytes) -> None:
    model = upload(fireside, "studio/only.ckpt", checkpoint)
    assert (model["blake3"], model["size_bytes"]) == (blake3(checkpoint).hexdigest(), len(checkpoint))

    assert run(fireside, "studio/only.ckpt").end[0] == "execution_success"

    def fetched_by() -> list[str]:
        return fireside.http.get("/admin/api/models/checkpoints/studio/only.ckpt").raise_for_status().json()["workers"]

    until(lambda: fetched_by() == ["local-1"])


def test_models_of_the_registry_are_listed_like_all_others(fireside: Fireside, checkpoint: bytes) -> None:
    upload(fireside, "listed.ckpt", checkpoint)

    names = fireside.http.get("/api/models/checkpoints").json()
    files = fireside.http.get("/api/experiment/models/checkpoints").json()
    (choices, _) = fireside.http.get("/api/object_info/CheckpointLoaderSimple").json()["CheckpointLoaderSimple"][
        "input"
    ]["required"]["ckpt_name"]

    assert {"listed.ckpt", "tiny_sd15.ckpt"} <= set(names)
    assert ("listed.ckpt", len(checkpoint)) in [(file["name"], file["size"]) for file in files]
    assert {"listed.ckpt", "tiny_sd15.ckpt"} <= set(choices)
    assert not any("fireside" in choice for choice in choices)


def test_a_model_comes_from_the_address_that_the_registry_names(
    fireside: Fireside, checkpoint: bytes, source: Source
) -> None:
    content = checkpoint + b"\0"  # a file of its own, which the loader reads alike
    source.files["/away.ckpt"] = content
    add(fireside, "away.ckpt", f"{source.url}/away.ckpt", content)

    assert run(fireside, "away.ckpt").end[0] == "execution_success"


def test_a_model_that_cannot_be_had_fails_its_job_and_says_why(fireside: Fireside, source: Source) -> None:
    add(fireside, "gone.ckpt", f"{source.url}/gone.ckpt", b"what was there once")

    kind, error = run(fireside, "gone.ckpt").end

    assert (kind, error["exception_type"]) == ("execution_error", "ModelDownloadError")
    assert (error["node_id"], error["node_type"]) == ("1", "CheckpointLoaderSimple")
    assert "checkpoints/gone.ckpt" in error["exception_message"]
    assert "404" in error["exception_message"]


def test_a_model_on_its_way_is_seen_wherever_one_looks(fireside: Fireside, source: Source) -> None:
    content = bytes(range(256)) * 4096
    half = len(content) // 2
    source.files["/slow.ckpt"], source.held["/slow.ckpt"] = content, threading.Event()
    add(fireside, "slow.ckpt", f"{source.url}/slow.ckpt", content)
    job_id = fireside.submit(diffusion("slow.ckpt"))

    said = _first_progress(fireside, job_id)

    assert (said["message"], said["value"], said["nodes_done"]) == ("Fetching checkpoints/slow.ckpt, 50 %", 0, 0)
    v2 = fireside.http.get(f"/api/v2/jobs/{job_id}").json()
    assert (v2["status"], v2["progress"]["message"]) == ("queued", said["message"])
    job = fireside.job(job_id)
    told = {"worker": "local-1", "model": "checkpoints/slow.ckpt", "done_bytes": half, "size_bytes": len(content)}
    waiting = job["fireside"]["waiting"]
    assert (job["status"], waiting["reason"]) == ("pending", "fetching_model")
    assert told.items() <= waiting["fetching"].items()
    assert waiting["message"].startswith("The worker local-1 fetches the model checkpoints/slow.ckpt (50 % of 1.0 MiB")
    (worker,) = fireside.http.get("/admin/api/workers").json()["workers"]
    assert [told.items() <= one.items() for one in worker["fetching"]] == [True]
    (model,) = [one for one in fireside.http.get("/admin/api/models").json()["models"] if one["name"] == "slow.ckpt"]
    assert [told.items() <= one.items() for one in model["fetching"]] == [True]
    for page in ("/dashboard/fleet", "/dashboard/models", f"/dashboard/jobs/{job_id}"):
        assert "50 % of 1.0 MiB" in fireside.http.get(page).text
    # Nothing of it comes by the websocket, where clients would take it for a run.
    fireside.http.post(f"/api/jobs/{job_id}/cancel").raise_for_status()
    source.held["/slow.ckpt"].set()
    assert [kind for kind, _ in fireside.follow(job_id).messages] == ["execution_interrupted"]
    until(lambda: fireside.http.get("/admin/api/workers").json()["workers"][0]["fetching"] == [])


def _first_progress(fireside: Fireside, job_id: str) -> dict[str, Any]:
    """Listen to the job's events until its progress tells of half of a model."""
    with fireside.http.stream("GET", f"/api/v2/jobs/{job_id}/events", timeout=DEADLINE_SECONDS) as events:
        for line in events.iter_lines():
            if line.startswith("data:") and "Fetching" in line and "50 %" in line:
                return json.loads(line.removeprefix("data:"))
    raise AssertionError("the stream has ended")


def test_a_graph_with_a_model_that_left_the_registry_is_refused(fireside: Fireside, checkpoint: bytes) -> None:
    upload(fireside, "left.ckpt", checkpoint)
    assert run(fireside, "left.ckpt").end[0] == "execution_success"
    assert fireside.http.delete("/admin/api/models/checkpoints/left.ckpt").status_code == 204

    answer = fireside.http.post("/api/prompt", json={"prompt": diffusion("left.ckpt")})

    assert answer.status_code == 400
    (problem,) = answer.json()["node_errors"]["1"]["errors"]
    assert problem["type"] == "value_not_in_list"
