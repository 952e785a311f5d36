"""The steps that the Cloud API's documentation shows in Python, written as a reader of it writes them down.

Upload a picture, submit a workflow that uses it, poll the status or listen for it, download what it made by following
the redirect without the key, cancel what is not wanted. Only the address and the key are ours.
"""

import io
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from PIL import Image
from tests.conftest import ServerProcess
from websockets.sync.client import connect

_PATIENCE_SECONDS = 240.0
WORKFLOW: dict[str, Any] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "my_image.png"}},
    "2": {"class_type": "ImageScale", "inputs": {
        "image": ["1", 0], "upscale_method": "nearest-exact", "width": "20", "height": 10, "crop": "disabled"}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "documented"}},
}  # fmt: skip
LONG = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
    "2": {"class_type": "FiresideSleep", "inputs": {"image": ["1", 0], "seconds": 3600.0, "steps": 10000}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "never"}},
}


@pytest.fixture
def base_url(shared_server: ServerProcess) -> str:
    return shared_server.url


@pytest.fixture
def headers(shared_server: ServerProcess) -> dict[str, str]:
    name = f"reader-{uuid4().hex[:8]}"
    return {"X-API-Key": shared_server.add_user(name), "Content-Type": "application/json"}


def upload_input(base_url: str, headers: dict[str, str], path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        response = requests.post(
            f"{base_url}/api/upload/image",
            headers={"X-API-Key": headers["X-API-Key"]},
            files={"image": file},
            data={"type": "input", "overwrite": "true"},
            timeout=90,
        )
    response.raise_for_status()
    return response.json()


def submit_workflow(base_url: str, headers: dict[str, str], workflow: dict[str, Any]) -> str:
    response = requests.post(f"{base_url}/api/prompt", headers=headers, json={"prompt": workflow}, timeout=90)
    response.raise_for_status()
    result = response.json()
    if "error" in result:
        raise ValueError(f"Workflow error: {result['error']}")
    return result["prompt_id"]


def poll_for_completion(base_url: str, headers: dict[str, str], prompt_id: str) -> str:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        response = requests.get(f"{base_url}/api/job/{prompt_id}/status", headers=headers, timeout=90)
        response.raise_for_status()
        status = response.json()["status"]
        if status in ("success", "error", "non_retryable_error", "lost", "cancelled"):
            return status
        time.sleep(0.05)
    raise TimeoutError(f"Job {prompt_id} did not complete")


def listen_for_completion(socket: Any, prompt_id: str) -> list[str]:
    """Give the types of the messages about the job up to the one that says that it is done."""
    heard: list[str] = []
    while True:
        message = socket.recv(timeout=_PATIENCE_SECONDS)
        if isinstance(message, bytes):
            continue
        event = json.loads(message)
        if event["data"].get("prompt_id") != prompt_id:
            continue
        heard.append(event["type"])
        if event["type"] == "execution_error":
            raise RuntimeError(event["data"]["exception_message"])
        if event["type"] == "execution_success":
            return heard


def get_job(base_url: str, headers: dict[str, str], prompt_id: str) -> dict[str, Any]:
    response = requests.get(f"{base_url}/api/jobs/{prompt_id}", headers=headers, timeout=90)
    response.raise_for_status()
    return response.json()


def download_outputs(base_url: str, headers: dict[str, str], outputs: dict[str, Any]) -> list[bytes]:
    downloaded: list[bytes] = []
    for node in outputs.values():
        for key in ("images", "video", "audio"):
            for item in node.get(key, []):
                where = {"filename": item["filename"], "subfolder": item["subfolder"], "type": item["type"]}
                view = f"{base_url}/api/view"
                redirect = requests.get(view, headers=headers, params=where, allow_redirects=False, timeout=90)
                assert redirect.status_code == 302
                # The key is for the API alone, and not for wherever the file is.
                file = requests.get(redirect.headers["Location"], timeout=90)
                file.raise_for_status()
                downloaded.append(file.content)
    return downloaded


def _picture(folder: Path) -> Path:
    path = folder / "my_image.png"
    Image.new("RGB", (64, 32), (10, 200, 30)).save(path)
    return path


@pytest.mark.statement(62, 105, 137)
def test_upload_submit_poll_and_download(base_url: str, headers: dict[str, str], tmp_path: Path) -> None:
    uploaded = upload_input(base_url, headers, _picture(tmp_path))
    workflow = json.loads(json.dumps(WORKFLOW))
    workflow["1"]["inputs"]["image"] = uploaded["name"]

    prompt_id = submit_workflow(base_url, headers, workflow)

    assert poll_for_completion(base_url, headers, prompt_id) == "success"
    job = get_job(base_url, headers, prompt_id)
    assert job["status"] == "completed"
    (content,) = download_outputs(base_url, headers, job["outputs"])
    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.size, picture.getpixel((0, 0))) == ((20, 10), (10, 200, 30))


@pytest.mark.statement(113, 116, 119)
def test_progress_over_the_websocket_of_a_job_that_was_submitted_without_its_client_id(
    base_url: str, headers: dict[str, str], tmp_path: Path
) -> None:
    upload_input(base_url, headers, _picture(tmp_path))
    address = f"{base_url.replace('http', 'ws', 1)}/ws?clientId={uuid4()}&token={headers['X-API-Key']}"

    with connect(address) as socket:
        prompt_id = submit_workflow(base_url, headers, WORKFLOW)
        heard = listen_for_completion(socket, prompt_id)

    assert heard[:2] == ["execution_start", "execution_cached"]
    assert {"executing", "progress_state", "executed"} <= set(heard)
    assert list(get_job(base_url, headers, prompt_id)["outputs"]) == ["3"]


@pytest.mark.parametrize("how", ["delete", "interrupt", "cancel"])
@pytest.mark.statement(67, 73, 78)
def test_a_job_that_runs_is_canceled(base_url: str, headers: dict[str, str], how: str) -> None:
    address = f"{base_url.replace('http', 'ws', 1)}/ws?clientId={uuid4()}&token={headers['X-API-Key']}"
    with connect(address) as socket:
        prompt_id = submit_workflow(base_url, headers, LONG)
        while json.loads(socket.recv(timeout=_PATIENCE_SECONDS))["type"] != "execution_start":
            pass

    if how == "delete":
        requests.post(f"{base_url}/api/queue", headers=headers, json={"delete": [prompt_id]}, timeout=90)
    elif how == "interrupt":
        requests.post(f"{base_url}/api/interrupt", headers=headers, timeout=90)
    else:
        requests.post(f"{base_url}/api/jobs/{prompt_id}/cancel", headers=headers, timeout=90)

    assert poll_for_completion(base_url, headers, prompt_id) == "cancelled"
    assert get_job(base_url, headers, prompt_id)["status"] == "cancelled"


def test_a_workflow_that_cannot_run_is_an_error_that_says_why(base_url: str, headers: dict[str, str]) -> None:
    with pytest.raises(requests.HTTPError, match="400") as refused:
        submit_workflow(base_url, headers, {"1": {"class_type": "NoSuchNode", "inputs": {}}})

    assert refused.value.response is not None
    assert refused.value.response.json()["error"]["type"] == "missing_node_type"
