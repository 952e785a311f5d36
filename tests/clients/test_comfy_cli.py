"""comfy-cli in cloud mode, with its base URL set to a server of ours."""

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.clients.conftest import Comfy
from tests.conftest import ServerProcess
from websockets.sync.client import ClientConnection

pytestmark = pytest.mark.once

_SECONDS = 400
COLOR = {"class_type": "EmptyImage", "inputs": {"width": 32, "height": 16, "batch_size": 1, "color": 255}}
LARGE = {"class_type": "EmptyImage", "inputs": {"width": 4096, "height": 4096, "batch_size": 1, "color": 0}}


def _saved(*nodes: Mapping[str, Any]) -> dict[str, Any]:
    """A row of nodes, and a node that saves what the last one makes."""
    save = {"class_type": "SaveImage", "inputs": {"images": [str(len(nodes)), 0], "filename_prefix": "cli"}}
    return {str(place): node for place, node in enumerate([*nodes, save], 1)}


def _blurs(count: int) -> list[dict[str, Any]]:
    blurs = [{"image": [str(place + 1), 0], "blur_radius": 31, "sigma": 10.0} for place in range(count)]
    return [{"class_type": "ImageBlur", "inputs": inputs} for inputs in blurs]


@pytest.fixture
def workflow(tmp_path: Path) -> str:
    (tmp_path / "workflow.json").write_text(json.dumps(_saved(COLOR)))
    return "workflow.json"


def test_it_submits_waits_lists_and_downloads(comfy: Comfy, workflow: str, tmp_path: Path) -> None:
    job_id = comfy("run", f"--workflow={workflow}")["prompt_id"]

    assert comfy("jobs", "wait", job_id)["completed"] == 1
    assert comfy("jobs", "status", job_id)["status"] == "completed"
    assert {job["prompt_id"]: job["status"] for job in comfy("jobs", "ls")["jobs"]}[job_id] == "completed"
    (file,) = comfy("download", job_id, "--out-dir=results")["files"]
    with Image.open(tmp_path / file["path"]) as picture:
        assert (picture.size, picture.getpixel((0, 0))) == ((32, 16), (0, 0, 255))


def test_it_waits_while_a_job_runs(comfy: Comfy, workflow: str) -> None:
    answer = comfy("run", f"--workflow={workflow}", "--wait")

    assert answer["status"] == "completed"
    assert len(answer["outputs"]) == 1


def test_it_sends_a_file_and_uses_it(comfy: Comfy, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    comfy("upload", "red.png")
    load = {"class_type": "LoadImage", "inputs": {"image": "red.png"}}
    (tmp_path / "load.json").write_text(json.dumps(_saved(load)))

    job_id = comfy("run", "--workflow=load.json", "--wait")["prompt_id"]

    (file,) = comfy("download", job_id)["files"]
    picture = Image.open(BytesIO((tmp_path / file["path"]).read_bytes()))
    assert picture.getpixel((0, 0)) == (255, 0, 0)


def test_it_cancels_a_job_that_runs(comfy: Comfy, server: ServerProcess, key: str, tmp_path: Path) -> None:
    (tmp_path / "long.json").write_text(json.dumps(_saved(LARGE, *_blurs(60))))
    with server.watch(key) as socket:
        job_id = comfy("run", "--workflow=long.json")["prompt_id"]
        _until_it_runs(socket, job_id)

        assert comfy("jobs", "cancel", job_id)["response"] == {"cancelled": True}

    # It exits with what a shell says of something that was interrupted.
    assert comfy("jobs", "wait", job_id, exits=130)["details"]["cancelled"] == 1


def _until_it_runs(socket: ClientConnection, job_id: str) -> None:
    while True:
        message = socket.recv(_SECONDS)
        if isinstance(message, str):
            told = json.loads(message)
            if told["type"] == "executing" and told["data"].get("prompt_id") == job_id:
                return
